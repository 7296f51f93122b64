//! What is wrong with a filter, and where.

use std::fmt;

use crate::nearest::nearest;

/// What is wrong with a filter, and where.
///
/// ```
/// let error = "event_level >= laud".parse::<canonlog::Filter>().expect_err("there is no such level");
/// assert_eq!(
///     error.to_string(),
///     "`event_level >= laud`: at character 16, `laud` is not a level; expected one of debug, info, notice, warning, error, critical",
/// );
/// assert_eq!(error.character(), Some(16));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The condition, and the number of the character in it that begins what is wrong.
    place: Option<(String, usize)>,
    problem: String,
}

impl FilterError {
    pub(super) fn new(problem: impl Into<String>) -> FilterError {
        FilterError { place: None, problem: problem.into() }
    }

    /// `got` is not one of these.
    pub(super) fn unknown(got: &str, what: &str, allowed: &[&str]) -> FilterError {
        FilterError::unknown_near(got, what, allowed, nearest(got, allowed))
    }

    /// The same, where it is known which was meant.
    pub(super) fn unknown_near(got: &str, what: &str, allowed: &[&str], near: Option<&str>) -> FilterError {
        let list: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
        let near = near.map(|near| format!("; the nearest is `{near}`"));
        FilterError::new(format!("`{got}` is {what}; expected {}{}", list.join(", "), near.unwrap_or_default()))
    }

    /// The same, at the byte `at` of a condition.
    pub(super) fn at(self, text: &str, at: usize) -> FilterError {
        let before = text.get(..at).unwrap_or(text);
        FilterError { place: Some((text.to_owned(), before.chars().count() + 1)), ..self }
    }

    /// The number of the character, from 1, at which a condition is wrong; none where a filter was put together by calls.
    pub fn character(&self) -> Option<usize> {
        self.place.as_ref().map(|(_, character)| *character)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((text, character)) = &self.place {
            write!(f, "`{text}`: at character {character}, ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for FilterError {}
