//! For tests: capture events, hold the clock, cut a future off at every await.
//!
//! ```
//! use canonlog::{Context, Kind, begin, testing};
//!
//! let capture = testing::capture();
//! begin(Kind::Request).enter(|| Context::set("cart_total", 19.99));
//! let event = capture.one();
//! assert_eq!(event.view().get("app_cart_total"), Some(canonlog::Value::F64(19.99)));
//! ```

use std::marker::PhantomData;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use crate::clock;
use crate::emitter::{Emitter, EmitterError, Emitters};
use crate::event::OwnedEvent;
use crate::pipeline::{Parts, Pipeline, Settings, reporter};

/// Events of this thread's records, and of records begun through its pipeline (a `RequestLayer` made on this thread); made by
/// [`capture`].
#[must_use = "events are captured until it is dropped"]
#[derive(Debug)]
pub struct Capture {
    events: Arc<Mutex<Vec<OwnedEvent>>>,
    pipeline: Pipeline,
    before: Pipeline,
    _here: PhantomData<*const ()>,
}

/// Captures the events of this thread until dropped; tests that run beside it on other threads are not seen.
///
/// ```
/// use canonlog::{Context, Kind, Value, begin, testing};
///
/// let capture = testing::capture();
/// begin(Kind::Request).enter(|| Context::set("items", 3));
/// assert_eq!(capture.one().view().get("app_items"), Some(Value::I64(3)));
/// ```
pub fn capture() -> Capture {
    capture_with(Settings::default())
}

/// The same, with emitters that get the events too: what a program's own would write, seen on this thread alone.
///
/// ```
/// use canonlog::{Emitter, Kind, Memory, begin, testing};
///
/// let memory = Memory::new();
/// let capture = testing::capture_to([Emitter::new("memory").output(memory.clone()).direct()])?;
/// begin(Kind::Job).finish();
/// assert!(memory.lines()[0].starts_with("event_type=\"job\""));
/// # Ok::<(), canonlog::EmitterError>(())
/// ```
///
/// # Errors
///
/// Emitters that cannot start.
pub fn capture_to(emitters: impl IntoIterator<Item = Emitter>) -> Result<Capture, EmitterError> {
    Ok(capture_by(Settings::default(), Emitters::start(emitters.into_iter().collect())?))
}

pub(crate) fn capture_with(settings: Settings) -> Capture {
    capture_by(settings, Emitters::start(Vec::new()).unwrap_or_else(|_| Emitters::fallback()))
}

fn capture_by(settings: Settings, emitters: Emitters) -> Capture {
    let events = Arc::new(Mutex::new(Vec::new()));
    let pipeline = Pipeline::add(Parts::captured(settings, emitters, Arc::clone(&events)));
    Capture { events, pipeline, before: pipeline.make_current(), _here: PhantomData }
}

impl Capture {
    /// The events so far, oldest first; waits for those that another thread makes (panics and timeouts).
    ///
    /// ```
    /// use canonlog::{Kind, begin, testing};
    ///
    /// let capture = testing::capture();
    /// let request = begin(Kind::Request);
    /// begin(Kind::Job).finish();
    /// drop(request);
    /// let kinds: Vec<_> = capture.events().iter().map(|event| event.view().kind().as_str()).collect();
    /// assert_eq!(kinds, ["job", "request"]);
    /// ```
    pub fn events(&self) -> Vec<OwnedEvent> {
        reporter::flush(Duration::from_secs(5));
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The only event.
    ///
    /// ```
    /// use canonlog::{EventType, Kind, begin, testing};
    ///
    /// let capture = testing::capture();
    /// begin(Kind::Job).finish();
    /// assert_eq!(capture.one().view().kind(), EventType::Job);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is none, or more than one.
    pub fn one(&self) -> OwnedEvent {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "exactly one event was expected: {events:?}");
        events.remove(0)
    }

    /// Waits until there are `count` events, for at most `limit`; those there are.
    ///
    /// ```
    /// use canonlog::{Kind, testing};
    /// use std::time::Duration;
    ///
    /// let capture = testing::capture();
    /// let pipeline = capture.pipeline();
    /// std::thread::spawn(move || pipeline.begin(Kind::Job).finish());
    /// assert_eq!(capture.wait_for(1, Duration::from_secs(5)).len(), 1);
    /// ```
    pub fn wait_for(&self, count: usize, limit: Duration) -> Vec<OwnedEvent> {
        let until = crate::sys::clocks::within(limit);
        loop {
            let events = self.events();
            if events.len() >= count || std::time::Instant::now() >= until {
                return events;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Forgets the events so far.
    ///
    /// ```
    /// use canonlog::{Kind, begin, testing};
    ///
    /// let capture = testing::capture();
    /// begin(Kind::Job).finish();
    /// capture.clear();
    /// assert!(capture.events().is_empty());
    /// ```
    pub fn clear(&self) {
        reporter::flush(Duration::from_secs(5));
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Reports those of its records that are due as if `after` had passed since now; how many were.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin, testing};
    /// use std::time::Duration;
    ///
    /// let capture = testing::capture();
    /// let scope = begin(Kind::Request);
    /// scope.enter(|| Context::set_timeout(Duration::from_secs(30)));
    /// assert_eq!(capture.tick_timeouts(Duration::from_secs(31)), 1);
    /// ```
    pub fn tick_timeouts(&self, after: Duration) -> usize {
        let now = clock::now() + clock::ticks(after);
        let reported = crate::monitor::timeout::tick(now, Some(self.pipeline));
        reporter::flush(Duration::from_secs(5));
        reported
    }

    /// The pipeline that is captured, to begin records through it from other threads.
    ///
    /// ```
    /// use canonlog::{Kind, testing};
    ///
    /// let capture = testing::capture();
    /// let pipeline = capture.pipeline();
    /// std::thread::spawn(move || pipeline.begin(Kind::Job).finish()).join().expect("it does not panic");
    /// assert_eq!(capture.events().len(), 1);
    /// ```
    pub fn pipeline(&self) -> Pipeline {
        self.pipeline
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.before.make_current();
    }
}

/// How many records the process has room for, in steps of 1,024: to see what becomes of those beyond, without 65,536 of them. What
/// was made before stays.
///
/// ```
/// use canonlog::{Kind, Value, begin, testing};
///
/// testing::limit_records(1_024);
/// let capture = testing::capture();
/// let kept: Vec<_> = (0..1_024).map(|_| begin(Kind::Request)).collect();
/// begin(Kind::Request).finish();
/// assert_eq!(capture.one().view().get("canonlog_without_slot"), Some(Value::U64(1)));
/// ```
pub fn limit_records(count: usize) {
    crate::record::slot::allow(count);
}

/// This thread's clock, held; made by [`hold_clock`].
#[must_use = "the clock is held until it is dropped"]
#[derive(Debug)]
pub struct HeldClock {
    _here: PhantomData<*const ()>,
}

/// Holds this thread's clock until dropped: time passes only by [`HeldClock::advance`].
///
/// ```
/// use canonlog::{Context, Kind, Value, begin, testing};
/// use std::time::Duration;
///
/// let capture = testing::capture();
/// let clock = testing::hold_clock();
/// begin(Kind::Request).enter(|| {
///     let _section = Context::time("render");
///     clock.advance(Duration::from_millis(4));
/// });
/// let time = capture.one().view().get("app_render_time").map(|time| time.to_string());
/// assert_eq!(time.as_deref(), Some("0.004"));
/// ```
pub fn hold_clock() -> HeldClock {
    clock::hold(Some(clock::now()));
    HeldClock { _here: PhantomData }
}

impl HeldClock {
    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        clock::hold(Some(clock::now() + clock::ticks(by)));
    }

    /// What time it is, for another thread to hold its clock at.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin, testing};
    /// use std::time::Duration;
    ///
    /// let capture = testing::capture();
    /// let clock = testing::hold_clock();
    /// begin(Kind::Request).enter(|| {
    ///     let section = Context::time("render");
    ///     clock.advance(Duration::from_millis(4));
    ///     let now = clock.now();
    ///     let worker = std::thread::spawn(move || {
    ///         let clock = now.hold();
    ///         clock.advance(Duration::from_millis(3));
    ///         drop(section);
    ///     });
    ///     worker.join().expect("it does not panic");
    /// });
    /// let time = capture.one().view().get("app_render_time").map(|time| time.to_string());
    /// assert_eq!(time.as_deref(), Some("0.007"));
    /// ```
    pub fn now(&self) -> HeldTime {
        HeldTime(clock::now())
    }
}

/// A time of a held clock; made by [`HeldClock::now`].
#[derive(Clone, Copy, Debug)]
pub struct HeldTime(u64);

impl HeldTime {
    /// Holds this thread's clock at that time, until dropped.
    pub fn hold(self) -> HeldClock {
        clock::hold(Some(self.0));
        HeldClock { _here: PhantomData }
    }
}

impl Drop for HeldClock {
    fn drop(&mut self) {
        clock::hold(None);
    }
}

/// Runs a future again and again, each time dropping it one await later, until it comes to its end; how many times it was cut
/// off.
///
/// Every pending poll counts as an await. The future must not need a runtime.
///
/// ```
/// use canonlog::testing;
///
/// async fn twice() {
///     for _ in 0..2 {
///         let mut waited = false;
///         std::future::poll_fn(|_| match std::mem::replace(&mut waited, true) {
///             false => std::task::Poll::Pending,
///             true => std::task::Poll::Ready(()),
///         })
///         .await;
///     }
/// }
///
/// assert_eq!(testing::cut_at_every_await(twice), 2);
/// ```
pub fn cut_at_every_await<F: Future>(mut make: impl FnMut() -> F) -> usize {
    let mut cx = TaskContext::from_waker(Waker::noop());
    for polls in 1.. {
        let mut future = pin!(make());
        if (0..polls).any(|_| matches!(future.as_mut().poll(&mut cx), Poll::Ready(_))) {
            return polls - 1;
        }
    }
    0
}
