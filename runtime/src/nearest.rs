//! What somebody who wrote an unknown name may have meant.

/// The allowed name that looks most like `got`, if one does.
pub(crate) fn nearest<'a>(got: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let far = |name: &str| distance(&got.to_ascii_lowercase(), &name.to_ascii_lowercase());
    let looks_alike = |name: &&str| far(name) <= name.len().min(got.len()).div_ceil(2);
    allowed.iter().copied().filter(looks_alike).min_by_key(|name| far(name))
}

/// As much of a text as an error shows, without controls.
pub(crate) fn cut(got: &str) -> String {
    got.chars().take(64).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// How many characters must be inserted, removed or replaced to make one text the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_changes() {
        for (one, other, want) in [("json", "json", 0), ("jsn", "json", 1), ("", "abc", 3), ("kitten", "sitting", 3)] {
            assert_eq!(distance(one, other), want, "{one} {other}");
        }
    }

    #[test]
    fn a_name_that_looks_like_none_has_no_nearest() {
        assert_eq!(nearest("jsno", &["logfmt", "json"]), Some("json"));
        assert_eq!(nearest("xyzzy-plugh", &["logfmt", "json"]), None);
        assert_eq!(nearest("file", &["daily", "max_size"]), None, "half of it is another");
    }
}
