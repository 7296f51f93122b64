//! A statement as events show it: without literals, comments and needless space.
//!
//! ```text
//! select *  from carts where name = 'Bob' -- who? ──▶ select * from carts where name = ?
//! ```
//!
//! One reader serves all dialects (only of double quotes it is told where they are those of literals for sure), so it shows
//! nothing that a literal could be in any of them: where two dialects disagree on where a literal ends, the text stops with
//! `…`. Placeholders, names, `null`, `true` and `false` stay as they are. Text in backticks stays if it looks like a name, in
//! double quotes if it also stands where only names do. What was read once is left alone by a second reading.

mod names;

use self::names::Places;
use crate::record::queries::Sql;
use crate::redact;

/// The longest text of a statement in an event, in bytes.
const LONGEST: usize = 512;
/// How much of a longer one is shown from its beginning, and from its end.
const ENDS: (usize, usize) = (368, 128);
/// A list of more values than this is shown by its first.
const LIST: usize = 3;

const CUT: &str = "…";

/// A piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// White space and comments.
    Space,
    /// A literal.
    Literal,
    /// What is shown as it is.
    Plain(&'a str),
    /// The same, where a value can stand.
    Placeholder(&'a str),
    /// What looks like a name, in double quotes.
    Name(&'a str),
    /// What follows cannot be told apart.
    Unclear,
}

/// The pieces of a statement, in order.
#[derive(Clone)]
struct Tokens<'a> {
    rest: &'a str,
    /// A literal has no end, or what follows could not be told apart.
    open: bool,
    /// What is left behind the last line of which it is known that it can be read as code and as a comment.
    either: Option<usize>,
    /// Reads a line for that.
    tries: bool,
    /// Double quotes are those of literals.
    quotes_literals: bool,
}

/// How a text in quotes ends.
enum Quoted {
    /// So many bytes, with the quotes.
    Ends(usize),
    /// It does not.
    Open,
    /// That depends on whether a backslash hides a quote.
    Unclear,
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

fn starts_word(c: char) -> bool {
    is_word(c) && !c.is_ascii_digit() && c != '$'
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

/// Where the first character stands that is not of this sort.
fn past(text: &str, is_of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_of(c)).unwrap_or(text.len())
}

/// Reads a text in quotes, which begins with one; `escapes` where a backslash hides a quote for sure.
fn quoted(text: &str, quote: u8, escapes: bool) -> Quoted {
    let bytes = text.as_bytes();
    let (mut at, mut backslashes) = (1, 0);
    while let Some(byte) = bytes.get(at) {
        let hidden = backslashes % 2 == 1;
        backslashes = if *byte == b'\\' { backslashes + 1 } else { 0 };
        at += 1;
        if *byte == quote && !(hidden && escapes) {
            if hidden {
                return Quoted::Unclear;
            }
            if bytes.get(at) != Some(&quote) {
                return Quoted::Ends(at);
            }
            at += 1;
        }
    }
    Quoted::Open
}

impl<'a> Tokens<'a> {
    fn of(sql: Sql<'a>) -> Self {
        let Sql { text, quotes_literals } = sql;
        Tokens { rest: text, open: false, either: None, tries: false, quotes_literals }
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn give_up(&mut self) -> Token<'a> {
        self.rest = "";
        self.open = true;
        Token::Unclear
    }

    /// Whether it does not matter if a part of a line is a comment: no literal goes on behind it.
    fn is_either(&self, line: &str) -> bool {
        let mut tokens =
            Tokens { tries: true, ..Tokens::of(Sql { text: line, quotes_literals: self.quotes_literals }) };
        !self.tries && tokens.by_ref().all(|token| token != Token::Unclear) && !tokens.open
    }

    /// A literal in quotes that begins `before` bytes from here.
    fn literal(&mut self, before: usize, quote: u8, escapes: bool) -> Token<'a> {
        match quoted(&self.rest[before..], quote, escapes) {
            Quoted::Ends(len) => _ = self.take(before + len),
            Quoted::Open => (self.rest, self.open) = ("", true),
            Quoted::Unclear => return self.give_up(),
        }
        Token::Literal
    }

    /// A name in quotes, or in some dialects a literal.
    fn name(&mut self, quote: u8) -> Token<'a> {
        let whole = self.rest;
        let token = self.literal(0, quote, false);
        let name = &whole[..whole.len() - self.rest.len()];
        let inner = name.get(1..name.len().saturating_sub(1)).filter(|_| name.ends_with(char::from(quote)));
        let is_name = inner.is_some_and(|inner| !inner.is_empty() && inner.chars().all(is_word));
        match token {
            Token::Literal if is_name && quote == b'"' => Token::Name(name),
            Token::Literal if is_name => Token::Plain(name),
            token => token,
        }
    }

    fn word(&mut self) -> Token<'a> {
        let len = past(self.rest, is_word);
        let word = &self.rest[..len];
        if self.rest[len..].starts_with('\'') {
            match word {
                "e" | "E" => return self.literal(len, b'\'', true),
                "n" | "N" | "b" | "B" | "x" | "X" => return self.literal(len, b'\'', false),
                // Such a literal chooses its own quotes.
                "q" | "Q" | "nq" | "nQ" | "Nq" | "NQ" => return self.give_up(),
                _ if word.starts_with('_') => return self.literal(len, b'\'', false),
                _ => {}
            }
        }
        Token::Plain(self.take(len))
    }

    fn number(&mut self) -> Token<'a> {
        let is_of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let mut len = past(self.rest, is_of);
        if self.rest[..len].ends_with(['e', 'E']) && self.rest[len..].starts_with(['+', '-']) {
            len += 1 + past(&self.rest[len + 1..], is_of);
        }
        self.take(len);
        Token::Literal
    }

    /// `$1`, `$name`, `$tag$ .. $tag$`.
    fn dollar(&mut self) -> Token<'a> {
        let after = &self.rest[1..];
        let digits = past(after, |c| c.is_ascii_digit());
        if digits > 0 {
            return Token::Placeholder(self.take(1 + digits));
        }
        let tag = past(after, |c| is_word(c) && c != '$');
        if after[tag..].starts_with('$') {
            let (tag, inner) = self.rest.split_at(tag + 2);
            let end = inner.find(tag);
            self.open |= end.is_none();
            self.rest = end.map_or("", |end| &inner[end + tag.len()..]);
            return Token::Literal;
        }
        Token::Plain(self.take(1 + tag))
    }

    fn line(&self) -> &'a str {
        &self.rest[..past(self.rest, |c| c != '\n')]
    }

    /// What begins with two dashes: a comment, but in one dialect only before a space.
    fn dashes(&mut self) -> Token<'a> {
        let line = self.line();
        let inner = &line[2..];
        let ends_early = inner.trim_end_matches('\r').contains('\r');
        let sure = inner.is_empty() || inner.starts_with(is_space);
        if ends_early || !(sure || self.is_either(inner)) {
            return self.give_up();
        }
        self.take(line.len());
        Token::Space
    }

    /// What begins a comment in one dialect, and operators in another.
    fn hash(&mut self) -> Token<'a> {
        let line = self.line();
        let left = self.rest.len() - line.len();
        if !self.tries && self.either != Some(left) {
            if !self.is_either(&line[1..]) {
                return self.give_up();
            }
            self.either = Some(left);
        }
        Token::Plain(self.take(1))
    }

    /// A comment in a block: in some dialects others can stand within it.
    fn block(&mut self) -> Token<'a> {
        match self.rest[2..].find("*/") {
            Some(len) if !self.rest[2..2 + len].contains("/*") => {
                self.take(len + 4);
                Token::Space
            }
            _ => self.give_up(),
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.rest.chars().next()?;
        Some(match first {
            '\'' => self.literal(0, b'\'', false),
            '"' if self.quotes_literals => self.literal(0, b'"', false),
            '"' => self.name(b'"'),
            '`' => self.name(b'`'),
            '$' => self.dollar(),
            '-' if self.rest.starts_with("--") => self.dashes(),
            '/' if self.rest.starts_with("/*") => self.block(),
            '#' => self.hash(),
            '?' => Token::Placeholder(self.take(1 + past(&self.rest[1..], |c| c.is_ascii_digit()))),
            c if c.is_ascii_digit() => self.number(),
            c if starts_word(c) => self.word(),
            c if is_space(c) => {
                self.take(past(self.rest, is_space));
                Token::Space
            }
            c => Token::Plain(self.take(c.len_utf8())),
        })
    }
}

/// Values one after the other.
#[derive(Default)]
struct List {
    values: usize,
    /// Where the text of the first ends, and that of the last.
    ends: (usize, usize),
    /// A comma was read behind the last.
    goes_on: bool,
}

impl List {
    /// A value ends here.
    fn value(&mut self, text: &mut String, value: &str) {
        if !self.goes_on {
            self.end(text);
        }
        text.push_str(value);
        self.values += 1;
        self.goes_on = false;
        self.ends = (if self.values == 1 { text.len() } else { self.ends.0 }, text.len());
    }

    /// Shortens a list that has ended.
    fn end(&mut self, text: &mut String) {
        if self.values > LIST {
            text.replace_range(self.ends.0..self.ends.1, ", …");
        }
        *self = List::default();
    }
}

/// The text of a statement for events; `cut` where there is more of it.
pub(crate) fn tell(sql: Sql<'_>, cut: bool) -> String {
    if redact::shows_sql_literals() {
        let text = [sql.text, if cut { CUT } else { "" }].concat();
        return if text.len() > LONGEST { ends(&text) } else { text };
    }
    let mut text = String::with_capacity(sql.text.len() + CUT.len());
    let (mut list, mut space, mut cut) = (List::default(), false, cut);
    let (mut tokens, mut places) = (Tokens::of(sql), Places::new());
    while let Some(mut token) = tokens.next() {
        if matches!(token, Token::Name(_)) && !places.has_name(&tokens) {
            token = Token::Literal;
        }
        places.pass(token);
        if token == Token::Space {
            space = !text.is_empty();
            continue;
        }
        if space {
            text.push(' ');
            space = false;
        }
        match token {
            Token::Literal => list.value(&mut text, "?"),
            Token::Placeholder(value) => list.value(&mut text, value),
            Token::Plain(",") if list.values > 0 && !list.goes_on => {
                text.push(',');
                list.goes_on = true;
            }
            Token::Plain(other) | Token::Name(other) => {
                list.end(&mut text);
                text.push_str(other);
            }
            Token::Space => {}
            Token::Unclear => cut = true,
        }
    }
    list.end(&mut text);
    if cut && !text.ends_with(CUT) {
        text.push_str(CUT);
    }
    if text.len() > LONGEST { ends(&text) } else { text }
}

/// The beginning and the end of a text that is too long. A space stands in no token.
fn ends(text: &str) -> String {
    let is_space = |byte: &u8| *byte == b' ';
    let from = text.len() - ENDS.1;
    let begin = text.as_bytes()[..ENDS.0].iter().rposition(is_space).unwrap_or(0);
    let end = text.as_bytes()[from..].iter().position(is_space).map_or(text.len(), |at| from + at + 1);
    let pieces = [&text[..begin], CUT, &text[end..]].into_iter().filter(|piece| !piece.is_empty());
    pieces.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
