//! What every unit has: how long it took, and `-` for what an HTTP request could have said and did not.

use super::{Instrumenter, InstrumenterError, Registration};
use crate::pipeline::Unit;
use crate::value::Value;

struct Request;

impl Instrumenter for Request {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        if unit.get("req_method").is_some() {
            absent(unit, "req_referrer", "req", "referrer");
            absent(unit, "req_user_agent", "req", "user_agent");
            absent(unit, "resp_view", "resp", "view");
        }
        Ok(())
    }
}

/// Says that a field which readers look for has no value.
fn absent(unit: &mut Unit<'_>, name: &str, namespace: &'static str, key: &'static str) {
    if unit.get(name).is_none() {
        unit.set_in(namespace, key, Value::Null);
    }
}

inventory::submit! {
    Registration {
        name: "request",
        order: 100,
        after: &[],
        before: &[],
        location: concat!(file!(), ":", line!()),
        make: || Box::new(Request),
    }
}
