//! Messages that are only noted: of most nobody will ask, and then they never become events.
//!
//! ```text
//! bytes   head (kind · length · key) · value ── head · value ── ...    as in an event; but no list of fields, and no order
//! ```

use super::content::{Content, Field, head};
use super::names::{self, KeyId};
use super::order::Label;
use super::put::Troubles;
use crate::value::Value;

/// What a noted message says beside the bytes of its fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted {
    pub(crate) unit: Unit,
    pub(crate) source: Source,
    /// The text; with none, it is the first of the bytes, or the second behind an id.
    pub(crate) text: Option<&'static str>,
}

/// Who says a message, where the program itself has that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// The logger.
    pub(crate) name: &'static str,
    /// File and line.
    pub(crate) place: (&'static str, u32),
}

/// The unit that a noted message was said in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Outside,
    /// By the words of its id, which most have; and whether it is a job.
    Words([u64; 2], bool),
    /// By its id, which is the first of the bytes; and whether it is a job.
    Text(bool),
}

impl Content {
    /// Appends a value under a key; where its head stands. It is no field yet.
    #[inline(always)]
    pub(crate) fn append(&mut self, id: KeyId, value: &Value<'_>, limit: usize, troubles: &mut Troubles) -> usize {
        let key = u64::from(id.0);
        match value {
            Value::Str(text) if text.len() <= limit => self.append_text(key, text),
            Value::U64(value) => self.put(head::U64, *value, key),
            Value::I64(value) => self.put(head::I64, value.cast_unsigned(), key),
            Value::F64(value) => self.put(head::F64, value.to_bits(), key),
            Value::Bool(value) => self.put(head::BOOL, u64::from(*value), key),
            value => {
                let stored = self.keep_value(*value, limit, troubles);
                let at = self.place(stored);
                let head = self.word(at);
                self.put_word(at, head | key);
                at
            }
        }
    }

    /// Appends a text, and in its head a key; where that stands.
    #[inline(always)]
    pub(crate) fn append_text(&mut self, key: u64, text: &str) -> usize {
        self.append_utf8(key, text.as_bytes())
    }

    /// The same of a text that is known to be valid UTF-8.
    #[inline(always)]
    pub(crate) fn append_utf8(&mut self, key: u64, text: &[u8]) -> usize {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&(head::new(head::TEXT, text.len()) | key).to_le_bytes());
        self.bytes.extend_from_slice(text);
        if text.len() < 8 {
            self.bytes.extend_from_slice(&[0; 8]);
        }
        at
    }

    /// The same of a number, or what else is one word.
    #[inline(always)]
    pub(crate) fn append_word(&mut self, id: KeyId, kind: u64, word: u64) -> usize {
        self.put(kind, word, u64::from(id.0))
    }

    /// Makes a field of the value whose head stands there, without looking for one of the same name.
    #[inline]
    pub(crate) fn push_at(&mut self, id: KeyId, at: usize) {
        self.push_label(names::key(id), at);
    }

    /// The same of a key of which all is known.
    #[inline]
    pub(crate) fn push_label(&mut self, label: &'static Label, at: usize) {
        self.push_field(Field::new(label, at), label.order);
    }

    /// Where the value stands that was noted behind another.
    pub(crate) fn behind(&self, at: usize) -> usize {
        at + head::size(self.word(at))
    }

    /// Makes fields of the values that stand from there up to `end`, under the keys that they came with. One of a name that is there
    /// takes its place.
    pub(crate) fn push_all_noted(&mut self, mut at: usize, end: usize) {
        while at < end {
            self.put_at(KeyId(self.word(at) as u16), at);
            at = self.behind(at);
        }
    }
}
