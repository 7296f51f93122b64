#[canonlog::instrument_request(kind = "batch")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
