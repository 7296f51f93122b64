use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog(skip, redact)]
    id: u64,
}

fn main() {}
