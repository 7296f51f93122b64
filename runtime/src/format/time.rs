//! The time of an event as RFC 3339 text, `2026-11-20T22:46:01.123Z`.
//!
//! Events of one thread mostly fall into the same second, so a thread keeps the text of the last one.

use std::cell::Cell;

/// The length of `2026-11-20T22:46:01.123Z`.
pub(crate) const LEN: usize = 24;
/// The length of `2026-11-20T22:46:01.`.
const PREFIX: usize = 20;

const NANOS: i64 = 1_000_000_000;

thread_local! {
    /// The start of the last second, and its text.
    static LAST: Cell<(i64, [u8; PREFIX])> = const { Cell::new((0, *b"1970-01-01T00:00:00.")) };
}

/// A point in time, by the calendar of UTC.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
}

impl Civil {
    /// The calendar's names for a count of seconds since 1970-01-01T00:00:00Z.
    pub(super) fn from_seconds(seconds: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Counted from 0000-03-01, the leap day is the last day of a year, and every 400 years are alike.
        let from_march = days + 719_468;
        let (era, day_of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
        let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months from March take 153 days each five.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let (month, next_year) =
            if month_from_march < 10 { (month_from_march + 3, 0) } else { (month_from_march - 9, 1) };
        // Each is smaller than 61, so none is cut.
        Civil {
            year: era * 400 + year_of_era + next_year,
            month: month as u8,
            day: day as u8,
            hour: (rest / 3_600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
        }
    }
}

/// Two decimal digits of a number below 100.
pub(super) fn two(number: u8) -> [u8; 2] {
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

/// Four decimal digits; years outside 0 to 9999, which nanoseconds in 64 bits cannot reach, are shown as the nearest within.
pub(super) fn four(number: i64) -> [u8; 4] {
    let number = number.clamp(0, 9_999);
    let ([a, b], [c, d]) = (two((number / 100) as u8), two((number % 100) as u8));
    [a, b, c, d]
}

fn prefix(seconds: i64) -> [u8; PREFIX] {
    let civil = Civil::from_seconds(seconds);
    let mut text = *b"0000-00-00T00:00:00.";
    text[0..4].copy_from_slice(&four(civil.year));
    for (at, number) in [(5, civil.month), (8, civil.day), (11, civil.hour), (14, civil.minute), (17, civil.second)] {
        text[at..at + 2].copy_from_slice(&two(number));
    }
    text
}

/// The text of a time in nanoseconds since 1970-01-01T00:00:00Z, cut to milliseconds.
#[inline]
pub(crate) fn rfc3339(unix_nanos: i64) -> [u8; LEN] {
    let (start, prefix) = LAST.get();
    match unix_nanos.checked_sub(start) {
        Some(nanos @ 0..NANOS) => with_millis(prefix, nanos as u64),
        _ => next_second(unix_nanos),
    }
}

#[cold]
fn next_second(unix_nanos: i64) -> [u8; LEN] {
    let (seconds, nanos) = (unix_nanos.div_euclid(NANOS), unix_nanos.rem_euclid(NANOS));
    let prefix = prefix(seconds);
    // The first second of the range starts before it, and is not kept.
    if let Some(start) = unix_nanos.checked_sub(nanos) {
        LAST.set((start, prefix));
    }
    with_millis(prefix, nanos as u64)
}

#[inline(always)]
fn with_millis(prefix: [u8; PREFIX], nanos: u64) -> [u8; LEN] {
    let millis = (nanos / 1_000_000) as u32;
    let mut text = [b'Z'; LEN];
    text[..PREFIX].copy_from_slice(&prefix);
    text[20] = b'0' + (millis / 100) as u8;
    text[21] = b'0' + (millis / 10 % 10) as u8;
    text[22] = b'0' + (millis % 10) as u8;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: i64) -> String {
        String::from_utf8(prefix(seconds).to_vec()).expect("ASCII")
    }

    fn nanos(nanos: i64) -> String {
        String::from_utf8(rfc3339(nanos).to_vec()).expect("ASCII")
    }

    #[test]
    fn known_seconds_have_their_known_text() {
        assert_eq!(text(0), "1970-01-01T00:00:00.");
        assert_eq!(text(951_782_399), "2000-02-28T23:59:59.");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00.");
        assert_eq!(text(951_868_800), "2000-03-01T00:00:00.");
        assert_eq!(text(1_709_164_800), "2024-02-29T00:00:00.");
        assert_eq!(text(4_107_542_400), "2100-03-01T00:00:00.");
        assert_eq!(text(4_107_456_000), "2100-02-28T00:00:00.");
        assert_eq!(text(1_795_214_761), "2026-11-20T22:46:01.");
        assert_eq!(text(253_402_300_799), "9999-12-31T23:59:59.");
    }

    #[test]
    fn times_before_1970_count_backwards() {
        assert_eq!(text(-1), "1969-12-31T23:59:59.");
        assert_eq!(nanos(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(nanos(-1_000_000_000), "1969-12-31T23:59:59.000Z");
        assert_eq!(text(-2_203_891_200), "1900-03-01T00:00:00.");
        assert_eq!(text(-2_203_977_600), "1900-02-28T00:00:00.");
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        assert_eq!(nanos(i64::MAX), "2262-04-11T23:47:16.854Z");
        assert_eq!(nanos(i64::MIN), "1677-09-21T00:12:43.145Z");
    }

    #[test]
    fn a_year_beyond_four_digits_is_the_last_with_four() {
        assert_eq!(&text(253_402_300_800)[..4], "9999");
        assert_eq!(&text(-62_200_000_000)[..4], "0000");
    }

    #[test]
    fn every_day_follows_the_one_before_it() {
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let (mut year, mut month, mut day) = (1599, 12, 31);
        let first = -135_140 * 86_400; // 1600-01-01
        for number in 0..300_000 {
            let days_of_month = match month {
                2 if leap(year) => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, last) if last == days_of_month => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
            let civil = Civil::from_seconds(first + number * 86_400);
            assert_eq!((civil.year, civil.month, civil.day), (year, month, day), "day {number}");
        }
    }

    #[test]
    fn the_kept_second_is_never_used_for_another() {
        let second = 1_795_214_761 * NANOS;
        assert_eq!(nanos(second + 123_999_999), "2026-11-20T22:46:01.123Z");
        assert_eq!(nanos(second + 999_999_999), "2026-11-20T22:46:01.999Z");
        assert_eq!(nanos(second + NANOS), "2026-11-20T22:46:02.000Z");
        assert_eq!(nanos(second - 1), "2026-11-20T22:46:00.999Z");
        assert_eq!(nanos(second), "2026-11-20T22:46:01.000Z");
    }
}
