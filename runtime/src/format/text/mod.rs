//! Fields, then a text: the line for those who read logs with their eyes and `cut`.
//!
//! ```text
//! 2026-11-20T23:00:49Z:INFO:shop:cart=7|checked out\nTRACE shop::Error: sold out
//! fields, by a table                   | text      │ an error, line by line
//! ```

mod conversion;
mod converter;
mod entry;

pub use conversion::{Conversion, MissingFields};
pub use converter::Converter;

use self::entry::{Entry, Marks};
use super::line::{self, Line};
use super::people::{self, Naming, Part, Told, push_text};
use super::{Format, time};
use crate::event::{Event, EventType, Stored};
use crate::value::Value;

/// Fields, a `|`, the text: `2026-11-20T23:00:49Z:INFO:shop:number=42|hello world, it's a sunny day`.
///
/// The fields are the `time`, the `level`, the logger's `name`, and what the event holds, a user's without `app_`; a [`Conversion`] says
/// in which order and form. Of an event that is no message the name is `canonlog.request` and so on, and the text `GET /cart`, or the
/// name of the job.
///
/// An error follows the text, line by line, each after a prefix. As an event is one line, that prefix has its line end escaped:
/// `no\nTRACE shop::Error: sold out`. A text in which it stands itself is quoted, so it is no error's.
///
/// ```
/// use canonlog::{EventType, Format, Level, OwnedEvent, TextLine};
/// use std::time::SystemTime;
///
/// let mut event = OwnedEvent::new(EventType::Log, Level::Info, SystemTime::UNIX_EPOCH);
/// event.set("log_name", "frank");
/// event.set("log_msg", "hello world, it's a sunny day");
/// event.set("app_number", 42);
///
/// let line = |format: TextLine| {
///     let mut line = Vec::new();
///     format.format(&event.view(), &mut line);
///     String::from_utf8_lossy(&line).into_owned()
/// };
/// assert_eq!(line(TextLine::new()), "1970-01-01T00:00:00Z:INFO:frank:number=42|hello world, it's a sunny day");
/// assert_eq!(line(TextLine::shell()), "INFO:frank:number=42|hello world, it's a sunny day");
/// ```
#[derive(Clone)]
pub struct TextLine {
    conversion: Conversion,
    separator: String,
    prefix: String,
    /// What must not stand in a text outside quotes: the prefix, as it is before it is escaped.
    not_in_text: String,
    millis: bool,
    marks: Marks,
}

impl Default for TextLine {
    fn default() -> Self {
        TextLine::new()
    }
}

impl std::fmt::Debug for TextLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("TextLine");
        shown.field("conversion", &self.conversion).field("separator", &self.separator);
        shown.field("traceback_prefix", &self.prefix).field("millis", &self.millis).finish()
    }
}

impl TextLine {
    /// With the time, to the second, in front.
    pub fn new() -> Self {
        TextLine {
            conversion: Conversion::new(),
            separator: "|".to_owned(),
            prefix: String::new(),
            not_in_text: String::new(),
            millis: false,
            marks: Marks::of(&Conversion::new(), "|"),
        }
        .traceback_prefix(r"\nTRACE ")
        .conversion(Conversion::line())
    }

    /// Without the time, for a terminal.
    pub fn shell() -> Self {
        TextLine::new().conversion(Conversion::shell())
    }

    /// The table by which the fields are written.
    ///
    /// ```
    /// use canonlog::{Conversion, Converter, TextLine};
    ///
    /// let format = TextLine::new().conversion(Conversion::line().with(Converter::new("cart").value_only()));
    /// # let _ = format;
    /// ```
    #[must_use]
    pub fn conversion(mut self, conversion: Conversion) -> Self {
        self.marks = Marks::of(&conversion, &self.separator);
        self.conversion = conversion;
        self
    }

    /// What stands between the fields and the text; `|` otherwise.
    #[must_use]
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self.marks = Marks::of(&self.conversion, &self.separator);
        self
    }

    /// What stands before each line of an error; `\nTRACE ` otherwise, with a backslash and an `n`.
    ///
    /// With a line feed in it the format writes several lines. An emitter escapes that again, as one event is one line; it is for
    /// programs that call the format themselves.
    ///
    /// ```
    /// use canonlog::{EventType, Format, Level, OwnedEvent, TextLine};
    ///
    /// let mut event = OwnedEvent::new(EventType::Log, Level::Error, std::time::SystemTime::UNIX_EPOCH);
    /// event.set("log_msg", "boom x");
    /// event.set("exc_type", "shop::Error");
    /// event.set("exc_msg", "division by zero");
    ///
    /// let mut lines = Vec::new();
    /// TextLine::shell().traceback_prefix("\nTRACE ").format(&event.view(), &mut lines);
    /// assert_eq!(lines, b"ERROR|boom x\nTRACE shop::Error: division by zero");
    /// ```
    #[must_use]
    pub fn traceback_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self.not_in_text = self.prefix.replace("\\n", "\n");
        self
    }

    /// Writes the time with milliseconds: `2026-11-20T23:00:49.123Z`.
    #[must_use]
    pub fn millis(mut self) -> Self {
        self.millis = true;
        self
    }
}

struct Names;

impl Naming for Names {
    fn is_taken(&self, name: &[u8]) -> bool {
        matches!(name, b"time" | b"level" | b"name")
    }
}

/// What is none of the fields.
const APART: [Part; 5] = [Part::Name, Part::Message, Part::ErrorType, Part::ErrorText, Part::Trace];
/// An event of more fields costs an allocation.
const FEW: usize = 32;

impl Format for TextLine {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        line::append(line, |line| self.push(event, line));
    }
}

impl TextLine {
    fn push(&self, event: &Event<'_>, line: &mut Line<'_>) {
        let told = Told::of(event, &Names);
        self.push_fields(event, &told, line);
        line.bytes(self.separator.as_bytes());
        self.push_message(event, &told, line);
        for pieces in told.traceback() {
            line.bytes(self.prefix.as_bytes());
            pieces.into_iter().for_each(|piece| push_text(line, piece));
        }
    }

    fn push_fields(&self, event: &Event<'_>, told: &Told<'_>, line: &mut Line<'_>) {
        let stamp = time::rfc3339(event.unix_nanos());
        let mut seconds = stamp;
        seconds[19] = b'Z';
        let stamp = if self.millis { &stamp[..] } else { &seconds[..20] };
        let known = |name: &'static [u8], value| Entry { name, value, ..Entry::NONE };
        let head = [
            Some(Entry { bare: true, ..known(b"time", text(stamp)) }),
            Some(known(b"level", Value::Str(people::level(event.level())))),
            name(event, told).map(|name| known(b"name", name)),
        ];
        let fields = told.fields(&Names, &APART).map(|field| {
            let (name, more) = field.name();
            Entry { name, more, value: event.value_of(field.value), bare: false }
        });
        let (mut few, mut many) = ([Entry::NONE; FEW], Vec::new());
        let mut count = 0;
        for entry in head.into_iter().flatten().chain(fields) {
            match few.get_mut(count) {
                Some(place) if many.is_empty() => *place = entry,
                _ => {
                    if many.is_empty() {
                        many.extend_from_slice(&few);
                    }
                    many.push(entry);
                }
            }
            count += 1;
        }
        let entries = if many.is_empty() { &mut few[..count] } else { &mut many[..] };
        self.conversion.push(entries, &self.marks, line);
    }

    fn push_message(&self, event: &Event<'_>, told: &Told<'_>, line: &mut Line<'_>) {
        let message = told.message();
        let quoted = self.wants_quotes(event, message);
        if quoted {
            line.byte(b'"');
        }
        for (at, value) in message.into_iter().flatten().enumerate() {
            if at > 0 {
                line.byte(b' ');
            }
            match value {
                Stored::Text(text) if quoted => line.text(event.text_of(text)),
                Stored::Text(text) => push_text(line, event.text_of(text)),
                value => line.bytes(event.value_of(value).to_string().as_bytes()),
            }
        }
        if quoted {
            line.byte(b'"');
        }
    }

    /// Whether the text could be taken for more than a text.
    fn wants_quotes(&self, event: &Event<'_>, message: [Option<Stored>; 2]) -> bool {
        if self.conversion.is_unquoted() || self.not_in_text.is_empty() {
            return false;
        }
        let part = |at: usize| match message[at] {
            Some(Stored::Text(text)) => event.text_of(text),
            _ => &[],
        };
        let not = self.not_in_text.as_bytes();
        let starts = |text: &[u8]| {
            let mut at = text.iter().enumerate().filter(|(_, byte)| **byte == not[0]);
            // Of two parts it could also stand across both.
            at.any(|(at, _)| !part(1).is_empty() || text[at..].starts_with(not))
        };
        part(0).starts_with(b"\"") || starts(part(0)) || starts(part(1))
    }
}

fn name<'a>(event: &Event<'a>, told: &Told<'a>) -> Option<Value<'a>> {
    let own = (event.kind() != EventType::Log).then(|| Value::Str(people::own_name(event.kind())));
    told.part(Part::Name).map(|name| event.value_of(name)).or(own)
}

fn text(ascii: &[u8]) -> Value<'_> {
    Value::Str(str::from_utf8(ascii).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::OwnedEvent;
    use crate::level::Level;
    use crate::value::ToValue;
    use std::time::{Duration, SystemTime};

    fn line(format: &TextLine, level: Level, fields: &[(&str, Value<'_>)]) -> String {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_215_649);
        let mut event = OwnedEvent::new(EventType::Log, level, time);
        for (name, value) in fields {
            event.set(name, value);
        }
        let mut line = Vec::new();
        format.format(&event.view(), &mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn lines_are_those_of_twiggy() {
        let hello = [
            ("log_name", "frank".to_value()),
            ("log_msg", "hello world, it's a sunny day".to_value()),
            ("app_number", 42.to_value()),
        ];
        let expected = "INFO:frank:number=42|hello world, it's a sunny day";
        assert_eq!(line(&TextLine::new(), Level::Info, &hello), format!("2026-11-20T23:00:49Z:{expected}"));
        assert_eq!(
            line(&TextLine::new().millis(), Level::Info, &hello),
            format!("2026-11-20T23:00:49.000Z:{expected}")
        );
        assert_eq!(line(&TextLine::shell(), Level::Info, &hello), expected);
        let shell = |fields: &[(&str, Value<'_>)]| line(&TextLine::shell(), Level::Info, fields);
        let fields = [("log_name", "dolphins".to_value()), ("app_paths", 42.to_value())];
        assert_eq!(shell(&fields), "INFO:dolphins:paths=42|");
        let fields = [("app_paths", 42.to_value()), ("app_dolphins", "thankful".to_value())];
        assert_eq!(shell(&fields), "INFO:dolphins=thankful:paths=42|");
        assert_eq!(shell(&[("log_msg", "a\nb".to_value())]), r"INFO|a\nb");
        let fields =
            [("app_a", 2.to_value()), ("Z", 3.to_value()), ("app_b", 1.to_value()), ("log_msg", "sorted".to_value())];
        assert_eq!(shell(&fields), "INFO:Z=3:a=2:b=1|sorted");
        let fields = [("app_x", "a:b|c=d".to_value()), ("log_msg", "pipe|colon:".to_value())];
        let unquoted = TextLine::shell().conversion(Conversion::shell().unquoted());
        assert_eq!(line(&unquoted, Level::Info, &fields), "INFO:x=a:b|c=d|pipe|colon:");
        assert_eq!(shell(&fields), r#"INFO:x="a:b|c=d"|pipe|colon:"#);
    }

    #[test]
    fn an_error_follows_the_text_line_by_line() {
        let fields = [
            ("log_msg", "boom x".to_value()),
            ("exc_type", "ZeroDivisionError".to_value()),
            ("exc_msg", "division by zero\n\nand \"more\"".to_value()),
            ("exc_trace", "a.rs:21:module".to_value()),
        ];
        let lines = "ERROR|boom x\nTRACE ZeroDivisionError: division by zero\nTRACE \nTRACE and \"more\"\nTRACE   a.rs:21:module";
        let several = TextLine::shell().traceback_prefix("\nTRACE ");
        assert_eq!(line(&several, Level::Error, &fields), lines);
        assert_eq!(line(&TextLine::shell(), Level::Error, &fields), lines.replace('\n', "\\n"));
        let folded = TextLine::shell().traceback_prefix("\\n");
        assert_eq!(line(&folded, Level::Error, &fields), lines.replace("\nTRACE ", "\\n"));
    }

    #[test]
    fn no_text_forges_an_error() {
        let forged = [("log_msg", "boom\nTRACE shop::Error: x".to_value())];
        assert_eq!(line(&TextLine::shell(), Level::Info, &forged), r#"INFO|"boom\nTRACE shop::Error: x""#);
        let quoted = [("log_msg", "\"a\" b".to_value())];
        assert_eq!(line(&TextLine::shell(), Level::Info, &quoted), r#"INFO|"\"a\" b""#);
        let inner = [("log_msg", "say \"a\" \\".to_value())];
        assert_eq!(line(&TextLine::shell(), Level::Info, &inner), r#"INFO|say "a" \\"#);
    }

    #[test]
    fn fields_beyond_those_that_need_no_allocation_are_there_too() {
        let names: Vec<String> = (100..200).map(|at| format!("app_k{at}")).collect();
        let fields: Vec<(&str, Value<'_>)> = names.iter().map(|name| (name.as_str(), Value::U64(1))).collect();
        for count in [29, 30, 31, 32, 33, 34, 100] {
            let expected: String = (100..100 + count).map(|at| format!(":k{at}=1")).collect();
            assert_eq!(line(&TextLine::shell(), Level::Info, &fields[..count]), format!("INFO{expected}|"));
        }
    }
}
