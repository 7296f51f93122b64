#[inline]
fn f(text: &str) -> Result<&str, String> {
    let copy = text.to_owned();
    copy.split_once(' ').map(|(first, _)| first).ok_or(text.to_owned())
}

fn main() {}
