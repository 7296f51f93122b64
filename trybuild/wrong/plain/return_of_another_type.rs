#[inline]
fn f(text: &str) -> Result<usize, String> {
    if text.is_empty() {
        return text.len();
    }
    Ok(1)
}

fn main() {}
