#[canonlog::instrument_request(fields = id)]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
