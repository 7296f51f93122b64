#[canonlog::emit(text = "checked out")]
fn check_out() -> canonlog::Logger {
    canonlog::logger("shop")
}

fn main() {}
