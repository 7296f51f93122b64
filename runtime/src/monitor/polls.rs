//! Looks at polls that keep their thread for too long, while they do: where they were is told by the event of their unit.
//!
//! The thread that looks for timeouts does it. It sees a poll that is past the limit by at least one pause; of a shorter one, the event
//! names the handler.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::timeout;
use crate::clock;
use crate::counters;
use crate::pipeline::{Pipeline, parts, timed_out};
use crate::record::{Handle, Packed, Spot};
use crate::trace::stuck::Why;
use crate::trace::{places, stuck, texts};

const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(50);
/// How long stacks may take in one look.
const STACKS: Duration = Duration::from_millis(50);

/// The shortest limit ever set, in nanoseconds.
static SHORTEST_LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// Starts the monitor's thread, if it does not run yet in this process.
pub(crate) fn ensure_started(limit: Duration) {
    SHORTEST_LIMIT.fetch_min(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    ensure_running();
}

/// The same, for a limit that was told of.
pub(crate) fn ensure_running() {
    timeout::ensure_running();
}

/// How long to wait between two looks: half of the limit, 5 to 50 ms.
pub(super) fn pause() -> Duration {
    let limit = Duration::from_nanos(SHORTEST_LIMIT.load(Ordering::Relaxed));
    (limit / 2).clamp(SHORTEST, LONGEST)
}

/// Looks once. A test looks at its own only.
pub(crate) fn tick(now: u64, only: Option<Pipeline>) {
    // Hardly ever there is one, and nothing is allocated.
    let mut polls = Vec::new();
    let shortest = clock::ticks(Duration::from_nanos(SHORTEST_LIMIT.load(Ordering::Relaxed)));
    let may_take_too_long = |(_, began): &(u64, u64)| only.is_some() || now.saturating_sub(*began) > shortest;
    // What an allocator counts, it counts in this thread's place, not while all of them are held.
    counters::mine();
    counters::each_thread(|_, block| polls.extend(block.polls().filter(may_take_too_long)));
    let until = Instant::now() + STACKS;
    for (record, began) in polls {
        if let Some(handle) = Packed::handle(record) {
            look(handle, began, now, only, until);
        }
    }
}

fn look(handle: Handle, began: u64, now: u64, only: Option<Pipeline>, until: Instant) {
    let Some(slot) = handle.slot() else { return };
    let limit = slot.body.poll_limit.load(Ordering::Relaxed);
    let takes_too_long = limit != 0 && now.saturating_sub(began) > limit;
    // The monitor's own thread leaves unit tests alone, which look by themselves.
    let is_another = only.map_or(cfg!(test) && slot.pipeline() != 0, |only| slot.pipeline() != only.number());
    // Once is enough.
    if !takes_too_long || is_another || slot.body.seen_in(began) != Spot::NONE {
        return;
    }
    let Some((fun, line)) = places::certain(handle, began).map(|at| at.parts()) else { return };
    let seen = Spot::new(began, fun, line);
    handle.see(seen);
    let per_second = parts(slot.pipeline()).settings().stacks;
    if per_second == 0 {
        return;
    }
    let mut stuck = stuck::look(handle);
    stuck.take_stack(Why::Poll, per_second, until);
    if stuck.has_stack() {
        timed_out::put_into_words(Why::Poll, move || {
            if let Some(text) = stuck.innermost().and_then(texts::number) {
                handle.see_instead(seen, Spot::new(began, 0, text));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context as Task, Poll, Waker};

    use super::*;
    use crate::event::OwnedEvent;
    use crate::pipeline::Settings;
    use crate::record::current::{self, Frame};
    use crate::trace::site::Fun;
    use crate::{Kind, testing};

    static HANDLER: Fun = Fun::new("src/shop.rs", 10, "shop", "cart", || "");
    static INNER: Fun = Fun::new("src/shop.rs", 20, "shop", "load", || "");

    /// The event of a request whose future keeps its thread twice, the second time for longer; looked at meanwhile or not.
    fn blocked(looks: [bool; 2]) -> OwnedEvent {
        let settings = Settings { poll_limit: Some(Duration::from_millis(5)), ..Settings::default() };
        let capture = testing::capture_with(settings);
        let (pipeline, polled) = (capture.pipeline(), mpsc::channel::<()>());
        let looked = mpsc::channel::<()>();
        std::thread::scope(|threads| {
            threads.spawn(move || {
                let scope = pipeline.begin(Kind::Request);
                crate::record::set_site(scope.context().handle(), HANDLER.number());
                let mut lines = [21, 22].into_iter();
                let mut before = Duration::from_millis(3);
                let future = poll_fn(move |_| {
                    let Some(line) = lines.next() else { return Poll::Ready(()) };
                    let began = Instant::now();
                    let _outer = Frame::enter(|| HANDLER.number(), HANDLER.line());
                    let _inner = Frame::enter(|| INNER.number(), INNER.line());
                    current::line(line);
                    // Longer than the one before, however long that was looked at.
                    std::thread::sleep(before * 2);
                    let _ = polled.0.send(());
                    let _ = looked.1.recv();
                    before = began.elapsed();
                    Poll::Pending
                });
                let mut future = pin!(scope.context().scope(future));
                while future.as_mut().poll(&mut Task::from_waker(Waker::noop())).is_pending() {}
                scope.finish();
            });
            for looks in looks {
                polled.1.recv().expect("it is polled");
                if looks {
                    // Twice, which changes nothing.
                    tick(clock::now(), Some(pipeline));
                    tick(clock::now(), Some(pipeline));
                }
                looked.0.send(()).expect("it waits");
            }
        });
        capture.one()
    }

    fn place(event: &OwnedEvent) -> String {
        event.view().get("poll_max_loc").map(|value| value.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_longest_poll_is_told_with_the_innermost_line_that_was_seen_in_it() {
        assert_eq!(place(&blocked([true, true])), "src/shop.rs:22:shop::load");
    }

    #[test]
    fn of_a_poll_that_nobody_saw_the_handler_is_told() {
        assert_eq!(place(&blocked([true, false])), "src/shop.rs:10:shop::cart");
    }
}
