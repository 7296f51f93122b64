//! The thread that ends units whose own thread cannot: those that timed out, and those whose thread unwinds.
//!
//! It runs instrumenters and formats. One that blocks for more than 100 ms while others wait is left behind, and another
//! thread goes on with the rest.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::end::{self, Buffers};
use super::scope::Outcome;
use super::{Parts, parts};
use crate::event::EventType;
use crate::level::Level;
use crate::output::{LossReason, PerProcess};
use crate::record::Handle;
use crate::scratch::guarded;
use crate::sys::clocks;

struct Job {
    buffers: Buffers,
    outcome: Outcome,
}

impl Job {
    fn unit(&self) -> Handle {
        self.buffers.facts.handle
    }

    /// Instrumenters and all else that makes an event of it; the parts that it goes to.
    fn make(&mut self) -> &'static Parts {
        end::make(&mut self.buffers, self.outcome)
    }

    fn emit(&mut self, parts: &Parts) {
        self.buffers.emit(parts);
    }

    /// Counts its event as lost.
    fn lose(&self) {
        let Buffers { content, facts, .. } = &self.buffers;
        lose(facts.pipeline, content.kind);
    }
}

/// Counts an event as lost at the shutdown. What comes here timed out or panicked.
fn lose(pipeline: u16, kind: EventType) {
    let level = if kind == EventType::LateResponse { Level::Warning } else { Level::Error };
    parts(pipeline).emitters.lose(kind, level, LossReason::Shutdown);
}

/// How far a thread is with its job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Instrumenters are at it.
    Making,
    /// The event goes to the emitters, which write or count it.
    Emitting,
    /// The event was counted as lost.
    GivenUp,
}

/// A thread at its job.
struct Work {
    number: u64,
    since: Instant,
    stage: Stage,
    unit: Handle,
    pipeline: u16,
    kind: EventType,
}

struct Queue {
    jobs: VecDeque<Job>,
    working: Vec<Work>,
    /// Whether a thread looks after those that wait behind others.
    watched: bool,
    idle: usize,
    threads: usize,
    next: u64,
    /// Units whose `timeout` is going to be handed over.
    coming: Vec<Expected>,
}

impl Queue {
    /// How many threads have been at their job for too long.
    fn stuck(&self) -> usize {
        self.working.iter().filter(|work| work.since.elapsed() > BLOCKED).count()
    }

    /// The first job whose unit has no other event that is being made: a late response never comes before its `timeout`.
    fn next_job(&self) -> Option<usize> {
        let is_free = |job: &Job| {
            self.coming.iter().all(|other| other.unit != job.unit())
                && self.working.iter().all(|work| work.unit != job.unit())
        };
        self.jobs.iter().position(is_free)
    }

    fn add(&mut self, at: usize, job: Job) {
        if self.jobs.len() < JOBS {
            self.jobs.insert(at, job);
        } else {
            crate::counters::add(crate::counters::Count::Unreported, 1);
        }
    }

    /// Whether everything has been made into events, or given up.
    fn is_done(&self) -> bool {
        self.coming.is_empty() && self.jobs.is_empty() && self.working.iter().all(|work| work.stage == Stage::GivenUp)
    }
}

/// A unit whose `timeout` is going to be handed over.
struct Expected {
    number: u64,
    unit: Handle,
    pipeline: u16,
    /// Whether this one has closed it: two threads may try.
    is_closed: bool,
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

/// Makes what is made once.
pub(super) fn ready() {
    here();
}

impl Here {
    const fn new() -> Here {
        let queue = Queue {
            jobs: VecDeque::new(),
            working: Vec::new(),
            watched: false,
            idle: 0,
            threads: 0,
            next: 0,
            coming: Vec::new(),
        };
        Here { queue: Mutex::new(queue), more: Condvar::new(), done: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const BLOCKED: Duration = Duration::from_millis(100);
const THREADS: usize = 16;
const JOBS: usize = 65_536;

/// A unit whose `timeout` is going to be handed over: a flush waits for it, and so does its late response.
pub(super) struct Coming {
    number: u64,
    unit: Handle,
}

pub(super) fn coming(unit: Handle, pipeline: u16) -> Coming {
    let mut queue = here().queue();
    let number = queue.next;
    queue.next += 1;
    queue.coming.push(Expected { number, unit, pipeline, is_closed: false });
    Coming { number, unit }
}

impl Coming {
    /// It was closed: its event is owed.
    pub(super) fn is_closed(&mut self) {
        if let Some(expected) = here().queue().coming.iter_mut().find(|other| other.number == self.number) {
            expected.is_closed = true;
        }
    }

    /// Has the `timeout` made by the reporter's thread; takes what the buffers hold. Not if it was given up, or was handed over.
    pub(super) fn report(&mut self, buffers: &mut Buffers) {
        let mut queue = here().queue();
        let Some(at) = queue.coming.iter().position(|other| other.number == self.number) else { return };
        queue.coming.swap_remove(at);
        let job = Job { buffers: std::mem::replace(buffers, Buffers::new()), outcome: Outcome::default() };
        // Its late response may be there already.
        let at = queue.jobs.iter().position(|other| other.unit() == self.unit).unwrap_or(queue.jobs.len());
        queue.add(at, job);
        drop(queue);
        start_or_run();
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        let here = here();
        let mut queue = here.queue();
        let before = queue.coming.len();
        queue.coming.retain(|other| other.number != self.number);
        let waited = queue.coming.len() != before;
        drop(queue);
        if waited {
            here.more.notify_one();
        }
    }
}

/// Has a unit's event made by the reporter's thread; takes what the buffers hold.
pub(super) fn report(buffers: &mut Buffers, outcome: Outcome) {
    let job = Job { buffers: std::mem::replace(buffers, Buffers::new()), outcome };
    let mut queue = here().queue();
    let at = queue.jobs.len();
    queue.add(at, job);
    drop(queue);
    start_or_run();
}

/// Sees to it that a thread takes what waits.
fn start_or_run() {
    let here = here();
    let mut queue = here.queue();
    let stuck = queue.stuck();
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
    // It waits behind another, which may get stuck.
    if !queue.watched && queue.jobs.len() > queue.threads.saturating_sub(queue.working.len()) {
        queue.watched = std::thread::Builder::new().name("canonlog-watch".to_owned()).spawn(watch).is_ok();
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
    let mut queue = here().queue();
    let at = queue.next_job()?;
    queue.jobs.remove(at)
}

fn run(mut job: Job) {
    let parts = job.make();
    job.emit(parts);
}

/// As [`run`], for a thread that others may give up: its event is then lost.
fn run_numbered(here: &Here, mut job: Job, number: u64) {
    let parts = job.make();
    let given_up = match here.queue().working.iter_mut().find(|work| work.number == number) {
        Some(work) if work.stage == Stage::GivenUp => true,
        Some(work) => {
            work.stage = Stage::Emitting;
            false
        }
        None => false,
    };
    if !given_up {
        job.emit(parts);
    }
}

/// Replaces threads that are stuck while others wait.
fn watch() {
    loop {
        std::thread::sleep(BLOCKED / 2);
        replace_stuck();
        let mut queue = here().queue();
        if queue.jobs.is_empty() {
            queue.watched = false;
            return;
        }
    }
}

fn work() {
    let here = here();
    loop {
        let (job, number) = {
            let mut queue = here.queue();
            queue.idle += 1;
            let mut queue =
                here.more.wait_while(queue, |queue| queue.next_job().is_none()).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
            let number = queue.next;
            queue.next += 1;
            let job = queue.next_job().and_then(|at| queue.jobs.remove(at));
            if let Some(job) = &job {
                let (unit, Buffers { content, facts, .. }) = (job.unit(), &job.buffers);
                let (pipeline, kind) = (facts.pipeline, content.kind);
                queue.working.push(Work { number, since: Instant::now(), stage: Stage::Making, unit, pipeline, kind });
            }
            (job, number)
        };
        if let Some(job) = job {
            // What instrumenters and formats do is guarded where they are called; this guards the thread.
            let _ = guarded(|| run_numbered(here, job, number));
        }
        let mut queue = here.queue();
        queue.working.retain(|work| work.number != number);
        // What waited for this one is for whoever is idle, if this thread leaves.
        here.more.notify_one();
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

/// Makes sure that somebody works on what waits, where the one who does is stuck.
pub(crate) fn replace_stuck() {
    let mut queue = here().queue();
    let stuck = queue.stuck();
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
    let until = clocks::within(limit);
    let here = here();
    let mut queue = here.queue();
    while !queue.is_done() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        // No thread could be made for what was handed over while a thread unwound.
        if queue.threads == 0 && queue.next_job().is_some() && !std::thread::panicking() {
            drop(queue);
            run_all();
            queue = here.queue();
            continue;
        }
        queue = here
            .done
            .wait_timeout(queue, left.min(Duration::from_millis(20)))
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
    true
}

/// For the shutdown: counts what waits, and what instrumenters do not let go, as lost; how many units that were.
pub(crate) fn give_up() -> u64 {
    let (jobs, made) = {
        let mut queue = here().queue();
        let making = queue.working.iter_mut().filter(|work| work.stage == Stage::Making);
        let mut made: Vec<_> = making
            .map(|work| {
                work.stage = Stage::GivenUp;
                (work.pipeline, work.kind)
            })
            .collect();
        let owed = queue.coming.iter().filter(|coming| coming.is_closed);
        made.extend(owed.map(|coming| (coming.pipeline, EventType::Timeout)));
        queue.coming.retain(|coming| !coming.is_closed);
        (std::mem::take(&mut queue.jobs), made)
    };
    jobs.iter().for_each(Job::lose);
    made.iter().for_each(|(pipeline, kind)| lose(*pipeline, *kind));
    (jobs.len() + made.len()) as u64
}
