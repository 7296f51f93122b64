//! Where a request is, at any time: the line of the function that waits, and the outermost one above it.

use std::cell::RefCell;
use std::future::{pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use canonlog::{Context, Kind, OwnedEvent, begin, instrument_request, operation, testing};
use canonlog_tests::marked;
use canonlog_tests::marked::Marked;
use canonlog_tests::unit::text;
use futures_util::join;

mod ends;
mod macros;
mod sequence;
mod switches;
mod threads;
mod together;
const FILES: Marked =
    marked!("frames": "main.rs", "ends.rs", "macros.rs", "sequence.rs", "switches.rs", "threads.rs", "together.rs");

/// The location of the line of these files that ends in `// @mark`.
fn at(mark: &str, function: &str) -> String {
    FILES.at(mark, function)
}

const LIMIT: Duration = Duration::from_secs(30);

fn all(places: &[String]) -> String {
    places.join(", ")
}

thread_local! {
    /// Who is to be woken before the next poll.
    static WAITING: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    WAITING.take().into_iter().for_each(Waker::wake);
    future.poll(&mut Task::from_waker(Waker::noop()))
}

/// The timeout of a request whose future has been polled so often and never was ready.
fn timeout_of<T>(polls: usize, future: impl Future<Output = T>) -> OwnedEvent {
    let capture = testing::capture();
    let mut future = pin!(limited(future));
    for _ in 0..polls {
        assert!(poll(future.as_mut()).is_pending());
    }
    assert_eq!(capture.tick_timeouts(LIMIT), 1);
    let events = capture.wait_for(1, Duration::from_secs(10));
    events.into_iter().next().expect("the timeout")
}

/// A request around what is tried, as a layer would begin it: it is no function of the application.
async fn limited<T>(future: impl Future<Output = T>) -> T {
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set_timeout(LIMIT));
    scope.context().scope(future).await
}

/// Outermost and innermost.
fn places<T>(polls: usize, future: impl Future<Output = T>) -> (String, String) {
    let event = timeout_of(polls, future);
    (text(&event, "timeout_loc"), text(&event, "timeout_cause_loc"))
}

/// Not ready at its first polls.
fn pause(polls: usize) -> impl Future<Output = ()> {
    let mut left = polls + 1;
    poll_fn(move |task| {
        left -= 1;
        WAITING.with_borrow_mut(|waiting| waiting.push(task.waker().clone()));
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
}

#[operation]
async fn leaf(polls: usize) {
    ready(()).await;
    pause(polls).await; // @leaf
    ready(()).await;
}

#[operation]
async fn middle(polls: usize) -> u8 {
    let nothing = ready(0).await;
    leaf(polls).await; // @middle
    nothing
}

async fn unannotated(polls: usize) -> u8 {
    pause(1).await;
    middle(polls).await
}

#[operation]
async fn other() {
    pending::<()>().await; // @other
}

#[instrument_request]
async fn chain(polls: usize) -> u8 {
    Context::set("step", 1);
    middle(polls).await // @chain
}

#[instrument_request]
async fn joins() {
    Context::set("step", 1);
    join!(leaf(9), other()); // @joins
}

fn leaf_line() -> String {
    at("leaf", "leaf")
}

fn other_line() -> String {
    at("other", "other")
}
