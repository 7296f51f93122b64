//! The text of a message.

use std::borrow::Cow;
use std::fmt;

use super::template::Template;

/// The text of a message: any text; what `format_args!` makes, which is not formatted before somebody wants it; or a [`Template`].
///
/// ```
/// use canonlog::logger;
///
/// let items = 3;
/// logger("shop").info("opened");
/// logger("shop").info(format_args!("checked out {items}"));
/// logger("shop").info(String::from("closed"));
/// ```
#[derive(Clone, Debug)]
pub struct Text<'a>(pub(super) Form<'a>);

#[derive(Clone, Debug)]
pub(super) enum Form<'a> {
    Plain(Cow<'a, str>),
    Arguments(fmt::Arguments<'a>),
    /// Of the macros, which know how long it is before anything is put into it, and have counted that.
    Measured(fmt::Arguments<'a>),
    Template(Template<'a>),
}

impl<'a> Text<'a> {
    pub(crate) fn measured(text: fmt::Arguments<'a>) -> Self {
        Text(Form::Measured(text))
    }

    /// How long the text is before anything is put into it. What `format_args!` makes does not tell that, if it has places: it is not
    /// formatted for this, but measured when it is made, if it is.
    pub(super) fn template_len(&self) -> Option<usize> {
        match &self.0 {
            Form::Plain(text) => Some(text.len()),
            Form::Template(template) => Some(template.text().len()),
            Form::Arguments(text) | Form::Measured(text) => text.as_str().map(str::len),
        }
    }

    /// Whether how long it is was not known before it was made.
    pub(super) fn is_measured_late(&self) -> bool {
        matches!(self.0, Form::Arguments(_)) && self.template_len().is_none()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Text(Form::Plain(Cow::Borrowed(text)))
    }
}

impl<'a> From<&'a String> for Text<'a> {
    fn from(text: &'a String) -> Self {
        Text(Form::Plain(Cow::Borrowed(text)))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text(Form::Plain(Cow::Owned(text)))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Text(Form::Plain(text))
    }
}

impl<'a> From<fmt::Arguments<'a>> for Text<'a> {
    #[inline]
    fn from(text: fmt::Arguments<'a>) -> Self {
        Text(Form::Arguments(text))
    }
}
