struct Cart;

#[canonlog::operation]
impl Cart {
    fn load(&self) {}
}

fn main() {}
