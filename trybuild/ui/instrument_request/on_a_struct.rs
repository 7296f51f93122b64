#[canonlog::instrument_request]
struct Cart {
    id: u64,
}

fn main() {}
