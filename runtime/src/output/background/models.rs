//! The queue under every order in which its threads can run: its own source, compiled with loom's locks.

#![allow(dead_code, clippy::duplicate_mod)] // the queue is in the library, too; the models do not ask all of it

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use self::queue::Chunks;
use super::chunk::{self, Chunk};
use super::options::{self, Background};

#[path = "queue.rs"]
mod queue;
mod sync {
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use loom::sync::{Arc, Mutex, MutexGuard};

    pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("no thread panics in a model")
    }
}

/// One event a chunk, so that the next one makes the chunk move.
fn queue(chunks: usize) -> Arc<Chunks> {
    let options = Background::new().events(1).bytes(1024);
    let queue = Chunks::new(&options);
    for _ in 1..chunks {
        queue.release(Chunk::new(1, 1024));
    }
    Arc::new(queue)
}

fn stamps(sources: &[Chunk], upto: u64) -> Vec<u64> {
    let all = sources.iter().flat_map(|chunk| (0..chunk.events()).map(|at| chunk.stamp(at)));
    let mut stamps: Vec<u64> = all.filter(|stamp| *stamp <= upto).collect();
    stamps.sort_unstable();
    stamps
}

#[test]
fn a_pass_takes_no_event_without_those_before_it() {
    loom::model(|| {
        let queue = queue(4);
        let clock = Arc::new(AtomicU64::new(0));
        let producer = {
            let (queue, clock) = (Arc::clone(&queue), Arc::clone(&clock));
            // One request that hops: two events on one thread's lane, the third on another's.
            let (first, second) = (queue.lane(), queue.lane());
            thread::spawn(move || {
                for lane in [&second, &second, &first] {
                    let stamp = clock.fetch_add(1, Ordering::SeqCst) + 1;
                    queue.push(lane, b"event\n", stamp).taken.expect("there is a chunk for each");
                }
            })
        };
        let now = clock.load(Ordering::SeqCst);
        let mut sources = Vec::new();
        queue.collect(&mut sources, &mut Vec::new(), false);
        let taken = stamps(&sources, now);
        // The last of them may be on its way still; nothing is missing before it.
        let want: Vec<u64> = (1..=taken.len() as u64).collect();
        assert_eq!(taken, want, "up to {now}");
        assert!(taken.len() as u64 + 1 >= now);
        producer.join().expect("no panic");
    });
}

#[test]
fn every_event_is_refused_taken_or_abandoned() {
    // Three threads that run in every order, switched at most three times against their will.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let queue = queue(2);
        let producers: Vec<_> = (0..1)
            .map(|_| {
                let queue = Arc::clone(&queue);
                let lane = queue.lane();
                thread::spawn(move || {
                    (0..2).filter(|stamp| queue.push(&lane, b"event\n", *stamp).taken.is_ok()).count() as u64
                })
            })
            .collect();
        let writer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let mut sources = Vec::new();
                queue.collect(&mut sources, &mut Vec::new(), false);
                let events = sources.iter().map(|chunk| chunk.events() as u64).sum();
                let mut counted = 0;
                queue.resolve(events, || counted = events);
                counted
            })
        };
        let abandoned = queue.abandon();
        let written = writer.join().expect("no panic");
        let accepted: u64 = producers.into_iter().map(|producer| producer.join().expect("no panic")).sum();
        assert_eq!(accepted, written + abandoned.lost);
    });
}

#[test]
fn a_queue_that_closes_takes_everything_or_refuses_it() {
    loom::model(|| {
        let queue = queue(2);
        let producer = {
            let queue = Arc::clone(&queue);
            let lane = queue.lane();
            thread::spawn(move || (0..2).filter(|stamp| queue.push(&lane, b"event\n", *stamp).taken.is_ok()).count())
        };
        let mut sources = Vec::new();
        queue.collect(&mut sources, &mut Vec::new(), true);
        let accepted = producer.join().expect("no panic");
        let taken: usize = sources.iter().map(Chunk::events).sum();
        assert_eq!(accepted, taken);
    });
}
