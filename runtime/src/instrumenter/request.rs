//! `-` for what readers look for in an HTTP request and did not come: `req_referrer`, `req_user_agent`, `resp_view`.

use super::{Instrumenter, InstrumenterError, Registration};
use crate::event::{EventType, Stored};
use crate::record::keys::{KeyId, builtin};
use crate::unit::Unit;

struct Request;

/// A field that stands in every request's event, with a value or without one.
#[inline(always)]
fn expect(unit: &mut Unit<'_>, key: KeyId) {
    if !unit.has(key) {
        unit.set_known(key, Stored::Null);
    }
}

impl Instrumenter for Request {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        if unit.has(builtin::REQ_METHOD) {
            // The view stands in the `timeout`: a late response without one does not mean that nobody answered.
            let late = unit.event_type() == EventType::LateResponse;
            expect(unit, builtin::REQ_REFERRER);
            expect(unit, builtin::REQ_USER_AGENT);
            if !late {
                expect(unit, builtin::RESP_VIEW);
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
