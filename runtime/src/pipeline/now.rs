//! Events that are made at once, within a unit or outside any: they go through the unit's pipeline, with its id first.

use std::fmt;

use super::end::with_buffers;
use super::{Parts, Pipeline, limit, parts};
use crate::clock;
use crate::context::Context;
use crate::counters::{self, Count};
use crate::event::{CANONLOG_ORDER, Content, EventType, Troubles, is_reserved, names};
use crate::features;
use crate::id::LONGEST;
use crate::level::Level;
use crate::record::Kind;
use crate::record::keys::builtin;
use crate::value::Value;

/// An event that is being made, and where it goes.
pub(crate) struct Draft<'a> {
    pub(crate) content: &'a mut Content,
    pub(crate) parts: &'static Parts,
    /// The unit that it is made in; of none, outside and after the unit's end.
    pub(crate) cx: Context,
    /// When, in ticks.
    pub(crate) stamp: u64,
    /// What became of its values.
    pub(crate) troubles: Troubles,
    /// How many of its keys had to be changed.
    pub(crate) renamed: u64,
}

/// Begins an event in the unit that this thread is inside, or outside any.
pub(crate) fn draft<R>(kind: EventType, level: Level, make: impl FnOnce(&mut Draft<'_>) -> R) -> R {
    let stamp = clock::now();
    let cx = Context::current();
    let parts = parts(Pipeline::current().number());
    with_buffers(|buffers| {
        let content = &mut buffers.content;
        content.reset(kind, level, clock::unix_nanos(stamp));
        let mut room = [0; LONGEST];
        let id = if cx == Context::none() { None } else { cx.copy_request_id(&mut room) };
        let mut troubles = Troubles::default();
        if let Some(id) = id {
            let key = if cx.handle().kind() == Some(Kind::Job) { builtin::JOB_ID } else { builtin::REQ_ID };
            let id = content.keep_value(Value::Str(id), LONGEST, &mut troubles);
            content.push_key(key, id);
        }
        let cx = if id.is_some() { cx } else { Context::none() };
        make(&mut Draft { content, parts, cx, stamp, troubles, renamed: 0 })
    })
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
        for name in &self.parts.tuned().message_fields {
            if let Some(value) = self.cx.copy_field(name, self.content) {
                let namespace = name.split_once('_').map_or(&**name, |(namespace, _)| namespace);
                self.content.put_name(name, is_reserved(namespace), value);
            }
        }
    }

    /// What there is to say of its own making, its size and its order: then it is an event.
    pub(crate) fn finish(&mut self) {
        let content = &mut *self.content;
        features::apply(content, self.cx);
        if names::hides_late() {
            content.hide_late();
        }
        let truncated = self.troubles.cut + limit::hold(content, self.parts.settings().event_limit);
        for (name, count, what) in [
            ("canonlog_truncated", truncated, Count::Truncated),
            ("canonlog_renamed_keys", self.renamed, Count::RenamedKeys),
            ("canonlog_value_errors", self.troubles.failed, Count::ValueErrors),
        ] {
            if count > 0 {
                counters::add(what, count);
                content.push_text(name, CANONLOG_ORDER, true, Value::U64(count));
            }
        }
        content.sort();
    }

    /// Hands the finished event to the emitters.
    pub(crate) fn emit(&self) {
        self.parts.emit(&self.content.view(), self.stamp);
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
