#[canonlog::emit(info)]
fn check_out() {}

fn main() {}
