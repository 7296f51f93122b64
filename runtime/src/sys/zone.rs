//! How far the time of this place is from UTC.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

/// Zones change their offset at whole quarters of an hour, so what holds at one moment holds for its quarter.
const QUARTER: i64 = 900;
/// Added to an offset, so that none is negative: no zone is a day away.
const DAY: i64 = 86_400;

/// The quarter that was asked for last and its offset: `quarter << 18 | offset + DAY`; or nothing.
static LAST: AtomicU64 = AtomicU64::new(0);

/// The seconds by which local time was or will be ahead of UTC at a moment, in seconds since 1970; 0 where that cannot be told.
pub(crate) fn offset(unix_seconds: i64) -> i64 {
    let Ok(quarter) = u64::try_from(unix_seconds.div_euclid(QUARTER)) else { return ask(unix_seconds) };
    let last = LAST.load(Ordering::Relaxed);
    if last != 0 && last >> 18 == quarter {
        return (last & ((1 << 18) - 1)) as i64 - DAY;
    }
    let offset = ask(unix_seconds);
    // It takes a lock of the C library's, so it is asked four times an hour and not for each event.
    LAST.store(quarter << 18 | (offset + DAY) as u64, Ordering::Relaxed);
    offset
}

#[cfg(unix)]
fn ask(unix_seconds: i64) -> i64 {
    // Where it has 32 bits, so has the clock.
    let time = unix_seconds as libc::time_t;
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: the pointers are to a live number, and to room for what the call writes. It reads the variable `TZ`, which may not be changed
    // while another thread reads variables: whoever does it by `std::env::set_var` has promised that.
    let told = unsafe { libc::localtime_r(&raw const time, parts.as_mut_ptr()) };
    if told.is_null() {
        return 0;
    }
    // SAFETY: the call succeeded, so all of it is written; and zeroes are valid anyway.
    let parts = unsafe { parts.assume_init() };
    #[allow(clippy::useless_conversion)] // where a long has 32 bits
    let offset = i64::from(parts.tm_gmtoff);
    offset.clamp(1 - DAY, DAY - 1)
}

#[cfg(not(unix))]
fn ask(_: i64) -> i64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_holds_for_its_quarter_and_no_zone_is_a_day_away() {
        for at in [0, 1_795_214_761, 1_795_214_761 + 900, 1_795_214_000, -5, i64::MAX] {
            assert_eq!(offset(at), ask(at), "{at}");
            assert_eq!(offset(at), ask(at), "{at}, again");
            assert!(offset(at).abs() < DAY);
        }
    }
}
