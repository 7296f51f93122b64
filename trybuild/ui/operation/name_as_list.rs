#[canonlog::operation(name("cart_load"))]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
