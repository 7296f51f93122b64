#[canonlog::on_error(return)]
fn parse(text: &str) -> u64 {
    text.parse()?
}

fn main() {}
