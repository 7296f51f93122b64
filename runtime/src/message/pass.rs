//! The one way of a message, from those who make it to the emitters.

use std::cell::Cell;

use super::Taking;
use super::template::{Filling, Style};
use super::text::{Form, Text};
use crate::counters::{self, Count, measures};
use crate::emitter::Filter;
use crate::event::{Origin, Source};
use crate::inside::is_inside;
use crate::level::Level;
use crate::pipeline::{self, Draft, LOG_MSG, LOG_NAME};
use crate::record::current;
use crate::scratch::guarded;
use crate::value::Value;

/// What a message says beside its text and its fields.
pub(crate) struct Head<'a> {
    pub(crate) level: Level,
    /// The logger.
    pub(crate) name: &'a str,
    /// File and line, where they are known.
    pub(crate) place: Option<(&'a str, u32)>,
    /// The same where the program itself has it, and the logger decides nothing by what the message says: then it can be noted.
    pub(crate) source: Option<Source>,
    /// How plain texts are filled, if they are.
    pub(crate) style: Option<Style>,
    /// Whether line ends in texts become `\n`.
    pub(crate) on_one_line: bool,
    pub(crate) origin: Origin,
    /// Whether it is told that keys had to be changed.
    pub(crate) own_keys: bool,
    pub(crate) filter: Option<&'a Filter>,
}

thread_local! {
    /// Whether this thread is making a message.
    static MAKING: Cell<bool> = const { Cell::new(false) };
}

/// This thread makes a message until this is dropped.
struct Making(());

impl Making {
    /// None, and counted, where a message would be made within another, or within canonlog itself: a `Display`, an instrumenter, a
    /// filter, a format, an output. It could go on for ever.
    fn begin() -> Option<Making> {
        if is_inside() || current::is_busy() || MAKING.replace(true) {
            counters::add(Count::Reentrant, 1);
            return None;
        }
        Some(Making(()))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        MAKING.set(false);
    }
}

impl Head<'_> {
    /// Its source, if it can be noted: nothing but its level decides on it, and all that it says can be asked for later.
    #[inline]
    fn to_note(&self, text: &Text<'_>) -> Option<&Source> {
        let is_measured = measures::counts_messages() && text.is_measured_late();
        self.source.as_ref().filter(|_| !matches!(text.0, Form::Template(_)) && !is_measured)
    }
}

/// Makes the event of a message, of which `carry` takes the fields, and hands it on.
pub(crate) fn pass(head: &Head<'_>, text: &Text<'_>, carry: &mut dyn FnMut(&mut Taking<'_, '_>)) {
    let Some(_making) = Making::begin() else { return };
    pipeline::draft(head.level, head.to_note(text), |draft| {
        draft.content.origin = head.origin;
        if draft.noted.is_none() {
            take(draft, head, text, carry);
        } else {
            note(draft, head, text, carry);
            if draft.keep_noted() {
                return;
            }
        }
        draft.finish();
        let passes = |filter: &Filter| {
            guarded(|| filter.passes(&draft.content.view())).unwrap_or_else(|_| {
                counters::add(Count::FilterPanics, 1);
                true
            })
        };
        if head.filter.is_none_or(passes) {
            deliver(draft);
        }
    });
}

/// Notes what a message says.
fn note(draft: &mut Draft<'_>, head: &Head<'_>, text: &Text<'_>, carry: &mut dyn FnMut(&mut Taking<'_, '_>)) {
    let mut taking = Taking::new(draft, head);
    match &text.0 {
        Form::Arguments(text) | Form::Measured(text) => match text.as_str() {
            Some(text) => taking.note_fixed_text(text),
            None => taking.note_made_text(*text),
        },
        Form::Plain(text) => taking.note_text(text),
        // Such a message is not noted.
        Form::Template(template) => taking.note_text(template.text()),
    }
    carried(&mut taking, carry);
}

/// Takes what the message carries: all there is, where a value of the user's, or a struct or an error that hands values over, panics.
#[inline]
fn carried(taking: &mut Taking<'_, '_>, carry: &mut dyn FnMut(&mut Taking<'_, '_>)) {
    if guarded(|| carry(taking)).is_err() {
        taking.failed();
    }
}

/// Takes what a message says, into the event that it is.
fn take(draft: &mut Draft<'_>, head: &Head<'_>, text: &Text<'_>, carry: &mut dyn FnMut(&mut Taking<'_, '_>)) {
    draft.add_fields_of_unit();
    let mut taking = Taking::new(draft, head);
    taking.plain(&LOG_NAME, &Value::Str(head.name));
    let filling = match (&text.0, head.style) {
        (Form::Template(template), _) => Some(Filling::of(template)),
        (Form::Plain(text), Some(style)) => Some(Filling::plain(style, text)),
        _ => None,
    };
    match &text.0 {
        // Filled from the fields, once they are there.
        Form::Plain(_) if filling.is_some() => taking.plain(&LOG_MSG, &Value::Null),
        Form::Template(_) => taking.plain(&LOG_MSG, &Value::Null),
        Form::Plain(text) => taking.plain_text(text),
        Form::Arguments(text) | Form::Measured(text) => match text.as_str() {
            Some(text) => taking.plain_text(text),
            None => taking.made_text(*text),
        },
    }
    if let Some((file, line)) = head.place {
        taking.place(file, line);
    }
    carried(&mut taking, carry);
    // Another library's may be among its fields.
    if measures::counts_messages() && (!head.own_keys || text.is_measured_late()) {
        taking.measure(head.level);
    }
    if let Some(filling) = filling {
        taking.fill(&filling);
    }
    if !head.own_keys {
        draft.renamed = 0;
    }
}

/// Every message that no level and no filter of its logger holds back comes by here, whoever said it, as a whole event: in order, with
/// its time, its id and its place, and without canonlog's counts. `draft.content` is all of it; swapped for another, it can be kept.
fn deliver(draft: &mut Draft<'_>) {
    draft.deliver();
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::message::{Relay, logger};
    use crate::testing;

    /// So long that no other test's text is.
    const LEN: usize = 7_000;

    struct Long<'a>(&'a AtomicUsize);

    impl fmt::Display for Long<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fetch_add(1, Ordering::Relaxed);
            f.write_str(&"x".repeat(LEN))
        }
    }

    #[test]
    fn a_text_whose_length_nobody_knows_is_made_once_and_measured_then() {
        measures::count_messages();
        let (capture, made) = (testing::capture(), AtomicUsize::new(0));
        let sum = || measures::messages_of(Level::Notice);
        for say in [
            |text: fmt::Arguments<'_>| logger("test").notice(text),
            |text: fmt::Arguments<'_>| logger("test").field("cart", 7).notice(text),
            |text: fmt::Arguments<'_>| Relay::new(Level::Notice, "test").pass(text, |_| {}),
            |text: fmt::Arguments<'_>| {
                Relay::new(Level::Notice, "test").pass(format_args!(""), |fields| fields.text(crate::display(text)));
            },
        ] {
            let before = sum();
            made.store(0, Ordering::Relaxed);
            say(format_args!("{}", Long(&made)));
            assert_eq!(made.load(Ordering::Relaxed), 1);
            let since = sum().since(before);
            assert!((LEN as i64..2 * LEN as i64).contains(&since.sum) && since.times >= 1, "{since:?}");
        }
        assert_eq!(capture.events().len(), 4);
    }

    #[test]
    fn a_text_that_was_counted_by_its_macro_is_not_counted_again() {
        measures::count_messages();
        let (_capture, made) = (testing::capture(), AtomicUsize::new(0));
        let before = measures::messages_of(Level::Warning);
        crate::message!(Level::Warning, "{}", Long(&made));
        let since = measures::messages_of(Level::Warning).since(before);
        assert!(since.sum < LEN as i64 && since.times >= 1, "{since:?}");
    }
}
