//! Code that canonlog calls, and that calls canonlog.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use canonlog::{
    Batch, Context, Event, EventType, Format, Instrumenter, InstrumenterError, Kind, Logfmt, LossReason, Output, Unit,
    Value, WriteError, begin, display, register_instrumenter, testing,
};

use super::{GUARD, lines};

/// Everything that a user might do.
fn use_canonlog() {
    Context::set("nested", true);
    let scope = begin(Kind::Request);
    scope.enter(|| {
        Context::set("nested", true);
        let _section = Context::time("nested");
        Context::add("count", 1);
    });
    scope.finish();
    assert!(canonlog::stats().outputs().len() <= 3);
    if let Some((guard, _)) = GUARD.get() {
        assert!(!guard.flush(), "what waited for itself would wait in vain");
    }
}

/// Uses canonlog where the event asks for it.
pub(super) fn at(place: &str, event: &Event<'_>) {
    if event.get("app_at") == Some(Value::Str(place)) {
        use_canonlog();
    }
}

pub(super) struct Emitting(pub(super) Logfmt);

impl Format for Emitting {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        at("format", event);
        self.0.format(event, line);
    }
}

pub(super) struct EmittingOutput(pub(super) &'static str);

impl Output for EmittingOutput {
    fn name(&self) -> &str {
        self.0
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        let asked = format!("app_at=\"{}\"", self.0);
        batch.lines().filter(|line| String::from_utf8_lossy(line).contains(&asked)).for_each(|_| use_canonlog());
        Ok(())
    }
}

#[register_instrumenter(name = "emitting")]
struct Emits;

impl Instrumenter for Emits {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        if unit.get("app_at") == Some(Value::Str("instrumenter")) {
            use_canonlog();
        }
        unit.set("instrumented", true);
        Ok(())
    }
}

fn lost() -> u64 {
    canonlog::stats().outputs().iter().map(|output| output.lost_by(LossReason::Reentrant)).sum()
}

#[test]
fn what_code_inside_canonlog_emits_is_dropped_and_counted_and_its_own_event_is_whole() {
    let (guard, memory) = lines();
    for place in ["filter", "format", "direct", "background", "instrumenter"] {
        let (before, counted) = (lost(), canonlog::stats().count("reentrant"));
        let scope = begin(Kind::Job);
        scope.enter(|| Context::set("at", place));
        scope.finish();
        assert!(guard.flush(), "{place}");
        let lines = memory.lines();
        let own: Vec<&String> = lines.iter().filter(|line| line.contains(&format!("app_at=\"{place}\""))).collect();
        assert_eq!(own.len(), 1, "{place}: {lines:?}");
        assert!(own[0].contains("app_instrumented=\"true\""), "{place}: {}", own[0]);
        assert!(!lines.iter().any(|line| line.contains("app_nested")), "{place}: {lines:?}");
        // One request, which the one emitter that takes requests did not get.
        assert_eq!(lost() - before, 1, "{place}");
        assert_eq!(canonlog::stats().count("reentrant") - counted, 1, "{place}");
    }
    let scope = begin(Kind::Job);
    scope.enter(|| Context::set("at", "the end"));
    scope.finish();
    assert!(guard.flush());
    assert!(memory.lines().iter().any(|line| line.contains("app_at=\"the end\"")), "it goes on");
}

#[test]
fn a_display_that_emits_has_its_event_and_the_request_its_value() {
    struct Emits;
    impl fmt::Display for Emits {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            Context::set("from_display", true);
            let scope = begin(Kind::Job);
            scope.enter(|| Context::set("inner", display(7)));
            scope.finish();
            f.write_str("shown")
        }
    }
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set("value", display(Emits)));
    scope.finish();
    let events = capture.events();
    let kinds: Vec<EventType> = events.iter().map(|event| event.view().kind()).collect();
    assert_eq!(kinds, [EventType::Job, EventType::Request]);
    assert_eq!(events[0].view().get("app_inner"), Some(Value::Str("7")));
    assert_eq!(events[1].view().get("app_value"), Some(Value::Str("shown")));
    assert_eq!(events[1].view().get("app_from_display"), Some(Value::Bool(true)));
}

#[test]
fn a_drop_that_records_and_emits_while_its_thread_unwinds_aborts_nothing() {
    struct Emits;
    impl Drop for Emits {
        fn drop(&mut self) {
            Context::set("from_drop", true);
            begin(Kind::Job).finish();
        }
    }
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        scope.enter(|| {
            let _emits = Emits;
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    scope.finish();
    let events = capture.events();
    assert_eq!(events.len(), 2, "{events:?}");
    let of = |kind| events.iter().find(|event| event.view().kind() == kind).expect("one of each");
    of(EventType::Job);
    let request = of(EventType::Request).view();
    assert_eq!(request.get("app_from_drop"), Some(Value::Bool(true)));
    assert_eq!(request.get("exc_msg"), Some(Value::Str("on purpose")));
}

/// The panic hook is the process's: this one acts on threads of one name.
#[test]
fn a_panic_hook_that_records_and_emits_is_heard() {
    const NAME: &str = "with-a-hook";
    static SET: Mutex<bool> = Mutex::new(false);
    let set_hook = || {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            before(info);
            if std::thread::current().name() == Some(NAME) {
                Context::add("hooks", 1);
                begin(Kind::Job).finish();
            }
        }));
    };
    let mut set = SET.lock().expect("not poisoned");
    assert!(!*set, "once");
    *set = true;
    // One around canonlog's, one inside it if no record was begun in this process yet.
    set_hook();
    begin(Kind::Request).finish();
    set_hook();
    let thread = std::thread::Builder::new().name(NAME.to_owned()).spawn(|| {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        let panicked = catch_unwind(AssertUnwindSafe(|| scope.enter(|| panic!("on purpose"))));
        assert!(panicked.is_err());
        scope.finish();
        capture.events()
    });
    let events = thread.expect("a thread").join().expect("no other panic");
    // Another thread writes what ended while this one panicked, so the order is open.
    let of = |kind| events.iter().filter(move |event| event.view().kind() == kind);
    assert_eq!((events.len(), of(EventType::Job).count()), (3, 2), "{events:?}");
    let request = of(EventType::Request).next().expect("one request").view();
    assert_eq!(request.get("app_hooks").map(|hooks| hooks.to_string()).as_deref(), Some("2"));
    assert_eq!(request.get("exc_msg"), Some(Value::Str("on purpose")));
}
