//! Events that are numbers, and reports of lost ones, as short lines: for tests that count what arrives.

use std::time::{Duration, Instant, SystemTime};

use canonlog::{EmitterSet, Event, EventType, Format, Level, OwnedEvent};

/// `<17>` for the event with `app_n` 17, `dropped <reason> <count>` for a report.
#[derive(Debug)]
pub struct Numbered;

impl Format for Numbered {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        let text = match (event.get("app_n"), event.get("dropped_reason"), event.get("dropped_count")) {
            (Some(n), ..) => format!("<{n}>"),
            (None, Some(reason), Some(count)) => format!("dropped {reason} {count}"),
            _ => return,
        };
        line.extend_from_slice(text.as_bytes());
    }
}

/// Emits the event of a number.
pub fn emit(set: &EmitterSet, n: u64) {
    let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::now());
    event.set("app_n", n);
    set.emit(&event.view());
}

/// Emits one event after the other until one is written: the server may be about to come.
///
/// # Panics
///
/// When none was after this time.
pub fn emit_until_written(set: &EmitterSet, within: Duration) {
    let began = Instant::now();
    for n in 1.. {
        emit(set, n);
        assert!(set.flush(within), "it is written or lost");
        if set.written() > 0 {
            break;
        }
        assert!(began.elapsed() < within, "nothing is written");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a reader makes of the lines.
#[derive(Debug, Default)]
pub struct Read {
    /// The numbers of the events.
    pub events: Vec<u64>,
    /// How many were reported as lost.
    pub reported: u64,
    /// Lines that are neither.
    pub torn: Vec<String>,
}

/// Reads what was written.
pub fn read(text: &str) -> Read {
    let mut read = Read::default();
    for line in text.split_terminator('\n') {
        let event = line.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).and_then(|n| n.parse().ok());
        let report = line.strip_prefix("dropped ").and_then(|rest| rest.split_once(' ')?.1.parse::<u64>().ok());
        match (event, report) {
            (Some(n), _) => read.events.push(n),
            (None, Some(count)) => read.reported += count,
            (None, None) => read.torn.push(line.to_owned()),
        }
    }
    read
}
