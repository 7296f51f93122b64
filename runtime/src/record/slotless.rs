//! Units that found all slots in use: the fields of the framework's that they were told, and nothing else.
//!
//! Each has a handle like any other's, so that layers and boundaries need not know; behind it stands an entry in one table, under
//! one lock. That is slow next to a slot, for units beyond the 65,536th only.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::keys::{KeyId, NOT_INTERNED};
use super::log::{CUT, Kind as Holds, cut, number, plain, total};
use super::{Begin, Handle, current};
use crate::counters::{self, Count};
use crate::id;
use crate::value::Value;

/// The number of all their handles; the generation tells them apart.
const NUMBER: u32 = u32::MAX - 1;

/// Fields of one unit, at most.
const FIELDS: usize = 64;

/// What is known of a unit.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) how: Begin,
    fields: Vec<(KeyId, Kept)>,
    id: Option<Box<str>>,
    pub(crate) truncated: u64,
}

#[derive(Debug)]
enum Kept {
    Plain(Holds, u64),
    Text(Box<str>),
}

struct Units {
    next: u64,
    all: Option<HashMap<u64, Unit>>,
}

static UNITS: Mutex<Units> = Mutex::new(Units { next: 1, all: None });

/// The lock on the units, held.
pub(crate) struct Held {
    units: MutexGuard<'static, Units>,
}

pub(crate) fn hold() -> Held {
    Held { units: UNITS.lock().unwrap_or_else(PoisonError::into_inner) }
}

impl Handle {
    /// Whether it is that of a unit without a slot.
    #[inline]
    pub(crate) fn is_slotless(self) -> bool {
        self.number == NUMBER
    }

    pub(crate) fn slotless(generation: u64) -> Handle {
        Handle { generation, number: NUMBER }
    }

    /// What is known of a unit without a slot that has not ended.
    pub(crate) fn with_slotless<R>(self, with: impl FnOnce(&mut Unit) -> R) -> Option<R> {
        if !self.is_slotless() || current::is_busy() {
            return None;
        }
        let _busy = current::busy();
        hold().units.all.as_mut()?.get_mut(&self.generation).map(with)
    }

    /// Writes a unit without a slot; counted where it has ended.
    pub(crate) fn write_slotless<R>(self, write: impl FnOnce(&mut Unit) -> R) -> Option<R> {
        let written = self.with_slotless(write);
        if written.is_none() {
            counters::add(if current::is_busy() { Count::OutsideWrites } else { Count::LateWrites }, 1);
        }
        written
    }
}

/// Begins a unit without a slot.
pub(crate) fn begin(how: &Begin) -> Handle {
    let _busy = current::busy();
    let mut held = hold();
    let number = held.units.next;
    held.units.next += 1;
    let unit = Unit { how: *how, fields: Vec::new(), id: None, truncated: 0 };
    held.units.all.get_or_insert_default().insert(number, unit);
    Handle::slotless(number)
}

/// Ends one: what it was told; none if it has ended.
pub(crate) fn end(handle: Handle) -> Option<Unit> {
    let _busy = current::busy();
    hold().units.all.as_mut()?.remove(&handle.generation)
}

impl Unit {
    /// Sets a field. One of a user's is a counted outside write.
    pub(crate) fn set(&mut self, id: KeyId, value: Value<'_>) {
        if id == NOT_INTERNED || !id.is_framework() {
            counters::add(Count::OutsideWrites, 1);
            return;
        }
        let kept = self.keep(value);
        match self.fields.iter().position(|(known, _)| *known == id) {
            Some(at) => self.fields[at].1 = kept,
            None if self.fields.len() < FIELDS => self.fields.push((id, kept)),
            None => self.truncated += 1,
        }
    }

    /// Adds to a number.
    pub(crate) fn add(&mut self, id: KeyId, value: Value<'_>) {
        let before = self.get(id).filter(|before| !matches!(before, Value::Null));
        let sum = before.map_or(Some(value), |before| total(before, value));
        self.set(id, sum.unwrap_or(value));
    }

    fn keep(&mut self, value: Value<'_>) -> Kept {
        match value {
            Value::Str(text) => Kept::Text(self.shorten(text)),
            Value::Bool(value) => Kept::Plain(Holds::Bool, u64::from(value)),
            // A `Display` is made a text before.
            value => number(value).map_or(Kept::Plain(Holds::Null, 0), |(kind, word)| Kept::Plain(kind, word)),
        }
    }

    fn shorten(&mut self, text: &str) -> Box<str> {
        let limit = (self.how.limits >> 16 & 0xFF_FFFF) as usize;
        if text.len() <= limit {
            return text.into();
        }
        self.truncated += 1;
        [cut(text, limit.saturating_sub(CUT.len())), CUT].concat().into_boxed_str()
    }

    pub(crate) fn get(&self, id: KeyId) -> Option<Value<'_>> {
        self.fields().find_map(|(known, value)| (known == id).then_some(value))
    }

    pub(crate) fn lacks(&self, id: KeyId) -> bool {
        self.get(id).is_none_or(|value| matches!(value, Value::Null))
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (KeyId, Value<'_>)> {
        self.fields.iter().map(|(id, kept)| match kept {
            Kept::Plain(kind, word) => (*id, plain(*kind, *word)),
            Kept::Text(text) => (*id, Value::Str(text)),
        })
    }

    /// Takes an id from outside.
    pub(crate) fn set_id(&mut self, id: &str) {
        self.id = Some(id.into());
    }

    /// Copies the id to where the caller has room; its length.
    pub(crate) fn copy_id(&self, room: &mut [u8; id::LONGEST]) -> usize {
        let own = id::text(self.how.id);
        let id = self.id.as_deref().map_or(&own[..], str::as_bytes);
        let len = id.len().min(room.len());
        room[..len].copy_from_slice(&id[..len]);
        len
    }
}
