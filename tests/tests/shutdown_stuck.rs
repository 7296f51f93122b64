//! A shutdown while an instrumenter is stuck; one test alone in its program, as it sets the process up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use canonlog::{Context, Emitter, Instrumenter, InstrumenterError, Kind, LossReason, Unit, Writer, begin};

#[derive(Default)]
#[canonlog::register_instrumenter]
struct Stuck;

impl Instrumenter for Stuck {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        if unit.get("app_block").is_some() {
            std::thread::sleep(Duration::from_secs(60));
        }
        Ok(())
    }
}

fn panic_with(block: bool) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        begin(Kind::Request).enter(|| {
            if block {
                Context::set("block", 1);
            }
            panic!("on purpose")
        })
    }));
}

#[test]
fn a_stuck_instrumenter_holds_others_for_a_moment_and_what_it_holds_at_the_end_is_counted() {
    const DRAIN: Duration = Duration::from_secs(2);
    let output = Writer::new("memory", std::io::sink());
    let guard = canonlog::setup().emitter(Emitter::new("all").output(output)).drain(DRAIN).init().expect("set up once");
    panic_with(true);
    // No deadline anywhere, so no monitor: this one still gets through.
    panic_with(false);
    let began = Instant::now();
    while canonlog::stats().written() < 1 {
        assert!(began.elapsed() < Duration::from_secs(20), "it waits behind the stuck one for ever");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(canonlog::stats().count("reporters_replaced") >= 1);
    let began = Instant::now();
    let lost = guard.shutdown();
    assert!(began.elapsed() < DRAIN * 2, "one deadline for all: {:?}", began.elapsed());
    let stats = canonlog::stats();
    assert_eq!((lost, stats.outputs()[0].lost_by(LossReason::Shutdown), stats.written()), (1, 1, 1));
}
