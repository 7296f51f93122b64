use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog(flatten, redact)]
    id: u64,
}

fn main() {}
