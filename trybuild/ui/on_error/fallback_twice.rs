#[canonlog::on_error(return = 0, return = 1)]
fn parse(text: &str) -> u64 {
    text.parse()?
}

fn main() {}
