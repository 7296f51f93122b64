//! Field names as small numbers.
//!
//! A key that the program knows (`&'static str`) is interned once in the process: cleaned, joined with its namespace, ranked.
//! After that, a thread finds it by the address and length of the text, which for a `'static` text means the same bytes.
//! Keys made at run time are never interned: whoever chooses them (an attacker, perhaps) could fill the table.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::current;
use super::name::Name;
use crate::event::{Listed, is_reserved, names};

pub(crate) use crate::event::names::{Held, KeyId, NOT_INTERNED, builtin, hold, key, known};

/// The longest key, without its namespace, in bytes.
pub(crate) const KEY_LIMIT: usize = 64;

/// The longest name, of namespace, key and suffix, in bytes: what the grammar of a line allows.
pub(crate) const NAME_LIMIT: usize = 128;

/// What is put behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suffix {
    None,
    /// `_time`: a sum of timings.
    Time,
}

/// What the program wrote, by its place in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Source {
    key: usize,
    namespace: usize,
    /// Both lengths (no text of a program's has 2 GiB), and the suffix.
    lens: u64,
}

impl Source {
    #[inline(always)]
    fn of(namespace: &'static str, key: &'static str, suffix: Suffix) -> Source {
        let lens = key.len() as u64 | (namespace.len() as u64) << 32 | (suffix as u64) << 63;
        Source { key: key.as_ptr().addr(), namespace: namespace.as_ptr().addr(), lens }
    }

    #[inline(always)]
    fn place(self) -> usize {
        let mixed = self.key as u64 ^ self.lens >> 32 ^ (self.namespace as u64) << 1;
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - CACHE.trailing_zeros())) as usize
    }
}

/// The key of a name, as it stands in a record's list of fields.
pub(crate) fn listed(id: KeyId) -> Listed {
    Listed::new(key(id).order, id)
}

type Cached = (Source, Listed);

const NOTHING: Cached = (Source { key: 0, namespace: 0, lens: 0 }, Listed::new(0, NOT_INTERNED));
const CACHE: usize = 512;
/// How many places a key may stand in.
const WAYS: usize = 4;

thread_local! {
    static CACHED: [Cell<Cached>; CACHE] = const { [const { Cell::new(NOTHING) }; CACHE] };
}

/// The number of `namespace_key`; [`NOT_INTERNED`] where the table is full (14,112 names).
#[inline(always)]
pub(crate) fn find(namespace: &'static str, key: &'static str, suffix: Suffix) -> KeyId {
    find_listed(namespace, key, suffix).id()
}

/// As [`find`], with where it stands in an event.
#[inline(always)]
pub(crate) fn find_listed(namespace: &'static str, key: &'static str, suffix: Suffix) -> Listed {
    let source = Source::of(namespace, key, suffix);
    CACHED.with(|cached| {
        let (known, found) = cached[source.place() % CACHE].get();
        if known == source { found } else { find_further(cached, namespace, key, suffix) }
    })
}

#[inline(never)]
fn find_further(cached: &[Cell<Cached>; CACHE], namespace: &'static str, key: &'static str, suffix: Suffix) -> Listed {
    let source = Source::of(namespace, key, suffix);
    // Two keys of one place would put each other out with every request: there are more places for each.
    let places = (source.place()..).take(WAYS).map(|at| at % CACHE);
    if let Some((_, found)) = places.clone().map(|at| cached[at].get()).find(|(known, _)| *known == source) {
        return found;
    }
    let id = known_or_new(namespace, &Name::new(namespace, key, suffix));
    let found = listed(id);
    if current::is_busy() && id == NOT_INTERNED {
        return found;
    }
    let free = places.clone().find(|at| cached[*at].get().1.id() == NOT_INTERNED);
    cached[free.unwrap_or(source.place() % CACHE)].set((source, found));
    found
}

/// A key of one place in the program, which finds its number once.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) namespace: &'static str,
    pub(crate) key: &'static str,
    suffix: Suffix,
    /// How it stands in a list of fields, once that is known.
    found: AtomicU64,
}

impl Key {
    pub(crate) const fn new(namespace: &'static str, key: &'static str, suffix: Suffix) -> Key {
        Key { namespace, key, suffix, found: AtomicU64::new(NOTHING.1.word()) }
    }

    /// How it stands in a record's list of fields; that of [`NOT_INTERNED`] where the table is full.
    #[inline(always)]
    pub(crate) fn listed(&self) -> Listed {
        let found = self.found.load(Relaxed);
        if found == NOTHING.1.word() { self.look() } else { Listed::of_word(found) }
    }

    /// Its number.
    #[inline(always)]
    pub(crate) fn id(&self) -> KeyId {
        self.listed().id()
    }

    #[inline(never)]
    fn look(&self) -> Listed {
        let found = find_listed(self.namespace, self.key, self.suffix);
        if found.id() != NOT_INTERNED {
            self.found.store(found.word(), Relaxed);
        }
        found
    }
}

fn known_or_new(namespace: &str, name: &Name) -> KeyId {
    match known(name.as_str()) {
        Some(id) => id,
        // An allocator of the program's that records, called by what follows here.
        None if current::is_busy() => NOT_INTERNED,
        None => intern(namespace, name),
    }
}

#[cold]
fn intern(namespace: &str, name: &Name) -> KeyId {
    let _busy = current::busy();
    names::intern(name.as_str(), is_reserved(namespace), name.is_renamed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_number_however_it_is_written() {
        let id = find("app", "cart_total", Suffix::None);
        assert_eq!(find("app", "cart_total", Suffix::None), id);
        assert_eq!(find("app", "Cart Total", Suffix::None), id);
        assert_ne!(find("app", "cart_total", Suffix::Time), id);
        assert_eq!(key(id).name, "app_cart_total");
        assert_eq!(key(find("app", "cart_total", Suffix::Time)).name, "app_cart_total_time");
    }

    #[test]
    fn a_key_of_one_place_has_the_number_of_its_name() {
        static PLACE: Key = Key::new("app", "of one place", Suffix::Time);
        for _ in 0..2 {
            assert_eq!(PLACE.listed(), find_listed("app", "of one place", Suffix::Time));
        }
        assert_eq!(key(PLACE.listed().id()).name, "app_of_one_place_time");
    }

    #[test]
    fn threads_agree_on_numbers() {
        let ids: Vec<KeyId> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| find("app", "agreed_key", Suffix::None))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]));
    }

    #[test]
    fn every_name_is_found_again_without_a_lock() {
        let keys: Vec<&'static str> = (0..2_000).map(|n| &*format!("found_{n}").leak()).collect();
        let ids: Vec<KeyId> = keys.iter().map(|key| find("app", key, Suffix::None)).collect();
        let _held = hold();
        for (key, id) in keys.iter().zip(ids) {
            assert_eq!(known(&format!("app_{key}")), Some(id));
        }
        assert_eq!(known("req_id"), Some(builtin::REQ_ID));
        assert_eq!(known("app_never_written"), None);
    }
}
