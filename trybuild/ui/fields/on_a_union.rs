use canonlog::Fields;

#[derive(Fields)]
union Cart {
    id: u64,
    number: i64,
}

fn main() {}
