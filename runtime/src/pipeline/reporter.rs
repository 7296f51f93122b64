//! The thread that ends units whose own thread cannot: those that timed out, and those whose thread unwinds.
//!
//! It runs instrumenters and formats. One that blocks for more than 100 ms while others wait is left behind, and another
//! thread goes on with the rest.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::end::{self, Buffers};
use super::scope::Outcome;
use crate::output::PerProcess;

struct Job {
    buffers: Buffers,
    outcome: Outcome,
}

struct Queue {
    jobs: VecDeque<Job>,
    /// When each working thread began its job.
    working: Vec<(u64, Instant)>,
    idle: usize,
    threads: usize,
    next: u64,
}

/// The threads, and what waits for them. A forked child has its own: it has no threads yet, the jobs are its parent's, and the
/// lock may have been held at the fork.
struct Here {
    queue: Mutex<Queue>,
    more: Condvar,
    done: Condvar,
}

fn here() -> &'static Here {
    static HERE: OnceLock<PerProcess<Here>> = OnceLock::new();
    HERE.get_or_init(|| PerProcess::new(Here::new())).get(Here::new)
}

impl Here {
    const fn new() -> Here {
        let queue = Queue { jobs: VecDeque::new(), working: Vec::new(), idle: 0, threads: 0, next: 0 };
        Here { queue: Mutex::new(queue), more: Condvar::new(), done: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const BLOCKED: Duration = Duration::from_millis(100);
const THREADS: usize = 16;
const JOBS: usize = 65_536;

/// Has a unit's event made by the reporter's thread; takes what the buffers hold.
pub(super) fn report(buffers: &mut Buffers, outcome: Outcome) {
    let taken = std::mem::replace(buffers, Buffers::new());
    let here = here();
    let mut queue = here.queue();
    if queue.jobs.len() < JOBS {
        queue.jobs.push_back(Job { buffers: taken, outcome });
    } else {
        crate::counters::add(crate::counters::Count::Unreported, 1);
    }
    let stuck = queue.working.iter().filter(|(_, since)| since.elapsed() > BLOCKED).count();
    if queue.idle == 0 && queue.threads < THREADS && queue.threads <= stuck {
        let thread = std::thread::Builder::new().name("canonlog-reporter".to_owned()).spawn(work);
        match thread {
            Ok(_) => queue.threads += 1,
            Err(_) if queue.threads == 0 => {
                // No thread to be had: the events are made here, unless this thread unwinds.
                drop(queue);
                if !std::thread::panicking() {
                    run_all();
                }
                return;
            }
            Err(_) => {}
        }
    }
    drop(queue);
    here.more.notify_one();
}

fn run_all() {
    while let Some(job) = next_now() {
        run(job);
    }
}

fn next_now() -> Option<Job> {
    here().queue().jobs.pop_front()
}

fn run(mut job: Job) {
    let Buffers { content, facts } = &mut job.buffers;
    end::complete(content, facts, job.outcome);
}

fn work() {
    let here = here();
    loop {
        let (job, number) = {
            let mut queue = here.queue();
            queue.idle += 1;
            let mut queue =
                here.more.wait_while(queue, |queue| queue.jobs.is_empty()).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
            let number = queue.next;
            queue.next += 1;
            queue.working.push((number, Instant::now()));
            (queue.jobs.pop_front(), number)
        };
        if let Some(job) = job {
            // What instrumenters and formats do is guarded where they are called; this guards the thread.
            let _ = super::panic::guarded(|| run(job));
        }
        let mut queue = here.queue();
        queue.working.retain(|(working, _)| *working != number);
        // One left behind while another took over goes home.
        let leave = queue.threads > 1 && queue.idle > 0;
        if leave {
            queue.threads -= 1;
        }
        drop(queue);
        here.done.notify_all();
        if leave {
            return;
        }
    }
}

/// Makes sure that somebody works on what waits, where the one who does is stuck; for the monitor's tick.
pub(crate) fn replace_stuck() {
    let mut queue = here().queue();
    let stuck = queue.working.iter().filter(|(_, since)| since.elapsed() > BLOCKED).count();
    if queue.jobs.is_empty()
        || queue.idle > 0
        || queue.threads == 0
        || queue.threads > stuck
        || queue.threads >= THREADS
    {
        return;
    }
    if std::thread::Builder::new().name("canonlog-reporter".to_owned()).spawn(work).is_ok() {
        queue.threads += 1;
        crate::counters::add(crate::counters::Count::ReportersReplaced, 1);
    }
}

/// Waits until everything handed over so far has been made into events; false if that takes longer than `limit`.
pub(crate) fn flush(limit: Duration) -> bool {
    let until = Instant::now() + limit;
    let here = here();
    let mut queue = here.queue();
    while !(queue.jobs.is_empty() && queue.working.is_empty()) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        queue = here
            .done
            .wait_timeout(queue, left.min(Duration::from_millis(20)))
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
    true
}
