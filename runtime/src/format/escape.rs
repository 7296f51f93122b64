//! The one escape rule: JSON's escapes, in every format.
//!
//! ```text
//! "  \           \"  \\
//! \n \r \t \b \f as written here; any other byte below 0x20, and DEL: \u00XX
//! U+0080-U+009F  U+061C  U+200E-F  U+2028-E  U+2066-9  U+FEFF: \uXXXX
//! ```
//!
//! Everything else is written as it is. So a text is one line for any reader (each of Unicode's line ends is escaped), no
//! terminal acts on it, it shows in the order it has, and any strict reader of JSON strings gives it back unchanged.

/// What the first byte of a character asks for.
const PLAIN: u8 = 0;
/// A byte that becomes `\u00XX`.
const HEX: u8 = 1;
/// The lead of U+0080-U+00BF, whose first half are controls.
const LEAD_C2: u8 = 2;
/// The lead of U+0600-U+063F, with one bidi mark.
const LEAD_D8: u8 = 3;
/// The lead of U+2000-U+2FFF, with line ends and bidi marks.
const LEAD_E2: u8 = 4;
/// The lead of U+F000-U+FFFF, with the byte order mark.
const LEAD_EF: u8 = 5;

/// For each byte one of the above, or the letter that follows its backslash.
const TABLE: [u8; 256] = {
    let mut table = [PLAIN; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = HEX;
        byte += 1;
    }
    table[0x7F] = HEX;
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[0x08] = b'b';
    table[0x0C] = b'f';
    table[0xC2] = LEAD_C2;
    table[0xD8] = LEAD_D8;
    table[0xE2] = LEAD_E2;
    table[0xEF] = LEAD_EF;
    table
};

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The length of an escape by number, `\u001b`.
const LONG: usize = 6;

/// How a character that cannot stay is written, and how many bytes of text it takes.
enum Escape {
    Short(u8),
    Long(u16),
}

/// The escape for the character that starts at `bytes[at]`, if it needs one.
fn escape_at(bytes: &[u8], at: usize) -> Option<(Escape, usize)> {
    let after = |n: usize| bytes.get(at + n).copied().unwrap_or_default();
    match TABLE[usize::from(bytes[at])] {
        PLAIN => None,
        HEX => Some((Escape::Long(u16::from(bytes[at])), 1)),
        LEAD_C2 => {
            let byte = after(1);
            (byte < 0xA0).then_some((Escape::Long(u16::from(byte)), 2))
        }
        LEAD_D8 => (after(1) == 0x9C).then_some((Escape::Long(0x061C), 2)),
        LEAD_E2 => match (after(1), after(2)) {
            (0x80, last @ (0x8E | 0x8F | 0xA8..=0xAE)) => Some((Escape::Long(0x2000 + u16::from(last - 0x80)), 3)),
            (0x81, last @ 0xA6..=0xA9) => Some((Escape::Long(0x2040 + u16::from(last - 0x80)), 3)),
            _ => None,
        },
        LEAD_EF => ((after(1), after(2)) == (0xBB, 0xBF)).then_some((Escape::Long(0xFEFF), 3)),
        letter => Some((Escape::Short(letter), 1)),
    }
}

/// The high bit of each byte.
const HIGH: u64 = u64::MAX / 255 * 0x80;

/// Has a high bit set if a byte of eight is a control, a quote, a backslash or outside ASCII; else none.
#[inline(always)]
pub(super) const fn marks(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_le_bytes(word);
    // Each term has the high bit of a byte set where that byte is what it looks for. A borrow or carry can only add bits
    // above a byte that was found already, and such a word is not plain anyway. Flipping 2 swaps the quote with the space,
    // and so puts it beside the controls.
    let control_or_quote = (word ^ (ONES * 2)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    let delete = word.wrapping_add(ONES);
    (control_or_quote | backslash | delete | word) & HIGH
}

/// Adds to `found` where a byte of sixteen is what [`marks`] looks for. Written so that it becomes a few vector instructions.
#[inline(always)]
pub(super) fn mark_16(found: &mut [u8; 16], chunk: &[u8; 16]) {
    for (found, byte) in found.iter_mut().zip(chunk) {
        // As signed numbers, the bytes outside ASCII are below the controls.
        let low = ((byte ^ 2) as i8) < 0x21;
        *found |= u8::from(low | (*byte == b'\\') | (*byte == 0x7F));
    }
}

/// Whether a text can be written as it is, at the speed of a copy; texts beyond ASCII are not looked into.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    // The last chunk overlaps the one before it, so that no tail is left. By words: of sixteen bytes at once, the compiler would make
    // sums column by column, with the chunks turned on their sides.
    if let Some(last) = bytes.last_chunk() {
        bytes.as_chunks().0.iter().fold(marks(*last), |found, chunk| found | marks(*chunk)) == 0
    } else {
        bytes.iter().all(|byte| is_plain_byte(*byte))
    }
}

#[inline(always)]
pub(super) fn is_plain_byte(byte: u8) -> bool {
    byte < 0x80 && TABLE[usize::from(byte)] == PLAIN
}

/// Appends a text with what cannot stay escaped.
pub(super) fn push_escaped(line: &mut Vec<u8>, bytes: &[u8]) {
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        let Some((escape, width)) = escape_at(bytes, at) else {
            at += 1;
            continue;
        };
        line.extend_from_slice(&bytes[copied..at]);
        match escape {
            Escape::Short(letter) => line.extend_from_slice(&[b'\\', letter]),
            Escape::Long(code) => {
                let digit = |shift: u16| HEX_DIGITS[usize::from(code >> shift & 0xF)];
                line.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
            }
        }
        at += width;
        copied = at;
    }
    line.extend_from_slice(&bytes[copied..]);
}

/// How many bytes a text takes once it is escaped.
#[inline]
pub(crate) fn escaped_len(text: &str) -> usize {
    if is_plain(text.as_bytes()) { text.len() } else { walk(text, usize::MAX).1 }
}

/// The longest beginning of a text that takes at most `room` bytes once it is escaped; it ends between two characters.
pub(crate) fn escaped_prefix(text: &str, room: usize) -> &str {
    if text.len() <= room && is_plain(text.as_bytes()) {
        return text;
    }
    let end = walk(text, room).0;
    text.get(..end).unwrap_or_default()
}

/// How much of a text fits, in bytes of the text and in bytes once escaped.
fn walk(text: &str, room: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let (mut at, mut len) = (0, 0);
    for (start, character) in text.char_indices() {
        let cost = match escape_at(bytes, start) {
            None => character.len_utf8(),
            Some((Escape::Short(_), _)) => 2,
            Some((Escape::Long(_), _)) => LONG,
        };
        if room - len < cost {
            return (at, len);
        }
        len += cost;
        at = start + character.len_utf8();
    }
    (at, len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut line = Vec::new();
        push_escaped(&mut line, text.as_bytes());
        String::from_utf8(line).expect("escapes keep UTF-8")
    }

    /// The rule, written a second time and slowly.
    fn stays(character: char) -> bool {
        !matches!(character, '"' | '\\' | '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}')
            && !matches!(character, '\u{2066}'..='\u{2069}' | '\u{FEFF}')
            && !character.is_control()
    }

    #[test]
    fn every_character_is_escaped_exactly_if_the_rule_says_so() {
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            let written = escaped(&text);
            assert_eq!(written == text, stays(character), "{character:?} became {written}");
            assert_eq!(written.len(), escaped_len(&text), "{character:?}");
            assert!(written.chars().all(|c| !c.is_control() && (stays(c) || c == '"' || c == '\\')), "{written:?}");
            let read: String = serde_json::from_str(&format!("\"{written}\"")).expect("a JSON string");
            assert_eq!(read, text);
        }
    }

    #[test]
    fn short_escapes_are_those_of_json() {
        assert_eq!(escaped("\"\\\n\r\t\u{8}\u{c}"), r#"\"\\\n\r\t\b\f"#);
        assert_eq!(escaped("a\u{0}b\u{b}\u{1b}[0m\u{7f}\u{85}"), r"a\u0000b\u000b\u001b[0m\u007f\u0085");
        assert_eq!(escaped("\u{61c}\u{2028}\u{2029}\u{202e}\u{2069}\u{feff}"), r"\u061c\u2028\u2029\u202e\u2069\ufeff");
        assert_eq!(escaped("né€😀\u{a0}\u{2027}\u{2065}"), "né€😀\u{a0}\u{2027}\u{2065}");
    }

    #[test]
    fn a_byte_that_must_not_stay_is_seen_at_every_place_of_a_word() {
        for len in 0..40 {
            let plain = "~ !#[]^a".chars().cycle().take(len).collect::<String>();
            assert!(is_plain(plain.as_bytes()), "{plain}");
            for at in 0..len {
                for bad in ["\"", "\\", "\u{0}", "\u{1f}", "\u{7f}", "é"] {
                    let text = format!("{}{bad}{}", &plain[..at], &plain[at + 1..]);
                    assert!(!is_plain(text.as_bytes()), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_cut_text_ends_between_characters_and_fits() {
        assert_eq!(escaped_prefix("plain", 5), "plain");
        assert_eq!(escaped_prefix("plain", 3), "pla");
        assert_eq!(escaped_prefix("né", 2), "n");
        assert_eq!(escaped_prefix("a\u{0}b", 6), "a");
        assert_eq!(escaped_prefix("a\u{0}b", 7), "a\u{0}");
        assert_eq!(escaped_prefix("\n", 1), "");
        assert_eq!(escaped_prefix("😀", 0), "");
    }

    proptest! {
        #[test]
        fn the_prefix_is_the_longest_that_fits(text in any::<String>(), room in 0_usize..80) {
            let prefix = escaped_prefix(&text, room);
            prop_assert!(text.starts_with(prefix));
            prop_assert!(escaped(prefix).len() <= room);
            if let Some(next) = text[prefix.len()..].chars().next() {
                let longer = format!("{prefix}{next}");
                prop_assert!(escaped(&longer).len() > room);
            }
        }
    }
}
