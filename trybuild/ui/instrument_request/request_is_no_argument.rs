#[canonlog::instrument_request(request = reqest)]
fn load(request: u64) -> u64 {
    request
}

fn main() {}
