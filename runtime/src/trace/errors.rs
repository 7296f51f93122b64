//! Error return traces: where the error of a record arose, and by which lines it came to the boundary.
//!
//! ```text
//! operand?    ──▶ pass(Call(mark), ..)     goes on with the trace if an error passed while the operand was evaluated
//! result?     ──▶ pass(Place(mark, [..]), ..)    ... if the function that an error left last returns the type of its error
//! bail!(..);  ──▶ arise(mark, ..)          an error arises here, if none has passed a line of this function since the mark
//! ```
//!
//! An error is not followed: its type is the user's own, and is not touched. What is known is which lines an error has left
//! in this record, and in which order; an error that arises where none passed begins a new trace.

use std::fmt;

use super::names;
use super::site::{self, At, Fun};
use crate::record::errors::Copied;
use crate::record::{Handle, current};
use crate::value::Value;

/// How a line knows whether its error is that of the trace.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Join<'a> {
    /// What an expression gave that was evaluated since the mark was taken.
    Call(u32),
    /// The same, of one that hands on values which were there before, by the names of their types.
    Place(u32, &'a [fn() -> &'static str]),
}

/// An error passes a line of a function, where it has the type `error`; what the function returns is a `left`, if it leaves.
#[inline(never)]
pub(crate) fn pass(join: Join<'_>, fun: &'static Fun, line: u32, error: &'static str, left: &'static str) {
    let Some((errors, generation)) = current::errors_here() else { return };
    let errors = errors.of(generation);
    let goes_on = match join {
        Join::Call(mark) => errors.mark() != mark,
        Join::Place(mark, _) if errors.mark() != mark => true,
        Join::Place(_, names) => {
            let left = names::name(errors.left());
            names.iter().any(|name| is_of(name(), left))
        }
    };
    let at = word(fun, line);
    errors.pass(at, goes_on, || names::number(error), names::number(left));
}

/// The function is left at this line without another word: by an error that arises there, unless it leaves by one that has
/// passed a line of the function since the mark.
pub(crate) fn arise(mark: u32, fun: &'static Fun, line: u32, left: &'static str) {
    let Some((errors, generation)) = current::errors_here() else { return };
    let (errors, at) = (errors.of(generation), word(fun, line));
    let has_left = errors.mark() != mark && errors.last() >> 32 == at >> 32;
    if !has_left {
        errors.pass(at, false, || names::number(error_of(left)), names::number(left));
    }
}

/// A line in a function, by numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) fun: u32,
    pub(crate) line: u32,
}

impl Frame {
    fn word(self) -> u64 {
        u64::from(self.fun) << 32 | u64::from(self.line)
    }

    pub(crate) fn at(self) -> Option<At> {
        at(self.word())
    }
}

/// The annotated functions that a thread is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames {
    pub(crate) innermost: Frame,
    pub(crate) outermost: Frame,
}

/// A panic begins on this thread: it is counted in the record that the thread is inside, and is an error that arises there.
/// Where it is; nothing here may allocate.
pub(crate) fn panicked() -> Option<Frames> {
    let (errors, generation) = current::errors_here()?;
    let frames = current::ends().map(|ends| {
        let [innermost, outermost] = ends.map(|(fun, line)| Frame { fun, line });
        Frames { innermost, outermost }
    });
    // Where no frame tells, it is in the handler, at some line.
    let handler = current::handle().and_then(Handle::slot).map_or(0, |slot| slot.site());
    let innermost = frames.map_or(Frame { fun: handler, line: 0 }, |frames| frames.innermost);
    errors.of(generation).panicked(innermost.word(), names::PANIC);
    frames
}

fn word(fun: &'static Fun, line: u32) -> u64 {
    u64::from(fun.number()) << 32 | u64::from(line)
}

fn at(word: u64) -> Option<At> {
    let (fun, line) = (site::of((word >> 32) as u32)?, word as u32);
    Some(fun.at(if line == 0 { fun.line() } else { line }))
}

/// The way of an error, from where it arose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    copied: Option<Copied>,
    pub(crate) first: At,
    pub(crate) last: At,
    /// The type where it arose; empty where that is not known.
    pub(crate) cause: &'static str,
}

impl Trace {
    /// The trace of an error of this type that leaves `fun`; its last line is one of `fun`, `line` if no other is known.
    pub(crate) fn leaving(handle: Handle, fun: &'static Fun, line: u32, error: &'static str) -> Trace {
        let alone = Trace { copied: None, first: fun.at(line), last: fun.at(line), cause: "" };
        let Some(copied) = copy(handle) else { return alone };
        let Some(trace) = Trace::of(copied, error) else { return alone };
        if trace.last.is_in(fun) {
            trace
        } else if copied.left != 0 && is_of(error, names::name(copied.left)) {
            // It left by a way that is not seen: that of a macro.
            Trace { last: alone.last, ..trace }
        } else {
            alone
        }
    }

    /// The newest trace of a record, whose error has been dealt with, and the type that it had last. That of a panic has no
    /// place where no function is annotated.
    pub(crate) fn handled(handle: Handle) -> Option<(Option<Trace>, &'static str)> {
        let copied = copy(handle)?;
        let left = error_of(names::name(copied.left));
        let trace = Trace::of(copied, left);
        let cause = if copied.cause == names::PANIC { "panic" } else { trace?.cause };
        Some((trace, if left.is_empty() { cause } else { left }))
    }

    fn of(copied: Copied, error: &'static str) -> Option<Trace> {
        let cause = if copied.cause == 0 { error } else { names::name(copied.cause) };
        Some(Trace { copied: Some(copied), first: at(copied.first())?, last: at(copied.last())?, cause })
    }

    /// What to say of an error's type: that of the error, or where that is opaque that of its origin; and the origin's, if it is
    /// another.
    pub(crate) fn types(&self, error: &'static str) -> (&'static str, Option<&'static str>) {
        let is_known = !self.cause.is_empty() && !is_opaque(self.cause);
        if is_opaque(error) && is_known {
            return (self.cause, None);
        }
        (error, (is_known && self.cause != error).then_some(self.cause))
    }

    /// Tells an event of the way by which an error came, and of what it was at first.
    pub(crate) fn tell(
        &self,
        cause: Option<&'static str>,
        mut tell: impl FnMut(&'static str, &'static str, Value<'_>),
    ) {
        tell("exc", "loc", Value::Display(&self.last));
        tell("exc", "cause_loc", Value::Display(&self.first));
        if let Some(cause) = cause {
            tell("exc", "cause_type", Value::Str(cause));
        }
        if let Some(between) = self.between() {
            tell("exc", "trace", Value::Str(&between));
        }
    }

    /// The lines between the first and the last: `a.rs:1:f > b.rs:2:g`.
    fn between(&self) -> Option<String> {
        use fmt::Write as _;
        let copied = self.copied?;
        // The last line may be one that the trace itself does not have.
        let last = at(copied.last()).filter(|last| !last.is_same(&self.last) && !last.is_same(&self.first));
        let (unknown, known) = copied.between();
        let mut text = String::new();
        if unknown > 0 {
            let _ = write!(text, "({unknown} more)");
        }
        for at in known.filter_map(at).chain(last) {
            let _ = write!(text, "{}{at}", if text.is_empty() { "" } else { " > " });
        }
        (!text.is_empty()).then_some(text)
    }
}

fn copy(handle: Handle) -> Option<Copied> {
    handle.slot()?.body.errors.copy(handle.generation())
}

/// Forgets the trace of a record: its error was dealt with, and told of.
pub(crate) fn forget(handle: Handle) {
    if let Some(slot) = handle.slot().filter(|_| handle.is_live()) {
        slot.body.errors.of(handle.generation()).clear();
    }
}

/// Whether a type says nothing of the error in it.
fn is_opaque(name: &str) -> bool {
    const WRAPPERS: [&str; 2] = ["anyhow::Error", "eyre::Report"];
    WRAPPERS.contains(&name) || (name.starts_with("alloc::boxed::Box<dyn ") && name.contains("core::error::Error"))
}

/// Whether a value of the type `value` has in it the error of a function that returns a `left`.
fn is_of(value: &str, left: &str) -> bool {
    let error = error_of(left);
    let value = value.trim_start_matches('&');
    let value = value.strip_prefix("mut ").unwrap_or(value);
    !error.is_empty() && (value == error || error_of(value) == error || inner(value) == Some(error))
}

const RESULT: &str = "core::result::Result<";

/// The type of the error in that of a function's result; empty where there is none.
fn error_of(name: &str) -> &str {
    let Some(arguments) = name.strip_prefix(RESULT).and_then(|rest| rest.strip_suffix('>')) else {
        return inner(name).map_or("", error_of);
    };
    let (mut depth, mut comma, mut before) = (0_i32, None, ' ');
    for (at, c) in arguments.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            // The arrow of a function's type closes nothing.
            '>' if before == '-' => {}
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => comma = Some(at),
            _ => {}
        }
        before = c;
    }
    comma.map_or("", |at| arguments[at + 1..].trim_start())
}

/// The type in an `Option` or a `Poll`.
fn inner(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("core::option::Option<").or_else(|| name.strip_prefix("core::task::poll::Poll<"))?;
    rest.strip_suffix('>')
}

#[cfg(test)]
mod tests {
    use std::any::type_name;
    use std::task::Poll;

    use super::*;

    type Text = std::num::ParseIntError;

    #[test]
    fn the_error_is_found_in_the_type_of_a_result() {
        for (name, error) in [
            (type_name::<Result<u8, Text>>(), type_name::<Text>()),
            (type_name::<Result<(u8, [u8; 2]), Result<u8, Text>>>(), type_name::<Result<u8, Text>>()),
            (type_name::<Result<fn(u8) -> u8, Text>>(), type_name::<Text>()),
            (type_name::<Result<Vec<u8>, Box<dyn Fn(u8) -> u8>>>(), type_name::<Box<dyn Fn(u8) -> u8>>()),
            (type_name::<Poll<Option<Result<u8, Text>>>>(), type_name::<Text>()),
            (type_name::<Option<u8>>(), ""),
            (type_name::<()>(), ""),
        ] {
            assert_eq!(error_of(name), error, "{name}");
        }
    }

    #[test]
    fn a_value_is_known_by_the_error_in_it() {
        let left = type_name::<Result<u8, Text>>();
        for name in [
            type_name::<Text>(),
            type_name::<&Text>(),
            type_name::<&mut Text>(),
            type_name::<Option<Text>>(),
            type_name::<Result<String, Text>>(),
            type_name::<&Result<String, Text>>(),
            type_name::<Option<Result<String, Text>>>(),
        ] {
            assert!(is_of(name, left), "{name}");
        }
        assert!(!is_of(type_name::<std::io::Error>(), left));
        assert!(!is_of("", ""));
    }

    #[test]
    fn an_opaque_type_is_told_by_that_of_its_origin() {
        let trace = |cause| Trace { cause, copied: None, first: HERE.at(1), last: HERE.at(1) };
        static HERE: Fun = Fun::new("src/shop.rs", 7, "shop", "checkout", || "");
        let (dynamic, own) = (type_name::<Box<dyn std::error::Error + Send>>(), "shop::Error");
        assert_eq!(trace("io::Error").types(own), (own, Some("io::Error")));
        assert_eq!(trace(own).types(own), (own, None));
        assert_eq!(trace("").types(own), (own, None));
        assert_eq!(trace(own).types(dynamic), (own, None));
        assert_eq!(trace(own).types("anyhow::Error"), (own, None));
        assert_eq!(trace("anyhow::Error").types(own), (own, None));
        assert_eq!(trace(dynamic).types("anyhow::Error"), ("anyhow::Error", None));
    }
}
