#[canonlog::operation(tags(time = id))]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
