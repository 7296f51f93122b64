use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    id: u64,
    #[canonlog(rename = "id")]
    number: u64,
}

fn main() {}
