//! The first event already knows how many workers there are, also of a program without a set-up.

use canonlog::{Context, Kind, OwnedEvent, Scope, begin, testing};
use canonlog_tests::unit::integer;

fn event(begin: impl FnOnce() -> Scope) -> OwnedEvent {
    let capture = testing::capture();
    begin().enter(|| Context::set("n", 1));
    capture.one()
}

#[test]
fn the_first_events_count_this_thread_and_what_the_program_said_counts_at_once() {
    // The first unit that goes through the process's own pipeline starts the sampling.
    begin(Kind::Job).finish();
    let first = event(|| begin(Kind::Request));
    assert_eq!(integer(&first, "rt_w_count"), 1, "{first:?}");

    canonlog::saturation::workers(4);
    let second = event(|| begin(Kind::Request));
    assert_eq!(integer(&second, "rt_w_count"), 4, "{second:?}");
}
