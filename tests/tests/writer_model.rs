//! The writer against a small model of it: any sequence of loads, stalls, failures and rotations.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime};

use canonlog::{
    Background, Batch, Emitter, EmitterSet, Event, EventType, Format, Level, LossReason, Memory, Output, OwnedEvent,
    WriteError,
};
use proptest::prelude::*;

const SOON: Duration = Duration::from_secs(20);
const ROOM: usize = 128;

#[derive(Clone, Copy, Debug)]
enum Step {
    Emit(u8),
    Stall,
    Resume,
    Fail,
    Heal,
    Flush,
    Reopen,
}

/// An output that does what the test says.
#[derive(Default)]
struct Puppet {
    memory: Memory,
    stalled: Mutex<bool>,
    resumed: Condvar,
    failing: AtomicBool,
    reopened: AtomicUsize,
}

impl Output for Puppet {
    fn name(&self) -> &str {
        "puppet"
    }
    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        let stalled = self.stalled.lock().expect("no panic");
        drop(self.resumed.wait_while(stalled, |stalled| *stalled).expect("no panic"));
        if self.failing.load(Ordering::SeqCst) {
            return Err(WriteError { written: 0, source: io::ErrorKind::StorageFull.into() });
        }
        self.memory.write(batch)
    }
    fn reopen(&self) -> io::Result<()> {
        self.reopened.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Puppet {
    fn stall(&self, stalled: bool) {
        *self.stalled.lock().expect("no panic") = stalled;
        self.resumed.notify_all();
    }
}

struct Numbered;

impl Format for Numbered {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        let text = match (event.get("app_n"), event.get("dropped_count")) {
            (Some(n), _) => n.to_string(),
            (None, Some(count)) => format!("dropped {count}"),
            _ => return,
        };
        line.extend_from_slice(text.as_bytes());
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u8..=255).prop_map(Step::Emit),
        2 => Just(Step::Stall),
        3 => Just(Step::Resume),
        2 => Just(Step::Fail),
        3 => Just(Step::Heal),
        3 => Just(Step::Flush),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_is_written_once_in_order_or_counted(steps in prop::collection::vec(step(), 1..40)) {
        let puppet = Arc::new(Puppet::default());
        let emitter = Emitter::new("puppet").format(Numbered).output(Arc::clone(&puppet));
        let set = EmitterSet::start([emitter.background(Background::new().events(ROOM))]).expect("it starts");
        // The model: how many events there were; whether the output stalls; when nothing can be lost.
        let (mut emitted, mut stalled, mut reopened, mut faulted) = (0_u64, false, 0, false);
        let mut unflushed = 0;
        for step in steps {
            match step {
                Step::Emit(count) => {
                    for _ in 0..count {
                        let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::now());
                        event.set("app_n", emitted);
                        set.emit(&event.view());
                        emitted += 1;
                        unflushed += 1;
                    }
                    // Within the bound nothing is refused, stalled or not.
                    if unflushed <= ROOM / 2 && !faulted {
                        prop_assert_eq!(set.lost(), 0);
                    }
                    faulted |= unflushed > ROOM / 2;
                }
                Step::Stall => {
                    puppet.stall(true);
                    stalled = true;
                }
                Step::Resume => {
                    puppet.stall(false);
                    stalled = false;
                }
                Step::Fail => {
                    puppet.failing.store(true, Ordering::SeqCst);
                    faulted = true;
                }
                Step::Heal => puppet.failing.store(false, Ordering::SeqCst),
                Step::Flush if stalled => {
                    // It may have nothing to write; either way it returns.
                    set.flush(Duration::from_millis(1));
                }
                Step::Flush => {
                    prop_assert!(set.flush(SOON));
                    prop_assert_eq!(set.written() + set.lost(), emitted);
                    unflushed = 0;
                }
                Step::Reopen => {
                    set.reopen().expect("it can");
                    reopened += 1;
                    prop_assert_eq!(puppet.reopened.load(Ordering::SeqCst), reopened);
                }
            }
        }
        puppet.stall(false);
        puppet.failing.store(false, Ordering::SeqCst);
        let lost = set.shutdown(SOON);
        prop_assert_eq!(set.written() + lost, emitted);
        prop_assert_eq!(set.lost_by(LossReason::Shutdown), 0);
        let lines = puppet.memory.lines();
        let events: Vec<u64> = lines.iter().filter_map(|line| line.parse().ok()).collect();
        let told: u64 = lines.iter().filter_map(|line| line.strip_prefix("dropped ")?.parse::<u64>().ok()).sum();
        prop_assert!(events.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert_eq!(events.len() as u64, set.written());
        prop_assert_eq!(told, lost);
        prop_assert!(stalled || faulted || lost == 0);
    }
}
