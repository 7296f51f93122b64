//! Holds an event to its size, escaped: the longest texts of users are cut first.
//!
//! All that are cut come to the same length, found before the first cut: so the work is one look at each text, however many
//! there are and whatever their escapes.

use crate::event::Content;
use crate::format::{escaped_len, escaped_prefix};
use crate::record::keys::NAME_LIMIT;
use crate::record::log::CUT;

/// Bytes that a field takes beside its name and its text: quotes, `=`, a space or comma, or a number's digits.
const FIELD: usize = 32;
/// Room for type, time and level.
const HEAD: usize = 128;
/// No text of a user's is cut shorter than this.
const USERS: usize = 64;
/// A text of the framework's is cut only if it is longer than this, and only after those of users.
const FRAMEWORK: usize = 512;

/// Cuts texts until the event takes at most `limit` bytes; how many were cut.
#[inline(always)]
pub(super) fn hold(content: &mut Content, limit: usize) -> u64 {
    // A first guess spares most events a look at each field.
    if fits(content, content.len() * NAME_LIMIT, limit) { 0 } else { hold_slowly(content, limit) }
}

/// Whether the event is held to the limit in any case, with names of so many bytes.
#[inline(always)]
fn fits(content: &Content, names: usize, limit: usize) -> bool {
    // An escape makes six bytes of one at most.
    HEAD + names + content.len() * FIELD + content.text_len() * 6 <= limit
}

/// A text's place, whether it is the framework's, and its length once escaped.
type Text = (usize, bool, usize);

#[cold]
fn hold_slowly(content: &mut Content, limit: usize) -> u64 {
    if fits(content, content.names_len(), limit) {
        return 0;
    }
    let texts: Vec<Text> = content.texts().map(|(at, ours, text)| (at, ours, escaped_len(text))).collect();
    let fixed = HEAD + content.names_len() + content.len() * FIELD;
    let mut size = fixed + texts.iter().map(|(_, _, len)| len).sum::<usize>();
    let mut cuts = 0;
    for (framework, least) in [(false, USERS), (true, FRAMEWORK)] {
        let Some(excess) = size.checked_sub(limit).filter(|excess| *excess > 0) else { break };
        let most = level(texts.iter().filter(|text| text.1 == framework).map(|text| text.2), excess).max(least);
        for (at, _, len) in texts.iter().filter(|text| text.1 == framework && text.2 > most) {
            let shorter = [escaped_prefix(content.text_at(*at), most - CUT.len()), CUT].concat();
            size -= len - escaped_len(&shorter);
            content.set_text_at(*at, &shorter);
            cuts += 1;
        }
    }
    cuts
}

/// The length to which the longest have to come down for all to lose `excess` together.
fn level(lens: impl Iterator<Item = usize>, excess: usize) -> usize {
    let mut lens: Vec<usize> = lens.collect();
    lens.sort_unstable_by(|a, b| b.cmp(a));
    let mut sum = 0;
    for (at, len) in lens.iter().enumerate() {
        sum += len;
        let next = lens.get(at + 1).copied().unwrap_or(0);
        let level = sum.saturating_sub(excess) / (at + 1);
        if level >= next {
            return level;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventType;
    use crate::level::Level;
    use crate::value::Value;

    fn content(texts: &[(&str, bool, &str)]) -> Content {
        let mut content = Content::new();
        content.reset(EventType::Request, Level::Info, 0);
        for (name, framework, text) in texts {
            content.push_text(name, crate::event::order(name), *framework, Value::Str(text));
        }
        content
    }

    fn lens(content: &Content) -> Vec<usize> {
        content.texts().map(|(_, _, text)| text.len()).collect()
    }

    #[test]
    fn the_longest_come_down_to_one_length() {
        assert_eq!(level([10, 50, 100].into_iter(), 50), 50);
        assert_eq!(level([10, 50, 100].into_iter(), 70), 40);
        assert_eq!(level([10, 50, 100].into_iter(), 1), 99);
        assert_eq!(level([10, 50, 100].into_iter(), 1_000), 0);
        assert_eq!(level([].into_iter(), 1), 0);
    }

    #[test]
    fn an_event_that_fits_stays_as_it_is() {
        let mut content = content(&[("app_a", false, "short"), ("app_b", false, &"\0".repeat(100))]);
        assert_eq!(hold(&mut content, 1_000), 0);
        assert_eq!(lens(&content), [5, 100]);
    }

    #[test]
    fn only_the_longest_of_users_are_cut_and_the_frameworks_last() {
        let (long, longer) = ("x".repeat(5_000), "y".repeat(9_000));
        let mut content = content(&[("req_path", true, &longer), ("app_a", false, &longer), ("app_b", false, &long)]);
        assert_eq!(hold(&mut content, 20_000), 1);
        let cut = lens(&content);
        assert_eq!((cut[0], cut[2]), (9_000, 5_000));
        assert!(cut[1] < 9_000 && content.text_at(1).ends_with(CUT));
        assert_eq!(hold(&mut content, 2_000), 3);
        assert!(lens(&content)[0] > lens(&content)[1]);
    }

    #[test]
    fn many_texts_that_grow_by_escaping_are_cut_in_one_go() {
        let text = "\0".repeat(8 * 1024);
        let names: Vec<String> = (0..128).map(|at| format!("app_k{at}")).collect();
        let texts: Vec<_> = names.iter().map(|name| (name.as_str(), false, text.as_str())).collect();
        let mut content = content(&texts);
        assert_eq!(hold(&mut content, 64 * 1024), 128);
        let lens = lens(&content);
        assert!(lens.iter().all(|len| *len == lens[0]), "{lens:?}");
        let escaped: usize = content.texts().map(|(_, _, text)| escaped_len(text)).sum();
        assert!((50_000..64 * 1024).contains(&escaped), "{escaped}");
    }
}
