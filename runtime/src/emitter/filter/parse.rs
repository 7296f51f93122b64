//! Conditions as text.
//!
//! ```text
//! condition = all ("or" all)*
//! all       = test ("and" test)*
//! test      = "not" test | "(" condition ")" | "true" | "false" | name [comparison value]
//! ```

use std::str::FromStr;
use std::time::Duration;

use super::compare::{Comparison, FieldTest, Question};
use super::{Filter, FilterError, all, any, field, not};
use crate::context::OwnedValue;
use crate::nearest::nearest;

/// How deep parentheses and `not` may go.
const DEEPEST: usize = 64;

const SIGNS: [&str; 9] = ["==", "!=", "<", "<=", ">", ">=", "~", "in", "like"];
/// As others write them.
const MEANT: [(&str, &str); 8] =
    [("=", "=="), ("===", "=="), ("is", "=="), ("=>", ">="), ("=<", "<="), ("<>", "!="), ("=~", "~"), ("matches", "~")];
const UNITS: [(&str, f64); 6] = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

impl FromStr for Filter {
    type Err = FilterError;

    /// Reads a [condition](Filter#conditions-as-text).
    ///
    /// # Errors
    ///
    /// What is wrong, at which character, and what was expected.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut reader = Reader { text, tokens: tokens(text)?, next: 0, depth: 0 };
        let filter = reader.condition()?;
        match reader.peek() {
            None => Ok(filter),
            Some(token) => Err(reader.wrong(token, "does not belong here; expected `and`, `or` or the end")),
        }
    }
}

/// A piece of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token<'a> {
    /// The byte at which it begins.
    at: usize,
    text: &'a str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A name, a keyword, a number, a value without quotes.
    Word,
    /// Its text is what stands between the quotes.
    Quoted,
    /// `==` and the like, and whatever else is made of such characters.
    Sign,
    /// `(`, `)`, `[`, `]`, `,`
    Mark,
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, FilterError> {
    let is_sign = |c: char| "=!<>~&|".contains(c);
    let is_mark = |c: char| "()[],".contains(c);
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let while_true = |holds: &dyn Fn(char) -> bool| rest.find(|c: char| !holds(c)).unwrap_or(rest.len());
        let (kind, len) = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '"' | '\'' => {
                let end = closing(rest, first)
                    .ok_or_else(|| FilterError::new(format!("the quote {first} is not closed")).at(text, at))?;
                tokens.push(Token { at, text: &rest[1..end], kind: Kind::Quoted });
                at += end + 1;
                continue;
            }
            c if is_mark(c) => (Kind::Mark, 1),
            c if is_sign(c) => (Kind::Sign, while_true(&is_sign)),
            _ => {
                let is_word = |c: char| !c.is_whitespace() && !is_sign(c) && !is_mark(c) && c != '"' && c != '\'';
                (Kind::Word, while_true(&is_word))
            }
        };
        tokens.push(Token { at, text: &rest[..len], kind });
        at += len;
    }
    Ok(tokens)
}

/// Where a quoted text ends: at a quote of the same kind without a backslash before it.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// A quoted text without the backslashes before quotes and backslashes; others stay, as regular expressions need them.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match rest.peek() {
            Some(next @ ('"' | '\'' | '\\')) if c == '\\' => {
                plain.push(*next);
                rest.next();
            }
            _ => plain.push(c),
        }
    }
    plain
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).copied()
    }

    /// Goes past a keyword or mark, if it is the next.
    fn skip(&mut self, text: &str) -> bool {
        let is_next = self.peek().is_some_and(|token| token.text == text && token.kind != Kind::Quoted);
        self.next += usize::from(is_next);
        is_next
    }

    fn wrong(&self, token: Token<'_>, what: &str) -> FilterError {
        FilterError::new(format!("`{}` {what}", token.text)).at(self.text, token.at)
    }

    fn ended(&self, expected: &str) -> FilterError {
        FilterError::new(format!("the condition ends where {expected} was expected")).at(self.text, self.text.len())
    }

    fn condition(&mut self) -> Result<Filter, FilterError> {
        let mut either = vec![self.all()?];
        while self.skip("or") {
            either.push(self.all()?);
        }
        Ok(if either.len() == 1 { either.remove(0) } else { any(either) })
    }

    fn all(&mut self) -> Result<Filter, FilterError> {
        let mut every = vec![self.test()?];
        while self.skip("and") {
            every.push(self.test()?);
        }
        Ok(if every.len() == 1 { every.remove(0) } else { all(every) })
    }

    fn test(&mut self) -> Result<Filter, FilterError> {
        let Some(token) = self.peek() else { return Err(self.ended("a test")) };
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(token, &format!("is more than {DEEPEST} deep in parentheses")));
        }
        let test = if self.skip("not") {
            not(self.test()?)
        } else if self.skip("(") {
            let condition = self.condition()?;
            match self.peek() {
                _ if self.skip(")") => condition,
                Some(token) => return Err(self.wrong(token, "does not belong here; expected `and`, `or` or `)`")),
                None => return Err(self.ended("`)`")),
            }
        } else if self.skip("true") {
            Filter::from(true)
        } else if self.skip("false") {
            Filter::from(false)
        } else {
            self.field_test(token)?
        };
        self.depth -= 1;
        Ok(test)
    }

    fn field_test(&mut self, name: Token<'a>) -> Result<Filter, FilterError> {
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '@';
        if name.kind != Kind::Word || !name.text.starts_with(starts) || ["and", "or", "in", "like"].contains(&name.text)
        {
            return Err(self.wrong(name, "is no name of a field; expected one, `not` or `(`"));
        }
        self.next += 1;
        let asked = field(name.text);
        let Some(sign) = self.peek() else { return Ok(asked.exists()) };
        let ends = ["and", "or", ")"].contains(&sign.text) && sign.kind != Kind::Quoted;
        if ends {
            return Ok(asked.exists());
        }
        self.next += 1;
        let first = self.peek();
        let filter = match (sign.kind, sign.text) {
            (Kind::Word, "in") => Question::OneOf(self.list()?),
            (Kind::Word, "like") => return Ok(asked.like(self.text_value("a pattern")?)),
            (Kind::Sign, "~") => return self.pattern(name),
            _ => {
                let known = Comparison::ALL.iter().find(|(known, _)| *known == sign.text && sign.kind == Kind::Sign);
                let Some((_, comparison)) = known else {
                    let meant = MEANT.iter().find(|(got, _)| *got == sign.text).map(|(_, meant)| *meant);
                    let near = meant.or_else(|| nearest(sign.text, &SIGNS));
                    let error = FilterError::unknown_near(sign.text, "no comparison", &SIGNS, near);
                    return Err(error.at(self.text, sign.at));
                };
                Question::Compare(*comparison, self.value()?)
            }
        };
        let at = first.map_or(self.text.len(), |token| token.at);
        FieldTest::new(name.text, filter).map(Filter::of_field).map_err(|error| error.at(self.text, at))
    }

    #[cfg(feature = "regex")]
    fn pattern(&mut self, name: Token<'_>) -> Result<Filter, FilterError> {
        let at = self.peek().map_or(self.text.len(), |token| token.at);
        let filter = field(name.text).matches(&self.text_value("a regular expression")?);
        filter.check().map_err(|error| error.at(self.text, at))?;
        Ok(filter)
    }

    #[cfg(not(feature = "regex"))]
    fn pattern(&mut self, _: Token<'_>) -> Result<Filter, FilterError> {
        let at = self.tokens.get(self.next - 1).map_or(0, |token| token.at);
        let missing = "`~` needs canonlog's feature `regex`; without it there is `like`, for patterns of shells";
        Err(FilterError::new(missing).at(self.text, at))
    }

    fn list(&mut self) -> Result<Vec<OwnedValue>, FilterError> {
        match self.peek() {
            _ if self.skip("[") => {}
            Some(token) => {
                return Err(self.wrong(token, "does not belong here; expected `[` and the values, as in `in [a, b]`"));
            }
            None => return Err(self.ended("`[`")),
        }
        let mut values = Vec::new();
        while !self.skip("]") {
            values.push(self.value()?);
            match self.peek() {
                _ if self.skip(",") => {}
                Some(token) if token.text == "]" && token.kind == Kind::Mark => {}
                Some(token) => return Err(self.wrong(token, "does not belong here; expected `,` or `]`")),
                None => return Err(self.ended("`]`")),
            }
        }
        Ok(values)
    }

    fn value_token(&mut self, expected: &str) -> Result<Token<'a>, FilterError> {
        match self.peek() {
            Some(token) if matches!(token.kind, Kind::Word | Kind::Quoted) => {
                self.next += 1;
                Ok(token)
            }
            Some(token) => Err(self.wrong(token, &format!("does not belong here; expected {expected}"))),
            None => Err(self.ended(expected)),
        }
    }

    fn text_value(&mut self, expected: &str) -> Result<String, FilterError> {
        let token = self.value_token(expected)?;
        Ok(if token.kind == Kind::Quoted { unescaped(token.text) } else { token.text.to_owned() })
    }

    fn value(&mut self) -> Result<OwnedValue, FilterError> {
        let token = self.value_token("a value")?;
        let text = token.text;
        if token.kind == Kind::Quoted {
            return Ok(OwnedValue::Text(unescaped(text)));
        }
        if let Some(number) = whole(text) {
            return Ok(number);
        }
        let digits = text.trim_start_matches(['-', '+']).trim_start_matches('.');
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(match text {
                "true" => OwnedValue::Bool(true),
                "false" => OwnedValue::Bool(false),
                word => OwnedValue::Text(word.to_owned()),
            });
        }
        if let Ok(number) = text.parse() {
            return Ok(OwnedValue::F64(number));
        }
        let begin = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(begin);
        match (number.parse::<f64>(), UNITS.iter().find(|(known, _)| *known == unit)) {
            (Ok(number), Some((_, seconds))) => {
                let time = Duration::try_from_secs_f64(number * seconds);
                time.map(OwnedValue::Duration).map_err(|_| self.wrong(token, "is no length of time"))
            }
            (Ok(_), None) if !unit.is_empty() => {
                let error = FilterError::unknown(unit, "no unit of time", &UNITS.map(|(known, _)| known));
                Err(error.at(self.text, token.at + begin))
            }
            _ => Err(self.wrong(token, "is neither a number nor a word; put a text in quotes")),
        }
    }
}

fn whole(text: &str) -> Option<OwnedValue> {
    text.parse().map(OwnedValue::U64).or_else(|_| text.parse().map(OwnedValue::I64)).ok()
}
