//! More events than an output takes: nobody waits, memory is bounded, and every loss is counted.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use canonlog::{
    Background, Emitter, EmitterSet, Event, EventType, Format, Level, LossReason, Memory, Overflow, OwnedEvent, Writer,
};
use canonlog_tests::faulty::{Fault, FaultyWriter};

const SOON: Duration = Duration::from_secs(20);

/// 1 KiB lines.
struct Padded;

impl Format for Padded {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        let end = line.len() + 1_023;
        line.extend_from_slice(event.kind().as_str().as_bytes());
        line.resize(end, b'.');
    }
}

fn event() -> OwnedEvent {
    OwnedEvent::new(EventType::Request, Level::Info, SystemTime::now())
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("this is Linux");
    let pages: u64 = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * 4096
}

#[test]
fn a_stuck_output_costs_neither_time_nor_memory_beyond_its_bounds() {
    let (writer, tape) = FaultyWriter::new(1, Fault::Stuck);
    let emitter = Emitter::new("stuck").format(Padded).output(Writer::new("stuck", writer));
    let set = EmitterSet::start([emitter]).expect("it starts");
    let before = resident();
    let event = event();
    const EVENTS: u32 = 200_000;
    // A wait for the output would have no end.
    (0..EVENTS).for_each(|_| set.emit(&event.view()));
    assert_eq!(set.written(), 0, "it is stuck still");
    assert!(resident() - before < 64 << 20, "{} bytes more", resident() - before);
    let lost = set.lost_by(LossReason::QueueFull);
    assert!(u64::from(EVENTS) - lost <= 8_192 + 128, "{lost} were refused, so more than the bound was kept");
    let lost = set.shutdown(Duration::from_millis(10));
    assert_eq!(set.written() + lost, u64::from(EVENTS));
    tape.release();
}

#[test]
fn one_stuck_output_does_not_stop_another() {
    let (writer, tape) = FaultyWriter::new(1, Fault::Stuck);
    let memory = Memory::new();
    let stuck = Emitter::new("stuck").format(Padded).output(Writer::new("stuck", writer));
    let healthy = Emitter::new("healthy").format(Padded).output(memory.clone());
    let set = EmitterSet::start([stuck, healthy]).expect("it starts");
    for count in 1..=20 {
        for _ in 0..1_000 {
            set.emit(&event().view());
        }
        assert_eq!(memory.wait_for(count * 1_000, SOON).len(), count * 1_000);
    }
    tape.release();
}

#[test]
fn every_policy_keeps_the_law_with_a_slow_output_and_a_racing_shutdown() {
    for overflow in [Overflow::Drop, Overflow::Block(Duration::from_millis(2))] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let drained = std::thread::spawn(move || {
            let (mut reader, mut lines, mut buffer) = (reader, 0_u64, [0; 2_048]);
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                lines += buffer[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
                std::thread::sleep(Duration::from_micros(200));
            }
            lines
        });
        let queue = Background::new().events(256).overflow(overflow);
        let emitter = Emitter::new("slow").format(Padded).output(Writer::new("slow", writer)).background(queue);
        let set = Arc::new(EmitterSet::start([emitter]).expect("it starts"));
        let (threads, each) = (4, 1_000);
        let senders: Vec<_> = (0..threads)
            .map(|_| {
                let set = Arc::clone(&set);
                std::thread::spawn(move || (0..each).for_each(|_| set.emit(&event().view())))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(100));
        set.shutdown(Duration::from_millis(50));
        senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
        let (written, lost) = (set.written(), set.lost());
        assert_eq!(written + lost, threads * each, "{overflow:?}");
        assert!(lost > 0, "{overflow:?}");
        drop(set);
        // A batch that was in the writer's hands at the deadline is counted as lost and may arrive all the same.
        let lines = drained.join().expect("no panic");
        assert!(lines >= written, "{overflow:?}: {lines} lines, {written} written");
    }
}

#[test]
fn losses_are_told_in_the_stream_when_writing_goes_on() {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let queue = Background::new().events(64);
    let emitter =
        Emitter::new("pipe").format(canonlog::Json::new()).output(Writer::new("pipe", writer)).background(queue);
    let set = EmitterSet::start([emitter]).expect("it starts");
    let mut large = event();
    large.set("app_text", "x".repeat(8_000));
    const EVENTS: u64 = 500;
    (0..EVENTS).for_each(|_| set.emit(&large.view()));
    let lost = set.lost_by(LossReason::QueueFull);
    assert!(lost > 0);
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("lines");
        text
    });
    assert_eq!(set.shutdown(SOON), lost);
    drop(set);
    let text = reading.join().expect("no panic");
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("every line is whole")).collect();
    let dropped: Vec<&serde_json::Value> = events.iter().filter(|event| event["event_type"] == "dropped").collect();
    let told: u64 = dropped.iter().map(|event| event["dropped_count"].as_u64().expect("a number")).sum();
    assert_eq!(told, lost);
    for event in &dropped {
        assert_eq!((&event["dropped_output"], &event["dropped_reason"]), (&"pipe".into(), &"queue_full".into()));
        assert!(event["dropped_from"].as_str() <= event["dropped_to"].as_str());
    }
    assert_eq!((events.len() - dropped.len()) as u64 + lost, EVENTS);
}

#[test]
fn a_writer_told_to_flush_is_a_writer_that_wrote() {
    // The smallest queue: each event is a chunk.
    let memory = Memory::new();
    let queue = Background::new().events(1).overflow(Overflow::Block(SOON));
    let emitter = Emitter::new("small").format(Padded).output(memory.clone()).background(queue);
    let set = EmitterSet::start([emitter]).expect("it starts");
    for count in 1..=100 {
        set.emit(&event().view());
        assert!(set.flush(SOON));
        assert_eq!(memory.len(), count);
    }
    let _ = std::io::sink().flush();
}
