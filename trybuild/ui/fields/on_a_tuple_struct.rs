use canonlog::Fields;

#[derive(Fields)]
struct Cart(u64);

fn main() {}
