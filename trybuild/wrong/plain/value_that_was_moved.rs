#[inline]
fn f(kept: Result<String, String>) -> Result<usize, String> {
    let text = kept?;
    kept.map(|other| other.len() + text.len())
}

fn main() {}
