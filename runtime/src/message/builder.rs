//! A message that is being put together.

use std::panic::Location;

use super::carried::{And, Carried, Error, Many, MessageValue, Stack};
use super::heard;
use super::logger::Logger;
use super::text::Text;
use crate::fields::Fields;
use crate::level::Level;

/// A message that is being put together: a logger, and what the message carries beside. Its level and its text come last, and
/// then it is on its way; it can be said more than once.
///
/// Nothing of it is computed or copied before, unless somebody wants it. So it borrows its logger; [`owned`](Message::owned) takes a copy.
///
/// ```
/// use canonlog::{Level, logger, testing};
///
/// let capture = testing::capture();
/// let shop = logger("shop");
/// let message = shop.field("cart", 7).field("user", "ann");
/// message.info("opened");
/// message.emit(Level::Notice); // its fields alone
/// assert_eq!(capture.events().len(), 2);
/// ```
#[must_use = "nothing is said before its level"]
#[derive(Clone, Debug)]
pub struct Message<'l, C> {
    pub(super) speaker: Speaker<'l>,
    pub(super) carried: C,
}

/// Who says a message.
#[derive(Clone, Debug)]
pub(super) enum Speaker<'l> {
    Borrowed(&'l Logger),
    Owned(Box<Logger>),
}

impl<'l, C: Carried> Message<'l, C> {
    /// With one more field, `app_<key>`. One that the logger has too takes its place.
    #[inline]
    pub fn field<V: MessageValue>(self, key: &'static str, value: V) -> Message<'l, And<C, V>> {
        Message { speaker: self.speaker, carried: And { rest: self.carried, key, value } }
    }

    /// With all fields of a struct.
    ///
    /// ```
    /// #[derive(canonlog::Fields)]
    /// struct Cart {
    ///     cart_id: u64,
    ///     items: u32,
    /// }
    ///
    /// canonlog::logger("shop").field("user", "ann").fields(&Cart { cart_id: 7, items: 3 }).info("checked out");
    /// ```
    pub fn fields<T: Fields>(self, fields: T) -> Message<'l, Many<C, T>> {
        Message { speaker: self.speaker, carried: Many { rest: self.carried, fields } }
    }

    /// With an error: its type and text (`exc_type`, `exc_msg`), and the texts of its sources, the root cause first (`exc_trace`).
    pub fn trace<E: std::error::Error + ?Sized>(self, error: &E) -> Message<'l, Error<'_, C, E>> {
        Message { speaker: self.speaker, carried: Error { rest: self.carried, error } }
    }

    /// With the stack that the thread has where the message is said (`exc_trace`). That takes its time.
    pub fn stack(self) -> Message<'l, Stack<C>> {
        Message { speaker: self.speaker, carried: Stack { rest: self.carried } }
    }

    /// The same with a logger of its own, so that it can be kept for longer than the one that it was made of.
    ///
    /// ```
    /// use canonlog::{Message, logger, message::Carried};
    ///
    /// fn opened(cart: u64) -> Message<'static, impl Carried> {
    ///     logger("shop").field("cart", cart).owned()
    /// }
    ///
    /// opened(7).info("opened");
    /// ```
    pub fn owned(self) -> Message<'static, C> {
        let logger = match self.speaker {
            Speaker::Borrowed(logger) => Box::new(logger.clone()),
            Speaker::Owned(logger) => logger,
        };
        Message { speaker: Speaker::Owned(logger), carried: self.carried }
    }

    #[inline]
    pub(crate) fn logger(&self) -> &Logger {
        match &self.speaker {
            Speaker::Borrowed(logger) => logger,
            Speaker::Owned(logger) => logger,
        }
    }

    pub(crate) fn carried(&self) -> &C {
        &self.carried
    }

    /// Says it at a level, without a text: its fields are the message.
    #[inline]
    #[track_caller]
    pub fn emit(&self, level: Level) {
        self.log(level, "");
    }

    /// Says it at a level.
    #[inline]
    #[track_caller]
    pub fn log<'a>(&self, level: Level, text: impl Into<Text<'a>>) {
        if heard(level) {
            let (place, text) = (Location::caller(), text.into());
            let logger = self.logger();
            logger.count(level, || text.template_len().unwrap_or(0));
            if logger.is_enabled(level) {
                logger.pass(level, (place.file(), place.line()), &text, &self.carried);
            }
        }
    }
}

macro_rules! levels {
    ($($method:ident $level:ident $what:literal;)*) => {
        impl Logger {
            $(
                #[doc = concat!("Says something at [`Level::", stringify!($level), "`]: ", $what, ".")]
                #[inline]
                #[track_caller]
                pub fn $method<'a>(&self, text: impl Into<Text<'a>>) {
                    self.log(Level::$level, text);
                }
            )*
        }

        impl<C: Carried> Message<'_, C> {
            $(
                #[doc = concat!("Says it at [`Level::", stringify!($level), "`]: ", $what, ".")]
                #[inline]
                #[track_caller]
                pub fn $method<'a>(&self, text: impl Into<Text<'a>>) {
                    self.log(Level::$level, text);
                }
            )*
        }
    };
}

levels! {
    debug Debug "detail for whoever looks for a fault";
    info Info "the normal course";
    notice Notice "normal, but worth a look";
    warning Warning "something was refused, or done with less than was asked for";
    error Error "a unit of work failed";
    critical Critical "the process itself is in danger";
}
