//! Sets fields and adds to them: every case.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use super::entry::{ADDED, Header, Kind, MOVED, plain};
use super::{By, CUT, RESERVE, Writer, cut, fields_of, words};
use crate::id::LONGEST;
use crate::record::current;
use crate::record::keys::builtin::REQ_ID;
use crate::record::keys::{NOT_INTERNED, listed};
use crate::record::slot::{self, Body, EXTENSION, LOG};
use crate::value::Value;

impl Body {
    /// Room for `words` more; compacts or extends the log where it is full.
    #[inline]
    pub(super) fn room(&self, words: usize, framework: bool, writer: Writer) -> bool {
        let end = self.extent().words() + words;
        if end <= LOG {
            return true;
        }
        self.make_room(words, framework, writer)
    }

    #[cold]
    pub(super) fn make_room(&self, words: usize, framework: bool, writer: Writer) -> bool {
        let _busy = current::busy();
        let reserve = if framework { 0 } else { RESERVE };
        let limit = Self::limit;
        let fits = |body: &Self| body.extent().words() + words + reserve <= limit(body);
        if fits(self) && self.extension.load(Relaxed) != 0 {
            return true;
        }
        // Compacting moves entries: only worth it where it gives enough. Beside a side log, which knows their places, it is
        // done under the lock (`compact_beside`).
        if writer != (Writer::Main { beside: true })
            && self.garbage.load(Relaxed) as usize >= words.max(32)
            && self.late.load(Relaxed) == 0
        {
            self.compact(matches!(writer, Writer::Side { .. }), |_| ());
            if self.extent().words() + words <= LOG {
                return true;
            }
        }
        if self.extension.load(Relaxed) == 0
            && (self.limits.load(Relaxed) & 0xFFFF) as usize > LOG
            && let Some(number) = slot::take_extension()
        {
            self.extension.store(u64::from(number) + 1, Release);
        }
        fits(self) || (framework && self.extent().words() + words <= limit(self))
    }

    /// How long this log may be: the two logs of a record share what it may hold, beside the slot that each has in any case.
    fn limit(&self) -> usize {
        let limit = (self.limits.load(Relaxed) & 0xFFFF) as usize;
        let limit = limit - self.other().map_or(0, |other| other.end().saturating_sub(LOG)).min(limit);
        limit.min(if self.extension.load(Relaxed) == 0 { LOG } else { LOG + EXTENSION })
    }

    /// Bytes of value that would still fit.
    pub(super) fn left(&self, framework: bool) -> usize {
        let limit = self.limit();
        let reserve = if framework { 0 } else { RESERVE };
        limit.saturating_sub(self.extent().words() + reserve + 20) * 8
    }

    /// Appends an entry whose value is `payload`; where it stands.
    #[inline]
    pub(super) fn append(
        &self,
        by: By<'_>,
        moved: bool,
        writer: Writer,
        kind: Kind,
        flags: u64,
        payload: Payload<'_>,
    ) -> usize {
        let at = self.extent().words();
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
            Payload::WordsAndBytes(words, bytes) => {
                words.iter().zip(to..).for_each(|(word, to)| self.word(to).store(*word, Relaxed));
                self.put_bytes(to + words.len(), bytes)
            }
            Payload::Cut(kept) => self.put_cut(to, kept),
            Payload::Nothing => to,
        };
        let extent = self.extent().up_to(to);
        // The list is of fields that stand where they were first written, under the number of their key.
        self.set_extent(match by {
            _ if matches!(kind, Kind::Query | Kind::Statement) => extent,
            By::Id(id) if !moved && at < LOG && self.list(extent, listed(id).at(at * 8, kind == Kind::Timer)) => {
                extent.with_field(0, false)
            }
            _ => extent.unlisted(),
        });
        at
    }

    #[inline]
    pub(super) fn put_bytes(&self, at: usize, bytes: &[u8]) -> usize {
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

    /// The beginning of a text, and what says that it was cut.
    #[cold]
    fn put_cut(&self, at: usize, kept: &[u8]) -> usize {
        let mut bytes = kept.iter().chain(CUT.as_bytes()).copied();
        let end = at + words(kept.len() + CUT.len());
        for to in at..end {
            let word = std::array::from_fn(|_| bytes.next().unwrap_or(0));
            self.word(to).store(u64::from_le_bytes(word), Relaxed);
        }
        end
    }

    /// Sets a field.
    #[inline]
    pub(crate) fn set(&self, by: By<'_>, value: Value<'_>, writer: Writer) {
        let (kind, payload) = match by.hide(value) {
            Value::Null => (Kind::Null, Payload::Nothing),
            Value::Bool(value) => (Kind::Bool, Payload::Word(u64::from(value))),
            Value::I64(value) => (Kind::I64, Payload::Word(value.cast_unsigned())),
            Value::U64(value) => (Kind::U64, Payload::Word(value)),
            Value::F64(value) => (Kind::F64, Payload::Word(value.to_bits())),
            Value::Duration(value) => (Kind::Nanos, Payload::Word(saturating_nanos(value))),
            Value::Str(text) => {
                let limit = (self.limits.load(Relaxed) >> 16 & 0xFF_FFFF) as usize;
                // An id is whole or none.
                let limit = if matches!(by, By::Id(REQ_ID)) { limit.max(LONGEST) } else { limit };
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
    pub(super) fn cut<'a>(&self, text: &'a str, limit: usize) -> Payload<'a> {
        self.count(&self.truncated);
        Payload::Cut(cut(text, limit.saturating_sub(CUT.len())).as_bytes())
    }

    #[inline]
    pub(super) fn put(&self, by: By<'_>, kind: Kind, flags: u64, payload: Payload<'_>, writer: Writer) {
        match self.find(by) {
            Some(at) => self.put_again(at, by, kind, flags, payload, writer),
            None => self.put_first(by, kind, flags, payload, writer),
        }
    }

    #[inline]
    pub(super) fn put_first(&self, by: By<'_>, kind: Kind, flags: u64, payload: Payload<'_>, writer: Writer) {
        let mut need = 2 + words(payload.bytes());
        let framework = match by {
            By::Id(id) => {
                if id.is_renamed() {
                    self.count(&self.renamed);
                }
                id.is_framework()
            }
            By::Name(name, _) => {
                need += 1 + words(name.len());
                by.is_framework()
            }
        };
        let beside = self.beside();
        // A field that both logs have is one field.
        if !framework && beside.is_none_or(|beside| beside.get_unreported(by).is_none()) {
            let (extent, most) = (self.extent(), fields_of(self.limits.load(Relaxed)));
            if extent.users(most) + beside.map_or(0, |beside| beside.users_read(most)) >= most {
                self.count(&self.truncated);
                return;
            }
            self.set_extent(extent.with_user());
        }
        let Some(payload) = self.fit(need, framework, payload, writer) else { return };
        let at = self.append(by, false, writer, kind, flags, payload);
        if let By::Id(id) = by {
            self.note(id, at);
        }
    }

    /// The payload, cut where only a part of it fits; `None` (counted) where nothing does.
    #[inline]
    pub(super) fn fit<'a>(
        &self,
        need: usize,
        framework: bool,
        payload: Payload<'a>,
        writer: Writer,
    ) -> Option<Payload<'a>> {
        if self.room(need, framework, writer) { Some(payload) } else { self.cut_to_fit(framework, payload) }
    }

    #[cold]
    pub(super) fn cut_to_fit<'a>(&self, framework: bool, payload: Payload<'a>) -> Option<Payload<'a>> {
        let left = self.left(framework);
        match payload {
            Payload::Bytes(bytes) if left >= 32 => {
                let text = str::from_utf8(bytes).unwrap_or_default();
                Some(self.cut(text, left))
            }
            // Longer than a value may be, and counted for that.
            Payload::Cut(kept) if left >= 32 => {
                let kept = str::from_utf8(kept).unwrap_or_default();
                Some(Payload::Cut(cut(kept, left - CUT.len()).as_bytes()))
            }
            Payload::Cut(_) => None,
            _ => {
                self.count(&self.truncated);
                None
            }
        }
    }

    pub(super) fn put_again(
        &self,
        at: usize,
        by: By<'_>,
        kind: Kind,
        flags: u64,
        payload: Payload<'_>,
        writer: Writer,
    ) {
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
        let Some(payload) = self.fit(2 + words(payload.bytes()), framework, payload, writer) else { return };
        // Making room may have compacted the log: the entry can stand elsewhere now.
        let Some(at) = self.find(by) else { return };
        let header = Header(self.word(at).load(Relaxed));
        let (now_at, now) = self.current(at, header);
        let dead = if now_at == at { words(now.bytes()) } else { self.size(now_at, now) };
        self.garbage.store(self.garbage.load(Relaxed) + dead as u64, Relaxed);
        let to = self.append(by, true, writer, kind, 0, payload);
        self.word(at).store(header.redirected(to, flags).0, Release);
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

    /// Adds to a number in the main log, by who has the claim and the lock: if the side log has a newer one, to that.
    pub(crate) fn add_beside(&self, by: By<'_>, value: Value<'_>, side: &Body) -> bool {
        let writer = Writer::Main { beside: true };
        let (main, beside) = (self.get_unreported(by), side.get_unreported_beside(self, by));
        if let Some(beside) = beside.filter(|side| main.is_none_or(|main| main.offset() < side.main_offset())) {
            let both = match (main.and_then(|main| main.plain()), beside.plain()) {
                (_, None) => None,
                (Some(main), Some(more)) if beside.is_added() && !matches!(main, Value::Null) => total(main, more),
                (_, newer) => newer,
            };
            let Some(both) = both else {
                self.count(&self.value_errors);
                return false;
            };
            self.set(by, both, writer);
        }
        self.add(by, value, writer)
    }

    /// Adds to a number in the side log, under the lock: anew, if the main log has set it since.
    pub(crate) fn add_in_side(&self, by: By<'_>, value: Value<'_>, main: &Body, writer: Writer) -> bool {
        let (main, beside) = (main.get_unreported_beside(self, by), self.get_unreported(by));
        let newest = main.filter(|main| beside.is_none_or(|side| main.offset() >= side.main_offset()));
        if let Some(main) = newest
            && main.kind() != Kind::Null
            && main.plain().is_none_or(|main| total(main, value).is_none())
        {
            self.count(&self.value_errors);
            return false;
        }
        let begin = beside.is_some() && newest.is_some_and(|main| !main.is_added());
        if begin && let Some((kind, word)) = number(value) {
            self.put(by, kind, ADDED, Payload::Word(word), writer);
            return true;
        }
        self.add(by, value, writer)
    }

    /// Counts a trouble with a value.
    pub(crate) fn count_value_error(&self) {
        self.count(&self.value_errors);
    }

    /// Counts a key that was changed.
    pub(crate) fn count_renamed(&self) {
        self.count(&self.renamed);
    }
}

fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A number, or a length of time, as an entry holds it.
pub(crate) fn number(value: Value<'_>) -> Option<(Kind, u64)> {
    Some(match value {
        Value::U64(n) => (Kind::U64, n),
        Value::I64(n) => (Kind::I64, n.cast_unsigned()),
        Value::F64(n) => (Kind::F64, n.to_bits()),
        Value::Duration(n) => (Kind::Nanos, saturating_nanos(n)),
        _ => return None,
    })
}

/// The sum of two numbers.
pub(crate) fn total(a: Value<'_>, b: Value<'_>) -> Option<Value<'static>> {
    let (kind, word) = number(a)?;
    sum(kind, word, b).map(|(kind, word)| plain(kind, word))
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
pub(super) enum Payload<'a> {
    Nothing,
    Word(u64),
    Words(&'a [u64]),
    Bytes(&'a [u8]),
    WordsAndBytes(&'a [u64], &'a [u8]),
    /// The beginning of a text; [`CUT`] goes behind it.
    Cut(&'a [u8]),
}

impl Payload<'_> {
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        match self {
            Payload::Nothing => 0,
            Payload::Word(_) => 8,
            Payload::Words(words) => words.len() * 8,
            Payload::Bytes(bytes) => bytes.len(),
            Payload::WordsAndBytes(words, bytes) => words.len() * 8 + bytes.len(),
            Payload::Cut(kept) => kept.len() + CUT.len(),
        }
    }
}
