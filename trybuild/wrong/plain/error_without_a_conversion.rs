#[inline]
fn f(text: &str) -> Result<u8, String> {
    let number: u8 = text.parse()?;
    Ok(number)
}

fn main() {}
