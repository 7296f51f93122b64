//! How the values of a message get into its event.

use std::fmt::{self, Write};

use crate::event::Stored;
use crate::pipeline::Draft;
use crate::record::Name;
use crate::record::keys::{self, KeyId, NOT_INTERNED, Suffix};
use crate::value::Value;

/// Takes what a message carries; what is not taken has no part in the event.
#[derive(Debug)]
pub struct Taking<'t, 'd> {
    draft: &'t mut Draft<'d>,
    /// Whether line ends in texts become `\n`.
    on_one_line: bool,
    /// So many further fields fit.
    room: usize,
}

impl<'t, 'd> Taking<'t, 'd> {
    pub(super) fn new(draft: &'t mut Draft<'d>, on_one_line: bool) -> Self {
        let room = draft.parts.settings.limits.fields;
        Taking { draft, on_one_line, room }
    }

    /// Takes `app_<key>`.
    #[inline]
    pub(crate) fn field(&mut self, key: &'static str, value: Value<'_>) {
        let id = keys::find("app", key, Suffix::None);
        if id == NOT_INTERNED {
            return self.dynamic(key, value);
        }
        if self.has_room() {
            self.draft.renamed += u64::from(id.is_renamed());
            let value = self.keep(value);
            self.draft.content.put_key(id, value);
        }
    }

    /// The same for a key made at run time, which is not kept beyond the event.
    pub(crate) fn dynamic(&mut self, key: &str, value: Value<'_>) {
        if self.has_room() {
            let name = Name::new("app", key, Suffix::None);
            self.draft.renamed += u64::from(name.is_renamed());
            let value = self.keep(value);
            self.draft.content.put_name(name.as_str(), false, value);
        }
    }

    /// Takes one of the framework's own fields.
    pub(crate) fn own(&mut self, namespace: &'static str, key: &'static str, value: Value<'_>) {
        let value = self.keep(value);
        self.put_own(namespace, key, value);
    }

    /// The same, of what `write` writes.
    pub(crate) fn own_made(
        &mut self,
        namespace: &'static str,
        key: &'static str,
        write: impl FnOnce(&mut dyn Write) -> fmt::Result,
    ) {
        let value = self.keep_made(write);
        self.put_own(namespace, key, value);
    }

    fn put_own(&mut self, namespace: &'static str, key: &'static str, value: Stored) {
        let id = own_key(namespace, key);
        if id != NOT_INTERNED {
            self.draft.content.put_key(id, value);
        }
    }

    /// Adds one of the fields that every message has.
    #[inline]
    pub(super) fn push_own(&mut self, namespace: &'static str, key: &'static str, value: Stored) {
        let id = own_key(namespace, key);
        if id != NOT_INTERNED {
            self.draft.content.push_key(id, value);
        }
    }

    /// Keeps `file:line`.
    pub(super) fn keep_place(&mut self, file: &str, line: u32) -> Stored {
        self.draft.content.keep_place(file, line)
    }

    /// Counts a value that could not be had.
    pub(crate) fn failed(&mut self) {
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
    pub(super) fn keep(&mut self, value: Value<'_>) -> Stored {
        let limit = self.draft.value_limit();
        let stored = self.draft.content.keep_value(value, limit, &mut self.draft.troubles);
        self.joined(stored)
    }

    pub(super) fn keep_made(&mut self, write: impl FnOnce(&mut dyn Write) -> fmt::Result) -> Stored {
        let limit = self.draft.value_limit();
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

/// The number of one of the framework's own names.
#[inline]
pub(super) fn own_key(namespace: &'static str, key: &'static str) -> KeyId {
    keys::find(namespace, key, Suffix::None)
}
