//! The append-only log of a record: `key · kind · length · bytes`, padded to whole words.
//!
//! ```text
//! word 0   [length in bytes: 24][redirect: 16][flags: 4][kind: 4][key: 16]
//! word 1…  (only a side log: where the main log stood)  (only without a key number: the name)  the value
//! ```
//!
//! One thread writes (the one that has the claim, or the lock of a side log); any thread reads what stands before `len`.
//! Setting a key again keeps its first entry: a number of the same kind is changed in place; anything else is appended and
//! the first entry's `redirect` says where. A full log is compacted, then goes on in the slot's extension.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use super::keys::{self, KeyId, NOT_INTERNED};
use super::slot::{self, Body, EXTENSION, LOG};
use crate::event::{OTHER_RANK, rank_of};
use crate::value::Value;

/// An entry that an earlier one refers to.
const MOVED: u64 = 0xFFFE;

/// What an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    I64,
    U64,
    F64,
    Nanos,
    Text,
    /// Ticks summed, how many are inside, when the first of them began.
    Timer,
    /// Hash, count, nanoseconds, the query before it.
    Query,
}

impl Kind {
    const ALL: [Kind; 9] =
        [Kind::Null, Kind::Bool, Kind::I64, Kind::U64, Kind::F64, Kind::Nanos, Kind::Text, Kind::Timer, Kind::Query];

    fn is_word(self) -> bool {
        matches!(self, Kind::Bool | Kind::I64 | Kind::U64 | Kind::F64 | Kind::Nanos)
    }
}

/// The entry was added to, not set.
const ADDED: u64 = 1 << 20;
/// The entry belongs to a side log and has the extra word.
const SIDE: u64 = 1 << 21;

/// An entry's first word.
#[derive(Clone, Copy)]
struct Header(u64);

impl Header {
    fn new(key: u64, kind: Kind, flags: u64, bytes: usize) -> Self {
        Header(key | (kind as u64) << 16 | flags | (bytes as u64) << 40)
    }

    fn key(self) -> u64 {
        self.0 & 0xFFFF
    }

    fn kind(self) -> Kind {
        Kind::ALL[((self.0 >> 16) & 0xF).min(8) as usize]
    }

    fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    fn redirect(self) -> usize {
        ((self.0 >> 24) & 0xFFFF) as usize
    }

    fn redirected(self, to: usize, flags: u64) -> Self {
        Header(self.0 & !(0xFFFF << 24 | ADDED) | (to as u64) << 24 | flags)
    }

    fn bytes(self) -> usize {
        (self.0 >> 40) as usize
    }
}

/// A first word, for whoever reads a log of plain entries.
#[derive(Clone, Copy)]
pub(crate) struct PlainHeader(pub(crate) u64);

impl PlainHeader {
    pub(crate) const BOOL: u64 = Kind::Bool as u64;
    pub(crate) const I64: u64 = Kind::I64 as u64;
    pub(crate) const U64: u64 = Kind::U64 as u64;
    pub(crate) const F64: u64 = Kind::F64 as u64;
    pub(crate) const NANOS: u64 = Kind::Nanos as u64;
    pub(crate) const TEXT: u64 = Kind::Text as u64;
    pub(crate) const TIMER: u64 = Kind::Timer as u64;
    pub(crate) const QUERY: u64 = Kind::Query as u64;

    /// The key of a plain entry: interned, not moved, not a side log's, not the id from outside, which replaces another.
    #[inline(always)]
    pub(crate) fn key(self) -> Option<KeyId> {
        let key = self.0 & 0xFFFF;
        let plain = key < MOVED && self.0 & (SIDE | 0xFFFF << 24) == 0 && key != keys::builtin::REQ_ID.0 as u64;
        plain.then_some(KeyId(key as u16))
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> u64 {
        (self.0 >> 16) & 0xF
    }

    #[inline(always)]
    pub(crate) fn bytes(self) -> usize {
        (self.0 >> 40) as usize
    }

    #[inline(always)]
    pub(crate) fn words(self) -> usize {
        words(self.bytes())
    }
}

/// How much a record may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of log.
    pub(crate) record: usize,
    /// Bytes of one value.
    pub(crate) value: usize,
    /// Fields of users.
    pub(crate) fields: usize,
}

impl Limits {
    /// All three in a word.
    pub(crate) fn pack(self) -> u64 {
        let words = (self.record / 8).clamp(LOG, LOG + EXTENSION) as u64;
        let value = self.value.clamp(16, 0x1F_FFFF) as u64;
        let fields = self.fields.min(0xFFFF) as u64;
        words | value << 16 | fields << 40
    }
}

/// Words kept for the framework's own fields.
const RESERVE: usize = 128;
/// Distinct query texts told apart.
const TEXTS: u64 = 256;

/// Who writes: what to put in a side log's extra word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// The claiming thread. With a side log beside it, nothing is changed in place, so that the order can be told.
    Main { beside: bool },
    /// Whoever has the lock; the main log stood there.
    Side { main: usize },
}

impl Writer {
    fn flags(self) -> u64 {
        match self {
            Writer::Main { .. } => 0,
            Writer::Side { .. } => SIDE,
        }
    }

    fn in_place(self) -> bool {
        !matches!(self, Writer::Main { beside: true })
    }
}

/// A key, by number or by name.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    Id(KeyId),
    /// `namespace_key`, clean; where it stands in an event.
    Name(&'a str, u16),
}

impl By<'_> {
    fn is_framework(self) -> bool {
        match self {
            By::Id(id) => keys::key(id).framework,
            By::Name(_, order) => is_framework(order),
        }
    }
}

/// Whether a field that stands there is the framework's.
pub(crate) fn is_framework(order: u16) -> bool {
    !matches!(rank_of(order), 2 | OTHER_RANK)
}

fn words(bytes: usize) -> usize {
    (bytes + 7) >> 3
}

/// The longest beginning of a text that has at most `limit` bytes and ends at a character.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// What stands behind a value that was cut.
pub(crate) const CUT: &str = "…";

impl Body {
    /// An empty log.
    pub(crate) fn reset(&self, limits: u64) {
        let Body { len, extension, users, garbage, late, truncated, renamed, value_errors, .. } = self;
        for word in [len, users, garbage, late, truncated, renamed, value_errors] {
            word.store(0, Relaxed);
        }
        for word in [&self.queries, &self.query_nanos, &self.query_last, &self.query_texts, &self.query_untracked] {
            word.store(0, Relaxed);
        }
        self.present.iter().for_each(|word| word.store(0, Relaxed));
        self.limits.store(limits, Relaxed);
        if extension.load(Relaxed) != 0 {
            self.drop_extension();
        }
    }

    #[cold]
    fn drop_extension(&self) {
        if let Ok(number) = u32::try_from(self.extension.swap(0, Relaxed).wrapping_sub(1)) {
            slot::return_extension(number);
        }
    }

    /// Begins again behind what a monitor has taken: earlier entries are not changed any more.
    pub(crate) fn begin_late(&self, from: usize) {
        self.present.iter().for_each(|word| word.store(0, Relaxed));
        for word in [&self.users, &self.queries, &self.query_nanos, &self.query_last, &self.query_texts] {
            word.store(0, Relaxed);
        }
        for word in [&self.query_untracked, &self.truncated, &self.renamed, &self.value_errors] {
            word.store(0, Relaxed);
        }
        self.late.store(from as u64 + 1, Release);
    }

    /// Where the late response begins; 0 where there is none.
    fn first(&self) -> usize {
        (self.late.load(Acquire) as usize).saturating_sub(1)
    }

    fn count(&self, word: &std::sync::atomic::AtomicU64) {
        word.store(word.load(Relaxed) + 1, Relaxed);
    }

    // ---- finding ----

    #[inline]
    fn bit(id: KeyId) -> (usize, u64) {
        let at = usize::from(id.0) % 256;
        (at / 64, 1 << (at % 64))
    }

    /// Where the key was first written.
    #[inline]
    fn find(&self, by: By<'_>) -> Option<usize> {
        match by {
            By::Id(id) => {
                let (word, bit) = Self::bit(id);
                if self.present[word].load(Relaxed) & bit == 0 {
                    return None;
                }
                let at = usize::from(id.0) % 256;
                let offset = (self.index[at / 4].load(Relaxed) >> (at % 4 * 16) & 0xFFFF) as usize;
                if Header(self.word(offset).load(Relaxed)).key() == u64::from(id.0) {
                    return Some(offset);
                }
                self.scan(by)
            }
            By::Name(..) => self.scan(by),
        }
    }

    #[cold]
    fn scan(&self, by: By<'_>) -> Option<usize> {
        let len = self.len.load(Acquire) as usize;
        let mut at = self.first();
        while at < len {
            let header = Header(self.word(at).load(Acquire));
            let is_it = match by {
                By::Id(id) => header.key() == u64::from(id.0),
                By::Name(name, _) => {
                    header.key() == u64::from(NOT_INTERNED.0) && self.name_at(at, header, |found, _| found == name)
                }
            };
            if is_it {
                return Some(at);
            }
            at += self.size(at, header);
        }
        None
    }

    fn note(&self, id: KeyId, offset: usize) {
        let (word, bit) = Self::bit(id);
        let present = self.present[word].load(Relaxed);
        if present & bit != 0 {
            // Another key of the same number modulo 256 was first: it keeps the index.
            return;
        }
        self.present[word].store(present | bit, Relaxed);
        let at = usize::from(id.0) % 256;
        let shift = at % 4 * 16;
        let index = &self.index[at / 4];
        index.store(index.load(Relaxed) & !(0xFFFF << shift) | (offset as u64) << shift, Relaxed);
    }

    /// Where an entry's value begins.
    #[inline]
    fn value_at(&self, at: usize, header: Header) -> usize {
        let side = usize::from(header.has(SIDE));
        let name = if header.key() == u64::from(NOT_INTERNED.0) {
            let name = self.word(at + 1 + side).load(Relaxed) as usize & 0xFFFF;
            1 + words(name)
        } else {
            0
        };
        at + 1 + side + name
    }

    fn size(&self, at: usize, header: Header) -> usize {
        self.value_at(at, header) - at + words(header.bytes())
    }

    fn name_at<R>(&self, at: usize, header: Header, see: impl FnOnce(&str, u16) -> R) -> R {
        let start = at + 1 + usize::from(header.has(SIDE));
        let first = self.word(start).load(Relaxed);
        let mut name = [0_u8; 128];
        let len = (first as usize & 0xFFFF).min(name.len());
        for (at, bytes) in name[..len].chunks_mut(8).enumerate() {
            bytes.copy_from_slice(&self.word(start + 1 + at).load(Relaxed).to_le_bytes()[..bytes.len()]);
        }
        see(str::from_utf8(&name[..len]).unwrap_or("app_"), (first >> 16) as u16)
    }

    // ---- writing ----

    /// Room for `words` more; compacts or extends the log where it is full.
    #[inline]
    fn room(&self, words: usize, framework: bool) -> bool {
        let end = self.len.load(Relaxed) as usize + words;
        if end <= LOG {
            return true;
        }
        self.make_room(words, framework)
    }

    #[cold]
    fn make_room(&self, words: usize, framework: bool) -> bool {
        let reserve = if framework { 0 } else { RESERVE };
        let limit = |body: &Self| {
            let limit = (body.limits.load(Relaxed) & 0xFFFF) as usize;
            limit.min(if body.extension.load(Relaxed) == 0 { LOG } else { LOG + EXTENSION })
        };
        let fits = |body: &Self| body.len.load(Relaxed) as usize + words + reserve <= limit(body);
        if fits(self) && self.extension.load(Relaxed) != 0 {
            return true;
        }
        // Compacting moves entries: only worth it where it gives enough.
        if self.garbage.load(Relaxed) as usize >= words.max(32) && self.late.load(Relaxed) == 0 {
            self.compact();
            if self.len.load(Relaxed) as usize + words <= LOG {
                return true;
            }
        }
        if self.extension.load(Relaxed) == 0 && (self.limits.load(Relaxed) & 0xFFFF) as usize > LOG {
            if let Some(number) = slot::take_extension() {
                self.extension.store(u64::from(number) + 1, Release);
            }
        }
        fits(self) || (framework && self.len.load(Relaxed) as usize + words <= limit(self))
    }

    /// Bytes of value that would still fit.
    fn left(&self, framework: bool) -> usize {
        let limit = (self.limits.load(Relaxed) & 0xFFFF) as usize;
        let limit = limit.min(if self.extension.load(Relaxed) == 0 { LOG } else { LOG + EXTENSION });
        let reserve = if framework { 0 } else { RESERVE };
        limit.saturating_sub(self.len.load(Relaxed) as usize + reserve + 20) * 8
    }

    /// Appends an entry whose value is `payload`; where it stands.
    #[inline]
    fn append(&self, by: By<'_>, moved: bool, writer: Writer, kind: Kind, flags: u64, payload: Payload<'_>) -> usize {
        let at = self.len.load(Relaxed) as usize;
        let (key, name) = match by {
            _ if moved => (MOVED, None),
            By::Id(id) => (u64::from(id.0), None),
            By::Name(name, rank) => (u64::from(NOT_INTERNED.0), Some((name, rank))),
        };
        self.word(at).store(Header::new(key, kind, flags | writer.flags(), payload.bytes()).0, Relaxed);
        let mut to = at + 1;
        if let Writer::Side { main } = writer {
            self.word(to).store(main as u64, Relaxed);
            to += 1;
        }
        if let Some((name, rank)) = name {
            self.word(to).store(name.len() as u64 | u64::from(rank) << 16, Relaxed);
            to = self.put_bytes(to + 1, name.as_bytes());
        }
        to = match payload {
            Payload::Words(words) => {
                for (to, word) in (to..).zip(words) {
                    self.word(to).store(*word, Relaxed);
                }
                to + words.len()
            }
            Payload::Word(word) => {
                self.word(to).store(word, Relaxed);
                to + 1
            }
            Payload::Bytes(bytes) => self.put_bytes(to, bytes),
            Payload::Cut(bytes) => self.put_bytes(to, &bytes),
            Payload::Nothing => to,
        };
        self.len.store(to as u64, Release);
        at
    }

    #[inline]
    fn put_bytes(&self, at: usize, bytes: &[u8]) -> usize {
        let end = at + words(bytes.len());
        let (whole, rest) = bytes.as_chunks::<8>();
        let last = |rest: &[u8]| {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(last)
        };
        if let Some(to) = self.log.get(at..end) {
            for (to, bytes) in to.iter().zip(whole) {
                to.store(u64::from_le_bytes(*bytes), Relaxed);
            }
            if let (false, Some(to)) = (rest.is_empty(), to.last()) {
                to.store(last(rest), Relaxed);
            }
            return end;
        }
        for (to, bytes) in (at..).zip(whole) {
            self.word(to).store(u64::from_le_bytes(*bytes), Relaxed);
        }
        if !rest.is_empty() {
            self.word(end - 1).store(last(rest), Relaxed);
        }
        end
    }

    // ---- the usual case: a key that is not there yet, in a log with room, by the thread with the claim ----

    /// A place for an entry of `need` words under a new key; none where the case is not the usual one.
    #[inline(always)]
    fn place(&self, id: KeyId, need: usize) -> Option<usize> {
        let (word, bit) = Self::bit(id);
        let present = self.present[word].load(Relaxed);
        let at = self.len.load(Relaxed) as usize;
        if present & bit != 0 || at + need > LOG {
            return None;
        }
        let key = keys::key(id);
        if key.renamed {
            return None;
        }
        if !key.framework {
            let users = self.users.load(Relaxed);
            if users >= self.limits.load(Relaxed) >> 40 {
                return None;
            }
            self.users.store(users + 1, Relaxed);
        }
        Some(at)
    }

    /// Ends an entry in its [`place`](Self::place). The index comes last: until then a reader finds what stood there before.
    #[inline(always)]
    fn placed(&self, id: KeyId, at: usize, end: usize) {
        self.len.store(end as u64, Release);
        let (word, bit) = Self::bit(id);
        let slot = usize::from(id.0) % 256;
        let shift = slot % 4 * 16;
        let index = &self.index[slot / 4];
        index.store(index.load(Relaxed) & !(0xFFFF << shift) | (at as u64) << shift, Relaxed);
        self.present[word].store(self.present[word].load(Relaxed) | bit, Relaxed);
    }

    /// Sets a new key to a number; false where it must be set the long way.
    #[inline]
    pub(crate) fn first_word(&self, id: KeyId, kind: Kind, value: u64) -> bool {
        let Some(at) = self.place(id, 2) else { return false };
        let Some([head, word]) = self.log.get(at..at + 2) else { return false };
        head.store(Header::new(u64::from(id.0), kind, 0, 8).0, Relaxed);
        word.store(value, Relaxed);
        self.placed(id, at, at + 2);
        true
    }

    /// Sets a new key to a text; false where it must be set the long way.
    #[inline]
    pub(crate) fn first_text(&self, id: KeyId, text: &[u8]) -> bool {
        let need = words(text.len());
        if text.len() > (self.limits.load(Relaxed) >> 16 & 0xFF_FFFF) as usize {
            return false;
        }
        let Some(at) = self.place(id, 1 + need) else { return false };
        let Some([head, to @ ..]) = self.log.get(at..at + 1 + need) else { return false };
        head.store(Header::new(u64::from(id.0), Kind::Text, 0, text.len()).0, Relaxed);
        let (whole, rest) = text.as_chunks::<8>();
        for (to, bytes) in to.iter().zip(whole) {
            to.store(u64::from_le_bytes(*bytes), Relaxed);
        }
        if let (false, Some(to)) = (rest.is_empty(), to.last()) {
            let last = match text.last_chunk::<8>() {
                // The last eight bytes, without those that the word before has.
                Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
                None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
            };
            to.store(last, Relaxed);
        }
        self.placed(id, at, at + 1 + need);
        true
    }

    /// Sets a new key; false where it must be set the long way.
    #[inline(always)]
    pub(crate) fn first_value(&self, id: KeyId, value: &Value<'_>) -> bool {
        match *value {
            Value::U64(value) => self.first_word(id, Kind::U64, value),
            Value::Str(text) => self.first_text(id, text.as_bytes()),
            Value::F64(value) => self.first_word(id, Kind::F64, value.to_bits()),
            Value::I64(value) => self.first_word(id, Kind::I64, value.cast_unsigned()),
            Value::Bool(value) => self.first_word(id, Kind::Bool, u64::from(value)),
            _ => false,
        }
    }

    /// The three words of a timer that stands where it usually does.
    #[inline(always)]
    fn timer(&self, id: KeyId) -> Option<&[std::sync::atomic::AtomicU64]> {
        let (word, bit) = Self::bit(id);
        if self.present[word].load(Relaxed) & bit == 0 {
            return None;
        }
        let slot = usize::from(id.0) % 256;
        let at = (self.index[slot / 4].load(Relaxed) >> (slot % 4 * 16) & 0xFFFF) as usize;
        let [head, words @ ..] = self.log.get(at..at + 4)? else { return None };
        // Kind, no redirect, not a side log's, its own key: all of it in one look.
        (head.load(Relaxed) == Header::new(u64::from(id.0), Kind::Timer, 0, 24).0).then_some(words)
    }

    /// As [`timer_start`](Self::timer_start), in the usual case.
    #[inline]
    pub(crate) fn timer_starts(&self, id: KeyId, now: u64) -> Option<bool> {
        if let Some([_, inside, began]) = self.timer(id) {
            let n = inside.load(Relaxed).cast_signed();
            inside.store((n + 1).cast_unsigned(), Relaxed);
            if n == 0 {
                began.store(now, Relaxed);
            }
            return Some(n == 0);
        }
        let at = self.place(id, 4)?;
        let [head, sum, inside, began] = self.log.get(at..at + 4)? else { return None };
        head.store(Header::new(u64::from(id.0), Kind::Timer, 0, 24).0, Relaxed);
        sum.store(0, Relaxed);
        inside.store(1, Relaxed);
        began.store(now, Relaxed);
        self.placed(id, at, at + 4);
        Some(true)
    }

    /// As [`timer_stop`](Self::timer_stop), in the usual case; false where it must be stopped the long way.
    #[inline]
    pub(crate) fn timer_stops(&self, id: KeyId, now: u64) -> bool {
        let Some([sum, inside, began]) = self.timer(id) else { return false };
        let n = inside.load(Relaxed).cast_signed() - 1;
        inside.store(n.cast_unsigned(), Relaxed);
        if n == 0 {
            sum.store(sum.load(Relaxed) + now.saturating_sub(began.load(Relaxed)), Relaxed);
        }
        true
    }

    /// Sets a field.
    #[inline]
    pub(crate) fn set(&self, by: By<'_>, value: Value<'_>, writer: Writer) {
        let (kind, payload) = match value {
            Value::Null => (Kind::Null, Payload::Nothing),
            Value::Bool(value) => (Kind::Bool, Payload::Word(u64::from(value))),
            Value::I64(value) => (Kind::I64, Payload::Word(value.cast_unsigned())),
            Value::U64(value) => (Kind::U64, Payload::Word(value)),
            Value::F64(value) => (Kind::F64, Payload::Word(value.to_bits())),
            Value::Duration(value) => (Kind::Nanos, Payload::Word(saturating_nanos(value))),
            Value::Str(text) => {
                let limit = (self.limits.load(Relaxed) >> 16 & 0xFF_FFFF) as usize;
                (Kind::Text, if text.len() <= limit { Payload::Bytes(text.as_bytes()) } else { self.cut(text, limit) })
            }
            Value::Display(value) => {
                // Callers make the text before they claim or lock; this is for those that did not.
                let text = crate::scratch::display(value);
                return self.set(by, Value::Str(&text), writer);
            }
        };
        self.put(by, kind, 0, payload, writer);
    }

    #[cold]
    fn cut(&self, text: &str, limit: usize) -> Payload<'static> {
        self.count(&self.truncated);
        let kept = cut(text, limit.saturating_sub(CUT.len()));
        Payload::Cut([kept.as_bytes(), CUT.as_bytes()].concat().into_boxed_slice())
    }

    #[inline]
    fn put(&self, by: By<'_>, kind: Kind, flags: u64, payload: Payload<'_>, writer: Writer) {
        match self.find(by) {
            Some(at) => self.put_again(at, by, kind, flags, payload, writer),
            None => self.put_first(by, kind, flags, payload, writer),
        }
    }

    #[inline]
    fn put_first(&self, by: By<'_>, kind: Kind, flags: u64, payload: Payload<'_>, writer: Writer) {
        let mut need = 2 + words(payload.bytes());
        let framework = match by {
            By::Id(id) => {
                let key = keys::key(id);
                if key.renamed {
                    self.count(&self.renamed);
                }
                key.framework
            }
            By::Name(name, _) => {
                need += 1 + words(name.len());
                by.is_framework()
            }
        };
        if !framework {
            let users = self.users.load(Relaxed);
            if users >= self.limits.load(Relaxed) >> 40 {
                self.count(&self.truncated);
                return;
            }
            self.users.store(users + 1, Relaxed);
        }
        let Some(payload) = self.fit(need, framework, payload) else { return };
        let at = self.append(by, false, writer, kind, flags, payload);
        if let By::Id(id) = by {
            self.note(id, at);
        }
    }

    /// The payload, cut where only a part of it fits; `None` (counted) where nothing does.
    #[inline]
    fn fit<'a>(&self, need: usize, framework: bool, payload: Payload<'a>) -> Option<Payload<'a>> {
        if self.room(need, framework) { Some(payload) } else { self.cut_to_fit(framework, payload) }
    }

    #[cold]
    fn cut_to_fit<'a>(&self, framework: bool, payload: Payload<'a>) -> Option<Payload<'a>> {
        let left = self.left(framework);
        match payload {
            Payload::Bytes(bytes) if left >= 32 => {
                let text = str::from_utf8(bytes).unwrap_or_default();
                Some(self.cut(text, left))
            }
            _ => {
                self.count(&self.truncated);
                None
            }
        }
    }

    fn put_again(&self, at: usize, by: By<'_>, kind: Kind, flags: u64, payload: Payload<'_>, writer: Writer) {
        let header = Header(self.word(at).load(Relaxed));
        let (now_at, now) = self.current(at, header);
        if let (true, true, Payload::Word(word)) = (writer.in_place(), now.kind() == kind, &payload) {
            self.word(self.value_at(now_at, now)).store(*word, Release);
            if let Writer::Side { main } = writer {
                self.word(now_at + 1).store(main as u64, Relaxed);
            }
            if header.has(ADDED) != (flags & ADDED != 0) {
                self.word(at).store(header.redirected(header.redirect(), flags).0, Release);
            }
            return;
        }
        let framework = by.is_framework();
        let Some(payload) = self.fit(2 + words(payload.bytes()), framework, payload) else { return };
        // Making room may have compacted the log: the entry can stand elsewhere now.
        let Some(at) = self.find(by) else { return };
        let header = Header(self.word(at).load(Relaxed));
        let (now_at, now) = self.current(at, header);
        let dead = if now_at == at { words(now.bytes()) } else { self.size(now_at, now) };
        self.garbage.store(self.garbage.load(Relaxed) + dead as u64, Relaxed);
        let to = self.append(by, true, writer, kind, 0, payload);
        self.word(at).store(header.redirected(to, flags).0, Release);
    }

    /// The entry that holds the current value.
    fn current(&self, at: usize, header: Header) -> (usize, Header) {
        match header.redirect() {
            0 => (at, header),
            to => (to, Header(self.word(to).load(Acquire))),
        }
    }

    /// Adds to a number; false if what is there, or what is added, is none.
    pub(crate) fn add(&self, by: By<'_>, value: Value<'_>, writer: Writer) -> bool {
        let found = self.find(by).map(|at| {
            let header = Header(self.word(at).load(Relaxed));
            let (now_at, now) = self.current(at, header);
            (now.kind(), self.word(self.value_at(now_at, now)).load(Relaxed), header.has(ADDED))
        });
        let (kind, word) = match (found.map(|(kind, word, _)| (kind, word)), value) {
            (None | Some((Kind::Null, _)), Value::U64(n)) => (Kind::U64, n),
            (None | Some((Kind::Null, _)), Value::I64(n)) => (Kind::I64, n.cast_unsigned()),
            (None | Some((Kind::Null, _)), Value::F64(n)) => (Kind::F64, n.to_bits()),
            (None | Some((Kind::Null, _)), Value::Duration(n)) => (Kind::Nanos, saturating_nanos(n)),
            (Some((kind, word)), value) => match sum(kind, word, value) {
                Some(sum) => sum,
                None => {
                    self.count(&self.value_errors);
                    return false;
                }
            },
            _ => {
                self.count(&self.value_errors);
                return false;
            }
        };
        // What was set and then added to counts as set.
        let flags = if found.is_none_or(|(_, _, added)| added) { ADDED } else { 0 };
        self.put(by, kind, flags, Payload::Word(word), writer);
        true
    }

    /// Counts a trouble with a value.
    pub(crate) fn count_value_error(&self) {
        self.count(&self.value_errors);
    }

    /// Counts a key that was changed.
    pub(crate) fn count_renamed(&self) {
        self.count(&self.renamed);
    }

    // ---- timers ----

    /// A section begins; true if it is the outermost of its key.
    #[inline]
    pub(crate) fn timer_start(&self, id: KeyId, now: u64, writer: Writer) -> bool {
        let by = By::Id(id);
        let Some(at) = self.find(by) else {
            self.put_first(by, Kind::Timer, 0, Payload::Words(&[0, 1, now]), writer);
            return true;
        };
        let header = Header(self.word(at).load(Relaxed));
        if header.kind() != Kind::Timer || header.redirect() != 0 {
            // Somebody has set the name to something else: the section's own length is added when it ends.
            return false;
        }
        let value = self.value_at(at, header);
        let inside = &self.word(value + 1);
        let n = inside.load(Relaxed).cast_signed();
        inside.store((n + 1).cast_unsigned(), Relaxed);
        if n == 0 {
            self.word(value + 2).store(now, Relaxed);
        }
        n == 0
    }

    /// A section ends, which began at `began`, here or in the record's other log (`elsewhere`).
    #[inline]
    pub(crate) fn timer_stop(&self, id: KeyId, began: u64, outermost: bool, now: u64, elsewhere: bool, writer: Writer) {
        let by = By::Id(id);
        let Some(at) = self.find(by) else {
            // Begun in the other log, or before a timeout was reported: its whole length counts here.
            if outermost || elsewhere {
                let inside = if elsewhere { (-1_i64).cast_unsigned() } else { 0 };
                let ticks = if outermost { now.saturating_sub(began) } else { 0 };
                self.put_first(by, Kind::Timer, 0, Payload::Words(&[ticks, inside, 0]), writer);
            }
            return;
        };
        let header = Header(self.word(at).load(Relaxed));
        if header.kind() != Kind::Timer || header.redirect() != 0 {
            return;
        }
        let value = self.value_at(at, header);
        let n = self.word(value + 1).load(Relaxed).cast_signed() - 1;
        self.word(value + 1).store(n.cast_unsigned(), Relaxed);
        let from = match (elsewhere, n) {
            (true, _) if outermost => began,
            (false, 0) => self.word(value + 2).load(Relaxed),
            _ => return,
        };
        let sum = &self.word(value);
        sum.store(sum.load(Relaxed) + now.saturating_sub(from), Relaxed);
    }

    // ---- queries ----

    /// One execution of a query's text.
    pub(crate) fn note_query(&self, hash: u64, nanos: u64, writer: Writer) {
        let add = |word: &std::sync::atomic::AtomicU64, n: u64| {
            word.store(word.load(Relaxed).saturating_add(n), Relaxed);
        };
        add(&self.queries, 1);
        add(&self.query_nanos, nanos);
        let mut last = self.query_last.load(Relaxed) as usize;
        while let Some(at) = last.checked_sub(1) {
            let value = self.value_at(at, Header(self.word(at).load(Relaxed)));
            if self.word(value).load(Relaxed) == hash {
                add(self.word(value + 1), 1);
                add(self.word(value + 2), nanos);
                return;
            }
            last = self.word(value + 3).load(Relaxed) as usize;
        }
        if self.query_texts.load(Relaxed) >= TEXTS || !self.room(7, true) {
            add(&self.query_untracked, 1);
            return;
        }
        add(&self.query_texts, 1);
        // Read after `room`, which may have compacted the log.
        let before = self.query_last.load(Relaxed);
        let payload = Payload::Words(&[hash, 1, nanos, before]);
        let at = self.append(By::Id(keys::builtin::QUERY), false, writer, Kind::Query, 0, payload);
        self.query_last.store(at as u64 + 1, Relaxed);
    }

    // ---- compacting ----

    /// Writes the log anew without what nothing refers to.
    fn compact(&self) {
        let len = self.len.load(Relaxed) as usize;
        let mut kept: Vec<u64> = Vec::with_capacity(len);
        let mut last_query = 0;
        self.present.iter().for_each(|word| word.store(0, Relaxed));
        let mut at = 0;
        while at < len {
            let header = Header(self.word(at).load(Relaxed));
            let size = self.size(at, header);
            if header.key() != MOVED {
                let (now_at, now) = self.current(at, header);
                let to = kept.len();
                kept.push(Header::new(header.key(), now.kind(), header.0 & (ADDED | SIDE), now.bytes()).0);
                // The side log's word is that of the newest write; the name stands in the first entry only.
                let names = at + 1 + usize::from(header.has(SIDE))..self.value_at(at, header);
                let side = now.has(SIDE).then_some(now_at + 1);
                let value = self.value_at(now_at, now);
                let values = value..value + words(now.bytes());
                kept.extend(side.into_iter().chain(names).chain(values).map(|from| self.word(from).load(Relaxed)));
                if now.kind() == Kind::Query {
                    if let Some(before) = kept.last_mut() {
                        *before = last_query;
                    }
                    last_query = to as u64 + 1;
                } else if header.key() != u64::from(NOT_INTERNED.0) {
                    self.note(KeyId(header.key() as u16), to);
                }
            }
            at += size;
        }
        let layout = self.layout.load(Relaxed);
        self.layout.store(layout + 1, Release);
        std::sync::atomic::fence(Release);
        for (to, word) in kept.iter().enumerate() {
            self.word(to).store(*word, Relaxed);
        }
        self.len.store(kept.len() as u64, Release);
        self.layout.store(layout + 2, Release);
        self.garbage.store(0, Relaxed);
        self.query_last.store(last_query, Relaxed);
    }

    // ---- reading ----

    /// Calls `see` with every entry from `from` on, in order of first writing. Any thread may; false if the log was
    /// compacted meanwhile, so that what was seen is worth nothing.
    #[must_use]
    pub(crate) fn read<'a>(&'a self, from: usize, mut see: impl FnMut(Entry<'a>)) -> bool {
        let layout = self.layout.load(Acquire);
        if layout % 2 == 1 {
            return false;
        }
        let len = self.len.load(Acquire) as usize;
        let mut at = from;
        while at < len {
            let header = Header(self.word(at).load(Acquire));
            let first = self.value_at(at, header);
            if header.key() != MOVED {
                let (now_at, now) = self.current(at, header);
                let value = if now_at == at { first } else { self.value_at(now_at, now) };
                see(Entry { body: self, at, header, now, now_at, value });
            }
            at = first + words(header.bytes());
        }
        std::sync::atomic::fence(Acquire);
        self.layout.load(Relaxed) == layout
    }

    /// Whether the log has nothing but plain entries: each under an interned key, none moved, none of a side log, no id from
    /// One field.
    pub(crate) fn get(&self, by: By<'_>) -> Option<Entry<'_>> {
        let at = self.find(by)?;
        let header = Header(self.word(at).load(Acquire));
        let (now_at, now) = self.current(at, header);
        Some(Entry { body: self, at, header, now, now_at, value: self.value_at(now_at, now) })
    }

    /// Where the log ends.
    pub(crate) fn end(&self) -> usize {
        self.len.load(Acquire) as usize
    }
}

fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A number and what is added to it: in the kind that can hold both.
pub(crate) fn sum(kind: Kind, word: u64, value: Value<'_>) -> Option<(Kind, u64)> {
    let signed = word.cast_signed();
    Some(match (kind, value) {
        (Kind::U64, Value::U64(n)) => (Kind::U64, word.saturating_add(n)),
        (Kind::U64, Value::I64(n)) if n >= 0 => (Kind::U64, word.saturating_add(n.cast_unsigned())),
        (Kind::U64, Value::I64(n)) => match word.checked_add_signed(n) {
            Some(sum) => (Kind::U64, sum),
            None => (Kind::I64, i64::try_from(word).unwrap_or(i64::MAX).saturating_add(n).cast_unsigned()),
        },
        (Kind::I64, Value::I64(n)) => (Kind::I64, signed.saturating_add(n).cast_unsigned()),
        (Kind::I64, Value::U64(n)) => (Kind::I64, signed.saturating_add_unsigned(n).cast_unsigned()),
        (Kind::F64, Value::F64(n)) => (Kind::F64, (f64::from_bits(word) + n).to_bits()),
        (Kind::F64, Value::I64(n)) => (Kind::F64, (f64::from_bits(word) + n as f64).to_bits()),
        (Kind::F64, Value::U64(n)) => (Kind::F64, (f64::from_bits(word) + n as f64).to_bits()),
        (Kind::I64, Value::F64(n)) => (Kind::F64, (signed as f64 + n).to_bits()),
        (Kind::U64, Value::F64(n)) => (Kind::F64, (word as f64 + n).to_bits()),
        (Kind::Nanos, Value::Duration(n)) => (Kind::Nanos, word.saturating_add(saturating_nanos(n))),
        _ => return None,
    })
}

/// What is written behind an entry's first words.
enum Payload<'a> {
    Nothing,
    Word(u64),
    Words(&'a [u64]),
    Bytes(&'a [u8]),
    Cut(Box<[u8]>),
}

impl Payload<'_> {
    #[inline]
    fn bytes(&self) -> usize {
        match self {
            Payload::Nothing => 0,
            Payload::Word(_) => 8,
            Payload::Words(words) => words.len() * 8,
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Cut(bytes) => bytes.len(),
        }
    }
}

/// Appends a text that lies in words.
#[inline]
pub(crate) fn copy_text(log: &[std::sync::atomic::AtomicU64], len: usize, into: &mut Vec<u8>) {
    // Eight words at once: an append has its price.
    let mut left = len;
    for words in log.chunks(8) {
        let mut bytes = [0; 64];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.load(Relaxed).to_le_bytes();
        }
        into.extend_from_slice(&bytes[..left.min(64)]);
        left = left.saturating_sub(64);
    }
}

/// One entry, read.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    body: &'a Body,
    at: usize,
    header: Header,
    now_at: usize,
    now: Header,
    /// Where the current value begins.
    value: usize,
}

impl Entry<'_> {
    pub(crate) fn kind(&self) -> Kind {
        self.now.kind()
    }

    /// The key's number, or none where the entry has a name of its own.
    pub(crate) fn key(&self) -> Option<KeyId> {
        let key = KeyId(self.header.key() as u16);
        (key != NOT_INTERNED).then_some(key)
    }

    /// The entry's own name and its order.
    pub(crate) fn name<R>(&self, see: impl FnOnce(&str, u16) -> R) -> R {
        self.body.name_at(self.at, self.header, see)
    }

    pub(crate) fn is_added(&self) -> bool {
        self.header.has(ADDED)
    }

    /// Where the entry was first written.
    pub(crate) fn first_offset(&self) -> usize {
        self.at
    }

    /// Where the current value stands.
    pub(crate) fn offset(&self) -> usize {
        self.now_at
    }

    /// For an entry of a side log: where the main log stood when it was written.
    pub(crate) fn main_offset(&self) -> usize {
        if self.now.has(SIDE) { self.body.word(self.now_at + 1).load(Relaxed) as usize } else { 0 }
    }

    /// A word of the value.
    pub(crate) fn word(&self, n: usize) -> u64 {
        self.body.word(self.value + n).load(Relaxed)
    }

    /// Bytes of text.
    pub(crate) fn len(&self) -> usize {
        self.now.bytes()
    }

    /// Appends the text.
    #[inline]
    pub(crate) fn text(&self, into: &mut Vec<u8>) {
        let (len, at, start) = (self.now.bytes(), self.value, into.len());
        match self.body.log.get(at..at + words(len)) {
            Some(log) => return copy_text(log, len, into),
            None => (at..at + words(len))
                .for_each(|at| into.extend_from_slice(&self.body.word(at).load(Relaxed).to_le_bytes())),
        }
        into.truncate(start + len);
    }

    /// The value, where it is a plain number or nothing.
    pub(crate) fn plain(&self) -> Option<Value<'static>> {
        let kind = self.now.kind();
        if !kind.is_word() {
            return (kind == Kind::Null).then_some(Value::Null);
        }
        let word = self.word(0);
        Some(plain(kind, word))
    }
}

/// A number of a kind, as a value.
pub(crate) fn plain(kind: Kind, word: u64) -> Value<'static> {
    match kind {
        Kind::Bool => Value::Bool(word != 0),
        Kind::I64 => Value::I64(word.cast_signed()),
        Kind::U64 => Value::U64(word),
        Kind::F64 => Value::F64(f64::from_bits(word)),
        Kind::Nanos => Value::Duration(Duration::from_nanos(word)),
        _ => Value::Null,
    }
}
