//! All who tell, and the one thread that serves them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::{Monitor, Report, Status, Totals};
use crate::clock;
use crate::counters::measures;
use crate::sys::fork;

/// All who tell, and the thread that makes them.
#[derive(Debug)]
struct All {
    monitors: Vec<Monitor>,
    /// The thread, and its process, plus one; 0 while there is none.
    thread: Option<Thread>,
    process: u64,
}

static ALL: Mutex<All> = Mutex::new(All { monitors: Vec::new(), thread: None, process: 0 });

/// Nothing of the user's runs under this lock.
fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock on those who tell, held.
pub(crate) struct Held {
    _all: MutexGuard<'static, All>,
}

pub(crate) fn hold() -> Held {
    Held { _all: all() }
}

/// Starts telling.
pub(crate) fn start(statuses: Vec<Status>) {
    begin(statuses, false);
}

/// The same for those of a configuration, in the place of those that an earlier one had: they tell a last time. Who is in both goes
/// on as ever.
pub(crate) fn configure(mut statuses: Vec<Status>) {
    let mut gone = Vec::new();
    let mut all = all();
    for monitor in std::mem::take(&mut all.monitors) {
        match statuses.iter().position(|status| monitor.is_configured && *status == monitor.status) {
            Some(at) => drop(statuses.remove(at)),
            None if monitor.is_configured => {
                gone.push(monitor);
                continue;
            }
            None => {}
        }
        all.monitors.push(monitor);
    }
    drop(all);
    tell_a_last_time(gone);
    begin(statuses, true);
}

fn begin(statuses: Vec<Status>, is_configured: bool) {
    if statuses.is_empty() {
        return;
    }
    measures::count_messages();
    let (now, totals) = (clock::now(), Totals::now());
    let monitor = |status| Monitor { is_configured, ..Monitor::new(status, now, totals.clone()) };
    let mut all = all();
    all.monitors.extend(statuses.into_iter().map(monitor));
    if let Some(thread) = &all.thread {
        // It may wait for one that is due later.
        thread.unpark();
    }
    drop(all);
    ensure_running();
}

/// Starts the thread, if it is needed and does not run yet in this process: a forked child has none.
pub(crate) fn ensure_running() {
    let mut all = all();
    let process = fork::generation() + 1;
    if all.monitors.is_empty() || all.process == process {
        return;
    }
    EMITTING.store(false, Ordering::SeqCst);
    if all.process != 0 {
        // What the program counts begins at nothing in a child; the rest is its parent's to tell.
        let totals = Totals { messages: Default::default(), counters: Vec::new(), ..Totals::now() };
        let now = clock::now();
        for old in &mut all.monitors {
            let is_configured = old.is_configured;
            *old = Monitor { is_configured, ..Monitor::new(old.status.clone(), now, totals.clone()) };
        }
    }
    // Where no thread is to be had, the last one of the shutdown tells it all.
    if let Ok(thread) = std::thread::Builder::new().name("canonlog-status".to_owned()).spawn(run) {
        (all.process, all.thread) = (process, Some(thread.thread().clone()));
    }
}

/// Whether the thread may have taken a report that it has not emitted yet.
static EMITTING: AtomicBool = AtomicBool::new(false);

fn run() {
    loop {
        let now = clock::now();
        EMITTING.store(true, Ordering::SeqCst);
        let mut all = all();
        let due: Vec<Report> = all.monitors.iter_mut().filter_map(|monitor| monitor.tick(now, Totals::now)).collect();
        let wait = all.monitors.iter().map(|monitor| monitor.wait(now)).min();
        if wait.is_none() {
            // The next who tells needs another one.
            (all.process, all.thread) = (0, None);
        }
        drop(all);
        due.iter().for_each(|report| report.emit(now));
        EMITTING.store(false, Ordering::SeqCst);
        let Some(wait) = wait else { return };
        std::thread::park_timeout(wait.saturating_sub(Duration::from_nanos(clock::between(now, clock::now()))));
    }
}

/// Whether anybody tells.
pub(crate) fn is_on() -> bool {
    !all().monitors.is_empty()
}

/// The names of all who tell, and when they began.
#[cfg(test)]
pub(super) fn names_and_beginnings() -> Vec<(String, u64)> {
    let all = all();
    all.monitors.iter().map(|monitor| (monitor.status.name.clone().unwrap_or_default(), monitor.began)).collect()
}

/// The shutdown: each tells a last time, unless nothing was counted since.
pub(crate) fn end() {
    let mut all = all();
    let monitors = std::mem::take(&mut all.monitors);
    let thread = all.thread.take();
    drop(all);
    if let Some(thread) = thread {
        thread.unpark();
    }
    if monitors.is_empty() {
        return;
    }
    // What it has taken comes before the last; but nobody waits long for an output that is stuck.
    let until = Instant::now() + Duration::from_secs(1);
    while EMITTING.load(Ordering::SeqCst) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    tell_a_last_time(monitors);
}

/// Unless nothing was counted since.
fn tell_a_last_time(monitors: Vec<Monitor>) {
    if monitors.is_empty() {
        return;
    }
    let (now, totals) = (clock::now(), Totals::now());
    for mut monitor in monitors {
        let report = monitor.report(now, totals.clone());
        if !report.totals.is_quiet() {
            report.emit(now);
        }
    }
}
