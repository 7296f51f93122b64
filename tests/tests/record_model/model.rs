//! What a record should say: a plain map, as one thread would fill it.

use std::collections::BTreeMap;
use std::time::Duration;

use canonlog::{OwnedEvent, OwnedValue};

/// Fields of users in one event.
const FIELDS: usize = 128;
/// Bytes of a value.
const VALUE: usize = 8 * 1024;
/// Distinct texts of queries.
const TEXTS: usize = 256;

#[derive(Clone, Debug, Default)]
struct Timer {
    sum: Duration,
    inside: usize,
    /// How long one has been running without a break.
    run: Duration,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    fields: BTreeMap<String, OwnedValue>,
    timers: BTreeMap<&'static str, Timer>,
    queries: BTreeMap<usize, (u64, Duration)>,
    untracked: (u64, Duration),
    truncated: u64,
    value_errors: u64,
    /// Whether a name was changed.
    renamed: bool,
    /// The same of what was not written: no matter.
    nearly_renamed: bool,
    /// Whether anything was written at all.
    pub(crate) written: bool,
}

impl Model {
    /// Whether there is room for a field, which may be there already.
    fn has_room(&mut self, known: bool) -> bool {
        let room = known || self.fields.len() + self.timers.len() < FIELDS;
        self.truncated += u64::from(!room);
        room
    }

    pub(crate) fn set(&mut self, name: &str, renamed: bool, value: OwnedValue) {
        self.written = true;
        self.renamed |= renamed;
        let value = match value {
            OwnedValue::Text(text) if text.len() > VALUE => {
                self.truncated += 1;
                OwnedValue::Text(format!("{}…", &text[..VALUE - "…".len()]))
            }
            value => value,
        };
        if self.has_room(self.fields.contains_key(name)) {
            self.fields.insert(name.to_owned(), value);
        }
    }

    pub(crate) fn add(&mut self, name: &str, renamed: bool, value: OwnedValue) {
        let before = self.fields.get(name).cloned().unwrap_or(OwnedValue::Null);
        match sum(&before, &value) {
            Some(sum) => self.set(name, renamed, sum),
            None => {
                self.written = true;
                self.nearly_renamed |= renamed;
                self.value_errors += 1;
            }
        }
    }

    pub(crate) fn query(&mut self, text: usize, time: Duration) {
        self.written = true;
        let room = self.queries.len() < TEXTS || self.queries.contains_key(&text);
        let (count, sum) = if room { self.queries.entry(text).or_default() } else { &mut self.untracked };
        *count += 1;
        *sum += time;
    }

    pub(crate) fn start(&mut self, key: &'static str) {
        self.written = true;
        if self.has_room(self.timers.contains_key(key)) {
            let timer = self.timers.entry(key).or_default();
            if timer.inside == 0 {
                timer.run = Duration::ZERO;
            }
            timer.inside += 1;
        }
    }

    pub(crate) fn stop(&mut self, key: &'static str) {
        self.written = true;
        if let Some(timer) = self.timers.get_mut(key) {
            timer.inside -= 1;
        }
    }

    pub(crate) fn wait(&mut self, by: Duration) {
        for timer in self.timers.values_mut().filter(|timer| timer.inside > 0) {
            timer.sum += by;
            timer.run += by;
        }
    }

    /// What is running goes on after a timeout, and counts there with its whole length.
    pub(crate) fn after_timeout(&self) -> Model {
        let running = self.timers.iter().filter(|(_, timer)| timer.inside > 0);
        let timers = running.map(|(key, timer)| (*key, Timer { sum: timer.run, ..timer.clone() })).collect();
        Model { timers, ..Model::default() }
    }

    pub(crate) fn has_room_for(&self, fields: usize) -> bool {
        self.fields.len() + self.timers.len() + fields <= FIELDS
    }

    pub(crate) fn assert_told_by(&self, event: &OwnedEvent) {
        let told: Vec<(String, OwnedValue)> =
            event.view().fields().map(|(name, value)| (name.to_owned(), OwnedValue::from(value))).collect();
        let count = |name: &str| match told.iter().find(|(known, _)| known == name) {
            Some((_, OwnedValue::U64(count))) => *count,
            None => 0,
            other => panic!("{other:?}"),
        };
        let time = |name: &str| told.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let users = told.iter().filter(|(name, _)| name.starts_with("app_") || name.starts_with("shop_"));
        let mut names: Vec<&str> = users.map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if !self.written {
            assert_eq!(names, Vec::<&str>::new(), "nothing was written");
            return;
        }
        let mut want: Vec<String> = self.fields.keys().cloned().collect();
        want.extend(self.timers.keys().map(|key| format!("app_{key}_time")));
        want.sort_unstable();
        assert_eq!(names, want, "each once");
        for (name, value) in told.iter().filter(|(name, _)| self.fields.contains_key(name)) {
            assert_value(name, Some(value), self.fields.get(name));
        }
        for (key, timer) in &self.timers {
            assert_time(key, time(&format!("app_{key}_time")).as_ref(), Some(timer.sum));
        }
        self.assert_queries(&count, &time);
        assert_eq!(count("canonlog_truncated"), self.truncated, "truncated");
        assert_eq!(count("canonlog_value_errors"), self.value_errors, "value errors");
        if self.renamed || !self.nearly_renamed {
            assert_eq!(count("canonlog_renamed_keys") > 0, self.renamed, "renamed keys");
        }
    }

    fn assert_queries(&self, count: &dyn Fn(&str) -> u64, time: &dyn Fn(&str) -> Option<OwnedValue>) {
        let sum = |(n, sum): (u64, Duration), (count, time): &(u64, Duration)| (n + count, sum + *time);
        let all = self.queries.values().fold(self.untracked, sum);
        let repeated = self.queries.values().filter(|(count, _)| *count > 1).fold((0, Duration::ZERO), sum);
        let told = |name: &str| match time(name) {
            Some(OwnedValue::Duration(time)) => time,
            None => Duration::ZERO,
            other => panic!("{other:?}"),
        };
        assert_eq!((count("db_queries"), told("db_time")), all);
        assert_eq!((count("db_dup_queries"), told("db_dup_time")), repeated);
        assert_eq!(count("canonlog_db_untracked"), self.untracked.0);
    }

    /// `before` is what a timeout has told.
    pub(crate) fn assert_field(&self, name: &str, read: Option<&OwnedValue>, before: Option<&Model>) {
        let reported = || before.and_then(|before| before.fields.get(name));
        assert_value(name, read, self.fields.get(name).or_else(reported));
    }

    pub(crate) fn assert_timer(&self, key: &str, read: Option<&OwnedValue>, before: Option<&Model>) {
        let timer = self.timers.get(key);
        // What is running is not told before its end.
        if before.is_none() && timer.is_none_or(|timer| timer.inside == 0) {
            assert_time(key, read, timer.map(|timer| timer.sum));
        }
    }
}

/// A number added to another, or to nothing.
fn sum(a: &OwnedValue, b: &OwnedValue) -> Option<OwnedValue> {
    use OwnedValue::{Duration, F64, I64, Null, U64};
    let float = |value: &OwnedValue| match *value {
        U64(n) => Some(n as f64),
        I64(n) => Some(n as f64),
        F64(n) => Some(n),
        _ => None,
    };
    Some(match (a, b) {
        (Null, U64(_) | I64(_) | F64(_) | Duration(_)) => b.clone(),
        (Duration(a), Duration(b)) => Duration(*a + *b),
        (F64(_), _) | (_, F64(_)) => F64(float(a)? + float(b)?),
        _ => {
            let sum = int(a)? + int(b)?;
            match (a, u64::try_from(sum.min(u64::MAX.into()))) {
                (U64(_), Ok(sum)) => U64(sum),
                _ => I64(i64::try_from(sum.clamp(i64::MIN.into(), i64::MAX.into())).expect("it is clamped")),
            }
        }
    })
}

fn int(value: &OwnedValue) -> Option<i128> {
    match value {
        OwnedValue::U64(n) => Some((*n).into()),
        OwnedValue::I64(n) => Some((*n).into()),
        _ => None,
    }
}

fn assert_value(name: &str, told: Option<&OwnedValue>, want: Option<&OwnedValue>) {
    if let (Some(told), Some(want)) = (told.and_then(int), want.and_then(int)) {
        // Sums that were cut off at the end of the range differ by what was added after that.
        let at_the_end = |n: i128| n > i128::from(u64::MAX) - 1_000_000 || (n - i128::from(i64::MAX)).abs() < 1_000_000;
        assert!(told == want || at_the_end(told) && at_the_end(want), "{name}: {told}, not {want}");
        return;
    }
    if let (Some(OwnedValue::F64(told)), Some(OwnedValue::F64(want))) = (told, want) {
        let both_huge = *told > 1e18 && *want > 1e18;
        assert!(both_huge || (told - want).abs() <= want.abs() * 1e-9, "{name}: {told}, not {want}");
        return;
    }
    assert_eq!(told, want, "{name}");
}

/// The two clocks stand a little apart.
fn assert_time(key: &str, time: Option<&OwnedValue>, want: Option<Duration>) {
    match (time, want) {
        (None, None) => {}
        (Some(OwnedValue::Duration(time)), Some(want)) => {
            assert!(time.abs_diff(want) < super::STEP / 2, "{key}: {time:?}, not {want:?}");
        }
        (time, want) => panic!("{key}: {time:?}, not {want:?}"),
    }
}
