//! A late response whose `timeout` takes its time; alone in its program, as an instrumenter is every test's.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use canonlog::{Context, EventType, Instrumenter, InstrumenterError, Kind, Unit, begin, testing};

/// What has happened so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begun,
    TimedOut,
    Ended,
}

static STAGE: Mutex<Stage> = Mutex::new(Stage::Begun);
static CHANGED: Condvar = Condvar::new();

fn reach(stage: Stage) {
    *STAGE.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    CHANGED.notify_all();
}

fn wait_for(stage: Stage) {
    let held = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let (_held, waited) = CHANGED
        .wait_timeout_while(held, Duration::from_secs(20), |now| *now != stage)
        .unwrap_or_else(PoisonError::into_inner);
    assert!(!waited.timed_out());
}

#[derive(Default)]
#[canonlog::register_instrumenter]
struct Slow;

impl Instrumenter for Slow {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        if unit.event_type() == EventType::Timeout {
            reach(Stage::TimedOut);
            wait_for(Stage::Ended);
        }
        Ok(())
    }
}

#[test]
fn a_late_response_comes_after_its_timeout_however_long_that_takes_to_be_made() {
    let capture = testing::capture();
    let (late, other) = (begin(Kind::Request), begin(Kind::Request));
    late.enter(|| Context::set_timeout(Duration::from_millis(20)));
    wait_for(Stage::TimedOut);
    late.finish();
    other.finish();
    reach(Stage::Ended);
    let kinds: Vec<EventType> = capture.events().iter().map(|event| event.view().kind()).collect();
    assert_eq!(kinds, [EventType::Request, EventType::Timeout, EventType::LateResponse]);
}
