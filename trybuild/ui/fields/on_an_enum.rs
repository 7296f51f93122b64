use canonlog::Fields;

#[derive(Fields)]
enum Cart {
    Empty,
}

fn main() {}
