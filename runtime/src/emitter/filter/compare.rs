//! A test of one field, by what its value is.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use super::FilterError;
use super::glob::Glob;
use crate::context::OwnedValue;
use crate::event::{Event, EventType};
use crate::level::Level;
use crate::value::Value;

/// A comparison with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Comparison {
    pub(super) const ALL: [(&'static str, Comparison); 6] = [
        ("==", Comparison::Eq),
        ("!=", Comparison::Ne),
        ("<", Comparison::Lt),
        ("<=", Comparison::Le),
        (">", Comparison::Gt),
        (">=", Comparison::Ge),
    ];

    /// What is not there, or cannot be compared, is another.
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Comparison::Eq => order == Some(Ordering::Equal),
            Comparison::Ne => order != Some(Ordering::Equal),
            Comparison::Lt => order == Some(Ordering::Less),
            Comparison::Le => order.is_some_and(Ordering::is_le),
            Comparison::Gt => order == Some(Ordering::Greater),
            Comparison::Ge => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// What is asked of a field.
pub(super) enum Question {
    Exists,
    Compare(Comparison, OwnedValue),
    OneOf(Vec<OwnedValue>),
    Like(Vec<Glob>),
    #[cfg(feature = "regex")]
    Begins(regex::Regex),
}

impl Question {
    fn is_pattern(&self) -> bool {
        match self {
            Question::Like(_) => true,
            #[cfg(feature = "regex")]
            Question::Begins(_) => true,
            _ => false,
        }
    }
}

/// A test of one field.
pub(super) struct FieldTest {
    name: String,
    question: Question,
    /// What is not there is the text "".
    or_empty: bool,
}

impl FieldTest {
    /// # Errors
    ///
    /// A level or a type that there is not.
    pub(super) fn new(name: &str, question: Question) -> Result<FieldTest, FilterError> {
        let known = |value: &OwnedValue| match (name, value) {
            ("event_level", OwnedValue::Text(text)) => {
                text.parse::<Level>().map(drop).map_err(|error| FilterError::new(error.to_string()))
            }
            ("event_type", OwnedValue::Text(text)) if EventType::ALL.iter().all(|kind| kind.as_str() != text) => {
                Err(FilterError::unknown(text, "no type of event", &EventType::ALL.map(EventType::as_str)))
            }
            _ => Ok(()),
        };
        match &question {
            Question::Compare(_, value) => known(value)?,
            Question::OneOf(values) => values.iter().try_for_each(known)?,
            _ => {}
        }
        // A message that has no text begins as an empty one does; to anything else that is asked, it has none.
        let or_empty = name == "log_msg" && question.is_pattern();
        Ok(FieldTest { name: name.to_owned(), question, or_empty })
    }

    pub(super) fn names(names: Vec<String>) -> FieldTest {
        let question = Question::OneOf(names.into_iter().map(OwnedValue::Text).collect());
        FieldTest { name: "log_name".to_owned(), question, or_empty: true }
    }

    pub(super) fn globs(name: &str, patterns: Vec<String>, or_empty: bool) -> FieldTest {
        let question = Question::Like(patterns.into_iter().map(Glob::new).collect());
        FieldTest { name: name.to_owned(), question, or_empty }
    }

    pub(super) fn passes(&self, event: &Event<'_>) -> bool {
        let value = match self.name.as_str() {
            "event_type" => Some(Value::Str(event.kind().as_str())),
            "event_level" => return self.asks_level(event.level()),
            name => event.get(name),
        };
        let value = if self.or_empty { value.or(Some(Value::Str(""))) } else { value };
        match (&self.question, value) {
            (Question::Exists, value) => value.is_some(),
            (Question::Compare(comparison, with), value) => {
                comparison.holds(value.and_then(|value| compare(&value, with)))
            }
            (Question::OneOf(values), Some(value)) => {
                values.iter().any(|known| compare(&value, known) == Some(Ordering::Equal))
            }
            (Question::Like(globs), Some(Value::Str(text))) => globs.iter().any(|glob| glob.matches(text)),
            #[cfg(feature = "regex")]
            // The leftmost match begins there, if any does.
            (Question::Begins(regex), Some(Value::Str(text))) => {
                regex.find(text).is_some_and(|found| found.start() == 0)
            }
            _ => false,
        }
    }

    /// Levels are compared by how much they matter.
    fn asks_level(&self, level: Level) -> bool {
        let with = |known: &OwnedValue| match known {
            OwnedValue::Text(text) => text.parse().ok().map(|known: Level| level.cmp(&known)),
            _ => None,
        };
        match &self.question {
            Question::Exists => true,
            Question::Compare(comparison, known) => comparison.holds(with(known)),
            Question::OneOf(values) => values.iter().any(|known| with(known) == Some(Ordering::Equal)),
            Question::Like(globs) => globs.iter().any(|glob| glob.matches(level.as_str())),
            #[cfg(feature = "regex")]
            Question::Begins(regex) => regex.find(level.as_str()).is_some_and(|found| found.start() == 0),
        }
    }
}

impl fmt::Debug for FieldTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.question {
            Question::Exists => Ok(()),
            Question::Compare(comparison, value) => {
                let sign = Comparison::ALL.iter().find(|(_, known)| known == comparison).map_or("", |(sign, _)| sign);
                write!(f, " {sign} {value:?}")
            }
            Question::OneOf(values) => write!(f, " in {values:?}"),
            Question::Like(globs) => write!(f, " like {globs:?}"),
            #[cfg(feature = "regex")]
            Question::Begins(regex) => write!(f, " ~ {:?}", regex.as_str()),
        }
    }
}

/// A number as it is compared.
enum Number {
    Whole(i128),
    Real(f64),
    Time(Duration),
}

impl Number {
    fn real(&self) -> f64 {
        match self {
            Number::Whole(value) => *value as f64,
            Number::Real(value) => *value,
            Number::Time(value) => value.as_secs_f64(),
        }
    }
}

fn number(value: &Value<'_>) -> Option<Number> {
    Some(match value {
        Value::I64(value) => Number::Whole((*value).into()),
        Value::U64(value) => Number::Whole((*value).into()),
        Value::F64(value) => Number::Real(*value),
        Value::Duration(value) => Number::Time(*value),
        _ => return None,
    })
}

/// How a value stands to another; none if they cannot be compared.
fn compare(value: &Value<'_>, with: &OwnedValue) -> Option<Ordering> {
    let with = crate::value::ToValue::to_value(with);
    match (value, &with) {
        (Value::Str(one), Value::Str(other)) => Some((*one).cmp(other)),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => match (number(value)?, number(&with)?) {
            (Number::Whole(one), Number::Whole(other)) => Some(one.cmp(&other)),
            (Number::Time(one), Number::Time(other)) => Some(one.cmp(&other)),
            (one, other) => one.real().partial_cmp(&other.real()),
        },
    }
}
