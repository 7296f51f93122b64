#[canonlog::emit(info, error)]
fn check_out() -> canonlog::Logger {
    canonlog::logger("shop")
}

fn main() {}
