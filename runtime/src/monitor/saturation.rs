//! How busy the process is: workers, those at work, and connections that nobody has accepted yet.
//!
//! ```text
//! once a second:  counters of each thread ─┐
//!                 accept queues ───────────┴▶ Sample ──▶ rt_w_count, rt_w_active, rt_backlog of every event
//! ```
//!
//! The first sample is taken by `init()`, all others by a thread of its own, off the request path. Only the first events after a
//! time without any count threads themselves, as the last sample met none. What cannot be measured is left out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::counters::{self, Count};
use crate::instrumenter::saturation::{Sample, publish, publish_workers, sampled_by};
use crate::sys::fork;
use crate::sys::listen::{self, Socket};

/// How often a sample is taken.
const PERIOD: Duration = Duration::from_secs(1);

/// A thread that polled a record within this time is a worker.
const WORKER_FOR: Duration = Duration::from_secs(60);

/// Looking through all descriptors costs a microsecond each, so after the first samples it is done only every so often.
const FIRST_LOOKS: u64 = 10;
const LOOK_EVERY: u64 = 10;

/// Listeners named by the program.
static WATCHED: Mutex<Option<Vec<Socket>>> = Mutex::new(None);

/// Workers of the runtime, if the program said so.
static WORKERS: AtomicUsize = AtomicUsize::new(0);

/// Says how many worker threads the runtime has: `rt_w_count`. Otherwise the threads that polled a record in the last minute count.
///
/// ```
/// # fn runtime_workers() -> usize { 4 }
/// canonlog::saturation::workers(runtime_workers()); // tokio: Handle::current().metrics().num_workers()
/// ```
pub fn workers(count: usize) {
    WORKERS.store(count, Ordering::Relaxed);
    if count > 0 {
        publish_workers(count);
    }
}

/// Counts the connections that wait on this listener in `rt_backlog`. Otherwise all listening sockets of the process count.
///
/// The listener is neither kept open nor touched; when it is closed, it no longer counts. TCP and unix listeners are measured,
/// on Linux.
///
/// ```
/// # fn serve() -> std::io::Result<()> {
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// canonlog::saturation::watch(&listener);
/// # Ok(())
/// # }
/// # serve().expect("a free port");
/// ```
#[cfg(unix)]
pub fn watch(listener: &impl std::os::fd::AsFd) {
    use std::os::fd::AsRawFd;
    let socket = Socket::of(listener.as_fd().as_raw_fd());
    watched().get_or_insert_default().extend(socket.ok());
}

/// The lock on the listeners, held.
pub(crate) struct Held {
    _watched: MutexGuard<'static, Option<Vec<Socket>>>,
}

pub(crate) fn hold() -> Held {
    Held { _watched: watched() }
}

fn watched() -> MutexGuard<'static, Option<Vec<Socket>>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the first sample here, and starts the thread that takes the others, if it does not run yet in this process.
pub(crate) fn start() {
    let mut monitor = Saturation::default();
    let first = monitor.sample(Duration::ZERO, &threads());
    start_with(monitor, first);
}

/// Starts the thread, if it does not run yet in this process; it takes the first sample, as somebody waits here.
pub(crate) fn ensure_started() {
    start_with(Saturation::default(), Sample::new(WORKERS.load(Ordering::Relaxed), 0, 0));
}

fn start_with(mut monitor: Saturation, before: Sample) {
    let Some(process) = sampled_by(ensure_started, before) else { return };
    // In a child made by `fork`, it is told of here too.
    super::status::ensure_running();
    let began = Instant::now();
    let run = move || {
        while process == fork::generation() {
            publish(monitor.sample(began.elapsed(), &threads()));
            std::thread::sleep(PERIOD);
        }
    };
    // Where no thread is to be had, events go on showing what was there before.
    let _ = std::thread::Builder::new().name("canonlog-saturation".to_owned()).spawn(run);
}

/// What is known of one thread at a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thread {
    /// Which thread it is.
    id: usize,
    /// How often it has entered a record.
    entered: u64,
    /// Whether it is inside one now.
    inside: bool,
}

fn threads() -> Vec<Thread> {
    let mut threads = Vec::new();
    counters::each_thread(|id, counts| {
        let inside = counts.is_inside();
        threads.push(Thread { id, entered: counts.get(Count::Entered), inside });
    });
    threads
}

/// Takes the samples.
#[derive(Debug, Default)]
struct Saturation {
    /// Each thread's count of entries, and when it last changed.
    seen: Vec<(usize, u64, Duration)>,
    found: Vec<Socket>,
    samples: u64,
    meter: listen::Meter,
}

impl Saturation {
    /// Takes one sample; `now` is any clock that never goes back.
    fn sample(&mut self, now: Duration, threads: &[Thread]) -> Sample {
        let (count, active) = self.workers(now, threads);
        let backlog = self.backlog();
        self.samples += 1;
        // Read last: what is said meanwhile holds at once.
        let stated = WORKERS.load(Ordering::Relaxed);
        Sample::new(if stated > 0 { stated } else { count }, active, backlog)
    }

    fn workers(&mut self, now: Duration, threads: &[Thread]) -> (usize, usize) {
        self.seen.retain(|(id, ..)| threads.iter().any(|thread| thread.id == *id));
        let mut count = 0;
        for thread in threads {
            let last = match self.seen.iter_mut().find(|(id, ..)| *id == thread.id) {
                Some((_, entered, last)) => {
                    if *entered != thread.entered || thread.inside {
                        (*entered, *last) = (thread.entered, now);
                    }
                    *last
                }
                None if thread.entered == 0 => continue,
                None => {
                    self.seen.push((thread.id, thread.entered, now));
                    now
                }
            };
            count += usize::from(now.saturating_sub(last) <= WORKER_FOR);
        }
        (count, threads.iter().filter(|thread| thread.inside).count())
    }

    fn backlog(&mut self) -> u64 {
        let watched = {
            let mut watched = watched();
            if let Some(sockets) = watched.as_mut() {
                sockets.retain(|socket| Socket::of(socket.fd).is_ok_and(|now| now == *socket));
            }
            watched.clone()
        };
        let sockets = watched.unwrap_or_else(|| {
            if self.samples < FIRST_LOOKS || self.samples.is_multiple_of(LOOK_EVERY) {
                self.found = listen::listening();
            }
            self.found.clone()
        });
        sockets.into_iter().filter_map(|socket| self.meter.backlog(socket).ok()).map(u64::from).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(id: usize, entered: u64, inside: bool) -> Thread {
        Thread { id, entered, inside }
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn workers_are_the_threads_that_polled_a_record_in_the_last_minute() {
        let mut monitor = Saturation::default();
        let both = [thread(0, 1, false), thread(1, 5, true), thread(2, 0, false)];
        assert_eq!(monitor.workers(secs(1), &both), (2, 1));
        let one = [thread(0, 1, false), thread(1, 9, false)];
        assert_eq!(monitor.workers(secs(61), &one), (2, 0), "a minute ago to the second");
        assert_eq!(monitor.workers(secs(62), &one), (1, 0));
        let again = [thread(0, 2, false), thread(1, 9, false)];
        assert_eq!(monitor.workers(secs(100), &again), (2, 0));
    }

    #[test]
    fn a_thread_that_is_inside_one_record_for_minutes_stays_a_worker() {
        let mut monitor = Saturation::default();
        let stuck = [thread(0, 1, true)];
        for minute in 0..5 {
            assert_eq!(monitor.workers(secs(minute * 61), &stuck), (1, 1));
        }
        assert_eq!(monitor.workers(secs(5 * 61), &[]), (0, 0), "it ended");
    }
}
