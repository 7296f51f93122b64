#[canonlog::operation(errors = "off")]
fn f() -> u8 {
    1
}

fn main() {}
