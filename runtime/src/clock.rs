//! Time: ticks of the time stamp counter where that is a clock, of `Instant` elsewhere.
//!
//! Everything else takes ticks as an argument, so that tests own the time. A difference of ticks becomes nanoseconds with
//! [`nanos`]; only [`unix_nanos`] knows the date.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::sys::clocks;

/// How ticks become nanoseconds: `ticks * RATE >> SHIFT`. [`ONE`] until the clock was chosen, and where ticks are nanoseconds.
static RATE: AtomicU64 = AtomicU64::new(ONE);
/// Whether the counter is the clock, and its rate is known.
static TSC: AtomicBool = AtomicBool::new(false);
const SHIFT: u32 = 32;
const ONE: u64 = 1 << SHIFT;

/// What the clock was measured against.
struct Anchor {
    ticks: u64,
    instant: Instant,
    tsc: bool,
}

static ANCHOR: OnceLock<Anchor> = OnceLock::new();

/// How long the first measurement of the counter's rate takes. Two readings err by some 50 ns, so by 25 in a million here;
/// the rate is measured again over a longer time later.
const FIRST_MEASURE: Duration = Duration::from_millis(2);

/// After this long the rate is good for the life of the process.
const LAST_MEASURE_NANOS: u64 = 10_000_000_000;

/// The variable that chooses the clock.
pub(crate) const VARIABLE: &str = "CANONLOG_CLOCK";

/// What the variable may hold.
pub(crate) const CHOICES: &[&str] = if cfg!(target_arch = "x86_64") { &["tsc", "instant"] } else { &["instant"] };

/// Whether this value of the variable chooses the counter; nothing for one that is none of [`CHOICES`].
pub(crate) fn chooses_tsc(value: &str) -> Option<bool> {
    let value = value.trim();
    CHOICES.iter().find(|choice| choice.eq_ignore_ascii_case(value)).map(|choice| *choice == "tsc")
}

#[cold]
fn anchor() -> &'static Anchor {
    ANCHOR.get_or_init(|| {
        // What is none of the choices is an error of `init()`; a program without `init()` has no one to tell.
        let wanted = std::env::var(VARIABLE).ok().and_then(|value| chooses_tsc(&value));
        let tsc = wanted.unwrap_or_else(clocks::invariant_tsc);
        let (ticks, instant) = both();
        if tsc {
            while instant.elapsed() < FIRST_MEASURE {
                std::hint::spin_loop();
            }
            RATE.store(measure(ticks, instant).unwrap_or(ONE), Ordering::Relaxed);
            TSC.store(true, Ordering::Release);
        } else {
            RATE.store(ONE, Ordering::Relaxed);
        }
        Anchor { ticks, instant, tsc }
    })
}

/// Both clocks at one moment. A thread that is put aside between two readings would have them milliseconds apart: of some tries,
/// the one whose readings of the counter, before and after, lie closest together.
fn both() -> (u64, Instant) {
    const TRIES: usize = 16;
    // What two readings take where nothing comes in between; some 300 ns.
    const CLOSE: u64 = 1_000;
    let mut best = (u64::MAX, 0, Instant::now());
    for _ in 0..TRIES {
        let (before, instant, after) = (clocks::tsc(), Instant::now(), clocks::tsc());
        let apart = after.saturating_sub(before);
        if apart < best.0 {
            best = (apart, before + apart / 2, instant);
        }
        if apart < CLOSE {
            break;
        }
    }
    (best.1, best.2)
}

/// Nanoseconds a tick, as a fraction of [`ONE`], measured from a moment in the past until now.
fn measure(ticks: u64, instant: Instant) -> Option<u64> {
    let (now, then) = both();
    let elapsed = then.saturating_duration_since(instant).as_nanos();
    let ticked = now.checked_sub(ticks).filter(|ticked| *ticked > 0)?;
    u64::try_from((elapsed << SHIFT) / u128::from(ticked)).ok().filter(|rate| *rate > 0)
}

#[cfg(any(test, feature = "test-util"))]
thread_local! {
    /// A held clock: what [`now`] says on this thread.
    static HELD: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Holds this thread's clock at `ticks`, or lets it go.
#[cfg(any(test, feature = "test-util"))]
pub(crate) fn hold(ticks: Option<u64>) {
    HELD.set(ticks);
}

/// Ticks of a clock that never goes back. Only differences mean something.
#[inline]
pub(crate) fn now() -> u64 {
    #[cfg(any(test, feature = "test-util"))]
    if let Some(held) = HELD.get() {
        return held;
    }
    if TSC.load(Ordering::Relaxed) { clocks::tsc() } else { now_by_instant() }
}

#[inline(never)]
fn now_by_instant() -> u64 {
    let anchor = anchor();
    if anchor.tsc {
        return clocks::tsc();
    }
    u64::try_from(anchor.instant.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds in a difference of ticks.
#[inline]
pub(crate) fn nanos(ticks: u64) -> u64 {
    ((u128::from(ticks) * u128::from(RATE.load(Ordering::Relaxed))) >> SHIFT) as u64
}

/// Nanoseconds from one reading to a later one; 0 if it is not later.
#[inline]
pub(crate) fn between(earlier: u64, later: u64) -> u64 {
    nanos(later.saturating_sub(earlier))
}

/// How many ticks a duration has.
pub(crate) fn ticks(duration: Duration) -> u64 {
    anchor();
    let rate = u128::from(RATE.load(Ordering::Relaxed));
    u64::try_from((duration.as_nanos() << SHIFT) / rate).unwrap_or(u64::MAX)
}

thread_local! {
    /// Ticks and the date at one moment, read again once a second.
    static DATE: Cell<(u64, i64)> = const { Cell::new((0, 0)) };
}

/// The date at a reading of [`now`], in nanoseconds since 1970.
#[inline]
pub(crate) fn unix_nanos(now: u64) -> i64 {
    let (at, date) = DATE.get();
    let since = between(at, now);
    if date != 0 && since < 1_000_000_000 && now >= at {
        return date.saturating_add_unsigned(since);
    }
    read_date(now)
}

#[cold]
fn read_date(reading: u64) -> i64 {
    let date = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    };
    let at = now();
    DATE.set((at, date));
    let anchor = anchor();
    let age = between(anchor.ticks, at);
    if anchor.tsc
        && age < LAST_MEASURE_NANOS
        && let Some(rate) = measure(anchor.ticks, anchor.instant)
    {
        RATE.store(rate, Ordering::Relaxed);
    }
    // The reading may be older than the date just read, or newer where a test holds the clock.
    match at >= reading {
        true => date.saturating_sub_unsigned(between(reading, at)),
        false => date.saturating_add_unsigned(between(at, reading)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_agree_with_instant() {
        let (ticks, instant) = (now(), Instant::now());
        while instant.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let ours = between(ticks, now());
        let theirs = u64::try_from(instant.elapsed().as_nanos()).expect("a short time");
        assert!(ours.abs_diff(theirs) < theirs / 20, "{ours} ns against {theirs} ns");
    }

    #[test]
    fn a_duration_survives_the_way_to_ticks_and_back() {
        for duration in [Duration::from_micros(10), Duration::from_secs(30), Duration::from_secs(86_400)] {
            let back = nanos(ticks(duration));
            let want = u64::try_from(duration.as_nanos()).expect("a short time");
            assert!(back.abs_diff(want) <= want / 1_000_000 + 2, "{back} against {want}");
        }
    }

    #[test]
    fn the_rate_does_not_change_with_what_comes_between_two_readings() {
        if !clocks::invariant_tsc() {
            return;
        }
        let (ticks, instant) = both();
        std::thread::scope(|scope| {
            // More threads than processors, so that this one is put aside again and again.
            for _ in 0..16 {
                scope.spawn(|| {
                    while instant.elapsed() < Duration::from_millis(200) {
                        std::hint::spin_loop();
                    }
                });
            }
            while instant.elapsed() < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            let rates: Vec<u64> = (0..100).filter_map(|_| measure(ticks, instant)).collect();
            let (least, most) = (rates.iter().min().copied(), rates.iter().max().copied());
            let (least, most) = least.zip(most).expect("a counter that counts");
            assert!(most - least < least / 1_000, "{least} to {most}");
        });
    }

    #[test]
    fn an_earlier_reading_is_no_negative_time() {
        assert_eq!(between(2_000, 1_000), 0);
    }

    #[test]
    fn the_date_is_todays() {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
        let ours = u128::try_from(unix_nanos(now())).expect("after 1970");
        assert!(ours.abs_diff(system) < 1_000_000_000);
    }

    #[test]
    fn a_held_clock_stands_still() {
        let held = now();
        hold(Some(held));
        std::thread::yield_now();
        assert_eq!(now(), held);
        hold(None);
        assert!(now() >= held);
    }
}
