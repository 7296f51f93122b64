#[canonlog::instrument_request(request = id + 1)]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
