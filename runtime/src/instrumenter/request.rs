//! `-` for what readers look for in an HTTP request and did not come: `req_referrer`, `req_user_agent`, `resp_view`.

use super::{Instrumenter, InstrumenterError, Registration};
use crate::event::{EventType, Stored};
use crate::pipeline::Unit;
use crate::record::keys::{KeyId, builtin};

struct Request;

/// What stands in every request's event, with a value or without one.
const EXPECTED: [KeyId; 3] = [builtin::REQ_REFERRER, builtin::REQ_USER_AGENT, builtin::RESP_VIEW];

impl Instrumenter for Request {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        if unit.has(builtin::REQ_METHOD) {
            // The view stands in the `timeout`: a late response without one does not mean that nobody answered.
            let late = unit.event_type() == EventType::LateResponse;
            for key in EXPECTED {
                if !(unit.has(key) || late && key == builtin::RESP_VIEW) {
                    unit.set_known(key, Stored::Null);
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
