//! Patterns of shells.

use std::fmt;

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Just(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// `[a-z_]`, or with `!` what is not in it.
    Set {
        inside: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A pattern of shells: `*`, `?`, `[a-z]`, `[!a-z]`. Upper and lower case are told apart, and no character is special.
#[derive(Clone)]
pub(super) struct Glob {
    text: String,
    pieces: Vec<Piece>,
}

impl Glob {
    pub(super) fn new(text: String) -> Glob {
        let mut pieces = Vec::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            pieces.push(match c {
                '*' => Piece::Any,
                '?' => Piece::One,
                '[' => match set(rest.as_str()) {
                    Some((piece, after)) => {
                        rest = after.chars();
                        piece
                    }
                    // Without its end it is no set.
                    None => Piece::Just('['),
                },
                c => Piece::Just(c),
            });
        }
        Glob { text, pieces }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut piece) = (0, 0);
        // Where the last `*` stands, and how much it has taken: the only choice there is to come back to.
        let mut star: Option<(usize, usize)> = None;
        loop {
            let fits = match self.pieces.get(piece) {
                Some(Piece::Any) => {
                    star = Some((piece, at));
                    piece += 1;
                    continue;
                }
                Some(wanted) => text.get(at).is_some_and(|c| wanted.fits(*c)),
                None if at == text.len() => return true,
                None => false,
            };
            if fits {
                (at, piece) = (at + 1, piece + 1);
            } else if let Some((begin, taken)) = star.filter(|(_, taken)| *taken < text.len()) {
                star = Some((begin, taken + 1));
                (at, piece) = (taken + 1, begin + 1);
            } else {
                return false;
            }
        }
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Piece {
    fn fits(&self, c: char) -> bool {
        match self {
            Piece::Just(wanted) => c == *wanted,
            Piece::One => true,
            Piece::Any => false,
            Piece::Set { inside, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) == *inside,
        }
    }
}

/// A set and what follows it, from behind its `[`.
fn set(text: &str) -> Option<(Piece, &str)> {
    let (inside, body) = text.strip_prefix('!').map_or((true, text), |body| (false, body));
    // A `]` that stands first is one of the set.
    let first = body.chars().next()?.len_utf8();
    let end = first + body.get(first..)?.find(']')?;
    let chars: Vec<char> = body[..end].chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(low) = chars.get(at) {
        let range = chars.get(at + 1) == Some(&'-') && chars.len() > at + 2;
        ranges.push((*low, if range { chars[at + 2] } else { *low }));
        at += if range { 3 } else { 1 };
    }
    Some((Piece::Set { inside, ranges }, &body[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_name_and_nothing_else() {
        for (pattern, yes, no) in [
            ("shop.*", &["shop.", "shop.cart", "shop.cart.x"][..], &["shop", "xshop.cart"][..]),
            ("*", &["", "anything"], &[]),
            ("", &[""], &["a"]),
            ("a?c", &["abc", "aéc"], &["ac", "abbc", "Abc"]),
            ("*a*b", &["ab", "xaxxb", "aabab"], &["ba", "a", "abx"]),
            ("[a-cx]1", &["a1", "c1", "x1"], &["d1", "-1", "1"]),
            ("[!a-c]", &["d", "]"], &["a", ""]),
            ("[]x]", &["]", "x"], &["["]),
            ("[ab", &["[ab"], &["a"]),
            ("[a-]", &["a", "-"], &["b"]),
        ] {
            let glob = Glob::new(pattern.to_owned());
            assert!(yes.iter().all(|name| glob.matches(name)), "{pattern}");
            assert!(!no.iter().any(|name| glob.matches(name)), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_long_time() {
        let glob = Glob::new("*a".repeat(40) + "b");
        assert!(!glob.matches(&"a".repeat(10_000)));
    }
}
