#[canonlog::on_error(return = 0)]
enum Cart {
    Empty,
}

fn main() {}
