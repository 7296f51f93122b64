use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog(rename = "cartId")]
    id: u64,
}

fn main() {}
