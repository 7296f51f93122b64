use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog(rename = "cart_id", skip)]
    id: u64,
}

fn main() {}
