use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog(flatten)]
    id: u64,
}

fn main() {}
