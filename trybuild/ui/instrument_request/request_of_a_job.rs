#[canonlog::instrument_request(kind = "job", request = id)]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
