//! Tells every so often what was counted: one `status` event.
//!
//! ```text
//! counters of each thread ─┐
//! outputs ─────────────────┴▶ Totals ──(less those of the time before)──▶ status
//! ```
//!
//! One thread serves all of them. Each remembers what it has told, so none takes anything from another; each has its own schedule,
//! from its beginning on, so a late report does not put off the next.

mod tellers;

use std::time::Duration;

use crate::clock;
use crate::counters::measures::{self, Sum};
use crate::counters::{self, Count};
use crate::event::{Content, EventType, order};
use crate::level::Level;
use crate::pipeline::{self, emit_apart};
use crate::scratch::guarded;
use crate::value::Value;

pub(crate) use self::tellers::{Held, configure, end, ensure_running, hold, is_on, start};

/// A `status` event every so often: messages and bytes by level, the program's own counters, events written and dropped.
///
/// All numbers are those since the event before. A last one comes with the shutdown, if anything was counted since.
///
/// ```
/// use canonlog::{Interval, Status};
///
/// let _guard = canonlog::setup().status(Status::every("5s".parse::<Interval>()?)).init()?;
/// canonlog::inc("requests").inc("2xx"); // app_requests="1" app_requests.avg="1.000" app_2xx="1" ...
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub(crate) period: Duration,
    name: Option<String>,
}

impl Status {
    /// One event each `period`: a [`Duration`], or an [`Interval`](crate::Interval) as people write it. At least a millisecond.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let setup = canonlog::setup().status(canonlog::Status::every(Duration::from_secs(60)));
    /// ```
    pub fn every(period: impl Into<Duration>) -> Status {
        Status { period: period.into(), name: None }
    }

    /// Its name, for `status_name`: so that an emitter can tell the events of several apart.
    ///
    /// ```
    /// use canonlog::{Emitter, EventType, Status, Value};
    /// use std::time::Duration;
    ///
    /// let hourly = Emitter::new("hourly")
    ///     .only([EventType::Status])
    ///     .filter(|event| matches!(event.get("status_name"), Some(Value::Str("hourly"))));
    /// let _guard = canonlog::setup()
    ///     .emitter(hourly)
    ///     .status(Status::every(Duration::from_secs(5)))
    ///     .status(Status::every(Duration::from_secs(3_600)).name("hourly"))
    ///     .init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Status {
        self.name = Some(name.into());
        self
    }
}

/// The shortest period.
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);

/// All that is counted, since the process began.
#[derive(Clone, Debug, Default)]
struct Totals {
    messages: [Sum; Level::ALL.len()],
    counters: Vec<(usize, &'static str, Sum)>,
    written: u64,
    dropped: u64,
    entered: u64,
    troubles: [u64; counters::NAMED.len()],
}

impl Totals {
    fn now() -> Totals {
        let outputs = || pipeline::in_use().flat_map(|parts| parts.emitters.stats());
        Totals {
            messages: Level::ALL.map(measures::messages_of),
            counters: measures::counters(),
            written: outputs().map(|output| output.written).sum(),
            dropped: outputs().map(|output| output.lost.iter().sum::<u64>()).sum(),
            entered: counters::total(Count::Entered),
            troubles: counters::NAMED.map(|(_, what)| counters::total(what)),
        }
    }

    /// What came since.
    fn since(&self, before: &Totals) -> Totals {
        let mut messages = self.messages;
        for (now, before) in messages.iter_mut().zip(before.messages) {
            *now = now.since(before);
        }
        let mut troubles = self.troubles;
        for (now, before) in troubles.iter_mut().zip(before.troubles) {
            *now = now.saturating_sub(before);
        }
        let counters = self.counters.iter().map(|(number, name, sum)| {
            let before = before.counters.iter().find(|(known, ..)| known == number);
            (*number, *name, before.map_or(*sum, |(.., before)| sum.since(*before)))
        });
        Totals {
            messages,
            counters: counters.collect(),
            written: self.written.saturating_sub(before.written),
            dropped: self.dropped.saturating_sub(before.dropped),
            entered: self.entered.saturating_sub(before.entered),
            troubles,
        }
    }

    /// Whether nothing was counted; lines that were written meanwhile may be those that tell just that.
    fn is_quiet(&self) -> bool {
        let sums = self.messages.iter().chain(self.counters.iter().map(|(.., sum)| sum));
        sums.map(|sum| sum.times).chain([self.dropped, self.entered]).chain(self.troubles).all(|count| count == 0)
    }
}

/// What messages are told as, by their levels.
const OF_LEVELS: [(&str, &str); Level::ALL.len()] = [
    ("status_debug", "status_debug_size"),
    ("status_info", "status_info_size"),
    ("status_notice", "status_notice_size"),
    ("status_warning", "status_warning_size"),
    ("status_error", "status_error_size"),
    ("status_critical", "status_critical_size"),
];

/// What one event tells.
#[derive(Debug)]
struct Report {
    name: Option<String>,
    period: Duration,
    totals: Totals,
}

impl Report {
    fn fill(&self, content: &mut Content) {
        let mut set = |name: &str, framework: bool, value: Value<'_>| {
            content.set_text(name, order(name), framework, value);
        };
        for (name, sum) in merged(&self.totals.counters) {
            set(&format!("app_{name}"), false, Value::I64(sum.sum));
            let mean = if sum.times == 0 { 0.0 } else { sum.sum as f64 / sum.times as f64 };
            set(&format!("app_{name}.avg"), false, Value::F64(mean));
        }
        for ((count, size), sum) in OF_LEVELS.into_iter().zip(self.totals.messages) {
            set(count, true, Value::U64(sum.times));
            set(size, true, Value::I64(sum.sum));
        }
        if let Some(name) = &self.name {
            set("status_name", true, Value::Str(name));
        }
        set("status_period", true, Value::Duration(self.period));
        set("status_written", true, Value::U64(self.totals.written));
        set("status_dropped", true, Value::U64(self.totals.dropped));
        for ((name, what), count) in counters::NAMED.into_iter().zip(self.totals.troubles) {
            match what {
                Count::LateWrites => set("status_late_writes", true, Value::U64(count)),
                Count::InstrumenterErrors => set("status_instrumenter_errors", true, Value::U64(count)),
                _ if count > 0 => set(&format!("status_{name}"), true, Value::U64(count)),
                _ => {}
            }
        }
    }

    fn emit(&self, now: u64) {
        let _ = guarded(|| emit_apart(EventType::Status, Level::Info, now, |content| self.fill(content)));
    }
}

/// The counters by the names of their fields: two names may come down to one.
fn merged(counters: &[(usize, &'static str, Sum)]) -> Vec<(String, Sum)> {
    let mut all: Vec<(String, Sum)> = Vec::with_capacity(counters.len());
    for (_, name, sum) in counters {
        let name = clean(name);
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => {
                known.sum = known.sum.wrapping_add(sum.sum);
                known.times = known.times.wrapping_add(sum.times);
            }
            None => all.push((name, *sum)),
        }
    }
    all
}

/// A counter's name as part of a field's: `app_` stands before it, so it may begin with a digit.
fn clean(name: &str) -> String {
    let clean = |byte: u8| match byte.to_ascii_lowercase() {
        byte @ (b'a'..=b'z' | b'0'..=b'9' | b'_') => char::from(byte),
        _ => '_',
    };
    name.bytes().take(64).map(clean).collect()
}

/// One who tells.
#[derive(Debug)]
struct Monitor {
    status: Status,
    /// When it began, in ticks.
    began: u64,
    /// How many periods after that it tells again.
    next: u64,
    /// When it last told, and what there was then.
    told: (u64, Totals),
    /// It comes from a configuration, which may take it away again.
    is_configured: bool,
}

impl Monitor {
    fn new(status: Status, now: u64, totals: Totals) -> Monitor {
        Monitor { status, began: now, next: 1, told: (now, totals), is_configured: false }
    }

    fn period(&self) -> u128 {
        self.status.period.max(SHORTEST).as_nanos()
    }

    /// How long until it tells again.
    fn wait(&self, now: u64) -> Duration {
        let due = self.period().saturating_mul(u128::from(self.next));
        let left = due.saturating_sub(self.elapsed(now));
        Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
    }

    /// Nanoseconds since it began; and some more, as ticks come in fractions of them.
    fn elapsed(&self, now: u64) -> u128 {
        const FRACTIONS: u128 = 1_000;
        u128::from(clock::between(self.began, now)) + FRACTIONS
    }

    /// What it tells now, if it is time. Times that were missed are made up for by this one.
    fn tick(&mut self, now: u64, totals: impl FnOnce() -> Totals) -> Option<Report> {
        if !self.wait(now).is_zero() {
            return None;
        }
        let periods = self.elapsed(now) / self.period();
        self.next = u64::try_from(periods).unwrap_or(u64::MAX).saturating_add(1);
        Some(self.report(now, totals()))
    }

    fn report(&mut self, now: u64, totals: Totals) -> Report {
        let (at, before) = std::mem::replace(&mut self.told, (now, totals));
        let period = Duration::from_nanos(clock::between(at, now));
        Report { name: self.status.name.clone(), period, totals: self.told.1.since(&before) }
    }
}

#[cfg(test)]
mod tests;
