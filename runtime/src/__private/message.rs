//! What the macros that say something call.

use std::fmt;

use crate::fields::Key;
use crate::level::Level;
use crate::message::{AndBy, Carried, Logger, Message, MessageValue, Text};

pub use crate::message::heard;

/// What a message can be said through: a logger, or one that carries something already.
pub trait Speaks {
    #[doc(hidden)]
    fn is_enabled(&self, level: Level) -> bool;

    #[doc(hidden)]
    fn count(&self, level: Level, size: usize);

    #[doc(hidden)]
    fn say(&self, level: Level, place: (&'static str, u32), text: fmt::Arguments<'_>, carried: &dyn Carried);
}

impl Speaks for Logger {
    #[inline]
    fn is_enabled(&self, level: Level) -> bool {
        Logger::is_enabled(self, level)
    }

    #[inline]
    fn count(&self, level: Level, size: usize) {
        Logger::count(self, level, || size);
    }

    #[inline]
    fn say(&self, level: Level, place: (&'static str, u32), text: fmt::Arguments<'_>, carried: &dyn Carried) {
        self.pass(level, place, &Text::measured(text), carried);
    }
}

impl<C: Carried> Speaks for Message<'_, C> {
    fn is_enabled(&self, level: Level) -> bool {
        self.logger().is_enabled(level)
    }

    fn count(&self, level: Level, size: usize) {
        self.logger().count(level, || size);
    }

    fn say(&self, level: Level, place: (&'static str, u32), text: fmt::Arguments<'_>, carried: &dyn Carried) {
        self.logger().pass(level, place, &Text::measured(text), &(self.carried(), carried));
    }
}

impl<T: Speaks> Speaks for &T {
    #[inline]
    fn is_enabled(&self, level: Level) -> bool {
        (**self).is_enabled(level)
    }

    #[inline]
    fn count(&self, level: Level, size: usize) {
        (**self).count(level, size);
    }

    #[inline]
    fn say(&self, level: Level, place: (&'static str, u32), text: fmt::Arguments<'_>, carried: &dyn Carried) {
        (**self).say(level, place, text, carried);
    }
}

/// A field behind what a message carries.
#[inline(always)]
pub fn and<C: Carried, V: MessageValue>(carried: C, key: &'static Key, value: V) -> AndBy<C, V> {
    AndBy::new(carried, key, value)
}
