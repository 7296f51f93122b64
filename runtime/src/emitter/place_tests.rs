//! One sink that takes the place of another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::change_tests::{all_lost, put, written};
use super::tests::{Gate, N, SOON, emit, start};
use super::*;

#[test]
fn a_sink_that_takes_the_place_of_another_writes_after_it() {
    let gate = Arc::new(Gate::default());
    let emitter = |queue: Background| Emitter::new("gate").format(N).output(Arc::clone(&gate)).background(queue);
    let emitters = start(vec![emitter(Background::new().period(Duration::from_millis(1)))]);
    gate.shut();
    (0..10).for_each(|n| emit(&emitters, n));
    put(&emitters, emitter(Background::new().events(100)));
    (10..20).for_each(|n| emit(&emitters, n));
    gate.open();
    assert!(emitters.flush(SOON));
    let want: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(gate.memory.lines(), want);
    assert_eq!(emitters.stats().len(), 1, "it is the same output");
}

#[test]
fn a_sink_that_takes_the_place_of_a_queue_and_has_none_writes_after_it_too() {
    let gate = Arc::new(Gate::default());
    let emitter = || Emitter::new("gate").format(N).output(Arc::clone(&gate));
    let emitters = start(vec![emitter().background(Background::new().period(Duration::from_millis(1)))]);
    gate.shut();
    emit(&emitters, 0);
    // The writer is at it, with the others behind.
    std::thread::sleep(Duration::from_millis(50));
    (1..100).for_each(|n| emit(&emitters, n));
    put(&emitters, emitter().direct());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            gate.open();
        });
        (100..102).for_each(|n| emit(&emitters, n));
    });
    let want: Vec<String> = (0..102).map(|n| n.to_string()).collect();
    assert_eq!(gate.memory.lines(), want);
    assert_eq!((written(&emitters), all_lost(&emitters)), (102, 0));
}

#[test]
fn a_sink_without_a_queue_waits_for_a_stuck_one_no_longer_than_it_may_and_once() {
    let gate = Arc::new(Gate::default());
    let emitter = || Emitter::new("gate").format(N).output(Arc::clone(&gate));
    let emitters = start(vec![emitter()]);
    gate.shut();
    emit(&emitters, 0);
    let open = |after| {
        std::thread::sleep(after);
        gate.open();
    };
    std::thread::scope(|scope| {
        scope.spawn(|| open(Duration::from_millis(300)));
        put(&emitters, emitter().direct_within(Duration::from_millis(20)));
        let began = Instant::now();
        // A gate knows no limit: that of the wait alone is seen.
        emit(&emitters, 1);
        assert!(began.elapsed() < Duration::from_secs(2));
    });
    assert!(emitters.flush(SOON));
    let mut lines = gate.memory.lines();
    lines.sort();
    assert_eq!(lines, ["0", "1"]);
}
