//! `-` for what readers look for in an HTTP request and did not come: `req_referrer`, `req_user_agent`, `resp_view`.

use super::{Instrumenter, InstrumenterError, Registration};
use crate::pipeline::Unit;
use crate::value::Value;

struct Request;

/// What stands in every request's event, with a value or without one.
const EXPECTED: [(&str, &str); 3] = [("req", "referrer"), ("req", "user_agent"), ("resp", "view")];

impl Instrumenter for Request {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        if unit.has("req", "method") {
            for (namespace, key) in EXPECTED {
                if !unit.has(namespace, key) {
                    unit.set_in(namespace, key, Value::Null);
                }
            }
        }
        Ok(())
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
