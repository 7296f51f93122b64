#[inline]
fn f(text: &str) -> Result<u8, std::num::ParseIntError> {
    let number = text.parse()?;
    Ok(1)
}

fn main() {}
