//! Reports units that will not make their deadline, while they are still stuck.
//!
//! One thread looks at all records in flight. It fires a lead before the limit (0.2 s, at most a tenth of the limit), so that
//! the event is out before whatever enforces the limit kills the process. Off means off: without a deadline nothing fires.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::polls;
use crate::clock;
use crate::pipeline::{Pipeline, parts, reporter, timed_out};
use crate::record::state::Phase;
use crate::registry;
use crate::scratch::guarded;
use crate::sys::fork;
use crate::trace::stuck::{self, State, Why};

const LEAD: Duration = Duration::from_millis(200);
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(50);
/// How long stacks may take in one look.
const STACKS: Duration = Duration::from_millis(100);

/// How long before its limit a unit is reported.
fn lead(limit: u64) -> u64 {
    (limit / 10).min(clock::ticks(LEAD))
}

/// Looks once: reports what is due, and wakes what is to be stopped; how many were reported. A test looks at its own only.
pub(crate) fn tick(now: u64, only: Option<Pipeline>) -> usize {
    let mut due = Vec::new();
    registry::each(|record| {
        if record.deadline == 0 || record.phase != Phase::Open {
            return;
        }
        if only.is_some_and(|only| record.handle.slot().is_none_or(|slot| slot.pipeline() != only.number())) {
            return;
        }
        let fires = record.deadline - lead(record.deadline.saturating_sub(record.started));
        if now >= fires {
            due.push(record.handle);
        }
    });
    let mut reported = 0;
    // To take a stack, and to find out what it means, takes its time: others do not wait for it.
    let mut stacks = Vec::new();
    for handle in due {
        let stuck = stuck::look(handle);
        let per_second = handle.slot().map_or(0, |slot| parts(slot.pipeline()).settings().stacks);
        let Some(unit) = timed_out::close(handle, now) else { continue };
        reported += 1;
        if per_second > 0 && stuck.state != Some(State::Parked) {
            stacks.push((unit, stuck, per_second));
        } else {
            unit.report(&stuck);
        }
    }
    #[cfg(feature = "tower")]
    super::enforce::wake_due(now);
    // One that was taken is put into words by another thread. Others have their time, too: what is late goes without.
    let until = Instant::now() + STACKS;
    for (unit, mut stuck, per_second) in stacks {
        stuck.take_stack(Why::Timeout, per_second, until);
        if stuck.has_stack() {
            timed_out::report_with_stack(unit, stuck);
        } else {
            unit.report(&stuck);
        }
    }
    reporter::replace_stuck();
    reported
}

/// The thread's process, plus one; 0 while there is none.
static STARTED: AtomicU64 = AtomicU64::new(0);
/// The shortest limit ever set, in nanoseconds: it decides how often the thread looks.
static SHORTEST_LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// How long to wait between two looks: a quarter of the lead, 5 to 50 ms.
fn pause() -> Duration {
    let limit = Duration::from_nanos(SHORTEST_LIMIT.load(Ordering::Relaxed));
    ((limit / 10).min(LEAD) / 4).clamp(SHORTEST, LONGEST).min(polls::pause())
}

/// What only waited for the process to go on gets this long to end, before it is reported as stuck.
const GRACE: Duration = Duration::from_millis(50);

/// Whether a pause took so much longer than asked for that the whole process did not run (SIGSTOP, a machine asleep).
fn was_stopped(pause: Duration, took: Duration) -> bool {
    took > pause + Duration::from_millis(250)
}

/// Starts the monitor's thread, if it does not run yet in this process.
pub(crate) fn ensure_started(limit: Option<Duration>) {
    let limit = limit.map_or(u64::MAX, |limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
    if limit < SHORTEST_LIMIT.load(Ordering::Relaxed) {
        SHORTEST_LIMIT.fetch_min(limit, Ordering::Relaxed);
    }
    ensure_running();
}

/// As [`ensure_started`], for a limit that was told of: a forked child has no thread yet.
#[inline]
pub(crate) fn ensure_running() {
    let process = fork::generation() + 1;
    if STARTED.load(Ordering::Acquire) != process {
        start(process);
    }
}

static STARTING: Mutex<()> = Mutex::new(());

/// The right to start the thread, held.
pub(crate) struct Held {
    _starting: MutexGuard<'static, ()>,
}

pub(crate) fn hold() -> Held {
    Held { _starting: STARTING.lock().unwrap_or_else(PoisonError::into_inner) }
}

#[cold]
fn start(process: u64) {
    let _only = hold();
    if STARTED.load(Ordering::Acquire) == process {
        return;
    }
    let run = || {
        let mut before = clock::now();
        loop {
            let pause = pause();
            std::thread::sleep(pause);
            if was_stopped(pause, Duration::from_nanos(clock::between(before, clock::now()))) {
                std::thread::sleep(GRACE);
            }
            let _ = guarded(|| tick(clock::now(), None));
            let _ = guarded(|| polls::tick(clock::now(), None));
            before = clock::now();
        }
    };
    // Where no thread is to be had the next deadline tries again.
    if std::thread::Builder::new().name("canonlog-monitor".to_owned()).spawn(run).is_ok() {
        STARTED.store(process, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventType, OwnedEvent};
    use crate::testing;
    use crate::{Context, Kind, begin};

    #[test]
    fn the_lead_is_a_tenth_of_the_limit_and_at_most_a_fifth_of_a_second() {
        let ticks = |millis| clock::ticks(Duration::from_millis(millis));
        assert_eq!(lead(ticks(1_000)), ticks(1_000) / 10);
        assert_eq!(lead(ticks(30_000)), ticks(200));
    }

    #[test]
    fn a_record_past_its_limit_times_out_once() {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        scope.enter(|| {
            Context::set("step", "fetching");
            // Far away, so that the real monitor does not get there first.
            Context::set_timeout(Duration::from_secs(3_000));
        });
        let began = clock::now();
        let at = |secs: u64| began + clock::ticks(Duration::from_secs(secs));
        let mut counts = [2_999, 3_000, 3_001].map(|secs| {
            tick(at(secs), Some(capture.pipeline()));
            capture.events().len()
        });
        assert_eq!(counts, [0, 1, 1]);
        drop(scope);
        counts[0] = capture.events().len();
        assert_eq!(counts[0], 2);
        let events = capture.events();
        assert_eq!(events[0].view().kind(), EventType::Timeout);
        assert_eq!(events[1].view().kind(), EventType::LateResponse);
    }

    #[test]
    fn the_cpu_time_of_a_record_with_a_thread_inside_is_not_known() {
        let capture = testing::capture();
        let later = clock::now() + clock::ticks(Duration::from_secs(3_000));
        for inside in [true, false] {
            let scope = begin(Kind::Request);
            scope.enter(|| Context::set_timeout(Duration::from_secs(3_000)));
            let look = || tick(later, Some(capture.pipeline()));
            if inside {
                scope.enter(look)
            } else {
                look()
            };
            drop(scope);
        }
        let has_cpu_time = |event: &OwnedEvent| event.view().get("resp_cpu_time").is_some();
        let known: Vec<_> = capture.events().iter().map(|event| (event.view().kind(), has_cpu_time(event))).collect();
        let (timeout, late) = (EventType::Timeout, EventType::LateResponse);
        assert_eq!(known, [(timeout, false), (late, true), (timeout, true), (late, true)]);
    }

    #[test]
    fn a_pause_that_took_far_too_long_was_a_stop_of_the_process() {
        let (pause, millis) = (Duration::from_millis(50), Duration::from_millis);
        assert!(!was_stopped(pause, millis(50)));
        // A busy machine is none.
        assert!(!was_stopped(pause, millis(300)));
        assert!(was_stopped(pause, millis(301)));
    }

    #[test]
    fn off_means_off() {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        tick(clock::now() + clock::ticks(Duration::from_secs(1_000_000)), Some(capture.pipeline()));
        assert!(capture.events().is_empty());
        scope.finish();
        assert_eq!(capture.events()[0].view().kind(), EventType::Request);
    }
}
