#[canonlog::emit(info)]
const fn check_out() -> u8 {
    1
}

fn main() {}
