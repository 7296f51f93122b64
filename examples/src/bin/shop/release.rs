//! An instrumenter of the shop's own: which release served the request.

use canonlog::{Instrumenter, InstrumenterError, Unit, register_instrumenter};

// ANCHOR: instrumenter
/// Adds `shop_release` to every event that ends a unit.
#[register_instrumenter]
struct Release;

impl Instrumenter for Release {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        unit.set_in("shop", "release", env!("CARGO_PKG_VERSION"));
        Ok(())
    }
}

canonlog::expect_instrumenters!["release"];
// ANCHOR_END: instrumenter
