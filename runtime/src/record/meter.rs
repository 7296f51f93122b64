//! The CPU time of this thread, by two clocks.
//!
//! The kernel's clock of a thread is exact and takes a system call, some 350 ns; ticks take a twentieth of that. So a short
//! stretch of work counts as long as the ticks say, and after a long one the kernel is asked how much of it was work:
//!
//! ```text
//! outside   | inside 3 µs | outside | inside 40 ms, of which 30 asleep           |
//!           ▲ the kernel: 7.000     ticks: + 3 µs                                ▲ the kernel: 17.003, so 10 ms here
//! ```
//!
//! The base that the kernel's reading is compared with is never further back than a little time outside: whatever else the
//! thread did there cannot be taken for the record's.

use std::cell::Cell;
use std::time::Duration;

use crate::clock;
use crate::sys::clocks;

/// A stretch inside up to this long counts as work. Outside for longer in all, the base is taken anew.
const SHORT: Duration = Duration::from_micros(50);
/// After so many short stretches together, counted in the time of one, the base is taken anew.
const FAR: u64 = 20;

/// What is known of this thread. All but `base` is in ticks.
struct Meter {
    /// The last time the thread entered or left a record.
    last: Cell<u64>,
    /// Work inside records since the thread began.
    used: Cell<u64>,
    /// The kernel's clock when it was last read, in nanoseconds.
    base: Cell<u64>,
    /// Of `used`, what was counted since then.
    counted: Cell<u64>,
    /// Time outside since then.
    outside: Cell<u64>,
    /// How many records the thread is inside.
    depth: Cell<u32>,
    /// [`SHORT`]; 0 until it is first needed.
    short: Cell<u64>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            last: Cell::new(0),
            used: Cell::new(0),
            base: Cell::new(0),
            counted: Cell::new(0),
            outside: Cell::new(0),
            depth: Cell::new(0),
            short: Cell::new(0),
        }
    };
}

/// The thread enters a record; what it has used so far.
#[inline]
pub(crate) fn enter(now: u64) -> u64 {
    METER.with(|meter| {
        let passed = now.saturating_sub(meter.last.get());
        let depth = meter.depth.get();
        meter.depth.set(depth + 1);
        if depth > 0 {
            meter.work(passed);
        } else {
            let outside = meter.outside.get().saturating_add(passed);
            meter.outside.set(outside);
            if outside > meter.short.get() || meter.counted.get() > meter.short.get() * FAR {
                meter.rebase();
            }
        }
        meter.last.set(now);
        meter.used.get()
    })
}

/// What the thread has used so far, inside a record.
#[inline]
pub(crate) fn look(now: u64) -> u64 {
    METER.with(|meter| {
        meter.work(now.saturating_sub(meter.last.get()));
        meter.last.set(now);
        meter.used.get()
    })
}

/// The thread leaves a record; what it has used so far.
#[inline]
pub(crate) fn leave(now: u64) -> u64 {
    METER.with(|meter| meter.depth.set(meter.depth.get().saturating_sub(1)));
    look(now)
}

impl Meter {
    /// Counts a stretch inside.
    #[inline(always)]
    fn work(&self, passed: u64) {
        if passed > self.short.get() {
            return self.work_long(passed);
        }
        self.used.set(self.used.get() + passed);
        self.counted.set(self.counted.get() + passed);
    }

    #[cold]
    #[inline(never)]
    fn work_long(&self, passed: u64) {
        let (before, counted) = (self.base.get(), self.counted.get());
        self.rebase();
        let ran = clock::ticks(Duration::from_nanos(self.base.get().saturating_sub(before)));
        self.used.set(self.used.get() + ran.saturating_sub(counted).min(passed));
    }

    #[cold]
    #[inline(never)]
    fn rebase(&self) {
        self.short.set(clock::ticks(SHORT));
        self.base.set(clocks::thread_cpu_nanos());
        self.outside.set(0);
        self.counted.set(0);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{Context, Kind, Value, begin, testing};

    /// What the thread's clock says of some work, in nanoseconds.
    fn exactly(work: impl FnOnce()) -> u64 {
        let began = clocks::thread_cpu_nanos();
        work();
        clocks::thread_cpu_nanos() - began
    }

    /// Works for a while; no system call.
    fn spin(rounds: u64) {
        (0..rounds).for_each(|n| {
            std::hint::black_box(n);
        });
    }

    /// Works for that much CPU time.
    fn work(micros: u64) {
        let began = clocks::thread_cpu_nanos();
        while clocks::thread_cpu_nanos() - began < micros * 1_000 {
            spin(50);
        }
    }

    /// `resp_cpu_time` of a request in which `visits` runs, against what it says of itself.
    #[track_caller]
    fn assert_right(visits: impl FnOnce(Context) -> u64) {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        let exact = visits(scope.context());
        scope.finish();
        let measured = match capture.one().view().get("resp_cpu_time") {
            Some(Value::Duration(measured)) => u64::try_from(measured.as_nanos()).expect("a short time"),
            other => panic!("resp_cpu_time is {other:?}"),
        };
        let off = measured.abs_diff(exact) as f64 / exact as f64;
        assert!(off < 0.05, "{measured} ns measured, {exact} ns used: {:.1} % off", off * 100.0);
    }

    #[test]
    fn long_work_is_measured() {
        assert_right(|cx| cx.enter(|| exactly(|| work(1_000))));
        assert_right(|cx| (0..5).map(|_| cx.enter(|| exactly(|| work(3_000)))).sum());
    }

    #[test]
    fn many_short_polls_add_up() {
        let rounds = 20_000 * 100_000 / exactly(|| spin(100_000)).max(1);
        assert_right(|cx| exactly(|| (0..500).for_each(|_| cx.enter(|| spin(rounds)))));
    }

    #[test]
    fn sleep_is_no_work() {
        let visit = || {
            thread::sleep(Duration::from_millis(10));
            work(2_000);
            thread::sleep(Duration::from_millis(10));
        };
        assert_right(|cx| (0..2).map(|_| cx.enter(|| exactly(visit))).sum());
    }

    #[test]
    fn work_outside_is_not_the_records() {
        let visit = || {
            thread::sleep(Duration::from_millis(1));
            work(500);
        };
        assert_right(|cx| {
            (0..10)
                .map(|_| {
                    work(5_000);
                    cx.enter(|| exactly(visit))
                })
                .sum()
        });
    }

    #[test]
    fn work_of_several_threads_is_summed() {
        assert_right(|cx| {
            let visits = move || (0..20).map(|_| cx.enter(|| exactly(|| work(500)))).sum::<u64>();
            let threads: Vec<_> = (0..3).map(|_| thread::spawn(visits)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
    }

    #[test]
    fn waiting_for_a_processor_is_no_work() {
        use std::sync::atomic::{AtomicBool, Ordering};
        static DONE: AtomicBool = AtomicBool::new(false);
        let hogs: Vec<_> = (0..4)
            .map(|_| {
                thread::spawn(|| {
                    while !DONE.load(Ordering::Relaxed) {
                        work(100);
                    }
                })
            })
            .collect();
        assert_right(|cx| (0..40).map(|n| cx.enter(|| exactly(|| work(if n % 2 == 0 { 2_000 } else { 100 })))).sum());
        DONE.store(true, Ordering::Relaxed);
        hogs.into_iter().for_each(|hog| hog.join().expect("no panic"));
    }

    #[test]
    fn a_record_within_another_counts_in_both() {
        let capture = testing::capture();
        let outer = begin(Kind::Request);
        let inner = begin(Kind::Request);
        let (before, within) = outer.enter(|| (exactly(|| work(2_000)), inner.enter(|| exactly(|| work(3_000)))));
        inner.finish();
        outer.finish();
        let measured: Vec<f64> = capture
            .events()
            .iter()
            .map(|event| match event.view().get("resp_cpu_time") {
                Some(Value::Duration(measured)) => measured.as_secs_f64() * 1e9,
                other => panic!("resp_cpu_time is {other:?}"),
            })
            .collect();
        for (measured, exact) in measured.iter().zip([within, before + within]) {
            assert!((measured / exact as f64 - 1.0).abs() < 0.05, "{measured} against {exact}");
        }
    }
}
