#[canonlog::on_error(return = "none")]
fn parse(text: &str) -> u64 {
    text.parse()?
}

fn main() {}
