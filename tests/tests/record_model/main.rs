//! A record that two threads write, one after the other, says what a plain map would: whoever wrote, whatever was written anew in
//! between, and on either side of a timeout.

mod full;
mod model;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use canonlog::{Context, Kind, OwnedValue, TimeGuard, Value, begin, db, testing};
use model::Model;
use proptest::prelude::*;

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const LONG: &str = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";
const TIMERS: [&str; 3] = ["t", "u", "v"];
const STEP: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(30_000);

/// A name, and the way in which it is given.
#[derive(Clone, Copy, Debug)]
enum Name {
    Static(usize),
    /// The same, made at run time.
    Dynamic(usize),
    /// One that is only ever made at run time.
    Unknown,
    Long {
        dynamic: bool,
    },
    Namespace(usize),
    /// One in a namespace of the framework's.
    Refused,
}

/// What a thread does.
#[derive(Clone, Debug)]
enum Do {
    Set(Name, OwnedValue),
    Add(Name, OwnedValue),
    Start(usize),
    /// Ends one of the sections that are running.
    Stop(usize),
    /// Writes over a text until the log has to be written anew.
    Churn(usize),
    /// Many fields.
    Fill(usize, usize),
    /// Each of these texts once.
    Query(usize, usize),
    Get,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    First,
    /// While the first one is inside.
    Beside,
    /// While nobody else is inside.
    Second,
}

#[derive(Clone, Debug)]
enum Step {
    Do(By, Do),
    /// Time passes for both.
    Wait,
    Timeout,
}

#[derive(Clone, Debug)]
struct Plan {
    steps: Vec<Step>,
    /// Whether sections still run when the record ends.
    unfinished: bool,
}

fn number() -> impl Strategy<Value = OwnedValue> {
    prop_oneof![
        4 => (0..1_000_u64).prop_map(OwnedValue::U64),
        2 => (-1_000..1_000_i64).prop_map(OwnedValue::I64),
        2 => (-4_000..4_000_i32).prop_map(|quarters| OwnedValue::F64(f64::from(quarters) / 4.0)),
        1 => (0..100_000_u64).prop_map(|micros| OwnedValue::Duration(Duration::from_micros(micros))),
        1 => Just(OwnedValue::U64(u64::MAX - 10)),
    ]
}

fn value() -> impl Strategy<Value = OwnedValue> {
    prop_oneof![
        6 => number(),
        4 => (0..300_usize).prop_map(|len| OwnedValue::Text("x".repeat(len))),
        1 => (8_180..9_000_usize).prop_map(|len| OwnedValue::Text("x".repeat(len))),
        1 => any::<bool>().prop_map(OwnedValue::Bool),
        1 => Just(OwnedValue::Null),
    ]
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        8 => (0..KEYS.len()).prop_map(Name::Static),
        3 => (0..KEYS.len()).prop_map(Name::Dynamic),
        1 => Just(Name::Unknown),
        1 => any::<bool>().prop_map(|dynamic| Name::Long { dynamic }),
        2 => (0..KEYS.len()).prop_map(Name::Namespace),
        1 => Just(Name::Refused),
    ]
}

fn what() -> impl Strategy<Value = Do> {
    prop_oneof![
        8 => (name(), value()).prop_map(|(name, value)| Do::Set(name, value)),
        8 => (name(), number()).prop_map(|(name, value)| Do::Add(name, value)),
        1 => (name(), value()).prop_map(|(name, value)| Do::Add(name, value)),
        5 => (0..TIMERS.len()).prop_map(Do::Start),
        5 => any::<usize>().prop_map(Do::Stop),
        2 => (1..30_usize).prop_map(Do::Churn),
        1 => (0..200_usize, 1..60_usize).prop_map(|(from, count)| Do::Fill(from, count)),
        2 => (0..6_usize).prop_map(|text| Do::Query(text, 1)),
        1 => (0..300_usize, 1..200_usize).prop_map(|(from, count)| Do::Query(from, count)),
        2 => Just(Do::Get),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    // Few records are written by more than one thread.
    let by = prop_oneof![
        1 => Just(vec![By::First]),
        1 => Just(vec![By::First, By::Second]),
        4 => Just(vec![By::First, By::Beside, By::Second]),
    ];
    let plan = by.prop_flat_map(|by| {
        let step = prop_oneof![
            8 => (proptest::sample::select(by), what()).prop_map(|(by, what)| Step::Do(by, what)),
            2 => Just(Step::Wait),
        ];
        let after = proptest::option::weighted(0.3, Just(By::Beside));
        (proptest::collection::vec(step, 1..60), proptest::option::of(0..60_usize), after, any::<bool>())
    });
    plan.prop_map(|(mut steps, timeout, after, unfinished)| {
        if let Some(at) = timeout.filter(|at| *at <= steps.len()) {
            for step in &mut steps[at..] {
                if let (Step::Do(by, _), Some(after)) = (step, after) {
                    *by = after;
                }
            }
            steps.insert(at, Step::Timeout);
        }
        Plan { steps, unfinished }
    })
}

type Work = Box<dyn FnOnce(&testing::HeldClock) + Send>;

/// The second thread: does one thing after the other, and says when each is done.
fn second(work: &Receiver<Work>, done: &Sender<()>) {
    let clock = testing::hold_clock();
    for work in work {
        work(&clock);
        let _ = done.send(());
    }
}

struct Run<'a> {
    cx: Context,
    model: Model,
    /// What the timeout has told.
    before: Option<Model>,
    running: Vec<(usize, TimeGuard)>,
    churned: usize,
    /// Words written, about; an event that has to be cut to its size is another test's.
    words: usize,
    other: &'a dyn Fn(Work),
}

fn set(name: Name, value: OwnedValue) {
    match name {
        Name::Static(key) => Context::set(KEYS[key], value),
        Name::Dynamic(key) => Context::set_dynamic(&KEYS[key].to_uppercase(), value),
        Name::Unknown => Context::set_dynamic("unknown", value),
        Name::Long { dynamic: true } => Context::set_dynamic(LONG, value),
        Name::Long { dynamic: false } => Context::set(LONG, value),
        Name::Namespace(key) => Context::current().namespace("shop").set(KEYS[key], value),
        Name::Refused => Context::current().namespace("req").set("tenant", value),
    }
}

/// Adds, where the name is not only known at run time.
fn add(name: Name, value: OwnedValue) {
    match name {
        Name::Static(key) | Name::Dynamic(key) => Context::add(KEYS[key], value),
        Name::Unknown => Context::add("sum", value),
        Name::Long { .. } => Context::add(LONG, value),
        Name::Namespace(key) => Context::current().namespace("shop").add(KEYS[key], value),
        Name::Refused => Context::current().namespace("req").add("tenant", value),
    }
}

impl Name {
    /// How an event tells it, and whether that is not as it was given.
    fn told(self) -> (String, bool) {
        match self {
            Name::Static(key) => (format!("app_{}", KEYS[key]), false),
            Name::Dynamic(key) => (format!("app_{}", KEYS[key]), true),
            Name::Unknown => ("app_unknown".to_owned(), false),
            Name::Long { .. } => (format!("app_{}", &LONG[..64]), true),
            Name::Namespace(key) => (format!("shop_{}", KEYS[key]), false),
            Name::Refused => ("app_tenant".to_owned(), true),
        }
    }
}

impl Run<'_> {
    fn step(&mut self, by: By, what: Do) {
        let (cx, other) = (self.cx, self.other);
        let second = |work: Box<dyn FnOnce() + Send>| other(Box::new(move |_| cx.enter(work)));
        let by = |work: Box<dyn FnOnce() + Send>| match by {
            By::First => cx.enter(work),
            By::Beside => cx.enter(|| second(work)),
            By::Second => second(work),
        };
        self.words += match &what {
            Do::Set(_, OwnedValue::Text(text)) => 6 + text.len() / 8,
            Do::Churn(times) => 30 * times,
            Do::Fill(_, count) | Do::Query(_, count) => 15 * count,
            _ => 12,
        };
        if self.words > 6_000 && !matches!(what, Do::Stop(_) | Do::Get) {
            return;
        }
        match what {
            Do::Set(name, value) => {
                let (told, renamed) = name.told();
                self.model.set(&told, renamed, value.clone());
                by(Box::new(move || set(name, value)));
            }
            Do::Add(name, value) => {
                let (told, renamed) = match name {
                    Name::Dynamic(key) => Name::Static(key).told(),
                    Name::Unknown => ("app_sum".to_owned(), false),
                    name => name.told(),
                };
                self.model.add(&told, renamed, value.clone());
                by(Box::new(move || add(name, value)));
            }
            Do::Start(key) => {
                // One that finds no room is not told of, and what is within it neither.
                if self.model.has_room_for(TIMERS.len()) {
                    let (tell, started) = channel();
                    by(Box::new(move || tell.send(Context::time(TIMERS[key])).expect("it is waited for")));
                    self.running.push((key, started.recv().expect("it was started")));
                    self.model.start(TIMERS[key]);
                }
            }
            Do::Stop(at) => {
                if !self.running.is_empty() {
                    let (key, section) = self.running.remove(at % self.running.len());
                    by(Box::new(move || drop(section)));
                    self.model.stop(TIMERS[key]);
                }
            }
            Do::Churn(times) => {
                let from = self.churned;
                self.churned += times;
                let text = |at: usize| format!("{at:0>200}");
                for at in from..from + times {
                    self.model.set("app_churn", false, OwnedValue::Text(text(at)));
                }
                by(Box::new(move || (from..from + times).for_each(|at| Context::set("churn", text(at)))));
            }
            Do::Fill(from, count) => {
                let range = from..from + count;
                for n in range.clone() {
                    self.model.set(&format!("app_fill{n}"), false, OwnedValue::U64(n as u64));
                }
                by(Box::new(move || range.for_each(|n| Context::set_dynamic(&format!("fill{n}"), n as u64))));
            }
            Do::Query(from, count) => {
                let range = from..from + count;
                range.clone().for_each(|text| self.model.query(text, Duration::from_micros(7)));
                by(Box::new(move || {
                    range.for_each(|text| db::record_query(&format!("select {text}"), Duration::from_micros(7)));
                }));
            }
            Do::Get => self.get(&by),
        }
    }

    fn get(&self, by: &dyn Fn(Box<dyn FnOnce() + Send>)) {
        let (tell, read) = channel();
        by(Box::new(move || {
            let timers = TIMERS.map(|key| Context::get(&format!("{key}_time")));
            tell.send((KEYS.map(Context::get), timers)).expect("it is waited for");
        }));
        let (fields, timers) = read.recv().expect("it was read");
        for (key, read) in KEYS.into_iter().zip(&fields) {
            self.model.assert_field(&format!("app_{key}"), read.as_ref(), self.before.as_ref());
        }
        for (key, read) in TIMERS.into_iter().zip(&timers) {
            self.model.assert_timer(key, read.as_ref(), self.before.as_ref());
        }
    }
}

fn try_out(plan: Plan) {
    // From here on the program knows these names.
    KEYS.iter().chain([&LONG]).for_each(|key| Context::none().set_in("app", key, 0));
    let capture = testing::capture();
    let clock = testing::hold_clock();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.limit(Some(LIMIT));
    let (give, work) = channel::<Work>();
    let (tell, done) = channel();
    let (model, before) = std::thread::scope(|threads| {
        // It ends when there is no more to come, also where this thread panics.
        let give = give;
        threads.spawn(move || second(&work, &tell));
        let other = |work: Work| {
            give.send(work).expect("it works");
            done.recv().expect("it does not panic");
        };
        let advance = |by: Duration| {
            clock.advance(by);
            other(Box::new(move |clock| clock.advance(by)));
        };
        let (model, before, running, churned, words) = (Model::default(), None, Vec::new(), 0, 0);
        let mut run = Run { cx, model, before, running, churned, words, other: &other };
        for step in plan.steps {
            match step {
                Step::Do(by, what) => run.step(by, what),
                Step::Wait => {
                    advance(STEP);
                    run.model.wait(STEP);
                }
                Step::Timeout => {
                    advance(LIMIT);
                    run.model.wait(LIMIT);
                    assert_eq!(capture.tick_timeouts(Duration::ZERO), 1);
                    let late = run.model.after_timeout();
                    run.before = Some(std::mem::replace(&mut run.model, late));
                }
            }
        }
        while !plan.unfinished && !run.running.is_empty() {
            run.step(By::First, Do::Stop(0));
        }
        scope.finish();
        (run.model, run.before)
    });
    let mut events = capture.events();
    model.assert_told_by(&events.pop().expect("the unit's event"));
    match before {
        Some(mut before) => {
            before.written = true;
            before.assert_told_by(&events.pop().expect("the timeout"));
        }
        None => assert!(events.is_empty()),
    }
}

#[test]
fn a_name_made_at_run_time_that_the_program_comes_to_know_stands_once() {
    let capture = testing::capture();
    begin(Kind::Request).enter(|| {
        Context::set_dynamic("made_at_run_time", 5);
        Context::set_dynamic("added_to", 5);
        Context::set("made_at_run_time", 6);
        Context::add("added_to", 3);
    });
    let event = capture.one();
    let users: Vec<_> = event.view().fields().filter(|(name, _)| name.starts_with("app_")).collect();
    assert_eq!(users, [("app_made_at_run_time", Value::I64(6)), ("app_added_to", Value::I64(8))]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_threads_write_a_record_as_they_would_a_map(plan in plan()) {
        try_out(plan);
    }
}
