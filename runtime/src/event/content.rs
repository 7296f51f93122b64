//! What an event says, in buffers that can be used again.
//!
//! ```text
//! fields   label · at ─┐   one for each, in canonical order at the end
//! bytes    ────────────▼── head · value ── head · value ──   as in the log of a record, from which most are copied at once
//! ```

use std::time::Duration;

use super::names::{self, KeyId};
use super::order::{Label, OTHER_BIT};
use super::{Event, EventType, HttpVersion, Origin};
use crate::level::Level;
use crate::redact;
use crate::value::Value;

/// The first word of an entry: kind and length in bytes, at the places where a record's log has them too.
pub(crate) mod head {
    pub(crate) const NULL: u64 = 0;
    pub(crate) const BOOL: u64 = 1;
    pub(crate) const I64: u64 = 2;
    pub(crate) const U64: u64 = 3;
    pub(crate) const F64: u64 = 4;
    pub(crate) const NANOS: u64 = 5;
    pub(crate) const TEXT: u64 = 6;

    pub(crate) const fn new(kind: u64, bytes: usize) -> u64 {
        kind << 16 | (bytes as u64) << 40
    }

    #[inline(always)]
    pub(crate) const fn kind(head: u64) -> u64 {
        head >> 16 & 0xF
    }

    #[inline(always)]
    pub(crate) const fn bytes(head: u64) -> usize {
        (head >> 40) as usize
    }

    /// How many bytes an entry has, with its head: two words at least.
    #[inline]
    pub(crate) const fn size(head: u64) -> usize {
        let bytes = bytes(head);
        if bytes < 8 { 16 + bytes } else { 8 + bytes }
    }
}

/// A piece of a content's text; before each stands its head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    #[inline]
    fn new(start: usize, len: usize) -> Span {
        // A content never has 4 GiB; if it had, its texts would be wrong, and nothing else.
        Span { start: start as u32, len: len as u32 }
    }
}

/// A value whose text lies in the content's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored {
    Null,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Nanos(u64),
    Text(Span),
}

/// One field of a content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) label: &'static Label,
    /// Where the value's head stands.
    pub(super) at: u32,
    /// Where the name's stands, if it was made at run time.
    pub(super) name: u32,
}

/// A label's own name.
const KNOWN: u32 = u32::MAX;

/// Instead of a label: by owner alone, for names made at run time.
static NAMED: [Label; 2] = [Label::nameless(false), Label::nameless(true)];

impl Field {
    #[inline(always)]
    pub(super) fn new(label: &'static Label, at: usize) -> Field {
        Field { label, at: at as u32, name: KNOWN }
    }

    #[inline(always)]
    pub(super) fn is_named(&self) -> bool {
        self.name != KNOWN
    }
}

/// What an event says, in buffers that can be used again.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) kind: EventType,
    pub(crate) level: Level,
    pub(crate) unix_nanos: i64,
    /// What a request came by: no field, as the access log alone shows it.
    pub(crate) http: HttpVersion,
    /// No field either.
    pub(crate) origin: Origin,
    pub(super) fields: Vec<Field>,
    /// Entries, and whatever lies between them; only what a field points at is looked at.
    pub(super) bytes: Vec<u8>,
    /// Which of the framework's own fields are there, by the bits of their labels.
    pub(super) seen: u64,
    /// Whether each field stands behind those of lower orders.
    pub(super) in_order: bool,
}

impl Content {
    pub(crate) const fn new() -> Self {
        Content {
            kind: EventType::Log,
            level: Level::Info,
            unix_nanos: 0,
            http: HttpVersion::V11,
            origin: Origin::Here,
            fields: Vec::new(),
            bytes: Vec::new(),
            seen: 0,
            in_order: true,
        }
    }

    /// Empties the content and keeps its buffers.
    pub(crate) fn reset(&mut self, kind: EventType, level: Level, unix_nanos: i64) {
        (self.kind, self.level, self.unix_nanos) = (kind, level, unix_nanos);
        (self.http, self.origin) = (HttpVersion::V11, Origin::Here);
        self.fields.clear();
        self.bytes.clear();
        self.seen = 0;
        self.in_order = true;
    }

    pub(crate) fn view(&self) -> Event<'_> {
        Event { content: self }
    }

    #[inline(always)]
    pub(super) fn word(&self, at: usize) -> u64 {
        self.bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word))
    }

    #[inline(always)]
    pub(super) fn put_word(&mut self, at: usize, word: u64) {
        if let Some(to) = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *to = word.to_le_bytes();
        }
    }

    /// Appends a number, and in its head a key; where that stands.
    #[inline(always)]
    pub(super) fn put(&mut self, kind: u64, value: u64, key: u64) -> usize {
        let at = self.bytes.len();
        let head = head::new(kind, 8) | key;
        self.bytes.extend_from_slice([head.to_le_bytes(), value.to_le_bytes()].as_flattened());
        at
    }

    /// Appends the text that `write` appends.
    #[inline]
    pub(super) fn put_text(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 8]);
        write(&mut self.bytes);
        let len = self.bytes.len() - at - 8;
        if len < 8 {
            self.bytes.extend_from_slice(&[0; 8]);
        }
        self.put_word(at, head::new(head::TEXT, len));
        Span::new(at + 8, len)
    }

    fn keep(&mut self, text: &str) -> Span {
        self.put_text(|bytes| bytes.extend_from_slice(text.as_bytes()))
    }

    /// Appends a value, unless it is a text, which is there; where its head stands.
    #[inline(always)]
    pub(super) fn place(&mut self, value: Stored) -> usize {
        match value {
            Stored::Null => self.put(head::NULL, 0, 0),
            Stored::Bool(value) => self.put(head::BOOL, u64::from(value), 0),
            Stored::I64(value) => self.put(head::I64, value.cast_unsigned(), 0),
            Stored::U64(value) => self.put(head::U64, value, 0),
            Stored::F64(value) => self.put(head::F64, value.to_bits(), 0),
            Stored::Nanos(value) => self.put(head::NANOS, value, 0),
            Stored::Text(span) => span.start as usize - 8,
        }
    }

    /// The value whose head stands there.
    #[inline(always)]
    pub(super) fn stored(&self, at: usize) -> Stored {
        let head = self.word(at);
        let value = || self.word(at + 8);
        match head::kind(head) {
            head::TEXT => Stored::Text(Span::new(at + 8, head::bytes(head))),
            head::U64 => Stored::U64(value()),
            head::NANOS => Stored::Nanos(value()),
            head::I64 => Stored::I64(value().cast_signed()),
            head::F64 => Stored::F64(f64::from_bits(value())),
            head::BOOL => Stored::Bool(value() != 0),
            _ => Stored::Null,
        }
    }

    /// A text's bytes, which are valid UTF-8.
    #[inline(always)]
    pub(super) fn text(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start as usize..).and_then(|rest| rest.get(..span.len as usize)).unwrap_or_default()
    }

    fn span(&self, span: Span) -> &str {
        // Only whole texts are recorded, so this holds for each of them.
        str::from_utf8(self.text(span)).unwrap_or_default()
    }

    pub(super) fn order_of(&self, field: &Field) -> u16 {
        if field.is_named() { self.word(field.name as usize) as u16 } else { field.label.order }
    }

    pub(super) fn name_of(&self, field: &Field) -> &str {
        if !field.is_named() {
            return field.label.name;
        }
        let at = field.name as usize;
        self.span(Span::new(at + 8, head::bytes(self.word(at))))
    }

    /// The order of the last field.
    #[inline]
    pub(super) fn last_order(&self) -> u16 {
        self.fields.last().map_or(0, |last| self.order_of(last))
    }

    #[inline]
    pub(super) fn push_field(&mut self, field: Field, order: u16) {
        self.seen |= 1 << field.label.bit;
        self.in_order &= order >= self.last_order();
        self.fields.push(field);
    }

    /// Adds a field of a key that the program has.
    #[inline]
    pub(super) fn push_known(&mut self, id: KeyId, value: Stored) {
        let at = self.place(value);
        let label = names::key(id);
        self.push_field(Field::new(label, at), label.order);
    }

    /// Adds a field under a name that is kept as text.
    pub(super) fn push_named(&mut self, name: Span, order: u16, framework: bool, value: Stored) {
        let (at, name_at) = (self.place(value), name.start - 8);
        // A name's head says where the field stands.
        self.put_word(name_at as usize, head::new(head::TEXT, name.len as usize) | u64::from(order));
        let label = &NAMED[usize::from(framework)];
        self.push_field(Field { label, at: at as u32, name: name_at }, order);
    }

    /// Bytes held, an estimate of the event's size.
    pub(crate) fn text_len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of all names.
    pub(crate) fn names_len(&self) -> usize {
        self.fields.iter().map(|field| self.name_of(field).len()).sum()
    }

    /// Fields that hold text: where, whether the framework's (such a field is cut last), and the text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (usize, bool, &str)> {
        self.fields.iter().enumerate().filter_map(|(at, field)| match self.stored(field.at as usize) {
            Stored::Text(span) => Some((at, field.label.framework, self.span(span))),
            _ => None,
        })
    }

    /// The text of a field.
    pub(crate) fn text_at(&self, at: usize) -> &str {
        match self.fields.get(at).map(|field| self.stored(field.at as usize)) {
            Some(Stored::Text(span)) => self.span(span),
            _ => "",
        }
    }

    /// Gives a field another text.
    pub(crate) fn set_text_at(&mut self, at: usize, text: &str) {
        let span = self.keep(text);
        self.set_at(at, Stored::Text(span));
    }

    pub(super) fn set_at(&mut self, at: usize, value: Stored) {
        let to = self.place(value);
        if let Some(field) = self.fields.get_mut(at) {
            field.at = to as u32;
        }
    }

    /// Number of fields.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Leaves only the first fields.
    pub(crate) fn truncate(&mut self, fields: usize) {
        if fields < self.fields.len() {
            self.fields.truncate(fields);
            self.in_order = false;
        }
    }

    fn store(&mut self, value: Value<'_>) -> Stored {
        match value {
            Value::Null => Stored::Null,
            Value::Bool(value) => Stored::Bool(value),
            Value::I64(value) => Stored::I64(value),
            Value::U64(value) => Stored::U64(value),
            Value::F64(value) => Stored::F64(value),
            Value::Duration(value) => Stored::Nanos(u64::try_from(value.as_nanos()).unwrap_or(u64::MAX)),
            Value::Str(value) => Stored::Text(self.keep(value)),
            Value::Display(value) => {
                let text = crate::scratch::display(value);
                Stored::Text(self.keep(&text))
            }
        }
    }

    /// Adds a field without looking for one of the same name.
    pub(crate) fn push_text(&mut self, name: &str, order: u16, framework: bool, value: Value<'_>) {
        let value = names::hide_named(name, value);
        if let Some(id) = names::known(name) {
            let value = self.store(value);
            return self.push_known(id, value);
        }
        let name = self.keep(name);
        let value = self.store(value);
        self.push_named(name, order, framework, value);
    }

    /// Sets a field of a key that the program has; one of the same name keeps its position.
    pub(crate) fn set_key(&mut self, id: KeyId, value: Value<'_>) {
        let value = self.store(id.hide(value));
        let label = names::key(id);
        if label.bit != OTHER_BIT {
            return self.set_known(id, value);
        }
        match self.position(label.name, label.order) {
            Some(at) => self.set_at(at, value),
            None => self.push_known(id, value),
        }
    }

    /// Sets a field; one of the same name keeps its position.
    pub(crate) fn set_text(&mut self, name: &str, order: u16, framework: bool, value: Value<'_>) {
        match self.position(name, order) {
            Some(at) => {
                let value = self.store(names::hide_named(name, value));
                self.set_at(at, value);
            }
            None => self.push_text(name, order, framework, value),
        }
    }

    fn position(&self, name: &str, order: u16) -> Option<usize> {
        self.fields.iter().position(|field| self.order_of(field) == order && self.name_of(field) == name)
    }

    /// Hides the values of names that were known before it was said that they are hidden.
    #[cold]
    pub(crate) fn hide_late(&mut self) {
        for at in 0..self.fields.len() {
            let field = self.fields[at];
            if !field.is_named() && names::is_hidden_late(field.label) {
                let value = self.value_of(self.stored(field.at as usize));
                if let Value::Str(hidden) = redact::hidden(value)
                    && !matches!(value, Value::Str(text) if text == hidden)
                {
                    let span = self.keep(redact::REDACTED);
                    self.set_at(at, Stored::Text(span));
                }
            }
        }
    }

    /// Keeps the fields for which `keep` is true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        let mut kept = std::mem::take(&mut self.fields);
        kept.retain(|field| {
            let keeps = keep(self.name_of(field));
            if !keeps {
                self.seen &= !(1 << field.label.bit);
            }
            keeps
        });
        self.fields = kept;
    }

    pub(super) fn value_of(&self, stored: Stored) -> Value<'_> {
        match stored {
            Stored::Null => Value::Null,
            Stored::Bool(value) => Value::Bool(value),
            Stored::I64(value) => Value::I64(value),
            Stored::U64(value) => Value::U64(value),
            Stored::F64(value) => Value::F64(value),
            Stored::Nanos(value) => Value::Duration(Duration::from_nanos(value)),
            Stored::Text(span) => Value::Str(self.span(span)),
        }
    }

    /// One field.
    pub(super) fn field(&self, at: usize) -> Option<(&str, Value<'_>)> {
        let field = self.fields.get(at)?;
        Some((self.name_of(field), self.value_of(self.stored(field.at as usize))))
    }

    /// The fields as a format reads them.
    pub(super) fn raw_fields(&self) -> impl ExactSizeIterator<Item = (&[u8], Stored)> {
        self.fields.iter().map(|field| (self.name_of(field).as_bytes(), self.stored(field.at as usize)))
    }
}
