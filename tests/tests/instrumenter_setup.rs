//! A failing `setup` stops `init()` with an error that names the instrumenter.

use canonlog::__private::inventory;
use canonlog::{Instrumenter, InstrumenterError, Registration, Unit};

struct Broken;

impl Instrumenter for Broken {
    fn setup(&self) -> Result<(), InstrumenterError> {
        Err("its statistics cannot be reached".into())
    }

    fn call(&self, _unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        Ok(())
    }
}

inventory::submit! {
    Registration {
        name: "broken",
        order: 1000,
        after: &[],
        before: &[],
        location: "plugin.rs:3",
        make: || Box::new(Broken),
    }
}

#[test]
fn init_fails_and_says_which_setup_failed_and_why() {
    let error = canonlog::setup().init().expect_err("an instrumenter is broken").to_string();
    let expected = "setup of instrumenter `broken` (plugin.rs:3) failed: its statistics cannot be reached";
    assert!(error.contains(expected), "{error}");
}
