#[canonlog::instrument_request(name = "cart_load", name = "cart")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
