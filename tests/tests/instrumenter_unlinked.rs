//! A plugin that was never linked, and a neighbour that nobody has registered, stop `init()`.

use canonlog::__private::inventory;
use canonlog::{Instrumenter, InstrumenterError, Registration, Unit};

canonlog::expect_instrumenters!["request", "shop_metrics"];

struct Lonely;

impl Instrumenter for Lonely {
    fn call(&self, _unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        Ok(())
    }
}

inventory::submit! {
    Registration {
        name: "lonely",
        order: 1000,
        after: &["databse"],
        before: &[],
        location: "plugin.rs:3",
        make: || Box::new(Lonely),
    }
}

#[test]
fn init_fails_and_says_what_is_missing_and_where_it_was_asked_for() {
    let error = canonlog::setup().init().expect_err("two instrumenters are missing").to_string();
    assert!(error.contains("instrumenter `shop_metrics` is expected at "), "{error}");
    assert!(error.contains("instrumenter_unlinked.rs:6, but not registered"), "{error}");
    let neighbour = "instrumenter `lonely` (plugin.rs:3) is to come after `databse`, which is not registered; \
                     a similar name is registered: `database`";
    assert!(error.contains(neighbour), "{error}");
}
