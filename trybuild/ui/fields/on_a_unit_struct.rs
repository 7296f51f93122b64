use canonlog::Fields;

#[derive(Fields)]
struct Cart;

fn main() {}
