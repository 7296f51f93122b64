//! The one way of a message, from those who make it to the emitters.

use std::cell::Cell;

use super::Taking;
use super::template::{Filling, Style};
use super::text::{Form, Text};
use crate::counters::{self, Count};
use crate::emitter::Filter;
use crate::event::EventType;
use crate::inside::is_inside;
use crate::level::Level;
use crate::pipeline::{self, Draft};
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
    /// How plain texts are filled, if they are.
    pub(crate) style: Option<Style>,
    /// Whether line ends in texts become `\n`.
    pub(crate) on_one_line: bool,
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

/// Makes the event of a message, of which `carry` takes the fields, and hands it on.
pub(crate) fn pass(head: &Head<'_>, text: &Text<'_>, carry: &mut dyn FnMut(&mut Taking<'_, '_>)) {
    let Some(_making) = Making::begin() else { return };
    pipeline::draft(EventType::Log, head.level, |draft| {
        draft.add_fields_of_unit();
        let mut taking = Taking::new(draft, head);
        taking.own_plain("log", "name", &Value::Str(head.name));
        let filling = match (&text.0, head.style) {
            (Form::Template(template), _) => Some(Filling::of(template)),
            (Form::Plain(text), Some(style)) => Some(Filling::plain(style, text)),
            _ => None,
        };
        match &text.0 {
            // Filled from the fields, once they are there.
            Form::Plain(_) if filling.is_some() => taking.own_plain("log", "msg", &Value::Null),
            Form::Template(_) => taking.own_plain("log", "msg", &Value::Null),
            Form::Plain(text) => taking.own_text("log", "msg", text),
            Form::Arguments(text) => match text.as_str() {
                Some(text) => taking.own_text("log", "msg", text),
                None => taking.own_made("log", "msg", |to| to.write_fmt(*text)),
            },
        }
        if let Some((file, line)) = head.place {
            taking.own_place("log", "loc", file, line);
        }
        carry(&mut taking);
        if let Some(filling) = filling {
            taking.fill(&filling);
        }
        if !head.own_keys {
            draft.renamed = 0;
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

/// Every message that no level and no filter of its logger holds back comes by here, whoever said it, as a whole event: in order, with
/// its time, its id and its place, and without canonlog's counts. `draft.content` is all of it; swapped for another, it can be kept.
fn deliver(draft: &mut Draft<'_>) {
    draft.deliver();
}
