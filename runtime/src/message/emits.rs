//! Values that are messages.

use super::builder::Message;
use super::carried::{Carried, Many, Nothing};
use super::logger::Logger;
use super::text::Text;
use crate::fields::Fields;
use crate::level::Level;

/// How a function says what it returns.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// At which level.
    pub level: Level,
    /// With which text.
    pub text: &'static str,
    /// By whom, where the value has no logger.
    pub logger: fn() -> &'static Logger,
    /// In which file and line.
    pub place: (&'static str, u32),
}

fn say(logger: &Logger, carried: &dyn Carried, said: &Said) {
    logger.count(said.level, || said.text.len());
    if logger.is_enabled(said.level) {
        logger.pass(said.level, said.place, &Text::from(said.text), carried);
    }
}

/// What a function with [`#[emit]`](macro@crate::emit) can return: a logger, a message, a struct with [`Fields`], or a `Result` of one
/// of these, of which an `Err` is not said.
///
/// ```
/// use canonlog::{Fields, emit};
///
/// #[derive(Fields)]
/// struct Receipt {
///     cart_id: u64,
///     total: f64,
/// }
///
/// #[emit(info, text = "checked out")]
/// fn check_out(cart_id: u64) -> Result<Receipt, std::io::Error> {
///     Ok(Receipt { cart_id, total: 19.99 }) // log_msg="checked out" app_cart_id="7" app_total="19.99"
/// }
/// # assert!(check_out(7).is_ok());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be said as a message",
    label = "no logger, no message and no `canonlog::Fields`",
    note = "return a `canonlog::Logger` or a `canonlog::Message`, or derive `canonlog::Fields` for `{Self}`"
)]
pub trait Emits {
    #[doc(hidden)]
    fn emit_as(&self, said: &Said);
}

#[diagnostic::do_not_recommend]
impl<T: Fields> Emits for T {
    fn emit_as(&self, said: &Said) {
        say((said.logger)(), &Many { rest: Nothing, fields: self }, said);
    }
}

#[diagnostic::do_not_recommend]
impl Emits for Logger {
    fn emit_as(&self, said: &Said) {
        say(self, &Nothing, said);
    }
}

#[diagnostic::do_not_recommend]
impl<C: Carried> Emits for Message<'_, C> {
    fn emit_as(&self, said: &Said) {
        say(self.logger(), &self.carried, said);
    }
}

#[diagnostic::do_not_recommend]
impl<T: Emits, E> Emits for Result<T, E> {
    fn emit_as(&self, said: &Said) {
        if let Ok(value) = self {
            value.emit_as(said);
        }
    }
}
