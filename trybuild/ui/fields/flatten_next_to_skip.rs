use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog(flatten, skip)]
    id: u64,
}

fn main() {}
