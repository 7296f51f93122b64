//! A template's text as pieces.
//!
//! ```text
//! place  = "{" name [ "|" default ] [ ":" spec ] "}"      ; "{{" and "}}" are the braces themselves
//! spec   = [ [ fill ] ( "<" / "^" / ">" ) ] [ "0" ] [ width ] [ "." precision ]    ; as in Rust's `format!`
//!        / 1*( "%" letter / character )                    ; of event_time
//! ```

use std::fmt;

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    Place(Place),
    /// `{*}`: the fields that no place names.
    Rest,
}

/// Where a field's value stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) default: Option<String>,
    pub(super) time: Vec<Moment>,
    pub(super) fill: char,
    pub(super) align: Option<Align>,
    pub(super) zeros: bool,
    pub(super) width: usize,
    pub(super) precision: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

/// A part of a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moment {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millis,
    Other(char),
}

/// The widest place, and the most decimals.
const MOST: usize = 1_000;

/// What is wrong with a template.
///
/// ```
/// let error = canonlog::Template::new("{event_time} {").expect_err("the place has no end");
/// assert_eq!(error.to_string(), "the place at character 14 of the template has no `}`; a brace itself is `{{`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    what: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for TemplateError {}

/// The pieces of a template.
pub(super) fn parse(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text.chars().enumerate().peekable();
    while let Some((at, next)) = rest.next() {
        let is_twice = rest.peek().is_some_and(|(_, after)| *after == next);
        match next {
            '{' | '}' if is_twice => {
                rest.next();
                literal.push(next);
            }
            '{' => {
                let mut inside = String::new();
                loop {
                    match rest.next() {
                        Some((_, '}')) => break,
                        Some((_, character)) if character != '{' => inside.push(character),
                        _ => return Err(error(at, "has no `}`; a brace itself is `{{`")),
                    }
                }
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(place(&inside).map_err(|what| error(at, &what))?);
            }
            '}' => {
                let what =
                    format!("the `}}` at character {} of the template ends no place; a brace itself is `}}}}`", at + 1);
                return Err(TemplateError { what });
            }
            character if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => {
                let what = format!("character {} of the template is a control; an event is one line", at + 1);
                return Err(TemplateError { what });
            }
            character => literal.push(character),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn error(at: usize, what: &str) -> TemplateError {
    TemplateError { what: format!("the place at character {} of the template {what}", at + 1) }
}

fn place(inside: &str) -> Result<Piece, String> {
    if inside == "*" {
        return Ok(Piece::Rest);
    }
    let (named, spec) = inside.split_once(':').unwrap_or((inside, ""));
    let (name, default) = match named.split_once('|') {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (named, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-/@".contains(c);
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(format!(
            "has the name `{name}`; expected a field's, as in `{{resp_status}}`, or `{{*}}` for all others"
        ));
    }
    let mut place = Place { name: name.to_owned(), default, fill: ' ', ..Place::default() };
    if spec.contains('%') {
        if name != "event_time" {
            return Err(format!("formats `{name}` as a time; only `event_time` is one"));
        }
        place.time = time(spec)?;
    } else {
        layout(spec, &mut place)?;
    }
    Ok(Piece::Place(place))
}

fn time(spec: &str) -> Result<Vec<Moment>, String> {
    let mut moments = Vec::new();
    let mut rest = spec.chars();
    while let Some(next) = rest.next() {
        if next != '%' {
            moments.push(Moment::Other(next));
            continue;
        }
        use Moment::{Day, Hour, Millis, Minute, Month, Other, Second, Year};
        match rest.next() {
            Some('Y') => moments.push(Year),
            Some('m') => moments.push(Month),
            Some('d') => moments.push(Day),
            Some('H') => moments.push(Hour),
            Some('M') => moments.push(Minute),
            Some('S') => moments.push(Second),
            Some('L') => moments.push(Millis),
            Some('F') => moments.extend([Year, Other('-'), Month, Other('-'), Day]),
            Some('T') => moments.extend([Hour, Other(':'), Minute, Other(':'), Second]),
            Some('%') => moments.push(Other('%')),
            other => {
                let got: String = other.into_iter().collect();
                return Err(format!("has `%{got}` in its time; expected `%Y %m %d %H %M %S %L %F %T %%`"));
            }
        }
    }
    Ok(moments)
}

fn layout(spec: &str, place: &mut Place) -> Result<(), String> {
    let align = |c: char| match c {
        '<' => Some(Align::Left),
        '^' => Some(Align::Center),
        '>' => Some(Align::Right),
        _ => None,
    };
    let mut rest = spec;
    let mut chars = spec.chars();
    match (chars.next(), chars.next()) {
        (Some(fill), Some(second)) if align(second).is_some() => {
            (place.fill, place.align) = (fill, align(second));
            rest = chars.as_str();
        }
        (Some(first), _) if align(first).is_some() => {
            place.align = align(first);
            rest = &spec[1..];
        }
        _ => {}
    }
    if let Some(after) = rest.strip_prefix('0') {
        place.zeros = true;
        rest = after;
    }
    let (width, precision) = match rest.split_once('.') {
        Some((width, precision)) => (width, Some(precision)),
        None => (rest, None),
    };
    let number = |text: &str| text.parse().ok().filter(|number| *number <= MOST && !text.starts_with('+'));
    let wrong =
        || format!("has the layout `{spec}`; expected one as in `{{name:>8}}`, `{{name:08.3}}`, of at most {MOST}");
    if !width.is_empty() {
        place.width = number(width).ok_or_else(wrong)?;
    }
    if let Some(precision) = precision {
        place.precision = Some(number(precision).ok_or_else(wrong)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(template: &str) -> String {
        parse(template).expect_err("it is wrong").to_string()
    }

    #[test]
    fn a_place_has_a_name_a_default_and_a_layout() {
        let place = |template: &str| match parse(template).expect("a template").remove(0) {
            Piece::Place(place) => place,
            other => panic!("{other:?}"),
        };
        let bare = Place { name: "a".to_owned(), fill: ' ', ..Place::default() };
        assert_eq!(place("{a}"), bare);
        assert_eq!(place("{a|none at all}"), Place { default: Some("none at all".to_owned()), ..bare.clone() });
        assert_eq!(place("{a:>8}"), Place { align: Some(Align::Right), width: 8, ..bare.clone() });
        assert_eq!(
            place("{a:*^8.3}"),
            Place { fill: '*', align: Some(Align::Center), width: 8, precision: Some(3), ..bare.clone() }
        );
        assert_eq!(place("{a|0:08}"), Place { default: Some("0".to_owned()), zeros: true, width: 8, ..bare.clone() });
        assert_eq!(parse("{{x}} {*}"), Ok(vec![Piece::Literal("{x} ".to_owned()), Piece::Rest]));
        let time = place("{event_time:%H:%M}").time;
        assert_eq!(time, [Moment::Hour, Moment::Other(':'), Moment::Minute]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_what_was_expected() {
        assert_eq!(wrong("ab }"), "the `}` at character 4 of the template ends no place; a brace itself is `}}`");
        assert_eq!(wrong("é{a{"), "the place at character 2 of the template has no `}`; a brace itself is `{{`");
        assert!(wrong("{}").contains("has the name ``; expected a field's"), "{}", wrong("{}"));
        assert!(wrong("{a b}").contains("has the name `a b`"), "{}", wrong("{a b}"));
        assert!(wrong("{a:%H}").ends_with("formats `a` as a time; only `event_time` is one"), "{}", wrong("{a:%H}"));
        assert!(
            wrong("{event_time:%q}").contains("has `%q` in its time; expected `%Y"),
            "{}",
            wrong("{event_time:%q}")
        );
        for layout in ["x", "1001", "8.", ".x", "+8", "8.+3", "<<<"] {
            let what = wrong(&format!("{{a:{layout}}}"));
            assert!(what.contains(&format!("has the layout `{layout}`")), "{what}");
        }
        assert!(wrong("a\nb").starts_with("character 2 of the template is a control"), "{}", wrong("a\nb"));
    }
}
