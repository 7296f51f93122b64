//! Names of spans as keys.
//!
//! They follow other rules (`GET /cart`, `sqlx::query`), and are nobody's mistake: they are put into the form of a key here, before a record
//! could count that it had to do so.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, TryLockError};

/// As long a key may be.
const LONGEST: usize = 64;

/// The key for a span of this name: the name itself where it is one.
pub(super) fn key(name: &'static str) -> &'static str {
    if is_key(name) { name } else { made(name) }
}

fn is_key(name: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    name.len() <= LONGEST && name.bytes().all(fits) && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

fn clean(name: &str) -> String {
    let starts_well = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    let bytes = name.bytes().map(|byte| match byte.to_ascii_lowercase() {
        byte @ (b'a'..=b'z' | b'0'..=b'9' | b'_') => char::from(byte),
        _ => '_',
    });
    (!starts_well).then_some('_').into_iter().chain(bytes).take(LONGEST).collect()
}

/// As the thread has asked for it before, without a lock; names come from the program's text, so there are no more of them than there.
fn made(name: &'static str) -> &'static str {
    thread_local! {
        static KNOWN: RefCell<HashMap<&'static str, &'static str>> = RefCell::default();
    }
    let known = KNOWN.try_with(|known| known.try_borrow().ok()?.get(name).copied());
    if let Some(key) = known.ok().flatten() {
        return key;
    }
    // Where it cannot be had, the record changes the name, and counts that.
    let Some(key) = made_for_all(name) else { return name };
    let _ = KNOWN.try_with(|known| known.try_borrow_mut().ok()?.insert(name, key));
    key
}

/// One text for a name, whoever asks; nothing where the lock is not to be had: its holder may be a thread that this process, made by
/// `fork`, does not have, or an allocator that has spans of its own.
fn made_for_all(name: &'static str) -> Option<&'static str> {
    static ALL: Mutex<Option<HashMap<&'static str, &'static str>>> = Mutex::new(None);
    for _ in 0..10_000 {
        let mut all = match ALL.try_lock() {
            Ok(all) => all,
            Err(TryLockError::Poisoned(all)) => all.into_inner(),
            Err(TryLockError::WouldBlock) => {
                std::thread::yield_now();
                continue;
            }
        };
        return Some(all.get_or_insert_default().entry(name).or_insert_with(|| clean(name).leak()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_spans_become_keys_and_each_one_the_same_for_ever() {
        let long: &'static str = "X".repeat(100).leak();
        for (name, want) in [
            ("load_cart", "load_cart"),
            ("GET /cart", "get__cart"),
            ("sqlx::query", "sqlx__query"),
            ("2nd try", "_2nd_try"),
            ("", "_"),
            (long, &"x".repeat(64)),
        ] {
            assert_eq!(key(name), want);
            assert!(is_key(key(name)) && std::ptr::eq(key(name), key(name)), "{name}");
            let elsewhere = std::thread::spawn(move || key(name)).join().expect("no panic");
            assert!(std::ptr::eq(elsewhere, key(name)), "{name}");
        }
    }
}
