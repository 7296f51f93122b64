//! `exc_template`: the line of a template at which a unit's error arose.

use super::{Instrumenter, InstrumenterError, Registration};
use crate::context::Context;
use crate::record::keys::builtin;
use crate::unit::Unit;
use crate::value::display;

struct Failure;

impl Instrumenter for Failure {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        // A template's failure that was dealt with is no failure of the unit.
        if !unit.is_failed() && unit.has(builtin::EXC_TEMPLATE) {
            unit.remove("exc_template");
        }
        Ok(())
    }
}

/// Notes that rendering a template failed, and at which line: `exc_template="cart.html:12"`.
///
/// The first note of a unit stays, as errors come from the inside out: the line at which the error arose, rather than that of an
/// `include` or `extends` around it. It shows only if the unit itself fails.
///
/// ```
/// fn render(name: &str) -> Result<String, std::fmt::Error> {
///     Err(std::fmt::Error) // at its line 12
/// }
///
/// let page = render("cart.html").inspect_err(|_| canonlog::template_error("cart.html", 12));
/// assert!(page.is_err());
/// ```
pub fn template_error(name: &str, line: usize) {
    let context = Context::current();
    if context.get_in("exc", "template").is_none() {
        context.set_in("exc", "template", display(format_args!("{name}:{line}")));
    }
}

inventory::submit! {
    Registration {
        name: "error",
        order: 200,
        after: &[],
        before: &[],
        location: concat!(file!(), ":", line!()),
        make: || Box::new(Failure),
    }
}
