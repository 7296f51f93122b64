//! Sets instrumenters up once, and calls them so that none can do harm.

use std::any::Any;
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::OnceCell;

use super::order::{self, Problem};
use super::{Expectation, Instrumenter, InstrumenterError, Registration};
use crate::counters::{self, Count};
use crate::event::EventType;
use crate::inside::Inside;
use crate::scratch::guarded;
use crate::unit::Unit;

/// Why the registered instrumenters cannot run; names each one at fault and where it was registered.
///
/// Names that clash, neighbours that are not registered, instrumenters that wait for each other, expected ones that were
/// never linked, or one whose `setup` failed. A `setup` runs once in a process: after it failed, every later `init()` fails with
/// its error.
#[derive(Debug)]
pub struct InstrumenterSetupError {
    problems: Vec<Problem>,
    failed: Option<Failed>,
}

/// A `setup` that failed.
#[derive(Debug)]
struct Failed {
    registration: &'static Registration,
    error: Arc<InstrumenterError>,
    /// It failed earlier, and did not run now.
    before: bool,
}

impl fmt::Display for InstrumenterSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if at > 0 { "\n" } else { "" })?;
        }
        let Some(Failed { registration, error, before }) = &self.failed else { return Ok(()) };
        write!(f, "setup of instrumenter `{}` ({}) failed: {error}", registration.name, registration.location)?;
        f.write_str(if *before { "; it runs once in a process, and did so before" } else { "" })
    }
}

impl Error for InstrumenterSetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The source's text is part of ours; what lies behind it is not.
        self.failed.as_ref().and_then(|failed| failed.error.source())
    }
}

thread_local! {
    /// Whether this thread is inside a `setup`, whose own units must not wait for it.
    static SETTING_UP: Cell<bool> = const { Cell::new(false) };
}

/// The names of canonlog's own.
const BUILT_IN: [&str; 4] = ["request", "error", "database", "saturation"];

/// All registered instrumenters, in the order of their calls.
pub(crate) struct Instrumenters {
    all: Vec<Entry>,
    problems: Vec<Problem>,
    complained: AtomicBool,
}

struct Entry {
    registration: &'static Registration,
    /// Filled once it is made and its `setup` has succeeded.
    ready: OnceCell<Box<dyn Instrumenter>>,
    /// Filled where it is not: what kept it from being set up. It is not tried again.
    failed: OnceCell<Arc<InstrumenterError>>,
    /// Whether it is canonlog's own.
    built_in: bool,
}

impl Instrumenters {
    /// The process's instrumenters.
    pub(crate) fn process() -> &'static Instrumenters {
        static PROCESS: OnceCell<Instrumenters> = OnceCell::new();
        PROCESS.get_or_init(|| Instrumenters::of(inventory::iter::<Registration>, inventory::iter::<Expectation>))
    }

    fn of(
        registrations: impl IntoIterator<Item = &'static Registration>,
        expectations: impl IntoIterator<Item = &'static Expectation>,
    ) -> Instrumenters {
        let (sorted, problems) = order::sort(registrations, expectations);
        let all = sorted.into_iter().map(Entry::new).collect();
        Instrumenters { all, problems, complained: AtomicBool::new(false) }
    }

    /// Sets all of them up, in order, up to the first that fails. What ran already, with whatever end, does not run again.
    pub(crate) fn setup_all(&self) -> Result<(), InstrumenterSetupError> {
        if !self.problems.is_empty() {
            return Err(InstrumenterSetupError { problems: self.problems.clone(), failed: None });
        }
        self.all.iter().try_for_each(|entry| entry.set_up().map(drop))
    }

    /// Calls all of them for one unit. Without `init()` the first unit sets them up, and errors go to stderr once.
    pub(crate) fn call_all(&self, unit: &mut Unit<'_>) {
        let mut failed = String::new();
        // A late response ends nothing: users' instrumenters have seen the unit's timeout.
        let again = unit.event_type() == EventType::LateResponse;
        for entry in self.all.iter().filter(|entry| !again || entry.built_in) {
            let done = match entry.ready.get() {
                // Those do not panic.
                Some(instrumenter) if entry.built_in => instrumenter.call(unit).is_ok(),
                _ => self.call_guarded(entry, unit),
            };
            if !done {
                note_failure(entry, &mut failed);
            }
        }
        if !failed.is_empty() {
            unit.set_in("canonlog", "instrumenter_errors", failed.as_str());
        }
    }

    /// Calls one that may have to be set up first, or may panic; whether it has done its part.
    #[inline(never)]
    fn call_guarded(&self, entry: &Entry, unit: &mut Unit<'_>) -> bool {
        let Some(instrumenter) = self.ready(entry) else { return false };
        // What a user's emits here would come back to it.
        let _inside = (!entry.built_in).then(Inside::enter);
        let mut done = false;
        // An error's own `Drop` may panic too.
        let called = guard(|| {
            done = instrumenter.call(unit).is_ok();
            Ok(())
        });
        called.is_ok() && done
    }

    fn ready<'a>(&self, entry: &'a Entry) -> Option<&'a dyn Instrumenter> {
        if let Some(instrumenter) = entry.ready.get() {
            return Some(&**instrumenter);
        }
        if entry.failed.get().is_some() || SETTING_UP.try_with(Cell::get).unwrap_or(true) {
            return None;
        }
        if !self.problems.is_empty() && !self.complained.swap(true, Ordering::Relaxed) {
            complain(&InstrumenterSetupError { problems: self.problems.clone(), failed: None });
        }
        match entry.set_up() {
            Ok(instrumenter) => Some(instrumenter),
            Err(error) => {
                // Whoever let it run is told by what it returns.
                if error.failed.as_ref().is_some_and(|failed| !failed.before) {
                    complain(&error);
                }
                None
            }
        }
    }
}

impl Entry {
    fn new(registration: &'static Registration) -> Entry {
        // By its place too: what a user gives one of these names is still a user's.
        let here = file!().strip_suffix("runner.rs").unwrap_or_default();
        let built_in = BUILT_IN.contains(&registration.name) && registration.location.starts_with(here);
        Entry { registration, ready: OnceCell::new(), failed: OnceCell::new(), built_in }
    }

    fn set_up(&self) -> Result<&dyn Instrumenter, InstrumenterSetupError> {
        let fail = |error: &Arc<InstrumenterError>, before| InstrumenterSetupError {
            problems: Vec::new(),
            failed: Some(Failed { registration: self.registration, error: Arc::clone(error), before }),
        };
        // One thread at a time comes in here, so none meets another's failure halfway.
        let made = self.ready.get_or_try_init(|| match self.failed.get() {
            Some(error) => Err(fail(error, true)),
            None => self.make().map_err(|error| fail(self.failed.get_or_init(|| Arc::new(error)), false)),
        });
        made.map(|instrumenter| &**instrumenter)
    }

    fn make(&self) -> Result<Box<dyn Instrumenter>, InstrumenterError> {
        let _inside = SettingUp::enter();
        let mut made = None;
        guard(|| {
            let instrumenter = (self.registration.make)();
            instrumenter.setup()?;
            made = Some(instrumenter);
            Ok(())
        })?;
        made.ok_or_else(|| InstrumenterError::from("it was not made"))
    }
}

#[cold]
fn note_failure(entry: &Entry, failed: &mut String) {
    counters::add(Count::InstrumenterErrors, 1);
    failed.push_str(if failed.is_empty() { "" } else { "," });
    failed.push_str(entry.registration.name);
}

/// Marks this thread as being inside a `setup` until dropped.
struct SettingUp;

impl SettingUp {
    fn enter() -> SettingUp {
        let _ = SETTING_UP.try_with(|inside| inside.set(true));
        SettingUp
    }
}

impl Drop for SettingUp {
    fn drop(&mut self) {
        let _ = SETTING_UP.try_with(|inside| inside.set(false));
    }
}

/// Runs code of a plugin; a panic becomes an error.
fn guard(run: impl FnOnce() -> Result<(), InstrumenterError>) -> Result<(), InstrumenterError> {
    guarded(run).unwrap_or_else(|panic| Err(panicked(panic)))
}

fn panicked(panic: Box<dyn Any + Send>) -> InstrumenterError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let error = text.map_or_else(|| "it panicked".to_owned(), |text| format!("it panicked: {text}")).into();
    // A payload's own `Drop` may panic too.
    let _ = guarded(move || drop(panic));
    error
}

/// Says what `init()` would have returned.
fn complain(error: &InstrumenterSetupError) {
    crate::internal::say(&error.to_string());
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::event::Content;
    use crate::record::snapshot::Facts;
    use crate::unit::Outcome;
    use crate::value::Value;

    fn registration(name: &'static str, make: fn() -> Box<dyn Instrumenter>) -> &'static Registration {
        Box::leak(Box::new(Registration { name, order: 0, after: &[], before: &[], location: "here.rs:1", make }))
    }

    struct Plain;
    impl Instrumenter for Plain {
        fn call(&self, _: &mut Unit<'_>) -> Result<(), InstrumenterError> {
            Ok(())
        }
    }

    #[test]
    fn setup_runs_exactly_once_however_often_and_from_however_many_threads_it_is_asked_for() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        struct Counting;
        impl Instrumenter for Counting {
            fn setup(&self) -> Result<(), InstrumenterError> {
                CALLS.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            fn call(&self, _: &mut Unit<'_>) -> Result<(), InstrumenterError> {
                Ok(())
            }
        }
        let all = Instrumenters::of([registration("counting", || Box::new(Counting))], []);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| all.setup_all().expect("it succeeds"));
            }
        });
        assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_failing_setup_is_an_error_that_names_the_instrumenter_and_none_runs_again() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        struct First;
        impl Instrumenter for First {
            fn setup(&self) -> Result<(), InstrumenterError> {
                CALLS.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            fn call(&self, _: &mut Unit<'_>) -> Result<(), InstrumenterError> {
                Ok(())
            }
        }
        struct Second;
        impl Instrumenter for Second {
            fn setup(&self) -> Result<(), InstrumenterError> {
                CALLS.fetch_add(10, Ordering::Relaxed);
                Err("no room".into())
            }
            fn call(&self, _: &mut Unit<'_>) -> Result<(), InstrumenterError> {
                Ok(())
            }
        }
        let (first, second) = (registration("a", || Box::new(First)), registration("b", || Box::new(Second)));
        let all = Instrumenters::of([first, second], []);
        let error = || all.setup_all().expect_err("the second fails").to_string();
        let failed = "setup of instrumenter `b` (here.rs:1) failed: no room";
        assert_eq!(error(), failed);
        for _ in 0..2 {
            assert_eq!(error(), format!("{failed}; it runs once in a process, and did so before"));
        }
        assert_eq!(CALLS.load(Ordering::Relaxed), 11);
    }

    #[test]
    fn a_panicking_setup_is_an_error_too() {
        struct Panics;
        impl Instrumenter for Panics {
            fn setup(&self) -> Result<(), InstrumenterError> {
                std::panic::resume_unwind(Box::new("no config"))
            }
            fn call(&self, _: &mut Unit<'_>) -> Result<(), InstrumenterError> {
                Ok(())
            }
        }
        let all = Instrumenters::of([registration("p", || Box::new(Panics))], []);
        let error = all.setup_all().expect_err("it panics");
        assert_eq!(error.to_string(), "setup of instrumenter `p` (here.rs:1) failed: it panicked: no config");
    }

    #[test]
    fn a_panic_whose_payload_panics_again_is_still_only_an_error() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("again"));
            }
        }
        let outcome = guard(|| std::panic::resume_unwind(Box::new(Bomb)));
        assert_eq!(outcome.expect_err("it panicked").to_string(), "it panicked");
    }

    #[test]
    fn an_error_that_panics_when_it_is_dropped_is_counted_once_and_goes_no_further() {
        struct Fails;
        impl Instrumenter for Fails {
            fn call(&self, _: &mut Unit<'_>) -> Result<(), InstrumenterError> {
                #[derive(Debug)]
                struct Bomb;
                impl std::error::Error for Bomb {}
                impl std::fmt::Display for Bomb {
                    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a bomb")
                    }
                }
                impl Drop for Bomb {
                    fn drop(&mut self) {
                        std::panic::resume_unwind(Box::new("again"));
                    }
                }
                Err(Bomb.into())
            }
        }
        let fails = registration("fails", || Box::new(Fails));
        let all = Instrumenters::of([fails, registration("plain", || Box::new(Plain))], []);
        let (mut content, mut facts) = (Content::new(), Facts::new());
        let mut unit = Unit { content: &mut content, facts: &mut facts, outcome: Outcome::default() };
        all.call_all(&mut unit);
        assert_eq!(content.view().get("canonlog_instrumenter_errors"), Some(Value::Str("fails")));
    }

    #[test]
    fn nothing_is_set_up_where_the_order_is_wrong() {
        let one = registration("twice", || unreachable!("never made"));
        let all = Instrumenters::of([one, registration("twice", || Box::new(Plain))], []);
        let error = all.setup_all().expect_err("the names clash").to_string();
        assert!(error.starts_with("two instrumenters are named `twice`"), "{error}");
    }

    #[test]
    fn the_built_in_ones_are_registered_in_their_order() {
        let all = Instrumenters::process();
        let names: Vec<&str> = all.all.iter().map(|entry| entry.registration.name).collect();
        assert_eq!(names, ["request", "error", "database", "saturation"]);
        all.setup_all().expect("they can be set up");
    }
}
