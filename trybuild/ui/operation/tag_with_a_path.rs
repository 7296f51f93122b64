#[canonlog::operation(tags(db::table = "carts"))]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
