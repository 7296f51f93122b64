//! Places that are no annotated functions, by number: found on stacks, and told of later.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sys::lasting::Lasting;

/// Programs are stuck at a few places: a text that finds no room is not kept.
static TEXTS: [Lasting<String>; 1_024] = [const { Lasting::none() }; 1_024];
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// The number of a text, which is kept for good.
pub(crate) fn number(text: String) -> Option<u32> {
    let known = (0..KEPT.load(Ordering::Relaxed)).find(|at| of(*at as u32) == Some(&text));
    let at = match known {
        Some(at) => at,
        None => {
            let next = |kept: usize| (kept < TEXTS.len()).then_some(kept + 1);
            let at = KEPT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
            TEXTS[at].store(Some(Box::leak(Box::new(text))));
            at
        }
    };
    u32::try_from(at).ok()
}

/// The text of a number.
pub(crate) fn of(number: u32) -> Option<&'static str> {
    TEXTS.get(number as usize)?.load().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once() {
        let [one, other] = ["src/a.rs:1:a", "src/b.rs:2:b"].map(|text| number(text.to_owned()).expect("room"));
        assert_ne!(one, other);
        assert_eq!(number("src/a.rs:1:a".to_owned()), Some(one));
        assert_eq!((of(one), of(1_024)), (Some("src/a.rs:1:a"), None));
    }
}
