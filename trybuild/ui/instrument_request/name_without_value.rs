#[canonlog::instrument_request(name)]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
