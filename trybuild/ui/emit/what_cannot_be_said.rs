struct Cart;

#[canonlog::emit(info)]
fn check_out() -> Cart {
    Cart
}

fn main() {}
