use canonlog::Fields;

struct Owner;

#[derive(Fields)]
struct Cart {
    owner: Owner,
}

fn main() {}
