#[canonlog::instrument_request(crate)]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
