//! Names of types as numbers, which fit a record.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::current;

/// By the address and the length of the text, which for a text of the program's means the same bytes.
type Cached = (usize, usize, u32);

const CACHE: usize = 32;

thread_local! {
    static CACHED: [Cell<Cached>; CACHE] = const { [const { Cell::new((0, 0, 0)) }; CACHE] };
}

#[derive(Default)]
struct Names {
    numbers: HashMap<&'static str, u32>,
    names: Vec<&'static str>,
}

static NAMES: Mutex<Option<Names>> = Mutex::new(None);

/// The lock on the names, held.
pub(crate) struct Held {
    _names: MutexGuard<'static, Option<Names>>,
}

pub(crate) fn hold() -> Held {
    Held { _names: NAMES.lock().unwrap_or_else(PoisonError::into_inner) }
}

/// The number of a name, 1 or more; 0 of the empty one.
#[inline]
pub(super) fn number(name: &'static str) -> u32 {
    let (at, len) = (name.as_ptr().addr(), name.len());
    CACHED.with(|cached| {
        let place = &cached[(at ^ at >> 5 ^ len) % CACHE];
        let (known_at, known_len, number) = place.get();
        if (known_at, known_len) == (at, len) && number != 0 {
            return number;
        }
        let number = intern(name);
        place.set((at, len, number));
        number
    })
}

#[cold]
fn intern(name: &'static str) -> u32 {
    if name.is_empty() {
        return 0;
    }
    let _busy = current::busy();
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let Names { numbers, names } = names.get_or_insert_default();
    *numbers.entry(name).or_insert_with(|| {
        names.push(name);
        u32::try_from(names.len()).unwrap_or(0)
    })
}

/// The number of what is no type: `panic`.
pub(crate) const PANIC: u32 = u32::MAX;

/// The name of a number.
pub(super) fn name(number: u32) -> &'static str {
    if number == PANIC {
        return "panic";
    }
    let _busy = current::busy();
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let name = names.as_ref().and_then(|known| known.names.get((number as usize).checked_sub(1)?));
    name.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_number() {
        let first = number("shop::Error");
        assert_eq!((number("shop::Error"), name(first)), (first, "shop::Error"));
        assert_ne!(number("shop::Other"), first);
        assert_eq!((number(""), name(0)), (0, ""));
    }
}
