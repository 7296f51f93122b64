use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Condvar, Mutex};
use std::time::{Instant, SystemTime};

use super::*;
use crate::clock;
use crate::event::OwnedEvent;
use crate::format::{Combined, Json};
use crate::level::Level;
use crate::output::{Batch, LossReason, Memory, Overflow, WriteError};

pub(super) const SOON: Duration = Duration::from_secs(10);

/// The value of `app_n`, nothing else.
pub(super) struct N;

impl Format for N {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        if let Some(value) = event.get("app_n") {
            line.extend_from_slice(value.to_string().as_bytes());
        } else if let Some(count) = event.get("dropped_count") {
            line.extend_from_slice(format!("dropped {count}").as_bytes());
        }
    }
}

pub(super) fn event(n: u64) -> OwnedEvent {
    let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
    event.set("app_n", n);
    event
}

pub(super) fn emit(emitters: &Emitters, n: u64) {
    emitters.emit(&event(n).view(), clock::now());
}

pub(super) fn start(emitters: Vec<Emitter>) -> Emitters {
    Emitters::start(emitters).expect("emitters that agree")
}

pub(super) fn lost(emitters: &Emitters, reason: LossReason) -> u64 {
    emitters.stats().iter().map(|sink| sink.lost[reason as usize]).sum()
}

/// An output that is held, told to fail, or let go, by the test.
#[derive(Default)]
pub(super) struct Gate {
    pub(super) memory: Memory,
    shut: Mutex<bool>,
    opened: Condvar,
    pub(super) fails: AtomicBool,
    panics: AtomicBool,
}

impl Gate {
    pub(super) fn shut(&self) {
        *self.shut.lock().expect("no panic") = true;
    }
    pub(super) fn open(&self) {
        *self.shut.lock().expect("no panic") = false;
        self.opened.notify_all();
    }
}

impl Output for Gate {
    fn name(&self) -> &str {
        "gate"
    }
    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        let shut = self.shut.lock().expect("no panic");
        drop(self.opened.wait_while(shut, |shut| *shut).expect("no panic"));
        assert!(!self.panics.load(Ordering::Relaxed), "told to");
        if self.fails.load(Ordering::Relaxed) {
            return Err(WriteError { written: 0, source: io::ErrorKind::BrokenPipe.into() });
        }
        self.memory.write(batch)
    }
}

pub(super) fn gated(queue: Background) -> (Arc<Gate>, Emitters) {
    let gate = Arc::new(Gate::default());
    let emitters = start(vec![Emitter::new("gate").format(N).output(Arc::clone(&gate)).background(queue)]);
    (gate, emitters)
}

#[test]
fn an_event_reaches_the_output_in_the_background() {
    let memory = Memory::new();
    let emitters = start(vec![Emitter::new("m").format(N).output(memory.clone())]);
    emit(&emitters, 1);
    assert_eq!(memory.wait_for(1, SOON), ["1"]);
}

#[test]
fn after_a_flush_everything_is_written() {
    let memory = Memory::new();
    let emitters = start(vec![Emitter::new("m").format(N).output(memory.clone())]);
    for n in 0..1_000 {
        emit(&emitters, n);
    }
    assert!(emitters.flush(SOON));
    let want: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
    assert_eq!(memory.lines(), want);
}

#[test]
fn events_that_follow_each_other_on_two_threads_keep_their_order() {
    let memory = Memory::new();
    let queue = Background::new().period(Duration::from_millis(1));
    let emitters = start(vec![Emitter::new("m").format(N).output(memory.clone()).background(queue)]);
    const TURNS: u64 = 2_000;
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        for parity in 0..2 {
            let (emitters, barrier) = (&emitters, &barrier);
            scope.spawn(move || {
                for n in 0..TURNS {
                    if n % 2 == parity {
                        emit(emitters, n);
                    }
                    barrier.wait();
                }
            });
        }
    });
    assert!(emitters.flush(SOON));
    let want: Vec<String> = (0..TURNS).map(|n| n.to_string()).collect();
    assert_eq!(memory.lines(), want);
}

#[test]
fn the_level_the_types_and_the_filters_all_decide() {
    let memory = Memory::new();
    let emitter = Emitter::new("m")
        .level(Level::Info)
        .only([EventType::Request, EventType::Job])
        .filter(|event| event.get("app_n") != Some(crate::value::Value::U64(2)))
        .filter(|event| event.get("app_n") != Some(crate::value::Value::U64(3)));
    let emitters = start(vec![emitter.format(N).output(memory.clone()).direct()]);
    for n in 1..5 {
        emit(&emitters, n);
    }
    assert_eq!(memory.lines(), ["1", "4"]);
}

#[test]
fn a_filter_that_panics_lets_the_event_pass_and_is_counted() {
    let memory = Memory::new();
    let emitter = Emitter::new("m").filter(|_| panic!("a filter's bug")).format(N).output(memory.clone()).direct();
    let emitters = start(vec![emitter]);
    emit(&emitters, 1);
    assert_eq!((memory.lines().len(), emitters.filter_panics()), (1, 1));
}

#[test]
fn a_format_that_panics_loses_one_line_of_one_emitter() {
    struct Bad;
    impl Format for Bad {
        fn format(&self, _: &Event<'_>, line: &mut Vec<u8>) {
            line.extend_from_slice(b"half a li");
            panic!("a format's bug");
        }
    }
    let memory = Memory::new();
    let bad = Emitter::new("bad").format(Bad).output(memory.clone()).direct();
    let good = Emitter::new("good").format(N).output(memory.clone()).direct();
    let emitters = start(vec![bad, good]);
    emit(&emitters, 1);
    assert_eq!(lost(&emitters, LossReason::Encode), 1);
    assert_eq!(memory.lines().last().map(String::as_str), Some("1"));
    emit(&emitters, 2);
    assert_eq!(lost(&emitters, LossReason::Encode), 2);
}

#[test]
fn a_format_that_writes_line_breaks_forges_no_line_neither_of_an_event_nor_of_a_report() {
    /// Also throws away what stands in the line before it.
    struct Hostile;
    impl Format for Hostile {
        fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
            line.clear();
            line.extend_from_slice(event.kind().as_str().as_bytes());
            line.extend_from_slice("\nevent_type=\"forged\"\r\u{2028}end\n".as_bytes());
        }
    }
    let memory = Memory::new();
    let queued = Emitter::new("queued").format(Hostile).output(memory.clone());
    let emitters = start(vec![queued]);
    emit(&emitters, 1);
    emit(&emitters, 2);
    assert!(emitters.flush(SOON));
    let line = |kind: &str| format!(r#"{kind}\nevent_type="forged"\r\u2028end"#);
    assert_eq!(memory.lines(), [line("request"), line("request")]);
    assert_eq!(emitters.stats()[0].written, 2);

    let memory = Memory::new();
    let direct = Emitter::new("direct").format(Hostile).output(memory.clone()).direct();
    let emitters = start(vec![direct]);
    emitters.lose(EventType::Request, Level::Error, LossReason::Encode);
    emitters.lose(EventType::Request, Level::Error, LossReason::Io);
    emit(&emitters, 1);
    assert_eq!(memory.lines(), [line("dropped"), line("dropped"), line("request")]);
}

#[test]
fn an_event_made_inside_an_output_is_dropped_and_counted() {
    struct Again(std::sync::OnceLock<Arc<Emitters>>, Memory);
    impl Output for Again {
        fn name(&self) -> &str {
            "again"
        }
        fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
            // Once: what is written later tells of this loss, and would make another.
            if let Some(emitters) = self.0.get().filter(|_| self.1.is_empty()) {
                emit(emitters, 99);
            }
            self.1.write(batch)
        }
    }
    for direct in [true, false] {
        let again = Arc::new(Again(std::sync::OnceLock::new(), Memory::new()));
        let emitter = Emitter::new("again").format(N).output(Arc::clone(&again));
        let emitters = Arc::new(start(vec![if direct { emitter.direct() } else { emitter }]));
        assert!(again.0.set(Arc::clone(&emitters)).is_ok());
        emit(&emitters, 1);
        assert!(emitters.flush(SOON));
        assert_eq!(again.1.lines().first().map(String::as_str), Some("1"));
        assert_eq!(lost(&emitters, LossReason::Reentrant), 1);
    }
}

#[test]
fn emitters_with_one_output_share_its_queue_and_keep_their_order() {
    let memory = Memory::new();
    let access = Emitter::new("access").format(Combined::new()).output(memory.clone());
    let canonical = Emitter::new("canonical").format(Json::new()).output(memory.clone());
    let emitters = start(vec![access, canonical]);
    let mut one = event(1);
    for (name, value) in [("req_method", "GET"), ("req_path", "/")] {
        one.set(name, value);
    }
    one.set("resp_status", 200);
    for _ in 0..100 {
        emitters.emit(&one.view(), clock::now());
    }
    assert!(emitters.flush(SOON));
    assert_eq!(emitters.stats().len(), 1);
    let lines = memory.lines();
    assert_eq!(lines.len(), 200);
    assert!(lines.chunks(2).all(|pair| !pair[0].starts_with('{') && pair[1].starts_with('{')));
}

#[test]
fn emitters_that_contradict_each_other_are_an_error() {
    let first = Emitter::new("first").output(Stdout::new()).direct();
    let second = Emitter::new("second").output(Stdout::new()).background(Background::new());
    let error = Emitters::start(vec![first, second]).expect_err("a contradiction");
    assert!(error.to_string().starts_with("emitters `first` and `second` write to the same place"), "{error}");
}

#[test]
fn a_full_queue_drops_the_newest_and_the_stream_says_so_when_it_goes_on() {
    let (gate, emitters) = gated(Background::new().events(128));
    gate.shut();
    for n in 0..10_000 {
        emit(&emitters, n);
    }
    let dropped = lost(&emitters, LossReason::QueueFull);
    assert!((9_000..10_000).contains(&dropped), "{dropped}");
    gate.open();
    assert!(emitters.flush(SOON));
    let lines = gate.memory.lines();
    let reported: u64 = lines.iter().filter_map(|line| line.strip_prefix("dropped ")?.parse::<u64>().ok()).sum();
    let written = lines.iter().filter(|line| !line.starts_with("dropped")).count() as u64;
    assert_eq!((reported, written + dropped), (dropped, 10_000));
}

#[test]
fn with_block_a_thread_waits_for_room_and_nothing_is_lost() {
    let (gate, emitters) = gated(Background::new().events(64).overflow(Overflow::Block(SOON)));
    gate.shut();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..5_000).for_each(|n| emit(&emitters, n)));
        std::thread::sleep(Duration::from_millis(20));
        gate.open();
    });
    assert!(emitters.flush(SOON));
    assert_eq!(gate.memory.len(), 5_000);
}

#[test]
fn with_block_the_limit_is_kept_and_the_loss_counted() {
    let limit = Duration::from_millis(30);
    let (gate, emitters) = gated(Background::new().events(1).overflow(Overflow::Block(limit)));
    gate.shut();
    let began = Instant::now();
    for n in 0..4 {
        emit(&emitters, n);
    }
    assert!(began.elapsed() >= limit);
    let lost = lost(&emitters, LossReason::QueueFull);
    assert!((1..=3).contains(&lost), "{lost}");
    gate.open();
}

#[test]
fn what_a_failing_or_panicking_output_did_not_take_is_counted_and_told_later() {
    for direct in [true, false] {
        for panics in [true, false] {
            let gate = Arc::new(Gate::default());
            let emitter = Emitter::new("gate").format(N).output(Arc::clone(&gate));
            let emitters = start(vec![if direct { emitter.direct() } else { emitter }]);
            let fault = if panics { &gate.panics } else { &gate.fails };
            fault.store(true, Ordering::Relaxed);
            for n in 0..3 {
                emit(&emitters, n);
            }
            emitters.flush(SOON);
            assert_eq!(lost(&emitters, LossReason::Io), 3, "direct {direct}, panics {panics}");
            fault.store(false, Ordering::Relaxed);
            emit(&emitters, 7);
            assert!(emitters.flush(SOON));
            assert_eq!(gate.memory.lines(), ["dropped 3", "7"], "direct {direct}, panics {panics}");
        }
    }
}

#[test]
fn a_line_longer_than_a_chunk_is_counted_as_oversize() {
    struct Long;
    impl Format for Long {
        fn format(&self, _: &Event<'_>, line: &mut Vec<u8>) {
            line.resize(2_000, b'x');
        }
    }
    let emitter = Emitter::new("long").format(Long).output(Memory::new()).background(Background::new().bytes(1024));
    let emitters = start(vec![emitter]);
    emit(&emitters, 1);
    assert_eq!(lost(&emitters, LossReason::Oversize), 1);
}

#[test]
fn a_shutdown_ends_although_the_output_is_stuck_and_counts_everything() {
    let (gate, emitters) = gated(Background::new());
    gate.shut();
    for n in 0..500 {
        emit(&emitters, n);
    }
    let began = Instant::now();
    assert_eq!(emitters.shutdown(Duration::from_millis(50)), 500);
    assert!(began.elapsed() < Duration::from_secs(20));
    emit(&emitters, 500);
    assert_eq!(lost(&emitters, LossReason::Shutdown), 501);
    gate.open();
}

#[test]
fn after_a_shutdown_in_order_late_events_are_written_directly() {
    let (gate, emitters) = gated(Background::new());
    emit(&emitters, 1);
    assert_eq!(emitters.shutdown(SOON), 0);
    assert_eq!(gate.memory.lines(), ["1"]);
    emit(&emitters, 2);
    assert_eq!(gate.memory.lines(), ["1", "2"]);
    assert!(emitters.flush(SOON));
    assert_eq!(emitters.shutdown(SOON), 0, "again does no harm");
}

#[test]
fn answered_is_written_plus_lost_while_threads_race_a_shutdown() {
    for round in 0..20 {
        let (gate, emitters) = gated(Background::new().events(256).period(Duration::from_millis(1)));
        let (threads, each) = (4, 2_000);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let emitters = &emitters;
                scope.spawn(move || (0..each).for_each(|n| emit(emitters, thread * each + n)));
            }
            if round % 2 == 0 {
                gate.shut();
            }
            std::thread::sleep(Duration::from_micros(round * 100));
            emitters.shutdown(Duration::from_millis(round));
            gate.open();
        });
        let stats = &emitters.stats()[0];
        assert_eq!(stats.written + stats.lost.iter().sum::<u64>(), threads * each, "round {round}");
    }
}

#[test]
fn a_thread_that_ends_leaves_its_events_to_the_writer() {
    let memory = Memory::new();
    let emitters = start(vec![Emitter::new("m").format(N).output(memory.clone())]);
    std::thread::scope(|scope| {
        scope.spawn(|| emit(&emitters, 1));
    });
    assert_eq!(memory.wait_for(1, SOON), ["1"]);
}

/// Has lines with the event's level in front, and fails when it is told to.
struct Leveled {
    memory: Memory,
    fails: std::sync::Arc<AtomicBool>,
}

struct WithLevel(Arc<dyn Format>);

impl Format for WithLevel {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        line.extend_from_slice(event.level().as_str().as_bytes());
        line.push(b' ');
        self.0.format(event, line);
    }
}

impl Output for Leveled {
    fn name(&self) -> &str {
        "leveled"
    }
    fn wire(&self, format: &Arc<dyn Format>) -> Option<Arc<dyn Format>> {
        Some(Arc::new(WithLevel(Arc::clone(format))))
    }
    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        if self.fails.swap(false, Ordering::SeqCst) {
            return Err(WriteError { written: 0, source: io::ErrorKind::BrokenPipe.into() });
        }
        self.memory.write(batch)
    }
}

#[test]
fn an_output_adapts_the_format_also_of_what_is_told_of_losses() {
    let (memory, fails) = (Memory::new(), Arc::new(AtomicBool::new(true)));
    let output = Arc::new(Leveled { memory: memory.clone(), fails: Arc::clone(&fails) });
    let emitters = start(vec![Emitter::new("leveled").format(N).output(output).direct()]);
    emit(&emitters, 1);
    emit(&emitters, 2);
    assert_eq!(memory.lines(), ["error dropped 1", "info 2"]);
}
