//! Field names as small numbers.
//!
//! A key that the program knows (`&'static str`) is interned once in the process: cleaned, joined with its namespace, ranked.
//! After that, a thread finds it by the address and length of the text, which for a `'static` text means the same bytes.
//! Keys made at run time are never interned: whoever chooses them (an attacker, perhaps) could fill the table.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::event::{CANONLOG_ORDER, Label, is_reserved, order};

/// The longest key, without its namespace, in bytes.
pub(crate) const KEY_LIMIT: usize = 64;

/// The longest name, of namespace, key and suffix, in bytes: what the grammar of a line allows.
pub(crate) const NAME_LIMIT: usize = 128;

/// An interned field name: its number, and in the upper two bits what each write asks about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyId(pub(crate) u16);

/// It lies in no namespace of the framework's.
const USERS: u16 = 1 << 15;
/// Cleaning changed it.
const RENAMED: u16 = 1 << 14;

impl KeyId {
    /// Where it stands among all names.
    #[inline(always)]
    fn at(self) -> usize {
        usize::from(self.0 & !(USERS | RENAMED))
    }

    /// Whether it lies in one of the framework's namespaces.
    #[inline(always)]
    pub(crate) fn is_framework(self) -> bool {
        self.0 & USERS == 0
    }

    /// Whether cleaning changed it; so it seems of [`NOT_INTERNED`] too, which keeps that out of every short way.
    #[inline(always)]
    pub(crate) fn is_renamed(self) -> bool {
        self.0 & RENAMED != 0
    }
}

macro_rules! builtin {
    ($($id:ident = $name:literal at $rank:literal $within:literal;)*) => {
        /// The names that the framework itself looks for.
        static BUILTIN: [Label; builtin::COUNT] =
            [$(Label::new($name, $rank << 4 | $within, true)),*];

        /// The numbers of the framework's own names.
        pub(crate) mod builtin {
            use super::KeyId;

            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            enum At { $($id),*, End }
            pub(super) const COUNT: usize = At::End as usize;
            $(pub(crate) const $id: KeyId = KeyId(At::$id as u16);)*
        }
    };
}

builtin! {
    REQ_ID = "req_id" at 1 0;
    REQ_METHOD = "req_method" at 1 1;
    REQ_CANCELLED = "req_cancelled" at 1 7;
    EXC_TYPE = "exc_type" at 3 1;
    EXC_MSG = "exc_msg" at 3 2;
    EXC_LOC = "exc_loc" at 3 3;
    EXC_CAUSE_LOC = "exc_cause_loc" at 3 4;
    EXC_PANIC = "exc_panic" at 3 7;
    RESP_VIEW = "resp_view" at 4 0;
    RESP_STATUS = "resp_status" at 4 3;
    REQ_REFERRER = "req_referrer" at 1 3;
    REQ_USER_AGENT = "req_user_agent" at 1 4;
    EXC_TEMPLATE = "exc_template" at 3 0;
    RESP_TIME = "resp_time" at 4 1;
    RESP_CPU_TIME = "resp_cpu_time" at 4 2;
    DB_QUERIES = "db_queries" at 6 0;
    DB_TIME = "db_time" at 6 1;
    DB_DUP_QUERIES = "db_dup_queries" at 6 2;
    DB_DUP_TIME = "db_dup_time" at 6 3;
    RT_W_COUNT = "rt_w_count" at 8 0;
    RT_W_ACTIVE = "rt_w_active" at 8 1;
    RT_BACKLOG = "rt_backlog" at 8 2;
    JOB_TIME = "job_time" at 1 10;
    JOB_CPU_TIME = "job_cpu_time" at 1 11;
    JOB_NAME = "job_name" at 1 9;
    QUERY = "db_query" at 6 15;
}

/// A key id that stands for no interned name.
pub(crate) const NOT_INTERNED: KeyId = KeyId(u16::MAX);

/// What is put behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Suffix {
    None,
    /// `_time`: a sum of timings.
    Time,
}

const CHUNK: usize = 256;
const CHUNKS: usize = 63;

type Chunk = [OnceLock<Label>; CHUNK];

static TABLE: [OnceLock<Box<Chunk>>; CHUNKS] = [const { OnceLock::new() }; CHUNKS];

#[derive(Default)]
struct Names {
    /// By what the program wrote: namespace, key, suffix.
    sources: HashMap<(String, String, Suffix), KeyId>,
    /// By the whole name: two keys that are cleaned to one name are one.
    names: HashMap<&'static str, KeyId>,
}

static NAMES: Mutex<Option<Names>> = Mutex::new(None);

/// The lock on the names, held.
pub(crate) struct Held {
    _names: MutexGuard<'static, Option<Names>>,
}

pub(crate) fn hold() -> Held {
    Held { _names: NAMES.lock().unwrap_or_else(PoisonError::into_inner) }
}

/// What is known of an interned name.
#[inline]
pub(crate) fn key(id: KeyId) -> &'static Label {
    let at = id.at();
    if at < builtin::COUNT {
        return &BUILTIN[at];
    }
    let at = at - builtin::COUNT;
    let chunk = TABLE.get(at / CHUNK).and_then(OnceLock::get);
    chunk.and_then(|chunk| chunk[at % CHUNK].get()).unwrap_or(&UNKNOWN)
}

/// As [`key`], for whoever asks for many: most programs have no more names than the first part of the table.
#[derive(Clone, Copy)]
pub(crate) struct Keys(Option<&'static Chunk>);

impl Keys {
    pub(crate) fn new() -> Self {
        Keys(TABLE[0].get().map(|chunk| &**chunk))
    }

    /// What is known of an interned name.
    #[inline(always)]
    pub(crate) fn get(self, id: KeyId) -> &'static Label {
        let at = id.at();
        if let Some(label) = BUILTIN.get(at) {
            return label;
        }
        let first = self.0.and_then(|chunk| chunk.get(at - builtin::COUNT)).and_then(OnceLock::get);
        first.unwrap_or_else(|| key(id))
    }
}

static UNKNOWN: Label = Label::new("canonlog_unknown_key", CANONLOG_ORDER, true);

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

type Cached = (Source, KeyId);

const NOTHING: Cached = (Source { key: 0, namespace: 0, lens: 0 }, NOT_INTERNED);
const CACHE: usize = 512;
/// How many places a key may stand in.
const WAYS: usize = 4;

thread_local! {
    static CACHED: [Cell<Cached>; CACHE] = const { [const { Cell::new(NOTHING) }; CACHE] };
}

/// The number of `namespace_key`; [`NOT_INTERNED`] where the table is full (16,128 names).
#[inline(always)]
pub(crate) fn find(namespace: &'static str, key: &'static str, suffix: Suffix) -> KeyId {
    let source = Source::of(namespace, key, suffix);
    CACHED.with(|cached| {
        let (known, id) = cached[source.place() % CACHE].get();
        if known == source { id } else { find_further(cached, namespace, key, suffix) }
    })
}

#[inline(never)]
fn find_further(cached: &[Cell<Cached>; CACHE], namespace: &'static str, key: &'static str, suffix: Suffix) -> KeyId {
    let source = Source::of(namespace, key, suffix);
    // Two keys of one place would put each other out with every request: there are more places for each.
    let places = (source.place()..).take(WAYS).map(|at| at % CACHE);
    if let Some((_, id)) = places.clone().map(|at| cached[at].get()).find(|(known, _)| *known == source) {
        return id;
    }
    let id = intern(namespace, key, suffix);
    let free = places.clone().find(|at| cached[*at].get().1 == NOT_INTERNED);
    cached[free.unwrap_or(source.place() % CACHE)].set((source, id));
    id
}

#[cold]
fn intern(namespace: &str, key: &str, suffix: Suffix) -> KeyId {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_with(|| Names {
        sources: HashMap::new(),
        names: BUILTIN.iter().zip(0..).map(|(key, id)| (key.name, KeyId(id))).collect(),
    });
    let source = (namespace.to_owned(), key.to_owned(), suffix);
    if let Some(id) = names.sources.get(&source) {
        return *id;
    }
    let (clean, renamed) = join(namespace, key, suffix);
    if let Some(id) = names.names.get(clean.as_str()) {
        names.sources.insert(source, *id);
        return *id;
    }
    let at = names.names.len() - builtin::COUNT;
    let Some(chunk) = TABLE.get(at / CHUNK) else { return NOT_INTERNED };
    let chunk = chunk.get_or_init(|| Box::new([const { OnceLock::new() }; CHUNK]));
    let name: &'static str = Box::leak(clean.into_boxed_str());
    let known = Label::new(name, order(name), is_reserved(namespace));
    let traits = if known.framework { 0 } else { USERS } | if renamed { RENAMED } else { 0 };
    let _ = chunk[at % CHUNK].set(known);
    let id = KeyId(u16::try_from(at + builtin::COUNT).unwrap_or(u16::MAX) | traits);
    names.names.insert(name, id);
    names.sources.insert(source, id);
    id
}

/// The number of a whole name, if the program has one.
pub(crate) fn known(name: &str) -> Option<KeyId> {
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    match names.as_ref() {
        Some(names) => names.names.get(name).copied(),
        None => BUILTIN.iter().zip(0..).find_map(|(key, id)| (key.name == name).then_some(KeyId(id))),
    }
}

/// `namespace_key`, clean and not too long together, and whether the key had to be changed.
pub(crate) fn join(namespace: &str, key: &str, suffix: Suffix) -> (String, bool) {
    let namespace = clean(namespace);
    let clean = clean(key);
    let end = match suffix {
        Suffix::None => "",
        Suffix::Time => "_time",
    };
    // Clean texts are ASCII.
    let room = NAME_LIMIT - namespace.len() - "_".len() - end.len();
    let kept = clean.get(..room).unwrap_or(&clean);
    let renamed = matches!(clean, Cow::Owned(_)) || kept.len() < clean.len();
    (format!("{namespace}_{kept}{end}"), renamed)
}

/// A key in the form of a field name: lower case letters, digits and `_`, no digit first, at most 64 bytes.
pub(crate) fn clean(key: &str) -> Cow<'_, str> {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let starts_well = key.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if starts_well && key.len() <= KEY_LIMIT && key.bytes().all(fits) {
        return Cow::Borrowed(key);
    }
    let first = if starts_well { None } else { Some('_') };
    let rest = key.bytes().map(|byte| match byte.to_ascii_lowercase() {
        byte if fits(byte) => char::from(byte),
        _ => '_',
    });
    Cow::Owned(first.into_iter().chain(rest).take(KEY_LIMIT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cleaned_to_field_names() {
        for (key, want) in [
            ("cart_total", "cart_total"),
            ("Cart Total", "cart_total"),
            ("2nd", "_2nd"),
            ("", "_"),
            ("a=\"b\"\n", "a__b__"),
            ("é", "__"),
        ] {
            assert_eq!(clean(key), want);
        }
        assert_eq!(clean(&"x".repeat(100)).len(), KEY_LIMIT);
    }

    #[test]
    fn a_name_is_at_most_as_long_as_the_grammar_allows() {
        let (namespace, key) = ("n".repeat(64), "k".repeat(64));
        let (name, renamed) = join(&namespace, &key, Suffix::None);
        assert_eq!((name, renamed), (format!("{namespace}_{}", &key[..63]), true));
        let (name, renamed) = join(&namespace, &key, Suffix::Time);
        assert_eq!((name, renamed), (format!("{namespace}_{}_time", &key[..58]), true));
        let (name, renamed) = join("app", &key, Suffix::Time);
        assert_eq!((name, renamed), (format!("app_{key}_time"), false));
    }

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
    fn the_frameworks_names_have_fixed_numbers() {
        assert_eq!(find("req", "id", Suffix::None), builtin::REQ_ID);
        assert_eq!(find("resp", "status", Suffix::None), builtin::RESP_STATUS);
        for known in &BUILTIN {
            assert_eq!(known.order, order(known.name), "{}", known.name);
        }
    }

    #[test]
    fn threads_agree_on_numbers() {
        let ids: Vec<KeyId> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| find("app", "agreed_key", Suffix::None))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]));
    }
}
