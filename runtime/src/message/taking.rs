//! How the values of a message get into its event.

use std::fmt::{self, Write};

use super::carried::trace;
use super::pass::Head;
use super::template::Filling;
use crate::counters::measures;
use crate::event::names::{self, Names};
use crate::event::{Stored, head};
use crate::level::Level;
use crate::pipeline::{Draft, LOG_LOC, LOG_MSG};
use crate::record::Name;
use crate::record::keys::{self, Key, KeyId, NOT_INTERNED, Suffix};
use crate::scratch::{Capped, guarded};
use crate::trace::caller::printed;
use crate::value::{ToValue, Value};

/// Takes what a message carries, on the way into its event; see [`Relay`](super::Relay).
#[derive(Debug)]
pub struct Taking<'t, 'd> {
    draft: &'t mut Draft<'d>,
    /// Whether line ends in texts become `\n`.
    on_one_line: bool,
    /// Whether keys are the program's own, and not another library's.
    own_keys: bool,
    /// Neither of these asks for a look at each field.
    plain: bool,
    names: Names,
    /// So many further fields fit.
    room: usize,
    /// So many bytes a text may have.
    limit: usize,
    /// Where no field has a key with this bit, by its number modulo 64, there is none of that name.
    present: u64,
}

impl<'t, 'd> Taking<'t, 'd> {
    pub(super) fn new(draft: &'t mut Draft<'d>, head: &Head<'_>) -> Self {
        let limits = draft.tuned.settings.limits;
        // Those of its unit may have any name.
        let present = if draft.tuned.message_fields.is_empty() { 0 } else { u64::MAX };
        let (on_one_line, own_keys) = (head.on_one_line, head.own_keys);
        Taking {
            draft,
            on_one_line,
            own_keys,
            plain: own_keys && !on_one_line,
            names: Names::new(),
            room: limits.fields,
            limit: limits.value,
            present,
        }
    }

    /// Whether nothing has a field yet.
    #[inline]
    pub(super) fn is_noting(&self) -> bool {
        self.draft.noted.is_some()
    }

    #[inline]
    fn unfold(&mut self) {
        self.present = u64::MAX;
        self.draft.unfold();
    }

    /// Appends a value; without a field for it, if there are none yet.
    #[inline(always)]
    fn append(&mut self, id: KeyId, value: &Value<'_>) {
        let at = self.draft.content.append(id, value, self.limit, &mut self.draft.troubles);
        self.index(id, at);
    }

    #[inline(always)]
    fn index(&mut self, id: KeyId, at: usize) {
        if !self.is_noting() {
            self.put_at(id, at);
        }
    }

    #[inline(always)]
    fn put_at(&mut self, id: KeyId, at: usize) {
        let bit = 1 << (id.0 % 64);
        if self.present & bit == 0 {
            self.present |= bit;
            self.draft.content.push_label(self.names.get(id), at);
        } else {
            self.draft.content.put_at(id, at);
        }
    }

    /// Takes `app_<key>`.
    #[inline]
    pub fn field(&mut self, key: &'static str, value: impl ToValue) {
        self.put(key, &value.to_value());
    }

    /// The same for a key made at run time; such a key is not kept beyond the event.
    pub fn field_dynamic(&mut self, key: &str, value: impl ToValue) {
        self.put_dynamic(key, value.to_value());
    }

    /// Takes an error: its text as `exc_msg`, and those of its sources, the root cause first, as `exc_trace`.
    pub fn error(&mut self, error: &dyn std::error::Error) {
        self.own("exc", "msg", Value::Display(&error));
        trace(error.source(), self);
    }

    /// Takes the text, in place of that which came before.
    pub fn text(&mut self, text: impl ToValue) {
        self.unfold();
        let text = self.keep(text.to_value());
        self.put_key(LOG_MSG.id(), text);
    }

    pub(super) fn put(&mut self, key: &'static str, value: &Value<'_>) {
        let id = if self.plain { keys::find("app", key, Suffix::None) } else { NOT_INTERNED };
        if !self.is_usual(id) {
            return self.put_slowly(key, value);
        }
        self.room -= 1;
        self.append(id, value);
    }

    /// The same of a number, or what else is one word.
    pub(super) fn put_word(&mut self, key: &'static Key, kind: u64, word: u64) {
        let id = key.id();
        if !self.is_usual(id) {
            return self.put_word_slowly(key.key, kind, word);
        }
        self.room -= 1;
        let at = self.draft.content.append_word(id, kind, word);
        self.index(id, at);
    }

    /// The same of a text.
    pub(super) fn put_text(&mut self, key: &'static Key, text: &str) {
        let id = key.id();
        if !self.is_usual(id) || text.len() > self.limit {
            return self.put_slowly(key.key, &Value::Str(text));
        }
        self.room -= 1;
        let at = self.draft.content.append_text(u64::from(id.0), text);
        self.index(id, at);
    }

    /// Whether nothing is to be asked of a field; it is of one that is not interned.
    #[inline(always)]
    fn is_usual(&self, id: KeyId) -> bool {
        !id.is_unusual() && self.room != 0 && self.plain
    }

    #[inline(never)]
    fn put_word_slowly(&mut self, key: &'static str, kind: u64, word: u64) {
        let value = match kind {
            head::U64 => Value::U64(word),
            head::I64 => Value::I64(word.cast_signed()),
            head::F64 => Value::F64(f64::from_bits(word)),
            _ => Value::Bool(word != 0),
        };
        self.put_slowly(key, &value);
    }

    #[inline(never)]
    fn put_slowly(&mut self, key: &'static str, value: &Value<'_>) {
        self.unfold();
        // A name is kept as it is first written: that it had to be changed must not stick to a program's own key.
        if !self.own_keys && !is_clean(key) {
            return self.put_dynamic(key, *value);
        }
        let id = keys::find("app", key, Suffix::None);
        if id == NOT_INTERNED {
            return self.put_dynamic(key, *value);
        }
        if self.has_room() {
            self.draft.renamed += u64::from(id.is_renamed());
            let value = self.keep(id.hide(*value));
            self.draft.content.put_key(id, value);
        }
    }

    fn put_dynamic(&mut self, key: &str, value: Value<'_>) {
        self.unfold();
        if self.has_room() {
            let name = Name::new("app", key, Suffix::None);
            self.draft.renamed += u64::from(name.is_renamed());
            let value = self.keep(names::hide_named(name.as_str(), value));
            self.draft.content.put_name(name.as_str(), false, value);
        }
    }

    /// Takes one of the framework's own fields.
    pub(super) fn own(&mut self, namespace: &'static str, key: &'static str, value: Value<'_>) {
        self.unfold();
        let value = self.keep(value);
        self.put_key(keys::find(namespace, key, Suffix::None), value);
    }

    /// The same, of what `write` writes.
    pub(super) fn own_made(
        &mut self,
        namespace: &'static str,
        key: &'static str,
        write: impl FnOnce(&mut dyn Write) -> fmt::Result,
    ) {
        self.unfold();
        let value = self.keep_made(write);
        self.put_key(keys::find(namespace, key, Suffix::None), value);
    }

    fn put_key(&mut self, id: KeyId, value: Stored) {
        if id != NOT_INTERNED {
            self.draft.content.put_key(id, value);
        }
    }

    /// Takes what every message has, and is no text of the user's.
    #[inline]
    pub(super) fn plain(&mut self, key: &'static Key, value: &Value<'_>) {
        let id = key.id();
        if id != NOT_INTERNED {
            self.append(id, value);
        }
    }

    /// The same of a text, on one line if that is asked for.
    pub(super) fn plain_text(&mut self, text: &str) {
        if self.on_one_line {
            let text = self.keep(Value::Str(text));
            self.put_key(LOG_MSG.id(), text);
        } else {
            self.plain(&LOG_MSG, &Value::Str(text));
        }
    }

    /// The same of a text that is put together.
    pub(super) fn made_text(&mut self, text: fmt::Arguments<'_>) {
        let text = self.keep_made(|to| to.write_fmt(text));
        self.put_key(LOG_MSG.id(), text);
    }

    /// The same of `file:line`.
    pub(super) fn place(&mut self, file: &str, line: u32) {
        let id = LOG_LOC.id();
        if id != NOT_INTERNED {
            let at = self.draft.content.append_place(printed(file), line);
            self.put_at(id, at);
        }
    }

    /// Notes the text of a message that is noted; before any field.
    #[inline]
    pub(super) fn note_text(&mut self, text: &str) {
        self.draft.content.append(NOT_INTERNED, &Value::Str(text), self.limit, &mut self.draft.troubles);
    }

    /// The same of a text that is the program's own.
    #[inline]
    pub(super) fn note_fixed_text(&mut self, text: &'static str) {
        match &mut self.draft.noted {
            Some(noted) if text.len() <= self.limit => noted.text = Some(text),
            _ => self.note_text(text),
        }
    }

    /// The same of one that is put together.
    pub(super) fn note_made_text(&mut self, text: fmt::Arguments<'_>) {
        self.draft.content.keep_made(self.limit, &mut self.draft.troubles, |to| to.write_fmt(text));
    }

    /// Fills the text from what was taken.
    pub(super) fn fill(&mut self, filling: &Filling<'_>) {
        // What is hidden must not get into the text.
        if names::hides_late() {
            self.draft.content.hide_late();
        }
        // So much more than fits that it is seen to be cut, whatever its last character.
        let mut capped = Capped { text: String::new(), limit: self.limit.saturating_add(char::MAX.len_utf8()) };
        let mut wrong = 0;
        // The text so far is nothing; a value of the user's may panic.
        let filled = guarded(|| filling.write(self.draft.content, &mut capped).map(|not_filled| wrong = not_filled));
        let text = capped.text;
        if wrong > 0 {
            filling.complain();
        }
        self.draft.troubles.failed += wrong + u64::from(text.len() <= self.limit && !matches!(filled, Ok(Ok(()))));
        self.text(text);
    }

    /// Counts how long the text is that was made.
    #[cold]
    pub(super) fn measure(&self, level: Level) {
        if let Some(Value::Str(text)) = self.draft.content.view().get("log_msg") {
            measures::text(level, text.len());
        }
    }

    /// Counts a value that could not be had.
    pub(super) fn failed(&mut self) {
        self.draft.troubles.failed += 1;
    }

    fn has_room(&mut self) -> bool {
        if self.room == 0 {
            self.draft.troubles.cut += 1;
            return false;
        }
        self.room -= 1;
        true
    }

    #[inline]
    fn keep(&mut self, value: Value<'_>) -> Stored {
        let limit = self.limit;
        let stored = self.draft.content.keep_value(value, limit, &mut self.draft.troubles);
        self.joined(stored)
    }

    fn keep_made(&mut self, write: impl FnOnce(&mut dyn Write) -> fmt::Result) -> Stored {
        let limit = self.limit;
        let stored = self.draft.content.keep_made(limit, &mut self.draft.troubles, write);
        self.joined(stored)
    }

    /// The text, on one line if that is asked for.
    #[inline]
    fn joined(&mut self, stored: Stored) -> Stored {
        match stored {
            Stored::Text(span) if self.on_one_line => {
                let text = self.draft.content.text_of(span);
                if !text.contains(['\n', '\r']) {
                    return stored;
                }
                let joined = text.replace('\n', "\\n").replace('\r', "\\r");
                // Longer than the limit by its escapes alone.
                let limit = joined.len();
                self.draft.content.keep_value(Value::Str(&joined), limit, &mut self.draft.troubles)
            }
            stored => stored,
        }
    }
}

/// Whether a key is a field's name already.
fn is_clean(key: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    key.bytes().next().is_some_and(|byte| !byte.is_ascii_digit()) && key.bytes().all(fits)
}
