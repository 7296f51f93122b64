//! A record that two threads write, one after the other, says what a plain map would: whoever wrote, whatever was compacted in
//! between, and on either side of a timeout.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use canonlog::{Context, Kind, OwnedEvent, OwnedValue, TimeGuard, begin, testing};
use proptest::prelude::*;

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const TIMERS: [&str; 2] = ["t", "u"];
const STEP: Duration = Duration::from_secs(10);

/// What a thread does.
#[derive(Clone, Debug)]
enum Do {
    Set(usize, u64),
    SetText(usize, usize),
    /// The same name, made at run time.
    SetDynamic(usize, u64),
    /// A name that is only ever made at run time.
    SetUnknown(u64),
    Add(usize, u64),
    Start(usize),
    /// Ends one of the sections that are running.
    Stop(usize),
    /// Writes over a text until the log has to be written anew.
    Churn(usize),
    Get,
}

#[derive(Clone, Debug)]
enum Step {
    /// By the thread that has the claim, or by the other one.
    Do(bool, Do),
    /// Time passes for both.
    Wait,
    Timeout,
}

fn what() -> impl Strategy<Value = Do> {
    let key = 0..KEYS.len();
    prop_oneof![
        4 => (key.clone(), 0..1_000_u64).prop_map(|(key, n)| Do::Set(key, n)),
        2 => (key.clone(), 0..300_usize).prop_map(|(key, len)| Do::SetText(key, len)),
        2 => (key.clone(), 0..1_000_u64).prop_map(|(key, n)| Do::SetDynamic(key, n)),
        1 => (0..1_000_u64).prop_map(Do::SetUnknown),
        6 => (key, 1..1_000_u64).prop_map(|(key, n)| Do::Add(key, n)),
        4 => (0..TIMERS.len()).prop_map(Do::Start),
        4 => any::<usize>().prop_map(Do::Stop),
        2 => (1..30_usize).prop_map(Do::Churn),
        1 => Just(Do::Get),
    ]
}

fn steps() -> impl Strategy<Value = (Vec<Step>, Option<usize>)> {
    let step = prop_oneof![
        8 => (any::<bool>(), what()).prop_map(|(claimed, what)| Step::Do(claimed, what)),
        2 => Just(Step::Wait),
    ];
    (proptest::collection::vec(step, 1..60), proptest::option::of(0..60_usize))
}

#[derive(Clone, Debug, Default)]
struct Timer {
    sum: Duration,
    inside: usize,
}

/// The plain map.
#[derive(Clone, Debug, Default)]
struct Model {
    fields: BTreeMap<&'static str, OwnedValue>,
    timers: BTreeMap<&'static str, Timer>,
}

impl Model {
    fn add(&mut self, key: &'static str, n: u64) {
        // Nothing can be added to a text.
        if let OwnedValue::U64(sum) = self.fields.entry(key).or_insert(OwnedValue::U64(0)) {
            *sum += n;
        }
    }

    fn assert_told_by(&self, event: &OwnedEvent) {
        let app = |key: &str| event.view().get(&format!("app_{key}")).map(OwnedValue::from);
        for key in KEYS.into_iter().chain(["unknown", "churn"]) {
            assert_eq!(app(key), self.fields.get(key).cloned(), "{key}");
        }
        for key in TIMERS {
            let time = app(&format!("{key}_time"));
            assert_time(key, time, self.timers.get(key).map(|timer| timer.sum));
        }
    }
}

/// The two clocks stand a little apart.
fn assert_time(key: &str, time: Option<OwnedValue>, want: Option<Duration>) {
    match (time, want) {
        (None, None) => {}
        (Some(OwnedValue::Duration(time)), Some(want)) => {
            assert!(time.abs_diff(want) < STEP / 2, "{key}: {time:?}, not {want:?}");
        }
        (time, want) => panic!("{key}: {time:?}, not {want:?}"),
    }
}

type Work = Box<dyn FnOnce(&testing::HeldClock) + Send>;

/// The thread beside the one with the claim: does one thing after the other, and says when each is done.
fn beside(work: &Receiver<Work>, done: &Sender<()>) {
    let clock = testing::hold_clock();
    for work in work {
        work(&clock);
        let _ = done.send(());
    }
}

struct Run {
    cx: Context,
    model: Model,
    /// What the timeout has told.
    before: Option<Model>,
    running: Vec<(usize, TimeGuard)>,
    churned: usize,
}

impl Run {
    fn step(&mut self, claimed: bool, what: Do, other: &dyn Fn(Work)) {
        let cx = self.cx;
        let by = |work: Box<dyn FnOnce() + Send>| {
            if claimed {
                work();
            } else {
                other(Box::new(move |_| cx.enter(work)));
            }
        };
        match what {
            Do::Set(key, n) => {
                by(Box::new(move || Context::set(KEYS[key], n)));
                self.model.fields.insert(KEYS[key], OwnedValue::U64(n));
            }
            Do::SetText(key, len) => {
                by(Box::new(move || Context::set(KEYS[key], "x".repeat(len))));
                self.model.fields.insert(KEYS[key], OwnedValue::Text("x".repeat(len)));
            }
            Do::SetDynamic(key, n) => {
                by(Box::new(move || Context::set_dynamic(&KEYS[key].to_uppercase(), n)));
                self.model.fields.insert(KEYS[key], OwnedValue::U64(n));
            }
            Do::SetUnknown(n) => {
                by(Box::new(move || Context::set_dynamic("unknown", n)));
                self.model.fields.insert("unknown", OwnedValue::U64(n));
            }
            Do::Add(key, n) => {
                by(Box::new(move || Context::add(KEYS[key], n)));
                self.model.add(KEYS[key], n);
            }
            Do::Start(key) => {
                let (tell, started) = channel();
                by(Box::new(move || tell.send(Context::time(TIMERS[key])).expect("it is waited for")));
                self.running.push((key, started.recv().expect("it was started")));
                self.model.timers.entry(TIMERS[key]).or_default().inside += 1;
            }
            Do::Stop(at) => {
                if !self.running.is_empty() {
                    let (key, section) = self.running.remove(at % self.running.len());
                    by(Box::new(move || drop(section)));
                    self.model.timers.entry(TIMERS[key]).or_default().inside -= 1;
                }
            }
            Do::Churn(times) => {
                let from = self.churned;
                self.churned += times;
                let text = |at: usize| format!("{at:0>200}");
                by(Box::new(move || (from..from + times).for_each(|at| Context::set("churn", text(at)))));
                self.model.fields.insert("churn", OwnedValue::Text(text(from + times - 1)));
            }
            Do::Get => {
                let (tell, read) = channel();
                by(Box::new(move || {
                    let timers = TIMERS.map(|key| Context::get(&format!("{key}_time")));
                    tell.send((KEYS.map(Context::get), timers)).expect("it is waited for");
                }));
                let (fields, timers) = read.recv().expect("it was read");
                self.assert_read(fields, timers);
            }
        }
    }

    fn assert_read(&self, fields: [Option<OwnedValue>; 4], timers: [Option<OwnedValue>; 2]) {
        for (key, read) in KEYS.into_iter().zip(fields) {
            let before = self.before.as_ref().and_then(|before| before.fields.get(key));
            assert_eq!(read.as_ref(), self.model.fields.get(key).or(before), "{key}");
        }
        for (key, read) in TIMERS.into_iter().zip(timers) {
            let timer = self.model.timers.get(key);
            // What is running is not told before its end.
            if self.before.is_none() && timer.is_none_or(|timer| timer.inside == 0) {
                assert_time(key, read, timer.map(|timer| timer.sum));
            }
        }
    }
}

fn try_out(steps: Vec<Step>) {
    // From here on the program knows these names.
    KEYS.iter().for_each(|key| Context::none().set_in("app", key, 0));
    let capture = testing::capture();
    let clock = testing::hold_clock();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.limit(Some(Duration::from_secs(30_000)));
    let (give, work) = channel::<Work>();
    let (tell, done) = channel();
    let mut run = Run { cx, model: Model::default(), before: None, running: Vec::new(), churned: 0 };
    std::thread::scope(|threads| {
        // It ends when there is no more to come, also where this thread panics.
        let give = give;
        threads.spawn(move || beside(&work, &tell));
        let other = |work: Work| {
            give.send(work).expect("it works");
            done.recv().expect("it does not panic");
        };
        scope.enter(|| {
            for step in steps {
                match step {
                    Step::Do(claimed, what) => run.step(claimed, what, &other),
                    Step::Wait => {
                        clock.advance(STEP);
                        other(Box::new(|clock| clock.advance(STEP)));
                        for timer in run.model.timers.values_mut().filter(|timer| timer.inside > 0) {
                            timer.sum += STEP;
                        }
                    }
                    Step::Timeout => {
                        while !run.running.is_empty() {
                            run.step(true, Do::Stop(0), &other);
                        }
                        assert_eq!(capture.tick_timeouts(Duration::from_secs(30_001)), 1);
                        run.before = Some(std::mem::take(&mut run.model));
                    }
                }
            }
            while !run.running.is_empty() {
                run.step(true, Do::Stop(0), &other);
            }
        });
    });
    scope.finish();
    let mut events = capture.events();
    let last = events.pop().expect("the unit's event");
    run.model.assert_told_by(&last);
    match run.before {
        Some(before) => before.assert_told_by(&events.pop().expect("the timeout")),
        None => assert!(events.is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_threads_write_a_record_as_they_would_a_map((mut steps, timeout) in steps()) {
        if let Some(at) = timeout.filter(|at| *at <= steps.len()) {
            steps.insert(at, Step::Timeout);
        }
        try_out(steps);
    }
}
