#[canonlog::operation(lines = "off")]
fn f() -> u8 {
    1
}

fn main() {}
