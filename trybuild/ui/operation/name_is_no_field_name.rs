#[canonlog::operation(name = "cart-load")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
