//! A record by its handle, from any thread.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::read::{newest, read};
use super::write::{set, with_key, with_text};
use super::{Context, OwnedValue, TimeGuard, section};
use crate::clock;
use crate::id;
use crate::record::keys::{self, Suffix, builtin};
use crate::record::log::{By, Kind as Holds};
use crate::record::slot::Body;
use crate::record::{self, Name, current};
use crate::value::{ToValue, Value};

impl Context {
    /// Sets `<namespace>_<key>`, in any namespace: for integrations, which own some (`req`, `resp`, `db`).
    ///
    /// ```
    /// canonlog::Context::current().set_in("resp", "status", 200);
    /// ```
    #[inline(always)]
    pub fn set_in(&self, namespace: &'static str, key: &'static str, value: impl ToValue) {
        let value = value.to_value();
        if !record::set::within(self.handle, namespace, key, &value) {
            self.set_slowly(namespace, key, value);
        }
    }

    #[inline(never)]
    fn set_slowly(&self, namespace: &'static str, key: &'static str, value: Value<'_>) {
        with_text(value, |value, whole| {
            if self.handle.is_slotless() {
                let id = keys::find(namespace, key, Suffix::None);
                self.handle.write_slotless(|unit| unit.set(id, value));
                return;
            }
            with_key(namespace, key, |by| {
                current::write(self.handle, |body, writer| set(body, by, value, whole, writer));
            });
        });
    }

    /// Adds a number or a duration to `<namespace>_<key>`.
    ///
    /// ```
    /// canonlog::Context::current().add_in("http", "calls", 1);
    /// ```
    pub fn add_in(&self, namespace: &'static str, key: &'static str, value: impl ToValue) {
        let value = value.to_value();
        if self.handle.is_slotless() {
            let id = keys::find(namespace, key, Suffix::None);
            self.handle.write_slotless(|unit| unit.add(id, value));
            return;
        }
        with_key(namespace, key, |by| {
            current::write(self.handle, |body, writer| self.handle.add(by, value, body, writer));
        });
    }

    /// Reads `<namespace>_<key>`.
    ///
    /// ```
    /// assert_eq!(canonlog::Context::none().get_in("req", "method"), None);
    /// ```
    pub fn get_in(&self, namespace: &str, key: &str) -> Option<OwnedValue> {
        let name = Name::new(namespace, key, Suffix::None);
        let known = keys::known(name.as_str());
        if let (true, Some(id)) = (self.handle.is_slotless(), known) {
            return self.handle.with_slotless(|unit| unit.get(id).map(OwnedValue::from))?;
        }
        let by = known.map_or(By::Name(name.as_str(), 0), By::Id);
        self.handle.read(|body, side| {
            let _busy = current::busy();
            read(body, side, by)
        })?
    }

    /// Times a section into `<namespace>_<key>_time`, until the guard is dropped.
    ///
    /// ```
    /// let _section = canonlog::Context::current().time_in("shop", "search"); // shop_search_time
    /// ```
    pub fn time_in(&self, namespace: &'static str, key: &'static str) -> TimeGuard {
        section::time(self.handle, namespace, key)
    }

    /// The id that the record's events share (`req_id`).
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// assert_eq!(scope.context().request_id().map(|id| id.len()), Some(36));
    /// assert_eq!(Context::none().request_id(), None);
    /// ```
    pub fn request_id(&self) -> Option<String> {
        let mut room = [0; id::LONGEST];
        self.copy_request_id(&mut room).map(str::to_owned)
    }

    /// The id, copied to where the caller has room.
    pub(crate) fn copy_request_id<'a>(&self, room: &'a mut [u8; id::LONGEST]) -> Option<&'a str> {
        let Some(slot) = self.handle.slot() else {
            let len = self.handle.with_slotless(|unit| unit.copy_id(room))?;
            return str::from_utf8(&room[..len]).ok();
        };
        let mut copy = |body: &'static Body, side| match newest(body, side, By::Id(builtin::REQ_ID)) {
            Some(entry) => entry.copy_text(room),
            None => {
                let words = [&slot.head.id[0], &slot.head.id[1]];
                let id = id::text(words.map(|word| word.load(Relaxed)));
                room[..id.len()].copy_from_slice(&id);
                id.len()
            }
        };
        let len = match current::claimed(self.handle) {
            Some(body) => copy(body, None),
            None => self.handle.read(copy)?,
        };
        str::from_utf8(&room[..len]).ok()
    }

    /// Takes an id from outside: 1 to 128 visible ASCII characters; else it returns false and nothing changes.
    ///
    /// ```
    /// use canonlog::{Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// assert!(scope.context().set_request_id("from-the-proxy"));
    /// assert!(!scope.context().set_request_id("two\nlines"));
    /// assert_eq!(scope.context().request_id().as_deref(), Some("from-the-proxy"));
    /// ```
    pub fn set_request_id(&self, id: &str) -> bool {
        if !id::is_valid(id) {
            return false;
        }
        if self.handle.is_slotless() {
            return self.handle.write_slotless(|unit| unit.set_id(id)).is_some();
        }
        current::write(self.handle, |body, writer| body.set(By::Id(builtin::REQ_ID), Value::Str(id), writer)).is_some()
    }

    /// The time since the record began; `None` once it has ended.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// assert!(scope.context().elapsed().is_some());
    /// assert_eq!(Context::none().elapsed(), None);
    /// ```
    pub fn elapsed(&self) -> Option<Duration> {
        let started = match self.handle.slot().filter(|_| self.handle.is_live()) {
            Some(slot) => slot.head.started.load(Relaxed),
            None => self.handle.with_slotless(|unit| unit.how.now)?,
        };
        Some(Duration::from_nanos(clock::between(started, clock::now())))
    }

    /// Whether one of the framework's own fields has no value yet. Without an allocation.
    pub(crate) fn lacks(&self, id: keys::KeyId) -> bool {
        let lacks = |body: &Body| body.get(By::Id(id)).is_none_or(|entry| entry.kind() == Holds::Null);
        match current::claimed(self.handle) {
            Some(body) => lacks(body),
            None => {
                let read = self.handle.read(|body, side| lacks(body) && side.is_none_or(lacks));
                read.or_else(|| self.handle.with_slotless(|unit| unit.lacks(id))).unwrap_or(true)
            }
        }
    }
}
