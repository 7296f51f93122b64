trait Load {
    #[canonlog::instrument_request]
    fn load(&self) -> u64;
}

fn main() {}
