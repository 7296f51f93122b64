//! Fields of an event that is made at once: values go straight into its bytes, held to a limit.

use std::fmt::{self, Write};

use super::content::{Content, Field, Span, Stored, head};
use super::names::{self, KeyId};
use super::order::{OTHER_BIT, order};
use crate::scratch::guarded;
use crate::value::Value;

/// What became of values on their way into an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Troubles {
    /// Texts that were cut.
    pub(crate) cut: u64,
    /// Texts whose `Display` failed or panicked.
    pub(crate) failed: u64,
}

/// What a text ends with that was cut.
const CUT: &str = "…";

/// Takes text up to a limit, then refuses.
struct Capped<'a> {
    bytes: &'a mut Vec<u8>,
    /// How long `bytes` may become.
    limit: usize,
    cut: bool,
}

impl Write for Capped<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.limit.saturating_sub(self.bytes.len());
        if text.len() <= room {
            self.bytes.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let cut = (0..=room).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        self.bytes.extend_from_slice(&text.as_bytes()[..cut]);
        self.bytes.extend_from_slice(CUT.as_bytes());
        self.cut = true;
        // The error ends a `Display` that would go on for ever.
        Err(fmt::Error)
    }
}

impl Content {
    /// Keeps the text that `write` makes, up to `limit` bytes. What a panic leaves of it stays.
    pub(crate) fn keep_made(
        &mut self,
        limit: usize,
        troubles: &mut Troubles,
        write: impl FnOnce(&mut dyn Write) -> fmt::Result,
    ) -> Stored {
        Stored::Text(self.put_text(|bytes| {
            let limit = bytes.len().saturating_add(limit);
            let mut capped = Capped { bytes, limit, cut: false };
            let ended = guarded(|| write(&mut capped));
            if capped.cut {
                troubles.cut += 1;
            } else if !matches!(ended, Ok(Ok(()))) {
                troubles.failed += 1;
            }
        }))
    }

    /// Sets a field of a key that the program has, of which the value's head stands there; one of the same name keeps its position.
    #[inline]
    pub(crate) fn put_at(&mut self, id: KeyId, at: usize) {
        let label = names::key(id);
        match self.fields.iter().rposition(|field| std::ptr::eq(field.label, label)) {
            Some(found) => self.fields[found].at = at as u32,
            None => self.push_field(Field::new(label, at), label.order),
        }
    }

    /// Keeps a value; of a text, up to `limit` bytes.
    #[inline]
    pub(crate) fn keep_value(&mut self, value: Value<'_>, limit: usize, troubles: &mut Troubles) -> Stored {
        match value {
            Value::Str(text) if text.len() <= limit => {
                Stored::Text(self.put_text(|bytes| bytes.extend_from_slice(text.as_bytes())))
            }
            Value::Str(text) => self.keep_made(limit, troubles, |to| to.write_str(text)),
            Value::Display(value) => self.keep_made(limit, troubles, |to| write!(to, "{value}")),
            Value::Null => Stored::Null,
            Value::Bool(value) => Stored::Bool(value),
            Value::I64(value) => Stored::I64(value),
            Value::U64(value) => Stored::U64(value),
            Value::F64(value) => Stored::F64(value),
            Value::Duration(value) => Stored::Nanos(u64::try_from(value.as_nanos()).unwrap_or(u64::MAX)),
        }
    }

    /// Keeps the text that `write` appends, which is valid UTF-8.
    pub(crate) fn keep_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Stored {
        Stored::Text(self.put_text(write))
    }

    /// Keeps a value whole.
    pub(crate) fn keep_owned(&mut self, value: &Value<'_>) -> Stored {
        self.keep_value(*value, usize::MAX, &mut Troubles::default())
    }

    /// Appends `file:line`; where its head stands.
    pub(crate) fn append_place(&mut self, file: &str, line: u32) -> usize {
        let mut digits = itoa::Buffer::new();
        let line = digits.format(line);
        let (at, len) = (self.bytes.len(), file.len() + 1 + line.len());
        self.bytes.extend_from_slice(&head::new(head::TEXT, len).to_le_bytes());
        self.bytes.extend_from_slice(file.as_bytes());
        self.bytes.push(b':');
        self.bytes.extend_from_slice(line.as_bytes());
        if len < 8 {
            self.bytes.extend_from_slice(&[0; 8]);
        }
        at
    }

    /// Sets a field of a key that the program has; one of the same name keeps its position.
    #[inline]
    pub(crate) fn put_key(&mut self, id: KeyId, value: Stored) {
        let label = names::key(id);
        if label.bit != OTHER_BIT {
            return self.set_known(id, value);
        }
        // A name has one label.
        match self.fields.iter().position(|field| std::ptr::eq(field.label, label)) {
            Some(at) => self.set_at(at, value),
            None => self.push_known(id, value),
        }
    }

    /// Sets a field by its whole name, made at run time; one of the same name keeps its position.
    pub(crate) fn put_name(&mut self, name: &str, framework: bool, value: Stored) {
        if let Some(id) = names::known(name) {
            return self.put_key(id, value);
        }
        let is_it = |field: &Field| field.is_named() && self.name_of(field) == name;
        match self.fields.iter().position(is_it) {
            Some(at) => self.set_at(at, value),
            None => {
                let name_at = self.put_text(|bytes| bytes.extend_from_slice(name.as_bytes()));
                self.push_named(name_at, order(name), framework, value);
            }
        }
    }

    /// The text of a value that was kept.
    pub(crate) fn text_of(&self, span: Span) -> &str {
        str::from_utf8(self.text(span)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventType;
    use crate::level::Level;
    use crate::value::ToValue;
    use crate::value::display;

    fn content() -> Content {
        let mut content = Content::new();
        content.reset(EventType::Log, Level::Info, 0);
        content
    }

    fn kept(value: impl ToValue, limit: usize) -> (String, Troubles) {
        let (mut content, mut troubles) = (content(), Troubles::default());
        let stored = content.keep_value(value.to_value(), limit, &mut troubles);
        content.put_name("app_kept", false, stored);
        (content.view().get("app_kept").expect("it was put").to_string(), troubles)
    }

    #[test]
    fn texts_are_cut_at_the_limit_between_characters() {
        assert_eq!(kept("abcdef", 6), ("abcdef".to_owned(), Troubles::default()));
        let cut = Troubles { cut: 1, failed: 0 };
        assert_eq!(kept("abcdef", 4), ("abcd…".to_owned(), cut));
        assert_eq!(kept("aéé", 4), ("aé…".to_owned(), cut));
        assert_eq!(kept(display(format_args!("{}{}", "abc", "def")), 4), ("abcd…".to_owned(), cut));
    }

    #[test]
    fn what_a_display_wrote_before_it_failed_stays() {
        struct Fails(bool);
        impl fmt::Display for Fails {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("begun")?;
                assert!(self.0, "a panic within a display");
                Err(fmt::Error)
            }
        }
        let failed = Troubles { cut: 0, failed: 1 };
        for value in [Fails(true), Fails(false)] {
            assert_eq!(kept(display(value), 64), ("begun".to_owned(), failed));
        }
    }

    #[test]
    fn a_name_is_one_field_however_its_key_came() {
        let mut content = content();
        let id = names::intern("app_put_twice", false, false);
        content.put_key(id, Stored::U64(1));
        content.put_name("app_put_twice", false, Stored::U64(2));
        content.put_name("app_put_never_seen", false, Stored::U64(3));
        content.put_name("app_put_never_seen", false, Stored::U64(4));
        let fields: Vec<String> = content.view().fields().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(fields, ["app_put_twice=2", "app_put_never_seen=4"]);
    }
}
