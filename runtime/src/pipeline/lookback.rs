//! What was kept goes out before what brings it out.

use super::Parts;
use super::end::Buffers;
use super::now::{Draft, finish, unfold};
use crate::clock;
use crate::context::Context;
use crate::counters::{self, Count};
use crate::event::{CANONLOG_ORDER, Content, EventType, Troubles, names};
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
    while let Some(noted) = ring.next(&mut content) {
        if let Some(noted) = noted {
            unfold(&mut content, &noted);
            finish(&mut content, parts.tuned(), Troubles::default(), 0);
        } else if names::hides_late() {
            // Perhaps that was said since.
            content.hide_late();
        }
        parts.emit(&content.view(), stamp);
    }
    lookback::give_back(handle, ring);
}

impl Draft<'_> {
    /// Hands the finished message to the emitters, or keeps it.
    #[inline]
    pub(crate) fn deliver(&mut self) {
        match &self.tuned.settings.lookback {
            Some(lookback) => self.look_back(lookback),
            None => self.emit(),
        }
    }

    /// Keeps what is only noted so far, if it can be kept so.
    #[inline]
    pub(crate) fn keep_noted(&mut self) -> bool {
        let (Some(noted), Some(lookback)) = (&self.noted, &self.tuned.settings.lookback) else { return false };
        // What became of values must be told.
        if self.troubles == Troubles::default()
            && lookback::keep(self.cx.handle(), self.content, Some(noted), self.stamp, lookback)
        {
            return true;
        }
        self.unfold();
        false
    }

    fn look_back(&mut self, lookback: &Lookback) {
        let handle = self.cx.handle();
        if lookback.keeps(self.content.level) {
            if !lookback::keep(handle, self.content, None, self.stamp, lookback) {
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
    #[inline(always)]
    pub(super) fn take_kept(&mut self, handle: Handle) {
        self.kept = lookback::take_of_record(handle);
    }

    /// Whether the event of the unit brings out what was kept; then it says what is missing.
    pub(super) fn look_back(&mut self, parts: &Parts, panicked: bool) {
        let Buffers { content, facts, kept, flushes, .. } = self;
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
    use std::cell::RefCell;
    use std::fmt;
    use std::time::Duration;

    use crate::event::EventType;
    use crate::message::{Logger, Nothing, Relay, Style, Text, brace, logger};
    use crate::pipeline::Settings;
    use crate::testing::{self, Capture};
    use crate::value::Value;
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

    /// What the messages are made of, but for their times; and of ids, whether they are their unit's.
    fn messages(capture: &Capture, id: Option<&str>) -> Vec<Vec<String>> {
        let shown = |(name, value): (&str, Value<'_>)| match (value, id) {
            (Value::Str(text), Some(id)) if text == id => format!("{name}: its unit's"),
            _ => format!("{name}: {value:?}"),
        };
        let parts = |event: &crate::OwnedEvent| {
            event.view().fields().map(shown).chain([event.view().level().to_string()]).collect()
        };
        capture.events().iter().filter(|event| event.view().kind() == EventType::Log).map(parts).collect()
    }

    #[test]
    fn what_comes_out_later_is_what_would_have_been_written_at_once() {
        struct Fails;
        impl fmt::Display for Fails {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("begun")?;
                panic!("a display that panics")
            }
        }
        #[derive(Clone, Copy)]
        struct Cart(u64);
        impl crate::Fields for Cart {
            fn record(&self, into: &mut dyn FnMut(&'static str, Value<'_>)) {
                into("cart_id", Value::U64(self.0));
                into("plan", Value::Str("business"));
            }
        }
        let say = |cx: Context| {
            let mut items = 3;
            crate::message!(Level::Info, LOG, items = items, total = -19.99, user = String::from("ann"), paid = true, left = -2; "checked out");
            crate::message!(Level::Info, LOG, items = items, items = 4; "{items} twice, {}", "made");
            items += 1;
            crate::message!(
                Level::Debug,
                LOG,
                items = items,
                none = Option::<u64>::None,
                took = Duration::from_millis(7)
            );
            crate::message!(Level::Info, "{items}");
            LOG.field("items", items).field("s", "").field("plan", "b").notice("by calls");
            LOG.info(String::from("owned"));
            // As a downloaded crate says it.
            let place = ("/home/ann/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tabnab-1.2.0/src/lib.rs", 3);
            LOG.pass(Level::Info, place, &Text::from("by a library"), &Nothing);
            LOG.info("x".repeat(9_000));
            LOG.field("long", "y".repeat(9_000)).field("after", 1).info("is cut");
            LOG.field("fails", crate::display(Fails)).field("lazy", crate::lazy(|| items)).info("fails");
            LOG.field("lazy", crate::lazy(|| -> u64 { panic!("a value that panics") })).info(format_args!("{items}"));
            LOG.field("one", 1).field("Not Clean", 2).field("one", 3).info("renamed");
            LOG.field("password", "hunter2").field("user", "ann").info("hidden");
            LOG.field("one", 1).fields(Cart(7)).info("a struct");
            LOG.field("one", 1).trace(&fmt::Error).info("an error");
            crate::logger(String::from("owned")).bind("cart", 7).field("cart", 8).info("bound");
            LOG.bind("cart", 7).style(Style::Brace).info("in {cart} {nothing}");
            LOG.bind("cart", 7).suppress_newlines(true).info("two\nlines");
            LOG.info(brace("{items}").with(&[("items", &items)]));
            (0..130).fold(logger("many"), |log, at| log.bind(format!("f{at}").leak(), at)).info("too many");
            Relay::new(Level::Info, "their").pass(format_args!("{items}"), |into| {
                into.field("one", 1);
                into.field_dynamic("made at run time", 2);
            });
            if cx.is_active() {
                std::thread::scope(|scope| {
                    drop(scope.spawn(|| cx.enter(|| crate::message!(Level::Info, "beside"))).join())
                });
            }
        };
        let seen = RefCell::new(Vec::new());
        for lookback in [None, Some(Lookback::new().bytes(1 << 20))] {
            for kind in [None, Some(Kind::Request), Some(Kind::Job)] {
                let capture = testing::capture_with(Settings { lookback, ..Settings::default() });
                let cx = |run: &dyn Fn(Context)| match kind {
                    None => run(Context::none()),
                    Some(kind) => begin(kind).enter(|| run(Context::current())),
                };
                cx(&|cx| {
                    let id = cx.request_id();
                    say(cx);
                    cx.set_request_id("given");
                    say(cx);
                    assert_eq!(capture.events().is_empty(), lookback.is_some());
                    crate::flush_lookback();
                    seen.borrow_mut().push(messages(&capture, id.as_deref()));
                });
            }
        }
        let seen = seen.into_inner();
        let (at_once, later) = seen.split_at(3);
        assert!(at_once.iter().all(|said| said.len() >= 40));
        for (at_once, later) in at_once.iter().flatten().zip(later.iter().flatten()) {
            assert_eq!(at_once, later);
        }
        assert_eq!(at_once.iter().flatten().count(), later.iter().flatten().count());
    }

    #[test]
    fn its_time_is_when_it_was_said() {
        let capture = capture(Lookback::new());
        let clock = testing::hold_clock();
        begin(Kind::Request).enter(|| {
            say(&["one"]);
            clock.advance(Duration::from_millis(500));
            LOG.error("broken");
        });
        let times: Vec<_> = capture.events().iter().map(|event| event.view().time()).collect();
        let between = times[1].duration_since(times[0]).expect("it was said before");
        assert!(between.abs_diff(Duration::from_millis(500)) < Duration::from_micros(1), "{between:?}");
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
