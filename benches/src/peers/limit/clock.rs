//! The clocks of the hand-written limit.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::sys::ticks;

pub trait Clock {
    type Moment: Copy;
    fn now(&self) -> Self::Moment;
    /// Ticks of this clock since `start`.
    fn since(&self, start: Self::Moment) -> u64;
    fn micros(&self, ticks: u64) -> u64;
    /// Milliseconds since 1970 at `moment`.
    fn wall_ms(&self, moment: Self::Moment) -> u64;
}

fn unix() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The processor's counter, anchored once to the wall clock.
pub struct Tsc {
    anchor: u64,
    anchor_micros: u64,
    /// Microseconds a tick, times 2^64.
    scale: u64,
}

impl Tsc {
    pub fn calibrated() -> Tsc {
        let (start, from) = (Instant::now(), ticks());
        // Asleep, not spinning: callgrind counts what is executed.
        thread::sleep(Duration::from_millis(10));
        let (nanos, passed) = (start.elapsed().as_nanos(), u128::from(ticks() - from));
        let scale = ((nanos << 64) / 1_000 / passed) as u64;
        Tsc { anchor: ticks(), anchor_micros: unix().as_micros() as u64, scale }
    }
}

impl Clock for Tsc {
    type Moment = u64;
    #[inline(always)]
    fn now(&self) -> u64 {
        ticks()
    }
    #[inline(always)]
    fn since(&self, start: u64) -> u64 {
        ticks().wrapping_sub(start)
    }
    #[inline(always)]
    fn micros(&self, ticks: u64) -> u64 {
        ((u128::from(ticks) * u128::from(self.scale)) >> 64) as u64
    }
    #[inline(always)]
    fn wall_ms(&self, moment: u64) -> u64 {
        (self.anchor_micros + self.micros(moment.wrapping_sub(self.anchor))) / 1_000
    }
}

/// The standard library's clocks.
pub struct Portable;

impl Clock for Portable {
    type Moment = Instant;
    #[inline(always)]
    fn now(&self) -> Instant {
        Instant::now()
    }
    #[inline(always)]
    fn since(&self, start: Instant) -> u64 {
        start.elapsed().as_nanos() as u64
    }
    #[inline(always)]
    fn micros(&self, ticks: u64) -> u64 {
        ticks / 1_000
    }
    #[inline(always)]
    fn wall_ms(&self, _: Instant) -> u64 {
        unix().as_millis() as u64
    }
}

/// Stands still.
pub struct Constant;

impl Clock for Constant {
    type Moment = u64;
    #[inline(always)]
    fn now(&self) -> u64 {
        std::hint::black_box(1)
    }
    #[inline(always)]
    fn since(&self, start: u64) -> u64 {
        std::hint::black_box(2) - start
    }
    #[inline(always)]
    fn micros(&self, ticks: u64) -> u64 {
        ticks
    }
    #[inline(always)]
    fn wall_ms(&self, _: u64) -> u64 {
        1_763_678_761_123
    }
}
