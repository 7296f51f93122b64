//! What a record says while it runs, over both of its logs.

use std::time::Duration;

use super::{Context, OwnedValue};
use crate::clock;
use crate::event::{Content, Stored, order};
use crate::record::current;
use crate::record::keys;
use crate::record::log::{By, Entry, Kind as Holds, total};
use crate::record::slot::Body;
use crate::value::ToValue;

impl Context {
    /// Copies a field, by its whole name, to an event that is being made; nothing where there is none.
    pub(crate) fn copy_field(&self, name: &str, into: &mut Content) -> Option<Stored> {
        let known = keys::known(name);
        if let (true, Some(id)) = (self.handle.is_slotless(), known) {
            let value = self.handle.with_slotless(|unit| unit.get(id).map(OwnedValue::from))??;
            return Some(into.keep_owned(&value.to_value()));
        }
        let by = known.map_or_else(|| By::Name(name, order(name)), By::Id);
        let mut copy = |body: &'static Body, side: Option<&'static Body>| {
            // The bytes may grow.
            let _busy = current::busy();
            match newest(body, side, by)?.kind() {
                Holds::Text => newest(body, side, by).map(|entry| into.keep_with(|bytes| entry.text(bytes))),
                _ => read(body, side, by).map(|value| into.keep_owned(&value.to_value())),
            }
        };
        match current::claimed(self.handle) {
            Some(body) => copy(body, None),
            None => self.handle.read(copy)?,
        }
    }
}

/// A field of the log that was written last.
pub(super) fn newest(body: &'static Body, side: Option<&'static Body>, by: By<'_>) -> Option<Entry<'static>> {
    match (body.get(by), side.and_then(|side| side.get(by))) {
        (Some(main), Some(beside)) if beside.main_offset() <= main.offset() => Some(main),
        (main, beside) => beside.or(main),
    }
}
/// A field of the record.
pub(super) fn read(body: &'static Body, side: Option<&'static Body>, by: By<'_>) -> Option<OwnedValue> {
    let unreported = match side {
        Some(side) => (body.get_unreported_beside(side, by), side.get_unreported_beside(body, by)),
        None => (body.get_unreported(by), None),
    };
    let (main, beside) = match unreported {
        // What a timeout has reported, where nothing came after.
        (None, None) => (body.get(by), side.and_then(|side| side.get(by))),
        some => some,
    };
    if let Some(beside) = beside.filter(|beside| beside.kind() == Holds::Timer)
        && main.is_none_or(|main| main.kind() == Holds::Timer)
    {
        let ticks = main.map_or(0, |main| main.word(0)) + beside.word(0) + beside.ended_of(main.as_ref());
        return Some(OwnedValue::Duration(Duration::from_nanos(clock::nanos(ticks))));
    }
    let Some((main, beside)) = main.zip(beside) else { return owned(&main.or(beside)?) };
    let newer = main.offset() < beside.main_offset();
    if beside.is_added() && (newer || main.is_added()) {
        if main.kind() == Holds::Null {
            return owned(&beside);
        }
        let sum = main.plain().zip(beside.plain()).and_then(|(main, beside)| total(main, beside));
        return sum.map_or_else(|| owned(&main), |sum| Some(sum.into()));
    }
    owned(if newer { &beside } else { &main })
}

fn owned(entry: &Entry<'_>) -> Option<OwnedValue> {
    Some(match entry.kind() {
        Holds::Text => {
            let mut text = Vec::new();
            entry.text(&mut text);
            OwnedValue::Text(String::from_utf8_lossy(&text).into_owned())
        }
        Holds::Timer => OwnedValue::Duration(Duration::from_nanos(clock::nanos(entry.word(0)))),
        Holds::Query | Holds::Statement => return None,
        _ => entry.plain().map_or(OwnedValue::Null, OwnedValue::from),
    })
}
