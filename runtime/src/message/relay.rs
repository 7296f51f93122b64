//! Messages that another library took.

use std::fmt;

use super::pass::Head;
use super::taking::Taking;
use super::text::{Form, Text};
use super::{pass, wanted};
use crate::counters::measures;
use crate::event::Origin;
use crate::level::Level;

/// A message that another library took, to be said as one of canonlog's: for those who tie logging libraries to it, as the features
/// `log` and `tracing` do.
///
/// Whether anybody wants it can be asked before, by [`wanted`](crate::wanted).
///
/// ```
/// use canonlog::message::Relay;
/// use canonlog::{Level, Value, testing};
///
/// let capture = testing::capture();
/// Relay::new(Level::Info, "their::target").place("src/shop.rs", 12).pass(format_args!("checked out {}", 3), |fields| {
///     fields.field("cart", 7);
///     fields.field_dynamic(&String::from("made at run time"), "ann");
/// });
///
/// let event = capture.one();
/// assert_eq!(event.view().get("log_loc"), Some(Value::Str("src/shop.rs:12")));
/// assert_eq!(event.view().get("app_made_at_run_time"), Some(Value::Str("ann")));
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is said before `pass`"]
pub struct Relay<'a> {
    level: Level,
    name: &'a str,
    place: Option<(&'a str, u32)>,
    origin: Origin,
}

impl<'a> Relay<'a> {
    /// A message of this level, by the logger of this name.
    pub fn new(level: Level, name: &'a str) -> Self {
        Relay { level, name, place: None, origin: Origin::Here }
    }

    /// Said in this line of this file.
    pub fn place(self, file: &'a str, line: u32) -> Self {
        Relay { place: Some((file, line)), ..self }
    }

    /// An event of `tracing`.
    #[cfg(feature = "tracing")]
    pub(crate) fn of_tracing(self) -> Self {
        Relay { origin: Origin::Tracing, ..self }
    }

    /// Says it, with the fields that `carry` hands over. Keys are their library's, so it is not counted where they must be changed.
    pub fn pass(self, text: fmt::Arguments<'_>, carry: impl FnOnce(&mut Taking<'_, '_>)) {
        let Relay { level, name, place, origin } = self;
        let (text, wanted) = (Text(Form::Arguments(text)), wanted(level));
        if measures::counts_messages() {
            // One that is wanted is measured once it is made.
            measures::message(level, if wanted { 0 } else { text.template_len().unwrap_or(0) });
        }
        if !wanted {
            return;
        }
        let head = Head {
            level,
            name,
            place,
            source: None,
            style: None,
            on_one_line: false,
            origin,
            own_keys: false,
            filter: None,
        };
        let mut carry = Some(carry);
        pass(&head, &text, &mut |into| {
            if let Some(carry) = carry.take() {
                carry(into);
            }
        });
    }
}
