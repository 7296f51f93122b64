use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog(skip = true)]
    id: u64,
}

fn main() {}
