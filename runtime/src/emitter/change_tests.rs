//! Emitters that change while events pass, those that share an output, and those that wait for ever.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use super::tests::{Gate, N, SOON, emit, gated, lost, start};
use super::*;
use crate::format::Json;
use crate::level::Level;
use crate::output::{Batch, LossReason, Memory, Overflow, WriteError};

pub(super) fn put(emitters: &Emitters, emitter: Emitter) {
    emitters.put(vec![emitter.ready()]).expect("it fits in");
}

fn remove(emitters: &Emitters, name: &str) {
    emitters.change_one(name, |_| None).expect("it is there");
}

fn names(emitters: &Emitters) -> Vec<String> {
    emitters.emitters().iter().map(|emitter| emitter.name().to_owned()).collect()
}

pub(super) fn written(emitters: &Emitters) -> u64 {
    emitters.stats().iter().map(|sink| sink.written).sum()
}

pub(super) fn all_lost(emitters: &Emitters) -> u64 {
    emitters.stats().iter().flat_map(|sink| sink.lost).sum()
}

/// Waits until it holds.
fn soon(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn everything_about_an_emitter_can_be_changed_and_changed_back() {
    let memories = [Memory::new(), Memory::new()];
    let emitters = start(vec![Emitter::new("one").format(N).output(memories[0].clone()).direct()]);
    let change = |change: &dyn Fn(Emitter) -> Emitter| {
        let changed = change(emitters.emitters().remove(0)).ready();
        emitters.change_one("one", |_| Some(changed)).expect("it is there");
    };
    let takes = |kind: EventType| emitters.wants().has(Wants::one(kind, Level::Info));
    let kinds = || [EventType::Job, EventType::Request].map(takes);
    let lines = || memories.each_ref().map(|memory| memory.lines());
    // Each of them, what it comes to, and back.
    change(&|one| one.only([EventType::Request]));
    assert_eq!(kinds(), [false, true]);
    change(&|one| one.types([EventType::Job]));
    assert_eq!(kinds(), [true, false]);
    change(&Emitter::every_type);
    assert_eq!(kinds(), [true, true]);
    change(&|one| one.level(Level::Error));
    assert_eq!(kinds(), [false, false]);
    change(&|one| one.level(Level::Debug).matching(false));
    emit(&emitters, 1);
    change(&|one| one.unfiltered().format(Json::new()));
    emit(&emitters, 2);
    change(&|one| one.format(N).output(memories[1].clone()));
    emit(&emitters, 3);
    change(&|one| one.output(memories[0].clone()).background(Background::new()));
    emit(&emitters, 4);
    assert!(emitters.flush(SOON));
    change(&|one| one.usual_way().direct());
    emit(&emitters, 5);
    let [one, two] = lines();
    assert_eq!((one.len(), &one[1..], two), (3, &["4".to_owned(), "5".to_owned()][..], vec!["3".to_owned()]));
    assert!(one[0].starts_with('{'), "{one:?}");
    let other = Emitter::new("two").format(N).output(memories[0].clone()).background(Background::new());
    assert!(emitters.put(vec![other.clone().ready()]).is_err(), "one writes directly, the other through a queue");
    change(&Emitter::usual_way);
    put(&emitters, other);
}

/// Counts how many of it there are.
struct Alive(Memory, Arc<AtomicU64>);

impl Alive {
    fn new(memory: &Memory, alive: &Arc<AtomicU64>) -> Alive {
        alive.fetch_add(1, Ordering::SeqCst);
        Alive(memory.clone(), Arc::clone(alive))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Output for Alive {
    fn name(&self) -> &str {
        "alive"
    }
    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        self.0.write(batch)
    }
}

#[test]
fn an_emitter_is_added_changed_and_removed_between_two_events() {
    let (one, two) = (Memory::new(), Memory::new());
    let emitters = start(vec![Emitter::new("one").format(N).output(one.clone()).direct()]);
    emit(&emitters, 1);
    put(&emitters, Emitter::new("two").format(N).output(two.clone()).direct());
    emit(&emitters, 2);
    emitters.change_one("one", |old| Some(old.clone().level(LevelFilter::Disabled))).expect("it is there");
    emit(&emitters, 3);
    remove(&emitters, "two");
    emit(&emitters, 4);
    assert_eq!((one.lines(), two.lines()), (vec!["1".into(), "2".into()], vec!["2".into(), "3".into()]));
    assert_eq!((names(&emitters), emitters.wants()), (vec!["one".to_owned()], Wants::NOTHING));
}

#[test]
fn every_thread_goes_by_a_change_from_its_next_event_on() {
    let (old, new) = (Memory::new(), Memory::new());
    let emitters = start(vec![Emitter::new("m").format(N).output(old.clone()).direct()]);
    let (ask, asked) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        let emitters = &emitters;
        scope.spawn(move || {
            for n in asked {
                emit(emitters, n);
                tell.send(()).expect("the test waits");
            }
        });
        for (n, change) in [(1, false), (2, true)] {
            if change {
                put(emitters, Emitter::new("m").format(N).output(new.clone()).direct());
            }
            ask.send(n).expect("the thread waits");
            told.recv_timeout(SOON).expect("it emits");
        }
        drop(ask);
    });
    assert_eq!((old.lines(), new.lines()), (vec!["1".to_owned()], vec!["2".to_owned()]));
}

#[test]
fn every_event_is_written_once_while_outputs_are_replaced_under_it() {
    for direct in [false, true] {
        let (threads, each) = (3, 4_000);
        let all = Memory::new();
        let alive = Arc::new(AtomicU64::new(0));
        let emitter = || {
            let queue = Background::new().period(Duration::from_millis(1)).overflow(Overflow::Block(SOON));
            let emitter = Emitter::new("m").format(N).output(Alive::new(&all, &alive));
            if direct { emitter.direct() } else { emitter.background(queue) }
        };
        let emitters = start(vec![emitter()]);
        let (begin, done) = (Barrier::new(threads + 1), AtomicU64::new(0));
        let changes = std::thread::scope(|scope| {
            for thread in 0..threads as u64 {
                let (emitters, begin, done) = (&emitters, &begin, &done);
                scope.spawn(move || {
                    begin.wait();
                    (0..each).for_each(|n| emit(emitters, thread * each + n));
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
            begin.wait();
            let mut changes = 0;
            while done.load(Ordering::SeqCst) < threads as u64 {
                match changes % 3 {
                    0 => put(&emitters, emitter()),
                    1 => emitters.change_one("m", |old| Some(old.clone().level(Level::Info))).expect("it is there"),
                    _ => put(
                        &emitters,
                        Emitter::new("other").level(LevelFilter::Disabled).output(Alive::new(&all, &alive)),
                    ),
                }
                changes += 1;
            }
            changes
        });
        assert!(changes > 3, "the outputs changed while events passed");
        assert!(emitters.flush(SOON));
        let total = threads as u64 * each;
        assert_eq!((written(&emitters), all_lost(&emitters)), (total, 0), "direct {direct}");
        let mut lines: Vec<u64> = all.lines().iter().filter_map(|line| line.parse().ok()).collect();
        lines.sort_unstable();
        assert_eq!(lines, (0..total).collect::<Vec<_>>(), "direct {direct}");
        soon("outputs without an emitter are dropped", || alive.load(Ordering::SeqCst) <= 2);
    }
}

#[test]
fn what_is_emitted_is_written_or_counted_while_emitters_come_and_go_before_outputs_that_fail() {
    let (threads, each) = (3, 3_000_u64);
    let gates: Vec<Arc<Gate>> = (0..4).map(|_| Arc::new(Gate::default())).collect();
    gates.iter().step_by(2).for_each(|gate| gate.fails.store(true, Ordering::SeqCst));
    let queue = Background::new().events(256).period(Duration::from_millis(1));
    let emitter = |gate: &Arc<Gate>| Emitter::new("m").format(N).output(Arc::clone(gate)).background(queue);
    let emitters = start(vec![emitter(&gates[0])]);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (emitters, done) = (&emitters, &done);
            scope.spawn(move || {
                (0..each).for_each(|n| emit(emitters, thread * each + n));
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        let mut turn = 0;
        while done.load(Ordering::SeqCst) < threads {
            turn += 1;
            put(&emitters, emitter(&gates[turn % gates.len()]));
        }
    });
    emitters.shutdown(SOON);
    assert_eq!(written(&emitters) + all_lost(&emitters), threads * each);
    assert!(lost(&emitters, LossReason::Io) > 0, "some of the outputs failed");
    let lines = gates.iter().flat_map(|gate| gate.memory.lines());
    let events = lines.filter(|line| !line.starts_with("dropped")).count() as u64;
    assert_eq!(events, written(&emitters));
}

#[test]
fn an_output_is_dropped_after_its_last_emitter_also_while_a_thread_that_used_it_is_idle() {
    let (memory, alive) = (Memory::new(), Arc::new(AtomicU64::new(0)));
    let emitters = start(vec![Emitter::new("m").format(N).output(Alive::new(&memory, &alive))]);
    let (emitted, has_emitted) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let emitters = &emitters;
        scope.spawn(move || {
            emit(emitters, 1);
            emitted.send(()).expect("the test waits");
            let _ = ended.recv();
        });
        has_emitted.recv_timeout(SOON).expect("it emits");
        remove(emitters, "m");
        soon("the output is dropped", || alive.load(Ordering::SeqCst) == 0);
        drop(end);
    });
    assert_eq!((memory.lines(), written(&emitters)), (vec!["1".to_owned()], 1));
}

#[test]
fn what_an_output_lost_stays_counted_after_its_emitter() {
    let gate = Arc::new(Gate::default());
    let emitters = start(vec![Emitter::new("gate").format(N).output(Arc::clone(&gate))]);
    gate.fails.store(true, Ordering::SeqCst);
    (0..3).for_each(|n| emit(&emitters, n));
    remove(&emitters, "gate");
    assert!(emitters.flush(SOON));
    assert_eq!((lost(&emitters, LossReason::Io), emitters.untold_losses()), (3, 3));
    // Folded into a sum by then.
    soon("nobody has the sink", || Arc::strong_count(&gate) == 1);
    for n in 0..3 {
        put(&emitters, Emitter::new(format!("memory {n}")).format(N).output(Memory::new()));
    }
    assert_eq!((lost(&emitters, LossReason::Io), written(&emitters)), (3, 0));
    assert_eq!(emitters.shutdown(SOON), 3);
}

#[test]
fn a_stuck_output_keeps_no_change_waiting_and_what_it_holds_is_counted_at_the_shutdown() {
    let gate = Arc::new(Gate::default());
    let emitters = start(vec![Emitter::new("gate").format(N).output(Arc::clone(&gate))]);
    gate.shut();
    (0..100).for_each(|n| emit(&emitters, n));
    let memory = Memory::new();
    // The gate stays shut: whoever waited for it would do so for ever.
    put(&emitters, Emitter::new("gate").format(N).output(memory.clone()));
    emit(&emitters, 100);
    assert_eq!(memory.wait_for(1, SOON).len(), 1);
    assert_eq!(emitters.shutdown(Duration::from_millis(50)), 100);
    assert_eq!((memory.lines(), lost(&emitters, LossReason::Shutdown)), (vec!["100".to_owned()], 100));
    gate.open();
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let memory = Memory::new();
    let emitters = start(vec![Emitter::new("m").format(N).output(memory.clone()).direct()]);
    let shared = |name: &str| Emitter::new(name).format(N).output(memory.clone()).background(Background::new()).ready();
    let added = Emitter::new("added").output(Memory::new()).ready();
    let twice = [shared("a"), shared("a")].map(|emitter| emitter.direct().ready());
    let changes: [(Vec<Emitter>, &str); 2] = [
        (vec![added.clone(), shared("b")], "emitters `m` and `b` write to the same place in different ways"),
        (twice.to_vec(), "two emitters are called `a`"),
    ];
    for (more, error) in changes {
        let failed = emitters.change(|old| Ok(old.iter().cloned().chain(more).collect())).expect_err("it cannot");
        assert!(failed.to_string().starts_with(error), "{failed}");
    }
    let failed = emitters.change_one("n", |_| None).expect_err("there is none");
    assert_eq!(failed.to_string(), "no emitter is called `n`; there are `m`; the nearest is `m`");
    emit(&emitters, 1);
    assert_eq!((names(&emitters), memory.lines()), (vec!["m".to_owned()], vec!["1".to_owned()]));
    emitters.shutdown(SOON);
    assert!(matches!(emitters.put(vec![added]), Err(EmitterError::Ended)));
}

#[test]
fn an_output_gets_a_line_of_an_event_once_however_many_emitters_send_it_there() {
    let (shared, other) = (Memory::new(), Memory::new());
    let to = |name: &str, memory: &Memory| Emitter::new(name).output(memory.clone()).direct();
    let emitters = start(vec![
        to("one", &shared).format(N),
        to("two", &shared).format(N).level(Level::Error),
        to("as json", &shared).format(Json::new()),
        to("json again", &shared).format(Json::new()),
        to("elsewhere", &other).format(N),
    ]);
    emit(&emitters, 1);
    emit(&emitters, 2);
    let json = |line: &String| line.starts_with('{');
    let lines = shared.lines();
    assert_eq!(lines.iter().map(json).collect::<Vec<_>>(), [false, true, false, true], "{lines:?}");
    assert_eq!((lines[0].as_str(), lines[2].as_str(), other.lines()), ("1", "2", vec!["1".into(), "2".into()]));
    // The first no longer wants it: the second sends it.
    emitters
        .change(|old| {
            let level = |emitter: &Emitter| match emitter.name() {
                "two" => emitter.clone().level(Level::Debug),
                _ => emitter.clone().level(LevelFilter::Disabled),
            };
            Ok(old.iter().map(level).collect())
        })
        .expect("levels fit");
    emit(&emitters, 3);
    assert_eq!(shared.lines()[4..], ["3"]);
}

#[test]
fn a_filter_may_change_the_emitters_that_ask_it() {
    let memory = Memory::new();
    let emitters = Arc::new(start(vec![Emitter::new("m").format(N).output(memory.clone()).direct()]));
    let (mine, asked) = (Arc::downgrade(&emitters), AtomicBool::new(false));
    let filter = move |_: &Event<'_>| {
        if !asked.swap(true, Ordering::SeqCst)
            && let Some(emitters) = mine.upgrade()
        {
            put(&emitters, Emitter::new("m").level(LevelFilter::Disabled).output(Memory::new()));
        }
        true
    };
    put(&emitters, Emitter::new("m").filter(filter).format(N).output(memory.clone()).direct());
    emit(&emitters, 1);
    emit(&emitters, 2);
    assert_eq!(memory.lines(), ["1"], "the event that was on its way arrived");
}

/// Asks the emitters for their counts when it ends, and says that it got them.
struct Asks(std::sync::Weak<Emitters>, mpsc::Sender<()>, Option<String>);

impl Drop for Asks {
    fn drop(&mut self) {
        if let Some(emitters) = self.0.upgrade() {
            let _ = (emitters.stats(), emitters.emitters());
            let _ = self.1.send(());
        }
    }
}

impl Output for Asks {
    fn name(&self) -> &str {
        "asks"
    }
    fn place(&self) -> Option<String> {
        self.2.clone()
    }
    fn write(&self, _batch: Batch<'_>) -> Result<(), WriteError> {
        Ok(())
    }
}

#[test]
fn an_output_that_is_refused_or_never_used_ends_when_nothing_is_locked() {
    let emitters = Arc::new(start(vec![Emitter::new("one").format(N).output(Memory::new()).direct()]));
    let (end, ended) = mpsc::channel();
    let asks = |place: Option<&str>| Asks(Arc::downgrade(&emitters), end.clone(), place.map(str::to_owned));
    let emitter = |name: &str, place| Emitter::new(name).format(N).output(asks(place)).direct().ready();
    let used = emitter("used", Some("here"));
    emitters.put(vec![used]).expect("it fits in");
    let add = |new: Emitter| move |old: &[Emitter]| Ok(old.iter().cloned().chain([new]).collect());
    type Case<'a> = (&'a str, Box<dyn FnOnce(&Emitters) -> Result<(), EmitterError> + Send>);
    let (twice, unknown) = (emitter("one", None), emitter("none", None));
    let (first, second, same) = (emitter("two", None), emitter("two", Some("here")), emitter("three", Some("here")));
    let cases: [Case<'_>; 4] = [
        ("a name that is taken", Box::new(move |emitters| emitters.change(add(twice)))),
        ("no emitter to change", Box::new(move |emitters| emitters.change_one("no", |_| Some(unknown)))),
        ("two of one name", Box::new(move |emitters| emitters.put(vec![first, second]))),
        ("a place that another leads to", Box::new(move |emitters| emitters.put(vec![same]))),
    ];
    for (what, case) in cases {
        let emitters = Arc::clone(&emitters);
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(case(&emitters).is_ok()));
        assert!(told.recv_timeout(SOON).is_ok(), "{what}: the output waits for a lock");
        assert!(ended.try_iter().count() > 0, "{what}: the output lives on");
    }
    assert_eq!(names(&emitters), ["one", "used", "two", "three"]);
}

#[test]
fn the_longest_time_there_is_is_for_ever() {
    let queue = Background::new().events(1).overflow(Overflow::Block(Duration::MAX)).period(Duration::MAX);
    let (gate, emitters) = gated(queue);
    gate.shut();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..2_000).for_each(|n| emit(&emitters, n)));
        std::thread::sleep(Duration::from_millis(20));
        gate.open();
    });
    assert!(emitters.flush(Duration::MAX));
    assert_eq!((gate.memory.len(), emitters.shutdown(Duration::MAX)), (2_000, 0));

    let memory = Memory::new();
    let path = std::env::temp_dir().join(format!("canonlog-for-ever-{}.log", std::process::id()));
    let file = crate::output::File::open(&path).expect("a file");
    let direct = |name: &str| Emitter::new(name).format(N).direct_within(Duration::MAX);
    let emitters = start(vec![direct("memory").output(memory.clone()), direct("file").output(file)]);
    emit(&emitters, 1);
    assert_eq!((memory.len(), std::fs::read_to_string(&path).ok().as_deref()), (1, Some("1\n")));
    std::fs::remove_file(&path).expect("it is there");
}
