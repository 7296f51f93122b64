//! Which names a pattern means.
//!
//! ```text
//! api_key   ──▶  app_api_key  app_api_key_of_shop      not  app_api_keys
//! *token    ──▶  app_token  app_accesstoken_2          not  app_tokens
//! ```
//!
//! A pattern is one word or several; `*` in a word stands for any characters of it.

/// Names that end so tell how much there was or how long it took, not what it was.
const MEASURES: [&str; 5] = ["count", "time", "len", "length", "size"];

/// A pattern as it is compared: lower case, words joined by `_`; `None` for one that means every name, or none.
pub(super) fn clean(pattern: &str) -> Option<String> {
    let clean: String = pattern
        .trim()
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            '-' | '.' | ' ' => '_',
            c => c,
        })
        .collect();
    let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '*');
    let says = |c: char| !matches!(c, '_' | '*');
    (clean.len() <= 64 && clean.chars().all(fits) && clean.chars().any(says)).then_some(clean)
}

/// Whether a name has the words of a pattern in it, one behind the other.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let is_measure = name.rsplit_once('_').is_some_and(|(_, last)| MEASURES.contains(&last));
    let starts = std::iter::once(0).chain(name.match_indices('_').map(|(at, _)| at + 1));
    starts.into_iter().any(|start| match words(pattern, &name[start..]) {
        Some(rest) => rest.is_empty() || !is_measure,
        None => false,
    })
}

/// What is left of a name behind the words of a pattern, if it begins with them.
fn words<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    let mut rest = Some(name);
    for word in pattern.split('_') {
        let (first, after) = match rest?.split_once('_') {
            Some((first, after)) => (first, Some(after)),
            None => (rest?, None),
        };
        if !is_like(word.as_bytes(), first.as_bytes()) {
            return None;
        }
        rest = after;
    }
    Some(rest.unwrap_or_default())
}

/// Whether a word is like a pattern of one.
fn is_like(pattern: &[u8], word: &[u8]) -> bool {
    let (mut at, mut in_word) = (0, 0);
    // Where the last `*` stands, and how far it has reached.
    let mut star: Option<(usize, usize)> = None;
    while in_word < word.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_word));
                at += 1;
            }
            Some(byte) if *byte == word[in_word] => {
                at += 1;
                in_word += 1;
            }
            _ => {
                let Some((place, reached)) = star else { return false };
                star = Some((place, reached + 1));
                at = place + 1;
                in_word = reached + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_means_whole_words_wherever_they_stand() {
        for name in ["app_api_key", "api_key", "app_api_key_of_shop", "shop_old_api_key"] {
            assert!(matches("api_key", name), "{name}");
        }
        for name in ["app_api_keys", "app_api", "app_apikey", "app_key_api", ""] {
            assert!(!matches("api_key", name), "{name}");
        }
    }

    #[test]
    fn a_star_stands_for_any_characters_of_one_word() {
        assert!(matches("*token", "app_accesstoken") && matches("*token", "app_token"));
        assert!(matches("*pass*word*", "app_mypasswordhash"));
        assert!(!matches("*token", "app_tokens") && !matches("a*b", "a_b"));
        assert!(matches("x_*", "app_x_y") && !matches("x_*", "app_x"));
    }

    #[test]
    fn how_much_there_was_is_no_secret_unless_the_pattern_says_so() {
        assert!(!matches("*token", "app_token_count") && !matches("session", "app_session_time"));
        assert!(matches("token_count", "app_token_count") && matches("time", "app_time"));
        assert!(matches("session", "app_session_time_zone"));
    }

    #[test]
    fn a_pattern_is_cleaned_as_a_header_is() {
        assert_eq!(clean(" X-Api-Key ").as_deref(), Some("x_api_key"));
        for none in ["", "*", "_", "**_*", "é", "a=b", &"x".repeat(65)] {
            assert_eq!(clean(none), None, "{none}");
        }
    }

    /// The same, by trying everything.
    fn is_like_slowly(pattern: &[u8], word: &[u8]) -> bool {
        match (pattern, word) {
            ([], word) => word.is_empty(),
            ([b'*', pattern @ ..], word) => (0..=word.len()).any(|at| is_like_slowly(pattern, &word[at..])),
            ([byte, pattern @ ..], [first, word @ ..]) => byte == first && is_like_slowly(pattern, word),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn stars_are_tried_in_every_way(pattern in "[ab*]{0,8}", word in "[ab]{0,10}") {
            prop_assert_eq!(
                is_like(pattern.as_bytes(), word.as_bytes()),
                is_like_slowly(pattern.as_bytes(), word.as_bytes())
            );
        }
    }
}
