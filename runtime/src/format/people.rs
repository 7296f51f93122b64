//! What the lines made for people have in common.
//!
//! ```text
//! log_name       log_msg                   app_cart      req_id  exc_type ...
//! who says it    what it says              cart          the unit, the error
//! canonlog.job   GET /cart, or a job's name                            of events that are no message
//! ```
//!
//! Such lines show a user's field without `app_`. Where that makes a name that is taken already, it gets a `_` behind it, as often
//! as is needed: no field hides another.

use super::line::Line;
use crate::event::{Event, EventType, Stored};
use crate::level::Level;

/// What a field is to such a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Name,
    Message,
    Place,
    Id,
    ErrorType,
    ErrorText,
    Trace,
    Trailer,
    Method,
    Path,
    Job,
}

const PARTS: usize = 11;

fn part(kind: EventType, name: &[u8]) -> Option<Part> {
    let is_log = kind == EventType::Log;
    Some(match name {
        b"log_name" if is_log => Part::Name,
        b"log_msg" if is_log => Part::Message,
        b"log_loc" if is_log => Part::Place,
        b"app_trailer" if is_log => Part::Trailer,
        b"req_id" | b"job_id" => Part::Id,
        b"exc_type" => Part::ErrorType,
        b"exc_msg" => Part::ErrorText,
        b"exc_trace" => Part::Trace,
        b"req_method" => Part::Method,
        b"req_path" => Part::Path,
        b"job_name" => Part::Job,
        _ => return None,
    })
}

/// An event as such lines tell it.
pub(super) struct Told<'a> {
    event: Event<'a>,
    /// Where each part stands among the fields, and what it holds; none where it is absent.
    parts: [Option<(usize, Stored)>; PARTS],
    /// Where fields stand whose names are taken, and how many `_` each gets.
    renamed: Vec<(usize, usize)>,
}

/// A field under the name that it is shown by.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    /// Its name in the event.
    pub(super) full: &'a [u8],
    name: &'a [u8],
    /// How many `_` follow the name.
    more: usize,
    pub(super) value: Stored,
}

impl<'a> Shown<'a> {
    /// The name, and how many `_` follow it.
    pub(super) fn name(&self) -> (&'a [u8], usize) {
        (self.name, self.more)
    }

    pub(super) fn push_name(&self, line: &mut Line<'_>) {
        line.bytes(self.name);
        (0..self.more).for_each(|_| line.byte(b'_'));
    }
}

/// How a format names the fields that keep their names, and which names it uses itself.
pub(super) trait Naming {
    /// The name of a field that is no user's.
    fn name<'a>(&self, full: &'a [u8]) -> &'a [u8] {
        full
    }

    /// Whether some field may get the name by [`name`](Self::name).
    fn gives(&self, _name: &[u8]) -> bool {
        false
    }

    /// Whether no field can have the name.
    fn is_taken(&self, name: &[u8]) -> bool;
}

/// A bit that equal names have in common.
fn mark(name: &[u8]) -> u128 {
    let byte = |at: usize| name.get(at).copied().map_or(0, usize::from);
    1 << ((name.len() + 7 * byte(0) + 13 * byte(name.len() / 2) + 29 * byte(name.len().saturating_sub(1))) % 128)
}

/// The name without `app_`, where what is left is a name.
pub(super) fn without_app(full: &[u8]) -> Option<&[u8]> {
    let rest = full.strip_prefix(b"app_")?;
    rest.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_').then_some(rest)
}

impl<'a> Told<'a> {
    pub(super) fn of(event: &Event<'a>, naming: &impl Naming) -> Self {
        // Asked of every event, so it may say yes where `rename` finds nothing to do.
        let (mut full_names, mut short_names) = (0, 0);
        let mut collides = false;
        for (full, _) in event.raw_fields() {
            let name = without_app(full);
            let shown = name.unwrap_or(full);
            *if name.is_some() { &mut short_names } else { &mut full_names } |= mark(shown);
            collides |= naming.is_taken(shown) || naming.gives(shown);
        }
        let both = full_names & short_names;
        collides |= both != 0 && {
            let short = event.raw_fields().filter_map(|(full, _)| without_app(full));
            let is_full = |name: &[u8]| event.raw_fields().any(|(full, _)| full == name);
            short.filter(|name| both & mark(name) != 0).any(is_full)
        };
        let renamed = if collides { rename(event, naming) } else { Vec::new() };
        Told { renamed, ..Told::in_full(event) }
    }

    /// For formats in which fields keep their full names.
    pub(super) fn in_full(event: &Event<'a>) -> Self {
        let mut parts = [None; PARTS];
        for (at, (full, value)) in event.raw_fields().enumerate() {
            if let Some(part) = part(event.kind(), full)
                && parts[part as usize].is_none()
                && !matches!(value, Stored::Null)
            {
                parts[part as usize] = Some((at, value));
            }
        }
        Told { event: *event, parts, renamed: Vec::new() }
    }

    /// Where the part stands among the fields.
    pub(super) fn place(&self, part: Part) -> Option<usize> {
        self.parts[part as usize].map(|(at, _)| at)
    }

    pub(super) fn part(&self, part: Part) -> Option<Stored> {
        self.parts[part as usize].map(|(_, value)| value)
    }

    /// What it says: one text, or two with a space between them.
    pub(super) fn message(&self) -> [Option<Stored>; 2] {
        if self.event.kind() == EventType::Log {
            return [self.part(Part::Message), None];
        }
        match self.part(Part::Job) {
            Some(job) => [Some(job), None],
            None => [self.part(Part::Method), self.part(Part::Path)],
        }
    }

    /// The name of the unit's id, `req_id` or `job_id`, and what it is.
    pub(super) fn id(&self) -> Option<(&'a [u8], Stored)> {
        let (at, value) = self.parts[Part::Id as usize]?;
        let (full, _) = self.event.raw_fields().nth(at)?;
        Some((full, value))
    }

    /// The fields that are none of the parts, in the order of the event.
    pub(super) fn fields<'s>(
        &'s self,
        naming: &'s impl Naming,
        parts: &'s [Part],
    ) -> impl Iterator<Item = Shown<'a>> + 's {
        let is_part =
            |at: usize| parts.iter().any(|part| self.parts[*part as usize].is_some_and(|(part, _)| part == at));
        self.event.raw_fields().enumerate().filter(move |(at, _)| !is_part(*at)).map(|(at, (full, value))| {
            let more = self.renamed.iter().find_map(|(renamed, more)| (*renamed == at).then_some(*more));
            let (name, _) = base(naming, full);
            Shown { full, name, more: more.unwrap_or_default(), value }
        })
    }

    /// The lines of the error, if there is one: its type and text, then where it came by.
    pub(super) fn traceback(&self) -> impl Iterator<Item = [&'a [u8]; 3]> + use<'a> {
        let event = self.event;
        let text = |part| match self.part(part) {
            Some(Stored::Text(text)) => event.text_of(text),
            _ => &[],
        };
        let (kind, told, trace) = (text(Part::ErrorType), text(Part::ErrorText), text(Part::Trace));
        let between: &[u8] = if kind.is_empty() || told.is_empty() { b"" } else { b": " };
        let is_any = !(kind.is_empty() && told.is_empty());
        let mut rest = told.split(|byte| *byte == b'\n');
        let first = rest.next().unwrap_or_default();
        let head = is_any.then_some([kind, between, first]).into_iter();
        let head = head.chain(rest.map(|more| [more, b"", b""]));
        head.chain(steps(trace).map(|step| [b"  ".as_slice(), step, b""]))
    }
}

/// The system's error that is the root of an error: its number, and its text.
pub(super) fn system_error<'a>(told: &Told<'a>) -> Option<(i32, &'a [u8])> {
    let text = |part| match told.part(part) {
        Some(Stored::Text(text)) => told.event.text_of(text),
        _ => &[],
    };
    // The root cause is the first of an error's sources, or there are none.
    let mut roots = steps(text(Part::Trace)).take(1).chain([text(Part::ErrorText)]);
    roots.find_map(|root| {
        // As the standard library ends such a text.
        let rest = str::from_utf8(root).ok()?.strip_suffix(')')?;
        let (text, number) = rest.rsplit_once(" (os error ")?;
        let code = number.parse().ok()?;
        // Of what another error says before it, nothing is the system's; nor is a number that somebody wrote behind another text.
        let whole = std::io::Error::from_raw_os_error(code).to_string();
        let of_system = whole.strip_suffix(')')?.strip_suffix(number)?.strip_suffix(" (os error ")?;
        let before = text.strip_suffix(of_system)?;
        (before.is_empty() || before.ends_with(": ")).then(|| (code, &text.as_bytes()[before.len()..]))
    })
}

/// What an error came by, or came of: lines, or pieces of one with arrows between them.
fn steps(trace: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = trace;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let is_arrow = |three: &[u8]| three == b" > " || three == b" < ";
        let arrow = rest.windows(3).position(is_arrow).map(|at| (at, 3));
        let line = rest.iter().position(|byte| *byte == b'\n').map(|at| (at, 1));
        let (at, len) = [arrow, line].into_iter().flatten().min().unwrap_or((rest.len(), 0));
        let step = &rest[..at];
        rest = &rest[at + len..];
        Some(step)
    })
    .filter(|step| !step.is_empty())
}

/// Writes a text outside quotes: quotes in it stay as they are.
pub(super) fn push_text(line: &mut Line<'_>, text: &[u8]) {
    for (at, piece) in text.split(|byte| *byte == b'"').enumerate() {
        if at > 0 {
            line.byte(b'"');
        }
        line.text(piece);
    }
}

/// Who keeps a name that several have: what the format names itself, then what stands under its full name, then what lost `app_`.
const NAMED: u8 = 0;
const PLAIN: u8 = 1;
const SHORT: u8 = 2;

/// The name that a field has as long as no other has it, and its rank among those that do.
fn base<'a>(naming: &impl Naming, full: &'a [u8]) -> (&'a [u8], u8) {
    if let Some(name) = without_app(full) {
        return (name, SHORT);
    }
    let name = naming.name(full);
    (name, if name == full { PLAIN } else { NAMED })
}

/// Where fields stand whose names are taken, and how many `_` make each one its own.
#[cold]
fn rename(event: &Event<'_>, naming: &impl Naming) -> Vec<(usize, usize)> {
    let bases: Vec<(&[u8], u8)> = event.raw_fields().map(|(full, _)| base(naming, full)).collect();
    let mut used: Vec<Vec<u8>> = bases.iter().map(|(name, _)| name.to_vec()).collect();
    let mut renamed = Vec::new();
    for (at, (name, rank)) in bases.iter().enumerate() {
        if !naming.is_taken(name) && !bases.iter().any(|(other, before)| other == name && before < rank) {
            continue;
        }
        let mut shown = name.to_vec();
        while used.contains(&shown) || naming.is_taken(&shown) {
            shown.push(b'_');
        }
        renamed.push((at, shown.len() - name.len()));
        used.push(shown);
    }
    renamed
}

/// Who says what is no message.
pub(super) fn own_name(kind: EventType) -> &'static str {
    match kind {
        EventType::Request => "canonlog.request",
        EventType::Job => "canonlog.job",
        EventType::Timeout => "canonlog.timeout",
        EventType::PartialFailure => "canonlog.partial_failure",
        EventType::LateResponse => "canonlog.late_response",
        EventType::Lost => "canonlog.lost",
        EventType::Dropped => "canonlog.dropped",
        EventType::Log => "canonlog.log",
        EventType::Status => "canonlog.status",
    }
}

/// A level's name as such lines have it.
pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Notice => "NOTICE",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::OwnedEvent;
    use std::time::SystemTime;

    struct Plain;

    impl Naming for Plain {
        fn is_taken(&self, name: &[u8]) -> bool {
            name == b"level"
        }
    }

    fn event(kind: EventType, names: &[&str]) -> OwnedEvent {
        let mut event = OwnedEvent::new(kind, Level::Info, SystemTime::UNIX_EPOCH);
        names.iter().for_each(|name| event.set(name, "x"));
        event
    }

    fn shown(names: &[&str]) -> Vec<String> {
        let event = event(EventType::Log, names);
        let told = Told::of(&event.view(), &Plain);
        let name = |field: Shown<'_>| {
            let (name, more) = field.name();
            str::from_utf8(name).expect("a name").to_owned() + &"_".repeat(more)
        };
        told.fields(&Plain, &[]).map(name).collect()
    }

    #[test]
    fn a_name_that_is_taken_gets_as_many_underscores_as_make_it_one_of_its_own() {
        assert_eq!(shown(&["app_cart", "shop_cart"]), ["cart", "shop_cart"]);
        assert_eq!(shown(&["app_shop_cart", "shop_cart", "app_level"]), ["shop_cart_", "level_", "shop_cart"]);
        assert_eq!(shown(&["app_a_", "app_a", "a", "a_"]), ["a__", "a___", "a", "a_"]);
        assert_eq!(shown(&["app_1", "app_", "app"]), ["app_1", "app_", "app"]);
    }

    #[test]
    fn an_error_is_told_from_its_type_to_the_lines_it_came_by() {
        let mut event = event(EventType::Log, &[]);
        event.set("exc_type", "shop::Error");
        event.set("exc_msg", "sold out\nfor good");
        event.set("exc_trace", "a.rs:1:f > b.rs:2:g\nc.rs:3:h < d.rs:4:i");
        let told = Told::of(&event.view(), &Plain);
        let lines: Vec<Vec<u8>> = told.traceback().map(|line| line.concat()).collect();
        let lines: Vec<&str> = lines.iter().map(|line| str::from_utf8(line).expect("text")).collect();
        assert_eq!(
            lines,
            ["shop::Error: sold out", "for good", "  a.rs:1:f", "  b.rs:2:g", "  c.rs:3:h", "  d.rs:4:i"]
        );
    }
}
