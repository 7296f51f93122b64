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
    Template(Template<'a>),
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
