#[canonlog::emit(info)]
struct Cart;

fn main() {}
