//! A field as an item of a line, quoted where it must be.

use std::cmp::Ordering;

use super::super::line::Line;
use super::super::number::{self, Digits};
use super::super::people::push_text;
use super::conversion::Conversion;
use super::converter::{Converter, Item};
use crate::value::Value;

/// A field to convert.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    /// How many `_` follow the name.
    pub(super) more: usize,
    pub(super) value: Value<'a>,
    /// The value needs no quotes, whatever stands in it.
    pub(super) bare: bool,
}

impl<'a> Entry<'a> {
    pub(super) const NONE: Entry<'static> = Entry { name: b"", more: 0, value: Value::Null, bare: false };

    fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.name.iter().copied().chain(std::iter::repeat_n(b'_', self.more))
    }

    pub(super) fn is(&self, key: &str) -> bool {
        if self.more == 0 { self.name == key.as_bytes() } else { self.bytes().eq(key.bytes()) }
    }

    /// By name, in the order of bytes.
    pub(super) fn order(&self, other: &Entry<'_>) -> Ordering {
        if self.more + other.more == 0 { self.name.cmp(other.name) } else { self.bytes().cmp(other.bytes()) }
    }

    /// Writes the item after `before`, or nothing at all; whether it wrote.
    pub(super) fn push(&self, converter: &Converter, marks: &Marks, before: &[u8], line: &mut Line<'_>) -> bool {
        let value = converter.value.as_ref().map(|make| make(self.value));
        match &converter.item {
            Item::Nothing => return false,
            Item::Made(make) => {
                let text = value.unwrap_or_else(|| self.value.to_string());
                let key = String::from_utf8_lossy(self.name).into_owned() + &"_".repeat(self.more);
                let Some(item) = make(&key, &text) else { return false };
                line.bytes(before);
                push_text(line, item.as_bytes());
                return true;
            }
            Item::Value => line.bytes(before),
            Item::Pair => {
                line.bytes(before);
                self.push_name(marks, line);
                line.byte(b'=');
            }
        }
        match (value, self.value) {
            (Some(text), _) => marks.push(text.as_bytes(), line),
            (None, Value::Str(text)) if self.bare => push_text(line, text.as_bytes()),
            (None, _) => push_value(self.value, marks, line),
        }
        true
    }

    fn push_name(&self, marks: &Marks, line: &mut Line<'_>) {
        let quoted = marks.wants_quotes(self.name);
        if quoted {
            line.byte(b'"');
        }
        line.text(self.name);
        (0..self.more).for_each(|_| line.byte(b'_'));
        if quoted {
            line.byte(b'"');
        }
    }
}

fn push_value(value: Value<'_>, marks: &Marks, line: &mut Line<'_>) {
    match value {
        Value::Str(text) => marks.push(text.as_bytes(), line),
        Value::U64(number) => number::push_u64(line, number),
        Value::I64(number) => number::push_i64(line, number),
        Value::F64(number) => number::push_f64(line, number),
        Value::Bool(value) => line.bytes(if value { b"true" } else { b"false" }),
        Value::Null => line.byte(b'-'),
        Value::Duration(time) => {
            number::push_nanos(line, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Digits::Millis);
        }
        Value::Display(value) => marks.push(crate::scratch::display(value).as_bytes(), line),
    }
}

/// The bytes that a text has only in quotes.
#[derive(Clone)]
pub(super) struct Marks {
    /// None where nothing is quoted.
    bytes: Option<Box<[bool; 256]>>,
}

impl Marks {
    pub(super) fn of(conversion: &Conversion, end: &str) -> Marks {
        if conversion.is_unquoted() {
            return Marks { bytes: None };
        }
        let mut bytes = Box::new([false; 256]);
        let all = conversion.between().bytes().chain(end.bytes()).chain(*b"\"=");
        all.for_each(|byte| bytes[usize::from(byte)] = true);
        Marks { bytes: Some(bytes) }
    }

    fn wants_quotes(&self, text: &[u8]) -> bool {
        let is_mark = |bytes: &[bool; 256]| text == b"-" || text.iter().any(|byte| bytes[usize::from(*byte)]);
        self.bytes.as_deref().is_some_and(is_mark)
    }

    fn push(&self, text: &[u8], line: &mut Line<'_>) {
        if self.wants_quotes(text) {
            line.byte(b'"');
            line.text(text);
            line.byte(b'"');
        } else {
            push_text(line, text);
        }
    }
}
