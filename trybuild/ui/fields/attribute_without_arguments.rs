use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog]
    id: u64,
}

fn main() {}
