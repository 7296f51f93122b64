#[canonlog::on_error(return = 0)]
fn first(items: &[u64]) -> u64 {
    *items.first()?
}

fn main() {}
