//! Names as small numbers: those that the program has, and what is known of each.
//!
//! The framework's own have the first numbers, fixed; every other gets one when it is first written, and keeps it.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU16, AtomicU64};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::order::{CANONLOG_ORDER, Label, OTHER_BIT, known_order, order};
use crate::redact::{self, Redaction};
use crate::value::Value;

/// An interned field name: its number, and in the upper two bits what each write asks about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyId(pub(crate) u16);

/// It lies in no namespace of the framework's.
const USERS: u16 = 1 << 15;
/// A write asks more: cleaning changed it, or its values are hidden.
const UNUSUAL: u16 = 1 << 14;

impl KeyId {
    /// Where it stands among all names.
    #[inline(always)]
    fn at(self) -> usize {
        usize::from(self.0 & !(USERS | UNUSUAL))
    }

    /// Whether it lies in one of the framework's namespaces.
    #[inline(always)]
    pub(crate) fn is_framework(self) -> bool {
        self.0 & USERS == 0
    }

    /// Whether [`is_renamed`](Self::is_renamed) or [`hide`](Self::hide) is to be asked; so it seems of [`NOT_INTERNED`] too, which
    /// keeps that out of every short way.
    #[inline(always)]
    pub(crate) fn is_unusual(self) -> bool {
        self.0 & UNUSUAL != 0
    }

    /// Whether cleaning changed it.
    #[inline]
    pub(crate) fn is_renamed(self) -> bool {
        self.is_unusual() && RENAMED.has(self.at())
    }

    /// The value, or what is recorded instead where those of this name are hidden.
    #[inline]
    pub(crate) fn hide(self, value: Value<'_>) -> Value<'_> {
        if self.is_unusual() && HIDDEN.has(self.at()) { redact::hidden(value) } else { value }
    }
}

/// A bit for each name.
struct Traits([AtomicU64; CHUNK * CHUNKS / 64]);

static RENAMED: Traits = Traits::new();
static HIDDEN: Traits = Traits::new();

impl Traits {
    const fn new() -> Traits {
        Traits([const { AtomicU64::new(0) }; CHUNK * CHUNKS / 64])
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|bits| bits.load(Relaxed) >> (at % 64) & 1 != 0)
    }

    fn set(&self, at: usize, has: bool) {
        let Some(bits) = self.0.get(at / 64) else { return };
        let bit = 1 << (at % 64);
        if has {
            bits.fetch_or(bit, Relaxed)
        } else {
            bits.fetch_and(!bit, Relaxed)
        };
    }
}

macro_rules! builtin {
    ($($id:ident = $name:literal;)*) => {
        /// The names that the framework itself looks for.
        static BUILTIN: [Label; builtin::COUNT] =
            [$(Label::new($name, known_order($name), true, builtin::$id.0 as u8)),*];

        /// The numbers of the framework's own names.
        pub(crate) mod builtin {
            use super::KeyId;

            // Only counts; its variants are called as the constants are.
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            enum At { $($id),*, End }
            pub(super) const COUNT: usize = At::End as usize;
            $(pub(crate) const $id: KeyId = KeyId(At::$id as u16);)*
        }
    };
}

builtin! {
    REQ_ID = "req_id";
    REQ_METHOD = "req_method";
    REQ_CANCELLED = "req_cancelled";
    EXC_TYPE = "exc_type";
    EXC_MSG = "exc_msg";
    EXC_LOC = "exc_loc";
    EXC_CAUSE_LOC = "exc_cause_loc";
    EXC_PANIC = "exc_panic";
    RESP_VIEW = "resp_view";
    RESP_STATUS = "resp_status";
    REQ_REFERRER = "req_referrer";
    REQ_USER_AGENT = "req_user_agent";
    EXC_TEMPLATE = "exc_template";
    RESP_TIME = "resp_time";
    RESP_CPU_TIME = "resp_cpu_time";
    DB_QUERIES = "db_queries";
    DB_TIME = "db_time";
    DB_DUP_QUERIES = "db_dup_queries";
    DB_DUP_TIME = "db_dup_time";
    DB_DUP_TOP = "db_dup_top";
    DB_DUP_LOC = "db_dup_loc";
    RT_W_COUNT = "rt_w_count";
    RT_W_ACTIVE = "rt_w_active";
    RT_BACKLOG = "rt_backlog";
    JOB_TIME = "job_time";
    JOB_CPU_TIME = "job_cpu_time";
    JOB_NAME = "job_name";
    QUERY = "db_query";
    JOB_ID = "job_id";
    EXC_PANIC_LOC = "exc_panic_loc";
}

/// A key id that stands for no interned name.
pub(crate) const NOT_INTERNED: KeyId = KeyId(u16::MAX);

/// Numbers whose names lie side by side: as many as a log's index tells apart.
const CHUNK: usize = 256;
const CHUNKS: usize = 63;
/// The first numbers of each part are the framework's: no other name shares its place in a log's index.
const OURS: usize = 32;
const _: () = assert!(builtin::COUNT <= OURS);
/// Names beside the framework's.
const NAMES_MAX: usize = (CHUNK - OURS) * CHUNKS;

type Chunk = [OnceLock<Label>; CHUNK];

/// The first part has the framework's names too.
static TABLE: [OnceLock<Box<Chunk>>; CHUNKS] = [const { OnceLock::new() }; CHUNKS];

fn chunk(number: usize) -> Option<&'static Chunk> {
    let place = TABLE.get(number)?;
    Some(place.get_or_init(|| {
        let chunk = Box::new([const { OnceLock::new() }; CHUNK]);
        if number == 0 {
            chunk.iter().zip(&BUILTIN).for_each(|(place, label)| drop(place.set(label.clone())));
        }
        chunk
    }))
}

/// Numbers of names, each plus one, by the hash of the name: at most half full, and only ever added to, so that whoever looks
/// needs no lock. The framework's own names are not in it.
static INDEX: [AtomicU16; PLACES] = [const { AtomicU16::new(0) }; PLACES];
const PLACES: usize = 32_768;
const _: () = assert!(PLACES >= 2 * NAMES_MAX);

/// How many names there are beside the framework's; for whoever adds one.
static NAMES: Mutex<usize> = Mutex::new(0);

/// The lock on the names, held.
pub(crate) struct Held {
    names: MutexGuard<'static, usize>,
}

pub(crate) fn hold() -> Held {
    Held { names: NAMES.lock().unwrap_or_else(PoisonError::into_inner) }
}

/// What is known of an interned name.
#[inline]
pub(crate) fn key(id: KeyId) -> &'static Label {
    let at = id.at();
    if at < builtin::COUNT {
        return &BUILTIN[at];
    }
    let chunk = TABLE.get(at / CHUNK).and_then(OnceLock::get);
    chunk.and_then(|chunk| chunk[at % CHUNK].get()).unwrap_or(&UNKNOWN)
}

/// As [`key`], for whoever asks for many: most programs have no more names than the first part of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names(&'static Chunk);

impl Names {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        static NONE: Chunk = [const { OnceLock::new() }; CHUNK];
        Names(TABLE[0].get().map_or(&NONE, |chunk| chunk))
    }

    /// What is known of an interned name.
    #[inline(always)]
    pub(crate) fn get(self, id: KeyId) -> &'static Label {
        let at = id.at();
        let first = if at < CHUNK { self.0[at % CHUNK].get() } else { None };
        first.unwrap_or_else(|| key(id))
    }
}

static UNKNOWN: Label = Label::new("canonlog_unknown_key", CANONLOG_ORDER, true, OTHER_BIT);

/// The number of a name, which gets one if it has none; [`NOT_INTERNED`] where the table is full (14,112 names). `renamed`: cleaning
/// made it.
#[cold]
pub(crate) fn intern(name: &str, framework: bool, renamed: bool) -> KeyId {
    let mut held = hold();
    if let Some(id) = known(name) {
        return id;
    }
    let at = *held.names / (CHUNK - OURS) * CHUNK + OURS + *held.names % (CHUNK - OURS);
    let Some(chunk) = chunk(at / CHUNK) else { return NOT_INTERNED };
    let text: &'static str = Box::leak(name.into());
    let hidden = redact::hides(text);
    RENAMED.set(at, renamed);
    HIDDEN.set(at, hidden);
    let traits = if framework { 0 } else { USERS } | if renamed || hidden { UNUSUAL } else { 0 };
    let _ = chunk[at % CHUNK].set(Label::new(text, order(text), framework, OTHER_BIT));
    let id = KeyId(u16::try_from(at).unwrap_or(u16::MAX) | traits);
    if let Some(place) = places(text).find(|place| place.load(Relaxed) == 0) {
        place.store(id.0 + 1, Release);
    }
    *held.names += 1;
    id
}

/// Names whose values are hidden though their numbers do not tell, as they were given out before that was said, or are the
/// framework's own; and those that cleaning changed, of which numbers tell either way: a bit for the [order](Label::order) of each, modulo 64. Mostly there are none.
static LATE: AtomicU64 = AtomicU64::new(0);

/// From now on this is hidden, also under names that are known.
#[cold]
pub(crate) fn hide(redaction: &Redaction) {
    let held = hold();
    redact::install(redaction);
    let given = (0..*held.names).map(|at| at / (CHUNK - OURS) * CHUNK + OURS + at % (CHUNK - OURS));
    let mut late = 0;
    for at in (0..builtin::COUNT).chain(given) {
        let label = key(KeyId(u16::try_from(at).unwrap_or_default()));
        let hidden = redact::hides(label.name);
        HIDDEN.set(at, hidden);
        if hidden && known(label.name).is_some_and(|id| !id.is_unusual() || id.is_renamed()) {
            late |= 1 << (label.order % 64);
        }
    }
    LATE.store(late, Release);
}

/// Whether any value is hidden only when its event is made.
#[inline(always)]
pub(crate) fn hides_late() -> bool {
    LATE.load(Relaxed) != 0
}

/// Whether a value of this name is one of those.
pub(super) fn is_hidden_late(label: &Label) -> bool {
    LATE.load(Relaxed) >> (label.order % 64) & 1 != 0 && known(label.name).is_some_and(|id| HIDDEN.has(id.at()))
}

/// What is recorded in the place of a value under a name that may be known.
pub(crate) fn hide_named<'v>(name: &str, value: Value<'v>) -> Value<'v> {
    match known(name) {
        Some(id) => id.hide(value),
        None if redact::hides(name) => redact::hidden(value),
        None => value,
    }
}

/// Where a name may stand in the index, one place after the other.
fn places(name: &str) -> impl Iterator<Item = &'static AtomicU16> {
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let rest = rest.iter().fold(rest.len() as u64, |word, byte| word << 8 | u64::from(*byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain([rest]);
    let hash = words.fold(0_u64, |hash, word| (hash.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let first = (hash >> (64 - PLACES.trailing_zeros())) as usize;
    INDEX[first..].iter().chain(&INDEX[..first])
}

/// The number of a whole name, if the program has one. Without a lock.
pub(crate) fn known(name: &str) -> Option<KeyId> {
    let numbers = places(name).map(|place| place.load(Acquire)).take_while(|number| *number != 0);
    let found = numbers.map(|number| KeyId(number - 1)).find(|id| key(*id).name == name);
    found.or_else(|| BUILTIN.iter().zip(0..).find_map(|(key, id)| (key.name == name).then_some(KeyId(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frameworks_names_have_fixed_numbers() {
        assert_eq!(known("req_id"), Some(builtin::REQ_ID));
        assert_eq!(known("resp_status"), Some(builtin::RESP_STATUS));
    }

    #[test]
    fn no_other_name_shares_its_place_in_a_part_with_one_of_the_frameworks() {
        let ids: Vec<KeyId> = (0..600).map(|n| intern(&format!("app_many_{n}"), false, false)).collect();
        assert!(ids.iter().all(|id| id.at() % CHUNK >= OURS), "{ids:?}");
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(key(ids[599]).name, "app_many_599");
    }
}
