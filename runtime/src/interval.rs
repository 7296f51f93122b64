//! A length of time as people write it: `5s`, `1m`, `2h`.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time as people write it; above zero.
///
/// A number and a unit: `250ms`, `5s`, `1.5s`, `1m`, `2h`, `1d`. A number alone is seconds.
///
/// ```
/// use canonlog::Interval;
/// use std::time::Duration;
///
/// let interval: Interval = "1.5s".parse()?;
/// assert_eq!(Duration::from(interval), Duration::from_millis(1_500));
/// let error = "5M".parse::<Interval>().expect_err("is it minutes?");
/// assert_eq!(error.to_string(), "`5M` is no length of time: there is no unit `M`; the nearest is `m` (minutes)");
/// # Ok::<(), canonlog::ParseIntervalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(Duration);

/// Why a text is no [`Interval`].
///
/// ```
/// let error = "5x".parse::<canonlog::Interval>().expect_err("there is no such unit");
/// assert_eq!(
///     error.to_string(),
///     "`5x` is no length of time: there is no unit `x`; expected `ms`, `s` (seconds), `m` (minutes), `h` (hours) or `d` (days)"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIntervalError {
    got: String,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Empty,
    NoNumber,
    Number(String),
    Unit(String),
    Negative,
    Zero,
    Long,
}

/// Units by name, what they are called, and their nanoseconds.
const UNITS: [(&str, &str, u64); 5] = [
    ("ms", "", 1_000_000),
    ("s", " (seconds)", 1_000_000_000),
    ("m", " (minutes)", 60_000_000_000),
    ("h", " (hours)", 3_600_000_000_000),
    ("d", " (days)", 86_400_000_000_000),
];

/// The longest: a hundred years and some.
const LONGEST: Duration = Duration::from_secs(36_525 * 86_400);

impl fmt::Display for ParseIntervalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseIntervalError { got, why } = self;
        write!(f, "`{got}` is no length of time: ")?;
        match why {
            Why::Empty => f.write_str("it is empty; expected a number and a unit, as in `5s`"),
            Why::NoNumber => f.write_str("it has no number; expected a number and a unit, as in `5s`"),
            Why::Number(number) => write!(f, "`{number}` is no number; expected one number and one unit, as in `1.5s`"),
            Why::Negative => f.write_str("it is negative; expected one above zero, as in `5s`"),
            Why::Zero => f.write_str("it is zero; expected one above zero, as in `5s`"),
            Why::Long => f.write_str("it is more than a hundred years"),
            Why::Unit(unit) => {
                write!(f, "there is no unit `{unit}`; ")?;
                let low = unit.to_lowercase();
                let near = UNITS.iter().find(|(name, called, _)| {
                    *name == low
                        || called.len() > 3 && low.len() > 1 && called[2..].starts_with(low.trim_end_matches('s'))
                });
                match near {
                    Some((name, called, _)) => write!(f, "the nearest is `{name}`{called}"),
                    None => f.write_str("expected `ms`, `s` (seconds), `m` (minutes), `h` (hours) or `d` (days)"),
                }
            }
        }
    }
}

impl Error for ParseIntervalError {}

impl From<Interval> for Duration {
    fn from(interval: Interval) -> Duration {
        interval.0
    }
}

impl fmt::Display for Interval {
    /// In the largest unit that needs no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let whole = UNITS.iter().rev().find(|(_, _, unit)| nanos.is_multiple_of(u128::from(*unit)));
        match whole {
            Some((name, _, unit)) => f.pad(&format!("{}{name}", nanos / u128::from(*unit))),
            None => f.pad(&format!("{}s", self.0.as_secs_f64())),
        }
    }
}

impl FromStr for Interval {
    type Err = ParseIntervalError;

    fn from_str(text: &str) -> Result<Interval, ParseIntervalError> {
        let fail = |why| {
            let got = text.chars().take(64).map(|c| if c.is_control() { '?' } else { c }).collect();
            Err(ParseIntervalError { got, why })
        };
        let all = text.trim();
        if all.is_empty() {
            return fail(Why::Empty);
        }
        let (number, unit) = all.split_at(all.find(|c: char| c.is_alphabetic()).unwrap_or(all.len()));
        let (number, unit) = (number.trim_end(), unit.trim_end());
        if number.starts_with('-') {
            return fail(Why::Negative);
        }
        if number.is_empty() {
            return fail(Why::NoNumber);
        }
        let Some((_, _, nanos)) = UNITS.iter().find(|(name, _, _)| *name == unit || unit.is_empty() && *name == "s")
        else {
            // `1h30m`: what stands behind the first unit is no part of its name.
            let unit: String = unit.chars().take(16).collect();
            return match unit.chars().any(|c| !c.is_alphabetic()) {
                true => fail(Why::Number(all.chars().take(32).collect())),
                false => fail(Why::Unit(unit)),
            };
        };
        let Some(nanos) = times(number, *nanos) else { return fail(Why::Number(number.chars().take(32).collect())) };
        match nanos {
            0 => fail(Why::Zero),
            _ if nanos > LONGEST.as_nanos() => fail(Why::Long),
            _ => Ok(Interval(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))),
        }
    }
}

/// A decimal number times a whole one, exactly, down to the last whole one; none if it is no number.
fn times(number: &str, unit: u64) -> Option<u128> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    // Far more than the longest interval in the smallest unit.
    let whole = whole.parse::<u64>().unwrap_or(u64::MAX);
    // Digits behind the fifteenth are less than a nanosecond of a day.
    let part = &part[..part.len().min(15)];
    let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
    Some(u128::from(whole) * u128::from(unit) + part.parse::<u128>().ok()? * u128::from(unit) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Duration, String> {
        text.parse::<Interval>().map(Duration::from).map_err(|error| error.to_string())
    }

    #[test]
    fn a_number_and_a_unit_are_a_length_of_time() {
        for (text, millis) in [
            ("1", 1_000),
            ("5s", 5_000),
            ("1.5s", 1_500),
            ("0.25s", 250),
            ("250ms", 250),
            ("1m", 60_000),
            ("0.5m", 30_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            (" 5 s ", 5_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("0.123456789s"), Ok(Duration::from_nanos(123_456_789)), "no rounding");
    }

    #[test]
    fn a_text_that_is_none_is_told_what_is_wrong_with_it() {
        for (text, why) in [
            ("", "it is empty; expected a number and a unit, as in `5s`"),
            ("m", "it has no number; expected a number and a unit, as in `5s`"),
            ("soon", "it has no number; expected a number and a unit, as in `5s`"),
            ("-1", "it is negative; expected one above zero, as in `5s`"),
            ("0", "it is zero; expected one above zero, as in `5s`"),
            ("0.0s", "it is zero; expected one above zero, as in `5s`"),
            ("5M", "there is no unit `M`; the nearest is `m` (minutes)"),
            ("2H", "there is no unit `H`; the nearest is `h` (hours)"),
            ("5min", "there is no unit `min`; the nearest is `m` (minutes)"),
            ("5secs", "there is no unit `secs`; the nearest is `s` (seconds)"),
            ("1.5.2s", "`1.5.2` is no number; expected one number and one unit, as in `1.5s`"),
            (".5s", "`.5` is no number; expected one number and one unit, as in `1.5s`"),
            ("1h30m", "`1h30m` is no number; expected one number and one unit, as in `1.5s`"),
            ("999999999999999999999d", "it is more than a hundred years"),
        ] {
            assert_eq!(parse(text), Err(format!("`{text}` is no length of time: {why}")));
        }
        let error = parse("5x").expect_err("no such unit");
        assert!(error.ends_with("expected `ms`, `s` (seconds), `m` (minutes), `h` (hours) or `d` (days)"), "{error}");
    }

    #[test]
    fn an_interval_is_shown_as_it_is_read() {
        for text in ["250ms", "5s", "90s", "1m", "2h", "1d"] {
            assert_eq!(text.parse::<Interval>().map(|interval| interval.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("1.5s".parse::<Interval>().map(|interval| interval.to_string()), Ok("1500ms".to_owned()));
    }
}
