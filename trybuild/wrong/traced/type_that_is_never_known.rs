use std::num::ParseIntError;

trait Read: Sized {
    fn read(text: &str) -> Result<Self, ParseIntError>;
}

impl Read for u8 {
    fn read(text: &str) -> Result<Self, ParseIntError> {
        text.parse()
    }
}

#[canonlog::operation]
fn f(text: &str) -> Result<u8, ParseIntError> {
    let number = Read::read(text)?;
    Ok(1)
}

fn main() {}
