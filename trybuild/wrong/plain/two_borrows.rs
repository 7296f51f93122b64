#[inline]
fn f(list: &mut Vec<Result<u8, String>>) -> Result<u8, String> {
    let first = list.first_mut();
    let second = list.pop().unwrap_or(Ok(1))?;
    first.map_or(Ok(second), |first| first.clone())
}

fn main() {}
