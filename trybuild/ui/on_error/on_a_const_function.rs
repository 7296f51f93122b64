#[canonlog::on_error(return = 0)]
const fn load(id: u64) -> u64 {
    id
}

fn main() {}
