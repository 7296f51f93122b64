#[canonlog::instrument_request(request = request)]
fn load(request: String) -> usize {
    request.len()
}

fn main() {}
