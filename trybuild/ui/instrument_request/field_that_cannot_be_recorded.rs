struct Cart;

#[canonlog::instrument_request(fields(cart = cart))]
fn load(cart: Cart) {
    drop(cart);
}

fn main() {}
