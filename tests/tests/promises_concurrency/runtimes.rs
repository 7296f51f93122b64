//! A request is the same on every kind of runtime, and on none.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

use canonlog::testing::{Capture, capture};
use canonlog::{Context, EventType, Kind, Pipeline, operation};

use super::PATIENCE;

const UNITS: usize = 16;

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[operation]
async fn step(mark: usize) -> Result<usize, std::fmt::Error> {
    yield_once().await;
    Context::set("inside", mark);
    Ok(mark)
}

/// One request, whichever thread polls it.
async fn unit(pipeline: Pipeline, mark: usize) {
    let scope = pipeline.begin(Kind::Request);
    let work = async {
        Context::set("before", mark);
        yield_once().await;
        let (one, two) = (step(mark), step(mark));
        assert_eq!((one.await, two.await), (Ok(mark), Ok(mark)));
        Context::set("after", mark);
    };
    scope.context().scope(work).await;
    scope.finish();
}

/// Each unit has one event, with its own values only.
fn assert_all(capture: &Capture, what: &str) {
    let events = capture.events();
    let mut marks: Vec<String> = Vec::new();
    for event in &events {
        let event = event.view();
        assert_eq!(event.kind(), EventType::Request, "{what}");
        let text = |name| event.get(name).map(|value| value.to_string()).unwrap_or_default();
        let mark = text("app_before");
        assert_eq!((&text("app_inside"), &text("app_after")), (&mark, &mark), "{what}");
        assert_eq!(text("app_step_count"), "2", "{what}");
        assert_eq!(event.get("canonlog_outside_writes"), None, "{what}");
        marks.push(mark);
    }
    marks.sort_unstable();
    marks.dedup();
    assert_eq!((events.len(), marks.len()), (UNITS, UNITS), "{what}");
}

#[test]
fn on_a_runtime_of_many_threads() {
    let capture = capture();
    let pipeline = capture.pipeline();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().expect("a runtime");
    let tasks: Vec<_> = (0..UNITS).map(|mark| runtime.spawn(unit(pipeline, mark))).collect();
    tasks.into_iter().for_each(|task| runtime.block_on(task).expect("no panic"));
    assert_all(&capture, "multi_thread");
}

#[test]
fn on_a_runtime_of_one_thread() {
    let capture = capture();
    let pipeline = capture.pipeline();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let tasks: Vec<_> = (0..UNITS).map(|mark| runtime.spawn(unit(pipeline, mark))).collect();
    tasks.into_iter().for_each(|task| runtime.block_on(task).expect("no panic"));
    assert_all(&capture, "current_thread");
}

#[test]
fn on_a_local_set_where_futures_are_not_send() {
    let capture = capture();
    let pipeline = capture.pipeline();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let tasks: Vec<_> = (0..UNITS)
            .map(|mark| {
                let here = std::rc::Rc::new(mark);
                tokio::task::spawn_local(async move {
                    unit(pipeline, *here).await;
                    drop(here);
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
    });
    assert_all(&capture, "LocalSet");
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor there is.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
    }
}

#[test]
fn without_a_runtime_polled_by_hand() {
    let capture = capture();
    (0..UNITS).for_each(|mark| block_on(unit(capture.pipeline(), mark)));
    assert_all(&capture, "by hand");
}

#[test]
fn units_that_one_thread_polls_in_turns_stay_apart() {
    let capture = capture();
    let mut units: Vec<_> = (0..UNITS).map(|mark| Box::pin(unit(capture.pipeline(), mark))).collect();
    let mut cx = TaskContext::from_waker(Waker::noop());
    while !units.is_empty() {
        units.retain_mut(|unit| unit.as_mut().poll(&mut cx).is_pending());
    }
    assert_all(&capture, "in turns");
}

#[test]
fn a_future_that_moves_to_another_thread_for_every_poll() {
    let capture = capture();
    for mark in 0..UNITS {
        let mut future = Box::pin(unit(capture.pipeline(), mark));
        loop {
            let polled = thread::spawn(move || {
                let mut cx = TaskContext::from_waker(Waker::noop());
                let ready = future.as_mut().poll(&mut cx).is_ready();
                (future, ready)
            });
            let (back, ready) = polled.join().expect("no panic");
            future = back;
            if ready {
                break;
            }
        }
    }
    assert_all(&capture, "a thread for each poll");
}

#[test]
fn on_a_pool_of_plain_threads() {
    type Job = Box<dyn FnOnce() + Send>;
    let capture = capture();
    let pipeline = capture.pipeline();
    let (sender, receiver) = mpsc::channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    let pool: Vec<_> = (0..4)
        .map(|_| {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || {
                loop {
                    let job = receiver.lock().expect("not poisoned").recv();
                    let Ok(job) = job else { return };
                    job();
                    assert!(!Context::current().is_active(), "the thread is outside again");
                }
            })
        })
        .collect();
    thread::scope(|threads| {
        for mark in 0..UNITS {
            let sender = sender.clone();
            threads.spawn(move || {
                let scope = pipeline.begin(Kind::Request);
                let cx = scope.context();
                scope.enter(|| Context::set("before", mark));
                let (done, all) = mpsc::channel();
                for _ in 0..2 {
                    let done = done.clone();
                    let job = move || {
                        cx.enter(|| {
                            Context::set("inside", mark);
                            Context::add("step_count", 1);
                        });
                        let _ = done.send(());
                    };
                    sender.send(Box::new(job)).expect("the pool runs");
                }
                (0..2).for_each(|_| all.recv_timeout(PATIENCE).expect("the pool works"));
                scope.enter(|| Context::set("after", mark));
                scope.finish();
            });
        }
    });
    drop(sender);
    pool.into_iter().for_each(|worker| worker.join().expect("no panic"));
    assert_all(&capture, "a pool");
}
