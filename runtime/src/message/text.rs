//! The text of a message.

use std::borrow::Cow;
use std::fmt;

use super::template::Template;
use crate::scratch;

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
    Template(Template<'a>),
}

impl Text<'_> {
    /// How long the text is before anything is put into it. What `format_args!` makes does not tell that, if it has places: then, how
    /// long it is with what is put into them. The macros know better.
    pub(crate) fn template_len(&self) -> usize {
        match &self.0 {
            Form::Plain(text) => text.len(),
            Form::Template(template) => template.text().len(),
            Form::Arguments(text) => text.as_str().map_or_else(|| scratch::display(text).len(), str::len),
        }
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
