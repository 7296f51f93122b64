use canonlog::Fields;

#[derive(Fields)]
struct Cart {
    #[canonlog(renam = "cart_id")]
    id: u64,
}

fn main() {}
