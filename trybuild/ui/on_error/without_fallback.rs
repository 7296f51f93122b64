#[canonlog::on_error]
fn parse(text: &str) -> u64 {
    text.parse()?
}

fn main() {}
