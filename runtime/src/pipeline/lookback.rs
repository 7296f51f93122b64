//! What was kept goes out before what brings it out.

use super::Parts;
use super::end::Buffers;
use super::now::Draft;
use crate::clock;
use crate::context::Context;
use crate::counters::{self, Count};
use crate::event::{CANONLOG_ORDER, Content, EventType};
use crate::level::Level;
use crate::lookback::{self, Lookback, Ring};
use crate::record::Handle;
use crate::value::Value;

/// Says how many messages are missing.
fn tell(content: &mut Content, dropped: u64) {
    if dropped > 0 {
        content.set_text("canonlog_lookback_dropped", CANONLOG_ORDER, true, Value::U64(dropped));
    }
}

/// Hands on what a ring has, oldest first, and gives it back. To writers it all is as new as what brings it out, so that it stays together.
fn write(handle: Handle, mut ring: Box<Ring>, parts: &Parts, stamp: u64) {
    let mut content = Content::new();
    while ring.next(&mut content) {
        parts.emit(&content.view(), stamp);
    }
    lookback::give_back(handle, ring);
}

impl Draft<'_> {
    /// Hands the finished message to the emitters, or keeps it.
    #[inline]
    pub(crate) fn deliver(&mut self) {
        match &self.parts.settings().lookback {
            Some(lookback) => self.look_back(lookback),
            None => self.emit(),
        }
    }

    fn look_back(&mut self, lookback: &Lookback) {
        let handle = self.cx.handle();
        if lookback.keeps(self.content.level) {
            if !lookback::keep(handle, self.content, self.stamp, lookback) {
                // Better now than never.
                self.emit();
            }
            return;
        }
        if self.content.level >= lookback.flush_level
            && let Some(mut ring) = lookback::take(handle)
        {
            tell(self.content, ring.settle(self.stamp, lookback));
            write(handle, ring, self.parts, self.stamp);
        }
        self.emit();
    }
}

impl Buffers {
    /// Takes over what a record has kept, before the record is another's.
    #[inline]
    pub(super) fn take_kept(&mut self, handle: Handle) {
        self.kept = lookback::take(handle);
    }

    /// Whether the event of the unit brings out what was kept; then it says what is missing.
    pub(super) fn look_back(&mut self, parts: &Parts, panicked: bool) {
        let Buffers { content, facts, kept, flushes } = self;
        let Some(ring) = kept else { return };
        // Nothing is kept any more: nobody says what may vanish.
        let Some(lookback) = &parts.settings().lookback else { return *flushes = true };
        let slow = lookback
            .slower_than
            .is_some_and(|limit| u128::from(clock::between(facts.started, facts.taken)) > limit.as_nanos());
        let is_late = matches!(content.kind, EventType::Timeout | EventType::LateResponse);
        *flushes = is_late || panicked || slow || content.level >= lookback.flush_level.min(Level::Error);
        if *flushes {
            tell(content, ring.settle(facts.taken, lookback));
        }
    }

    /// Hands the finished event to the emitters, behind what it brings out.
    pub(super) fn emit(&mut self, parts: &Parts) {
        if let Some(ring) = self.kept.take() {
            let handle = self.facts.handle;
            match std::mem::take(&mut self.flushes) {
                true => write(handle, ring, parts, self.facts.taken),
                false => lookback::give_back(handle, ring),
            }
        }
        parts.emit(&self.content.view(), self.facts.taken);
    }
}

/// Writes now what [`Lookback`](crate::Lookback) has kept of the current request, or of this thread outside of any.
///
/// ```
/// use canonlog::{Level, Logger, Lookback};
///
/// static LOG: Logger = Logger::new("shop");
/// let _guard = canonlog::setup().lookback(Lookback::new()).init()?;
/// LOG.info("kept");
/// canonlog::flush_lookback(); // written
/// # Ok::<(), canonlog::SetupError>(())
/// ```
pub fn flush_lookback() {
    let (handle, now) = (Context::current().handle(), clock::now());
    let parts = super::parts(super::Pipeline::current().number());
    let Some(mut ring) = lookback::take(handle) else { return };
    if let Some(lookback) = &parts.settings().lookback {
        // No event tells of these, so the counts do.
        counters::add(Count::LookbackDropped, ring.settle(now, lookback));
    }
    write(handle, ring, parts, now);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::message::Logger;
    use crate::pipeline::Settings;
    use crate::testing::{self, Capture};
    use crate::{Context, Kind, Level, Lookback, begin};

    static LOG: Logger = Logger::new("test");

    fn capture(lookback: Lookback) -> Capture {
        testing::capture_with(Settings { lookback: Some(lookback), ..Settings::default() })
    }

    /// What was written: texts of messages, and types of other events; each with how many messages it says are missing.
    fn written(capture: &Capture) -> Vec<String> {
        let events = capture.events();
        let tell = |event: &crate::OwnedEvent| {
            let event = event.view();
            let what = event.get("log_msg").map_or(event.kind().to_string(), |text| text.to_string());
            let dropped = event.get("canonlog_lookback_dropped").map(|dropped| format!(" -{dropped}"));
            what + &dropped.unwrap_or_default()
        };
        events.iter().map(tell).collect()
    }

    fn say(texts: &[&'static str]) {
        texts.iter().for_each(|text| LOG.info(*text));
    }

    #[test]
    fn quiet_messages_of_a_request_that_goes_well_vanish() {
        let capture = capture(Lookback::new());
        begin(Kind::Request).enter(|| say(&["one", "two"]));
        assert_eq!(written(&capture), ["request"]);
    }

    #[test]
    fn a_loud_message_brings_out_those_before_it_in_order_and_those_after_it_stay() {
        let capture = capture(Lookback::new().capacity(2));
        begin(Kind::Request).enter(|| {
            say(&["one", "two", "three"]);
            LOG.error("broken");
            say(&["four"]);
            LOG.error("again");
            say(&["five"]);
        });
        // No more than the capacity, and what is missing stands on what brings out the rest.
        assert_eq!(written(&capture), ["two", "three", "broken -1", "four", "again", "request"]);
    }

    #[test]
    fn an_error_a_panic_and_a_slow_end_bring_them_out_before_the_event() {
        let capture = capture(Lookback::new().slower_than(Duration::from_secs(1)));
        let clock = testing::hold_clock();
        begin(Kind::Request).enter(|| {
            say(&["of an error"]);
            Context::current().set_in("resp", "status", 503);
        });
        begin(Kind::Request).enter(|| {
            say(&["of a slow one"]);
            clock.advance(Duration::from_millis(1_001));
        });
        begin(Kind::Request).enter(|| {
            say(&["of a quick one"]);
            clock.advance(Duration::from_millis(900));
        });
        let panics = std::panic::catch_unwind(|| {
            let scope = begin(Kind::Request);
            scope.enter(|| {
                say(&["of a panic"]);
                panic!("as the test asks");
            });
        });
        assert!(panics.is_err());
        assert_eq!(
            written(&capture),
            ["of an error", "request", "of a slow one", "request", "request", "of a panic", "request"]
        );
    }

    #[test]
    fn a_timeout_has_them_before_it_and_the_late_response_those_that_came_after() {
        let capture = capture(Lookback::new());
        let scope = begin(Kind::Request);
        scope.enter(|| {
            Context::set_timeout(Duration::from_secs(3_000));
            say(&["before"]);
        });
        assert_eq!(capture.tick_timeouts(Duration::from_secs(3_001)), 1);
        scope.enter(|| say(&["after"]));
        scope.finish();
        assert_eq!(written(&capture), ["before", "timeout", "after", "late_response"]);
    }

    #[test]
    fn each_request_has_its_own_and_so_has_a_thread_outside_of_any() {
        let capture = capture(Lookback::new());
        let (one, other) = (begin(Kind::Request), begin(Kind::Job));
        one.enter(|| say(&["one's"]));
        other.enter(|| say(&["other's"]));
        say(&["outside"]);
        std::thread::scope(|scope| {
            scope.spawn(|| other.enter(|| LOG.error("other broken")));
        });
        assert_eq!(written(&capture), ["other's", "other broken"]);
        LOG.error("outside broken");
        assert_eq!(written(&capture)[2..], ["outside", "outside broken"]);
        drop((one, other));
        assert_eq!(written(&capture).len(), 6);
    }

    #[test]
    fn what_is_too_old_or_too_much_is_missing_and_counted() {
        let capture = capture(Lookback::new().max_age(Duration::from_secs(60)).bytes(600));
        let clock = testing::hold_clock();
        begin(Kind::Request).enter(|| {
            say(&["old"]);
            clock.advance(Duration::from_secs(61));
            say(&["new"]);
            LOG.error("broken");
            say(&["so much that there is no room", "a", "b", "c"]);
            LOG.info("x".repeat(1_000));
            LOG.error("again");
        });
        let written = written(&capture);
        assert_eq!(written[..2], ["new", "broken -1"]);
        assert!(written.iter().all(|line| line.len() < 100), "{written:?}");
        assert!(written.iter().any(|line| line.starts_with("again -")), "{written:?}");
    }

    #[test]
    fn levels_say_what_is_kept_and_what_brings_it_out() {
        let capture = capture(Lookback::new().keep_below(Level::Info).flush_level(Level::Warning));
        begin(Kind::Request).enter(|| {
            LOG.debug("kept");
            LOG.info("at once");
            LOG.notice("at once too");
            LOG.warning("loud");
        });
        assert_eq!(written(&capture), ["at once", "at once too", "kept", "loud", "request"]);
    }

    #[test]
    fn a_flush_by_hand_writes_what_there_is() {
        let capture = capture(Lookback::new());
        let scope = begin(Kind::Request);
        scope.enter(|| {
            say(&["one"]);
            crate::flush_lookback();
            say(&["two"]);
        });
        assert_eq!(written(&capture), ["one"]);
        scope.finish();
        assert_eq!(written(&capture), ["one", "request"]);
    }
}
