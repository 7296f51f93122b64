#[canonlog::on_error(return = 0, panics = true)]
fn parse(text: &str) -> u64 {
    text.parse()?
}

fn main() {}
