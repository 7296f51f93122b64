#[canonlog::emit(warn)]
fn check_out() -> canonlog::Logger {
    canonlog::logger("shop")
}

fn main() {}
