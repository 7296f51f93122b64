//! A field's name, made without an allocation.

use super::keys::{KEY_LIMIT, NAME_LIMIT, Suffix};

/// `namespace_key`, clean and not too long together.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    bytes: [u8; NAME_LIMIT],
    len: usize,
    renamed: bool,
}

impl Name {
    pub(crate) fn new(namespace: &str, key: &str, suffix: Suffix) -> Name {
        let end = match suffix {
            Suffix::None => "",
            Suffix::Time => "_time",
        };
        let mut name = Name { bytes: [0; NAME_LIMIT], len: 0, renamed: false };
        name.push_clean(namespace, KEY_LIMIT);
        name.push(b"_");
        let room = (NAME_LIMIT - name.len - end.len()).min(KEY_LIMIT);
        name.renamed = name.push_clean(key, room);
        name.push(end.as_bytes());
        name
    }

    pub(crate) fn as_str(&self) -> &str {
        // Clean texts are ASCII.
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    /// Whether cleaning changed the key.
    pub(crate) fn is_renamed(&self) -> bool {
        self.renamed
    }

    fn push(&mut self, bytes: &[u8]) {
        if let Some(to) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            to.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// Appends a text in the form of a field's name: lower case letters, digits and `_`, no digit first, at most `limit` bytes;
    /// whether that changed it.
    fn push_clean(&mut self, text: &str, limit: usize) -> bool {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let starts_well = text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        if starts_well && text.len() <= limit && text.bytes().all(fits) {
            self.push(text.as_bytes());
            return false;
        }
        let first = if starts_well { None } else { Some(b'_') };
        let rest = text.bytes().map(|byte| match byte.to_ascii_lowercase() {
            byte if fits(byte) => byte,
            _ => b'_',
        });
        first.into_iter().chain(rest).take(limit).for_each(|byte| self.push(&[byte]));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(namespace: &str, key: &str, suffix: Suffix) -> (String, bool) {
        let name = Name::new(namespace, key, suffix);
        (name.as_str().to_owned(), name.is_renamed())
    }

    #[test]
    fn keys_are_cleaned_to_field_names() {
        for (key, want, renamed) in [
            ("cart_total", "cart_total", false),
            ("Cart Total", "cart_total", true),
            ("2nd", "_2nd", true),
            ("", "_", true),
            ("a=\"b\"\n", "a__b__", true),
            ("é", "__", true),
        ] {
            assert_eq!(named("app", key, Suffix::None), (format!("app_{want}"), renamed));
        }
        assert_eq!(named("app", &"x".repeat(100), Suffix::None), (format!("app_{}", "x".repeat(KEY_LIMIT)), true));
    }

    #[test]
    fn a_name_is_at_most_as_long_as_the_grammar_allows() {
        let (namespace, key) = ("n".repeat(64), "k".repeat(64));
        assert_eq!(named(&namespace, &key, Suffix::None), (format!("{namespace}_{}", &key[..63]), true));
        assert_eq!(named(&namespace, &key, Suffix::Time), (format!("{namespace}_{}_time", &key[..58]), true));
        assert_eq!(named("app", &key, Suffix::Time), (format!("app_{key}_time"), false));
    }
}
