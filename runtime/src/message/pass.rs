//! The one way of a message, from those who make it to the emitters.

use std::cell::Cell;

use super::Taking;
use super::text::{Form, Text};
use crate::counters::{self, Count};
use crate::event::{Event, EventType};
use crate::inside::is_inside;
use crate::level::Level;
use crate::pipeline::{self, Draft};
use crate::record::current;
use crate::scratch::guarded;
use crate::value::Value;

/// A test that the messages of a logger have to pass.
pub(super) type Filter = dyn Fn(&Event<'_>) -> bool + Send + Sync;

/// What a message says beside its text and its fields.
pub(crate) struct Head<'a> {
    pub(crate) level: Level,
    /// The logger.
    pub(crate) name: &'a str,
    /// File and line, where they are known.
    pub(crate) place: Option<(&'a str, u32)>,
    /// Whether line ends in texts become `\n`.
    pub(crate) on_one_line: bool,
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

/// Makes the event of a message, of which `carry` takes the fields, and hands it on.
pub(crate) fn pass(head: &Head<'_>, text: &Text<'_>, carry: &mut dyn FnMut(&mut Taking<'_, '_>)) {
    let Some(_making) = Making::begin() else { return };
    pipeline::draft(EventType::Log, head.level, |draft| {
        draft.add_fields_of_unit();
        let mut taking = Taking::new(draft, head.on_one_line);
        let name = taking.keep(Value::Str(head.name));
        let text = match &text.0 {
            Form::Plain(text) => taking.keep(Value::Str(text)),
            Form::Arguments(text) => match text.as_str() {
                Some(text) => taking.keep(Value::Str(text)),
                None => taking.keep_made(|to| to.write_fmt(*text)),
            },
        };
        taking.push_own("log", "name", name);
        taking.push_own("log", "msg", text);
        if let Some((file, line)) = head.place {
            let place = taking.keep_place(file, line);
            taking.push_own("log", "loc", place);
        }
        carry(&mut taking);
        draft.finish();
        let passes = |filter: &Filter| {
            guarded(|| filter(&draft.content.view())).unwrap_or_else(|_| {
                counters::add(Count::FilterPanics, 1);
                true
            })
        };
        if head.filter.is_none_or(passes) {
            deliver(draft);
        }
    });
}

/// Every message that is not held back by a level or a filter of its logger comes by here, as a whole event.
fn deliver(draft: &mut Draft<'_>) {
    draft.emit();
}
