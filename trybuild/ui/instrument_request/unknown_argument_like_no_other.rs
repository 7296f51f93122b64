#[canonlog::instrument_request(colour = "red")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
