#[canonlog::emit(info, text = 7)]
fn check_out() -> canonlog::Logger {
    canonlog::logger("shop")
}

fn main() {}
