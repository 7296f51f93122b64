#[canonlog::instrument_request(timeout = "2")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
