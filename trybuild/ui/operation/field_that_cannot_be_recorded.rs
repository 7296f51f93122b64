struct Cart;

#[canonlog::operation(fields(cart = cart))]
async fn load(cart: Cart) {
    drop(cart);
}

fn main() {}
