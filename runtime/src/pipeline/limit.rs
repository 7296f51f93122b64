//! Holds an event to its size, escaped: the longest texts of users are cut first.

use crate::event::Content;
use crate::format::limit::escaped_len;
use crate::record::log::{CUT, cut};

/// Bytes that a field takes beside its name and its text: quotes, `=`, a space or comma, or a number's digits.
const FIELD: usize = 32;
/// Room for type, time and level.
const HEAD: usize = 128;
/// A text of the framework's is cut only if it is longer than this, and only after those of users.
const FRAMEWORK: usize = 512;

/// Cuts texts until the event takes at most `limit` bytes; how many were cut.
pub(super) fn hold(content: &mut Content, limit: usize) -> u64 {
    // An escape makes six bytes of one at most.
    if HEAD + content.names_len() + content.len() * FIELD + content.text_len() * 6 <= limit {
        return 0;
    }
    hold_slowly(content, limit)
}

#[cold]
fn hold_slowly(content: &mut Content, limit: usize) -> u64 {
    let mut cuts = 0;
    loop {
        let texts: usize = content.texts().map(|(_, _, text)| escaped_len(text)).sum();
        let size = HEAD + content.names_len() + content.len() * FIELD + texts;
        if size <= limit {
            return cuts;
        }
        let longest = |framework: bool| {
            let texts = content.texts().filter(|(_, ours, text)| *ours == framework && text.len() > CUT.len());
            texts.max_by_key(|(_, _, text)| escaped_len(text)).map(|(at, _, text)| (at, escaped_len(text)))
        };
        let found = longest(false).filter(|(_, len)| *len > 64);
        let Some((at, escaped)) = found.or_else(|| longest(true).filter(|(_, len)| *len > FRAMEWORK)) else {
            return cuts;
        };
        // As short as it must be, but not shorter than half: others may be as long.
        let keep = escaped.saturating_sub(size - limit + CUT.len() + 8).max(escaped / 2);
        let text = content.text_at(at);
        let mut end = keep.min(text.len());
        while escaped_len(cut(text, end)) > keep {
            end = end * 3 / 4;
        }
        let shorter = [cut(text, end), CUT].concat();
        content.set_text_at(at, &shorter);
        cuts += 1;
    }
}
