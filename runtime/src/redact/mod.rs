//! What is never recorded: values under names that look like those of secrets, query strings, literals in SQL.
//!
//! ```text
//! a key the program has ──(when it is interned)──▶ hidden? ─┐
//! a key made at run time ──(when it is written)──▶ hidden? ─┴─▶ [redacted] in place of the value
//! ```
//!
//! What is hidden holds for the process: names are told apart once, so that a field which is none of these costs nothing more.

mod pattern;
mod secret;

#[cfg(any(feature = "tower", test))]
use std::fmt;
use std::sync::OnceLock;

use crate::value::Value;

pub use self::secret::Secret;

/// What stands in the place of a hidden value.
pub(crate) const REDACTED: &str = "[redacted]";

/// The patterns that hold without a word.
const USUAL: [&str; 18] = [
    "*password*",
    "*passwd*",
    "passphrase",
    "*secret*",
    "*token",
    "*authorization*",
    "*cookie",
    "cookies",
    "*session",
    "*sessionid",
    "*apikey",
    "api_key",
    "access_key",
    "private_key",
    "*credential",
    "*credentials",
    "*csrf*",
    "bearer",
];

/// What is not recorded. [`Setup::redact`](crate::Setup::redact) takes it; without a word it is the default.
///
/// A field whose name matches a pattern has `[redacted]` in place of its value, in any namespace and whoever set it. A pattern
/// is one word of a name or several in a row, joined by `_`; `*` stands for any characters of a word. Numbers are hidden as text
/// is; booleans, durations and nothing stay, as they say that there was something and not what. So do fields whose last word is
/// `count`, `time`, `len`, `length` or `size`, unless the pattern has that word.
///
/// Hidden by default: `*password*`, `*passwd*`, `passphrase`, `*secret*`, `*token`, `*authorization*`, `*cookie`, `cookies`,
/// `*session`, `*sessionid`, `*apikey`, `api_key`, `access_key`, `private_key`, `*credential`, `*credentials`, `*csrf*`, `bearer`.
///
/// ```
/// use canonlog::Redaction;
///
/// let redaction = Redaction::default().keys(["iban", "*card*"]).except(["session_kind"]);
/// let setup = canonlog::setup().redact(redaction);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    pub(crate) usual: bool,
    pub(crate) keys: Vec<String>,
    pub(crate) except: Vec<String>,
    pub(crate) query_strings: bool,
    pub(crate) sql_literals: bool,
}

impl Default for Redaction {
    fn default() -> Self {
        Redaction { usual: true, keys: Vec::new(), except: Vec::new(), query_strings: false, sql_literals: false }
    }
}

impl Redaction {
    /// No key is hidden by a pattern that you do not give. Query strings and literals stay out all the same.
    ///
    /// ```
    /// let only_cards = canonlog::Redaction::none().keys(["card"]);
    /// ```
    #[must_use]
    pub fn none() -> Self {
        Redaction { usual: false, ..Redaction::default() }
    }

    /// Hides further keys.
    #[must_use]
    pub fn keys<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.keys.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Shows what these patterns match, whatever else does.
    #[must_use]
    pub fn except<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.except.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Whether the query of a request's target is recorded (`req_query`), and that of its referrer stays. Off by default.
    ///
    /// Values of parameters whose names are hidden are `[redacted]` there too.
    ///
    /// ```
    /// let redaction = canonlog::Redaction::default().query_strings(true); // req_query="page=2&token=[redacted]"
    /// ```
    #[must_use]
    pub fn query_strings(mut self, shown: bool) -> Self {
        self.query_strings = shown;
        self
    }

    /// Whether `db_dup_top` has the statement as it was sent, with its literals. Off by default: each is a `?`.
    #[must_use]
    pub fn sql_literals(mut self, shown: bool) -> Self {
        self.sql_literals = shown;
        self
    }
}

/// Whether a text is a pattern: one that means neither every name nor none.
pub(crate) fn is_pattern(text: &str) -> bool {
    pattern::clean(text).is_some()
}

/// What the process hides, ready to be compared.
#[derive(Debug, PartialEq, Eq)]
struct Rules {
    hidden: Vec<String>,
    shown: Vec<String>,
    query_strings: bool,
    sql_literals: bool,
}

/// Rules, and those that came after them. They are few, so that a walk to the last is short, and none is ever freed: whoever
/// reads them needs no lock.
struct Held {
    rules: Rules,
    next: OnceLock<Box<Held>>,
}

static FIRST: OnceLock<Held> = OnceLock::new();

impl Held {
    fn of(redaction: &Redaction) -> Held {
        let clean =
            |patterns: &[String]| patterns.iter().filter_map(|pattern| pattern::clean(pattern)).collect::<Vec<_>>();
        let mut hidden = clean(&redaction.keys);
        if redaction.usual {
            hidden.extend(USUAL.map(str::to_owned));
        }
        let rules = Rules {
            hidden,
            shown: clean(&redaction.except),
            query_strings: redaction.query_strings,
            sql_literals: redaction.sql_literals,
        };
        Held { rules, next: OnceLock::new() }
    }
}

fn last() -> &'static Held {
    let mut held = FIRST.get_or_init(|| Held::of(&Redaction::default()));
    while let Some(next) = held.next.get() {
        held = next;
    }
    held
}

/// From now on this is hidden. Names that are interned already are told apart anew by
/// [`names::reconsider`](crate::event::names::reconsider), whose lock the caller has.
pub(crate) fn install(redaction: &Redaction) {
    let new = Held::of(redaction);
    let last = last();
    if last.rules != new.rules {
        let _ = last.next.set(Box::new(new));
    }
}

/// Whether the values of a name are hidden.
pub(crate) fn hides(name: &str) -> bool {
    let rules = &last().rules;
    let any = |patterns: &[String]| patterns.iter().any(|pattern| pattern::matches(pattern, name));
    // By these an event is found again.
    !matches!(name, "req_id" | "job_id") && any(&rules.hidden) && !any(&rules.shown)
}

/// Whether queries of request targets are recorded.
#[cfg(feature = "tower")]
pub(crate) fn shows_query_strings() -> bool {
    last().rules.query_strings
}

/// Whether statements are shown with their literals.
pub(crate) fn shows_sql_literals() -> bool {
    last().rules.sql_literals
}

/// What is recorded in the place of a value whose name is hidden.
pub(crate) fn hidden(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Null | Value::Bool(_) | Value::Duration(_) => value,
        _ => Value::Str(REDACTED),
    }
}

/// The query of a URL as it is recorded: values of hidden names are not.
#[cfg(any(feature = "tower", test))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a>(pub(crate) &'a str);

#[cfg(any(feature = "tower", test))]
impl fmt::Display for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, pair) in self.0.split('&').enumerate() {
            if at > 0 {
                f.write_str("&")?;
            }
            match pair.split_once('=') {
                Some((name, _)) if hides(&in_words(name)) => write!(f, "{name}={REDACTED}")?,
                _ => f.write_str(pair)?,
            }
        }
        Ok(())
    }
}

#[cfg(any(feature = "tower", test))]
/// A parameter's name as a field's is written; an escape may hide a letter, so it is resolved.
fn in_words(name: &str) -> String {
    let mut bytes = name.bytes();
    let mut words = String::with_capacity(name.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| char::from(byte.unwrap_or_default()).to_digit(16);
        let byte = match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes = ahead;
                (high * 16 + low) as u8
            }
            (byte, ..) => byte,
        };
        let byte = byte.to_ascii_lowercase();
        words.push(if byte.is_ascii_alphanumeric() { char::from(byte) } else { '_' });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_secrets_are_hidden_and_what_resembles_them_is_not() {
        for name in [
            "app_password",
            "req_cookie",
            "http_set_cookie",
            "app_user_passwd",
            "app_api_key",
            "app_apikey",
            "app_token",
            "app_access_token",
            "app_accesstoken",
            "app_sessionid",
            "app_session_id",
            "req_authorization",
            "http_proxy_authorization",
            "app_client_secret",
            "app_csrftoken",
            "cookie_theme",
        ] {
            assert!(hides(name), "{name}");
        }
        for name in [
            "req_id",
            "req_method",
            "app_tokens",
            "app_tokenizer",
            "app_sessions",
            "app_token_count",
            "app_session_time",
            "app_keyboard",
            "exc_msg",
            "resp_status",
            "app_author",
            "app_key",
            "db_dup_top",
            "app_passed",
        ] {
            assert!(!hides(name), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_kept() {
        assert_eq!(hidden(Value::Bool(true)), Value::Bool(true));
        assert_eq!(hidden(Value::Null), Value::Null);
        assert_eq!(hidden(Value::U64(4711)), Value::Str(REDACTED));
        assert_eq!(hidden(Value::Str("")), Value::Str(REDACTED));
    }

    #[test]
    fn a_query_is_shown_without_the_values_of_hidden_names() {
        let shown = |query| Query(query).to_string();
        assert_eq!(shown("page=2&token=a&api-key=b&x"), "page=2&token=[redacted]&api-key=[redacted]&x");
        assert_eq!(
            shown("tok%65n=a&user%5Bpassword%5D=b&%zz=1"),
            "tok%65n=[redacted]&user%5Bpassword%5D=[redacted]&%zz=1"
        );
        assert_eq!(shown(""), "");
    }

    #[test]
    fn a_pattern_that_means_every_name_or_none_is_none() {
        assert!(is_pattern("X-Card") && is_pattern("a_*"));
        assert!(!is_pattern("*") && !is_pattern(""));
    }
}
