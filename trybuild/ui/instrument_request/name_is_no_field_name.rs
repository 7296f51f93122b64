#[canonlog::instrument_request(name = "Cart Load")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
