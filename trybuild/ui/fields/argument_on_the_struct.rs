use canonlog::Fields;

#[derive(Fields)]
#[canonlog(rename = "cart")]
struct Cart {
    id: u64,
}

fn main() {}
