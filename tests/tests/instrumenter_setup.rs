//! A failing `setup` stops `init()` with an error that names the instrumenter, and never runs again.

use std::sync::atomic::{AtomicUsize, Ordering};

use canonlog::__private::inventory;
use canonlog::{Instrumenter, InstrumenterError, Registration, Unit};

static SETUPS: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

struct Broken;

impl Instrumenter for Broken {
    fn setup(&self) -> Result<(), InstrumenterError> {
        SETUPS.fetch_add(1, Ordering::Relaxed);
        Err("its statistics cannot be reached".into())
    }

    fn call(&self, _unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        CALLS.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

inventory::submit! {
    Registration {
        name: "broken",
        order: 1000,
        after: &[],
        before: &[],
        location: "plugin.rs:3",
        make: || Box::new(Broken),
    }
}

#[test]
fn init_fails_and_says_which_setup_failed_and_why_and_it_never_runs_again() {
    let error = || canonlog::setup().init().expect_err("an instrumenter is broken").to_string();
    let expected = "setup of instrumenter `broken` (plugin.rs:3) failed: its statistics cannot be reached";
    assert_eq!(error(), expected);
    assert_eq!(error(), format!("{expected}; it runs once in a process, and did so before"));

    // Without a set-up, units go on; this one has no part in them.
    let capture = canonlog::testing::capture();
    canonlog::begin(canonlog::Kind::Request).finish();
    let event = capture.one();
    assert_eq!(event.view().get("canonlog_instrumenter_errors"), Some(canonlog::Value::Str("broken")));
    assert_eq!((SETUPS.load(Ordering::Relaxed), CALLS.load(Ordering::Relaxed)), (1, 0));
}
