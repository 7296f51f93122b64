#[canonlog::on_error(retrun = 0)]
fn parse(text: &str) -> u64 {
    text.parse()?
}

fn main() {}
