#[canonlog::on_error(return = 0)]
fn first(item: u64) -> u64 {
    item?
}

fn main() {}
