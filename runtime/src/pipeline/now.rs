//! Messages, within a unit or outside any: they go through the unit's pipeline, with its id first.

use std::fmt;

use super::end::{Buffers, with_buffers};
use super::tuned::Tuned;
use super::{Parts, Pipeline, limit, parts};
use crate::clock;
use crate::context::Context;
use crate::counters::{self, Count};
use crate::event::{CANONLOG_ORDER, Content, EventType, Noted, Source, Troubles, Unit, is_reserved, names};
use crate::features;
use crate::id::{self, LONGEST};
use crate::level::Level;
use crate::record::keys::{Key, NOT_INTERNED, Suffix, builtin};
use crate::record::{Kind, current};
use crate::trace::caller::printed;
use crate::value::Value;

/// What every message says first.
pub(crate) static LOG_NAME: Key = Key::new("log", "name", Suffix::None);
pub(crate) static LOG_MSG: Key = Key::new("log", "msg", Suffix::None);
pub(crate) static LOG_LOC: Key = Key::new("log", "loc", Suffix::None);

/// A message that is being made, and where it goes.
pub(crate) struct Draft<'a> {
    pub(crate) content: &'a mut Content,
    pub(crate) parts: &'static Parts,
    /// What held when it was begun.
    pub(crate) tuned: &'static Tuned,
    /// The unit that it is made in; of none, outside and after the unit's end.
    pub(crate) cx: Context,
    /// When, in ticks.
    pub(crate) stamp: u64,
    /// What became of its values.
    pub(crate) troubles: Troubles,
    /// How many of its keys had to be changed.
    pub(crate) renamed: u64,
    /// It is only noted: there are no fields yet.
    pub(crate) noted: Option<Noted>,
}

/// Begins a message in the unit that this thread is inside, or outside any. With a source it is only noted, where it is to be kept.
pub(crate) fn draft<R>(level: Level, source: Option<&Source>, make: impl FnOnce(&mut Draft<'_>) -> R) -> R {
    let stamp = clock::now();
    let here = current::claimed_slot();
    let (cx, number) = match here {
        Some((slot, handle)) => (Context::from_handle(handle), slot.pipeline()),
        None => (Context::current(), Pipeline::current().number()),
    };
    let parts = parts(number);
    let tuned = parts.tuned();
    with_buffers(|buffers| {
        let Buffers { content, id, .. } = buffers;
        content.reset(EventType::Log, level, clock::unix_nanos(stamp));
        let unit = match here {
            Some((slot, _)) if !slot.body.has(builtin::REQ_ID) => Unit::Words(slot.id(), slot.kind() == Kind::Job),
            _ if cx == Context::none() => Unit::Outside,
            _ => keep_id(cx, content),
        };
        let cx = if matches!(unit, Unit::Outside) { Context::none() } else { cx };
        let noted = match source.filter(|_| tuned.notes(level)) {
            Some(source) => Some(Noted { unit, source: *source, text: None }),
            None => {
                if let Unit::Words(words, _) = unit
                    && id.0 != words
                {
                    *id = (words, id::text(words));
                }
                push_unit(content, unit, &id.1);
                None
            }
        };
        make(&mut Draft { content, parts, tuned, cx, stamp, troubles: Troubles::default(), renamed: 0, noted })
    })
}

/// Keeps the text of a unit's id, if the unit has not ended.
#[inline(never)]
fn keep_id(cx: Context, content: &mut Content) -> Unit {
    let mut room = [0; LONGEST];
    let Some(id) = cx.copy_request_id(&mut room) else { return Unit::Outside };
    content.append_text(0, id);
    Unit::Text(cx.handle().kind() == Some(Kind::Job))
}

/// Makes a field of the unit's id, of which the text is `id` if it is known by its words; where the next value stands.
#[inline(always)]
fn push_unit(content: &mut Content, unit: Unit, id: &[u8; 36]) -> usize {
    let key = |is_job| if is_job { builtin::JOB_ID } else { builtin::REQ_ID };
    match unit {
        Unit::Outside => 0,
        Unit::Words(_, is_job) => {
            let at = content.append_utf8(0, id);
            content.push_at(key(is_job), at);
            0
        }
        Unit::Text(is_job) => {
            content.push_at(key(is_job), 0);
            content.behind(0)
        }
    }
}

impl Tuned {
    /// Whether messages of this level are only noted at first. What a feature or the unit adds, must be asked when they are said.
    #[inline]
    fn notes(&self, level: Level) -> bool {
        let keeps = self.settings.lookback.as_ref().is_some_and(|lookback| lookback.keeps(level));
        keeps && self.message_fields.is_empty() && !features::is_on(EventType::Log)
    }
}

/// Makes fields of what was noted, in the order in which an event has them.
pub(super) fn unfold(content: &mut Content, noted: &Noted) {
    let Noted { unit, source: Source { name, place: (file, line) }, text } = *noted;
    let end = content.text_len();
    let id = if let Unit::Words(words, _) = unit { id::text(words) } else { [0; 36] };
    let at = push_unit(content, unit, &id);
    let (name, noted_text) = (content.append_text(0, name), at);
    let (text, at) = match text {
        Some(text) => (content.append_text(0, text), at),
        None => (noted_text, content.behind(noted_text)),
    };
    let place = content.append_place(printed(file), line);
    for (key, at) in [(&LOG_NAME, name), (&LOG_MSG, text), (&LOG_LOC, place)] {
        if key.id() != NOT_INTERNED {
            content.push_at(key.id(), at);
        }
    }
    content.push_all_noted(at, end);
}

impl fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.content.view().fmt(f)
    }
}

impl Draft<'_> {
    /// Adds the fields of the unit that its messages show.
    #[inline]
    pub(crate) fn add_fields_of_unit(&mut self) {
        if self.cx == Context::none() {
            return;
        }
        for name in &self.tuned.message_fields {
            if let Some(value) = self.cx.copy_field(name, self.content) {
                let namespace = name.split_once('_').map_or(&**name, |(namespace, _)| namespace);
                self.content.put_name(name, is_reserved(namespace), value);
            }
        }
    }

    /// Goes on with a whole message, if it is only noted so far.
    #[inline(never)]
    pub(crate) fn unfold(&mut self) {
        if let Some(noted) = self.noted.take() {
            unfold(self.content, &noted);
        }
    }

    /// What there is to say of its own making, its size and its order: then it is an event.
    pub(crate) fn finish(&mut self) {
        features::apply(self.content, self.cx);
        finish(self.content, self.tuned, self.troubles, self.renamed);
    }

    /// Hands the finished event to the emitters.
    pub(crate) fn emit(&self) {
        self.parts.emit(&self.content.view(), self.stamp);
    }
}

/// Holds an event to its size, says what became of its values, and puts it in order.
pub(super) fn finish(content: &mut Content, tuned: &Tuned, troubles: Troubles, renamed: u64) {
    if names::hides_late() {
        content.hide_late();
    }
    let truncated = troubles.cut + limit::hold(content, tuned.settings.event_limit);
    if truncated | renamed | troubles.failed != 0 {
        tell(content, [truncated, renamed, troubles.failed]);
    }
    content.sort();
}

#[cold]
fn tell(content: &mut Content, counts: [u64; 3]) {
    const TOLD: [(&str, Count); 3] = [
        ("canonlog_truncated", Count::Truncated),
        ("canonlog_renamed_keys", Count::RenamedKeys),
        ("canonlog_value_errors", Count::ValueErrors),
    ];
    for ((name, what), count) in TOLD.into_iter().zip(counts) {
        if count > 0 {
            counters::add(what, count);
            content.push_text(name, CANONLOG_ORDER, true, Value::U64(count));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::emitter::Emitters;
    use crate::event::OwnedEvent;
    use crate::pipeline::Settings;
    use crate::{Value, begin, logger};

    #[test]
    fn a_message_shows_the_fields_of_its_request_that_are_asked_for_and_known() {
        let events: Arc<Mutex<Vec<OwnedEvent>>> = Arc::default();
        let emitters = Emitters::start(Vec::new()).expect("there is none");
        let names = ["req_method", "app_cart", "app_later", "app_made", "app_wait_time"].map(str::to_owned).to_vec();
        let parts = Parts::captured(Settings::default(), emitters, Arc::clone(&events)).with_message_fields(names);
        let before = Pipeline::add(parts).make_current();
        let request = begin(Kind::Request);
        let cx = request.context();
        let say = || logger("shop").field("cart", 8).field("own", 1).info("said");
        request.enter(|| {
            cx.set_in("req", "method", "GET");
            Context::set("cart", 7);
            Context::set_dynamic("made", "at run time");
            drop(Context::time("wait"));
            say();
            // Beside the thread that has the record.
            std::thread::scope(|scope| scope.spawn(|| cx.enter(|| Context::set("later", "late"))).join())
                .expect("no panic");
            say();
        });
        request.finish();
        before.make_current();
        let events = events.lock().expect("no panic");
        let shown: Vec<Vec<&str>> =
            events.iter().take(2).map(|event| event.view().fields().map(|(name, _)| name).collect()).collect();
        let log = ["req_id", "req_method", "log_name", "log_msg", "log_loc"];
        let app = ["app_cart", "app_made", "app_wait_time", "app_own"];
        assert_eq!(shown[0], [&log[..], &app].concat());
        assert_eq!(shown[1], [&log[..], &["app_cart", "app_later", "app_made", "app_wait_time", "app_own"]].concat());
        let (first, second) = (events[0].view(), events[1].view());
        assert_eq!(first.get("app_cart"), Some(Value::U64(8)), "the message has the last word");
        assert_eq!(first.get("app_made"), Some(Value::Str("at run time")));
        assert!(matches!(first.get("app_wait_time"), Some(Value::Duration(time)) if time < Duration::from_secs(60)));
        assert_eq!(second.get("app_later"), Some(Value::Str("late")));
    }
}
