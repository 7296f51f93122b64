//! A finished, immutable fact: type, level, time, ordered fields.
//!
//! [`Event`] is a view that lives as long as the call it is handed to; whoever keeps one takes [`Event::to_owned`].
//! Fields stand in canonical order: namespace by namespace, each in the order of its first write.

mod clash;
mod content;
mod entries;
mod filler;
mod kept;
mod known;
pub(crate) mod names;
mod noted;
mod order;
mod put;
mod sort;

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

pub(crate) use self::content::{Content, Span, Stored, head};
pub(crate) use self::entries::{Entries, Raw};
pub(crate) use self::filler::{Filler, Listed};
pub(crate) use self::kept::Kept;
pub(crate) use self::noted::{Noted, Source, Unit};
pub(crate) use self::order::{CANONLOG_ORDER, ID_ORDER, OTHER_RANK, is_reserved, order, rank_of};
pub(crate) use self::put::Troubles;

use crate::level::Level;
use crate::value::{ToValue, Value};

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpVersion {
    /// Also where it is not known.
    V11,
    V09,
    V10,
    V2,
    V3,
}

impl HttpVersion {
    pub(crate) const ALL: [HttpVersion; 5] =
        [HttpVersion::V11, HttpVersion::V09, HttpVersion::V10, HttpVersion::V2, HttpVersion::V3];

    /// As web servers write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            HttpVersion::V11 => "HTTP/1.1",
            HttpVersion::V09 => "HTTP/0.9",
            HttpVersion::V10 => "HTTP/1.0",
            HttpVersion::V2 => "HTTP/2.0",
            HttpVersion::V3 => "HTTP/3.0",
        }
    }
}

/// Where an event was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By canonlog.
    Here,
    /// By `tracing`, which is not told of it again.
    #[cfg(feature = "tracing")]
    Tracing,
}

/// What an event tells about.
///
/// ```
/// assert_eq!(canonlog::EventType::PartialFailure.as_str(), "partial_failure");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// A request ended.
    Request,
    /// A job ended.
    Job,
    /// A unit passed its deadline while it was still running.
    Timeout,
    /// A function failed and its fallback was returned.
    PartialFailure,
    /// A unit already reported as timed out ended after all.
    LateResponse,
    /// The process died with the unit in flight.
    Lost,
    /// Writing resumed after a loss.
    Dropped,
    /// A message.
    Log,
    /// Periodic counts.
    Status,
}

impl EventType {
    /// All of them.
    pub(crate) const ALL: [EventType; 9] = [
        EventType::Request,
        EventType::Job,
        EventType::Timeout,
        EventType::PartialFailure,
        EventType::LateResponse,
        EventType::Lost,
        EventType::Dropped,
        EventType::Log,
        EventType::Status,
    ];

    /// The name, as `event_type` shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventType::Request => "request",
            EventType::Job => "job",
            EventType::Timeout => "timeout",
            EventType::PartialFailure => "partial_failure",
            EventType::LateResponse => "late_response",
            EventType::Lost => "lost",
            EventType::Dropped => "dropped",
            EventType::Log => "log",
            EventType::Status => "status",
        }
    }
}

#[diagnostic::do_not_recommend]
impl ToValue for EventType {
    fn to_value(&self) -> Value<'_> {
        Value::Str(self.as_str())
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A finished, immutable fact: type, level, time, ordered fields.
///
/// ```
/// use canonlog::{EventType, Level, OwnedEvent, Value};
/// use std::time::SystemTime;
///
/// let mut owned = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
/// owned.set("resp_status", 200);
/// owned.set("req_path", "/cart");
/// let event = owned.view();
/// let names: Vec<&str> = event.fields().map(|(name, _)| name).collect();
/// assert_eq!(names, ["req_path", "resp_status"]); // canonical order
/// assert_eq!(event.get("resp_status"), Some(Value::U64(200)));
/// ```
#[derive(Clone, Copy)]
pub struct Event<'a> {
    content: &'a Content,
}

impl<'a> Event<'a> {
    /// What the event tells about.
    pub fn kind(&self) -> EventType {
        self.content.kind
    }

    /// How much it matters.
    pub fn level(&self) -> Level {
        self.content.level
    }

    /// Where it was made.
    #[cfg(feature = "tracing")]
    pub(crate) fn origin(&self) -> Origin {
        self.content.origin
    }

    /// When it was made.
    pub fn time(&self) -> SystemTime {
        let nanos = Duration::from_nanos(self.content.unix_nanos.unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        let time = if self.content.unix_nanos < 0 { epoch.checked_sub(nanos) } else { epoch.checked_add(nanos) };
        time.unwrap_or(epoch)
    }

    /// When it was made, in nanoseconds since 1970-01-01T00:00:00Z.
    pub fn unix_nanos(&self) -> i64 {
        self.content.unix_nanos
    }

    /// What the request came by.
    pub(crate) fn http(&self) -> HttpVersion {
        self.content.http
    }

    /// The fields in canonical order, without type, time and level.
    pub fn fields(&self) -> EventFields<'a> {
        EventFields { content: self.content, at: 0 }
    }

    /// The value of one field, by its full name: `resp_status`.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.fields().find_map(|(known, value)| (known == name).then_some(value))
    }

    /// The fields as a format reads them: a text value is looked up by [`Event::text_of`], where it is written.
    pub(crate) fn raw_fields(&self) -> impl ExactSizeIterator<Item = (&'a [u8], Stored)> + use<'a> {
        self.content.raw_fields()
    }

    /// The fields as the fastest format reads them.
    #[inline(always)]
    pub(crate) fn entries(&self) -> Entries<'a> {
        self.content.entries()
    }

    /// A text of the event, as bytes that are valid UTF-8: checking its borders, as `str` does, would take as long as
    /// writing it.
    #[inline(always)]
    pub(crate) fn text_of(&self, span: Span) -> &'a [u8] {
        self.content.text(span)
    }

    /// A value of one of the raw fields.
    pub(crate) fn value_of(&self, stored: Stored) -> Value<'a> {
        self.content.value_of(stored)
    }

    /// A copy that can be kept.
    pub fn to_owned(&self) -> OwnedEvent {
        OwnedEvent { content: self.content.clone() }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entry(&"event_type", &self.kind().as_str()).entry(&"event_level", &self.level().as_str());
        map.entries(self.fields()).finish()
    }
}

/// The fields of an [`Event`] in canonical order; made by [`Event::fields`].
///
/// ```
/// use canonlog::{EventType, Level, OwnedEvent};
///
/// let mut event = OwnedEvent::new(EventType::Request, Level::Info, std::time::SystemTime::UNIX_EPOCH);
/// event.set("req_method", "GET");
/// assert_eq!(event.view().fields().len(), 1);
/// ```
#[derive(Clone)]
pub struct EventFields<'a> {
    content: &'a Content,
    at: usize,
}

impl<'a> Iterator for EventFields<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.content.field(self.at)?;
        self.at += 1;
        Some(field)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.content.len() - self.at;
        (left, Some(left))
    }
}

impl ExactSizeIterator for EventFields<'_> {}

impl fmt::Debug for EventFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.clone()).finish()
    }
}

/// An event that can be kept, sent to another thread, or made by hand.
///
/// ```
/// use canonlog::{EventType, Level, OwnedEvent, Value};
/// use std::time::SystemTime;
///
/// let mut event = OwnedEvent::new(EventType::Job, Level::Info, SystemTime::UNIX_EPOCH);
/// event.set("job_name", "mails");
/// let copy = std::thread::spawn(move || event.view().to_owned()).join().expect("it does not panic");
/// assert_eq!(copy.view().get("job_name"), Some(Value::Str("mails")));
/// assert_eq!(copy.view().time(), SystemTime::UNIX_EPOCH);
/// ```
#[derive(Clone, Debug)]
pub struct OwnedEvent {
    content: Content,
}

impl OwnedEvent {
    /// An event without fields.
    pub fn new(kind: EventType, level: Level, time: SystemTime) -> Self {
        let mut content = Content::new();
        let nanos = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
        };
        content.reset(kind, level, nanos);
        OwnedEvent { content }
    }

    /// Sets a field by its full name, `namespace_key`; one of the same name keeps its position.
    ///
    /// What may not stand in a name becomes `_`, and a name of the event itself (`event_type`, `event_time`, `event_level`)
    /// gets `app_` in front: no name forges a field.
    pub fn set(&mut self, name: &str, value: impl ToValue) {
        let name = clean_name(name);
        self.content.set_text(&name, order(&name), true, value.to_value());
        self.content.sort();
    }

    /// The event to look at.
    pub fn view(&self) -> Event<'_> {
        self.content.view()
    }
}

/// A full name in which every byte may stand.
fn clean_name(name: &str) -> Cow<'_, str> {
    const LIMIT: usize = 128;
    let starts = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@');
    let fits = |byte: u8| starts(byte) || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'/' | b':');
    if matches!(name, "event_type" | "event_time" | "event_level") {
        return Cow::Owned(format!("app_{name}"));
    }
    let starts_well = name.bytes().next().is_some_and(starts);
    if starts_well && name.len() <= LIMIT && name.bytes().all(fits) {
        return Cow::Borrowed(name);
    }
    let first = if starts_well { None } else { Some('_') };
    let rest = name.bytes().map(|byte| if fits(byte) { char::from(byte) } else { '_' });
    Cow::Owned(first.into_iter().chain(rest).take(LIMIT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(owned: &OwnedEvent) -> Vec<String> {
        owned.view().fields().map(|(name, _)| name.to_owned()).collect()
    }

    fn event() -> OwnedEvent {
        OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn fields_stand_in_canonical_order() {
        let mut owned = event();
        for name in
            ["canonlog_truncated", "shop_a", "rt_backlog", "gift_a", "shop_b", "app_b", "resp_time", "app_a", "req_id"]
        {
            owned.set(name, 1);
        }
        assert_eq!(
            names(&owned),
            ["req_id", "app_b", "app_a", "resp_time", "rt_backlog", "shop_a", "shop_b", "gift_a", "canonlog_truncated"]
        );
    }

    #[test]
    fn overwriting_keeps_the_first_position() {
        let mut owned = event();
        owned.set("app_a", 1);
        owned.set("app_b", 2);
        owned.set("app_a", "three");
        assert_eq!(names(&owned), ["app_a", "app_b"]);
        assert_eq!(owned.view().get("app_a"), Some(Value::Str("three")));
    }

    #[test]
    fn no_name_forges_a_field() {
        let mut owned = event();
        for name in ["app_a=\"b\" req_id", "event_type", "", "1a", "app_k:v/w-x.y", &"k".repeat(200)] {
            owned.set(name, 1);
        }
        let mut names = names(&owned);
        names.sort();
        let expected = ["_", "_1a", "app_a__b__req_id", "app_event_type", "app_k:v/w-x.y", &"k".repeat(128)];
        assert_eq!(names, expected);
    }

    #[test]
    fn times_before_1970_are_kept() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        let owned = OwnedEvent::new(EventType::Log, Level::Info, before);
        assert_eq!(owned.view().time(), before);
    }
}
