#[inline]
fn f(text: &str) -> Result<usize, String> {
    let length = text.len();
    length.wrapping_add(1)
}

fn main() {}
