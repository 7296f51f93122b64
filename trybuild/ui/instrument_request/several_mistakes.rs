#[canonlog::instrument_request(nmae = "cart", kind = "batch", timeout = "soon")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
