#[inline]
fn f() -> Result<u8, String> {
    let number = 5?;
    Ok(number)
}

fn main() {}
