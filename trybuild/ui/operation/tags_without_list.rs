#[canonlog::operation(tags = "carts")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
