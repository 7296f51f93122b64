//! A reader of canonlog's logfmt, as strict as the published grammar.
//!
//! ```text
//! line   = token *( " " token )
//! token  = key "=" ( quoted / bare )
//! key    = [A-Za-z_@][A-Za-z0-9_.\-/:@]{0,127}, once a line
//! quoted = '"' *( character / escape ) '"'
//! escape = \" \\ \n \r \t \b \f, or \uXXXX in lower case for what may not stand raw
//! bare   = 1*( visible ASCII but '"' '\' '=' )
//! ```
//!
//! Written from the grammar, not from the writer: it shares no code with the library.

/// One `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The name, `req_path`.
    pub key: String,
    /// The value without quotes and escapes.
    pub value: String,
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// The fields of a line in which every value is quoted, in order.
///
/// ```
/// let fields = canonlog_tests::logfmt::parse(r#"req_method="GET" req_path="/a\"b""#);
/// assert_eq!(fields, Ok(vec![("req_method".into(), "GET".into()), ("req_path".into(), "/a\"b".into())]));
/// assert!(canonlog_tests::logfmt::parse("req_method=GET").is_err());
/// ```
///
/// # Errors
///
/// What is not in the grammar, and where.
pub fn parse(line: &str) -> Result<Vec<(String, String)>, String> {
    tokens(line)?
        .into_iter()
        .map(|token| match token.quoted {
            true => Ok((token.key, token.value)),
            false => Err(format!("the value of `{}` is not quoted in {line:?}", token.key)),
        })
        .collect()
}

/// The value of one field of a line in which every value is quoted.
///
/// # Errors
///
/// As [`parse`], or that there is no such field.
pub fn field(line: &str, name: &str) -> Result<String, String> {
    let found = parse(line)?.into_iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value).ok_or_else(|| format!("no `{name}` in {line:?}"))
}

/// The tokens of a line in which values may stand without quotes.
///
/// # Errors
///
/// What is not in the grammar, and where.
pub fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut reader = Reader { line, rest: line };
    let mut tokens: Vec<Token> = Vec::new();
    loop {
        let token = reader.token()?;
        if tokens.iter().any(|before| before.key == token.key) {
            return Err(reader.error(&format!("`{}` a second time", token.key)));
        }
        tokens.push(token);
        if reader.rest.is_empty() {
            return Ok(tokens);
        }
        if !reader.take(' ') {
            return Err(reader.error("no space after a value"));
        }
    }
}

/// Whether a character may not stand raw in any line.
pub fn must_be_escaped(character: char) -> bool {
    let code = u32::from(character);
    code < 0x20
        || (0x7F..=0x9F).contains(&code)
        || [0x61C, 0x200E, 0x200F, 0xFEFF].contains(&code)
        || (0x2028..=0x202E).contains(&code)
        || (0x2066..=0x2069).contains(&code)
}

struct Reader<'a> {
    line: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn error(&self, what: &str) -> String {
        format!("{what} at byte {} of {:?}", self.line.len() - self.rest.len(), self.line)
    }

    fn take(&mut self, expected: char) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(|c| !accept(c)).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn token(&mut self) -> Result<Token, String> {
        let key = self.take_while(|c| c.is_ascii_alphanumeric() || "_.-/:@".contains(c));
        let starts_well = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '@');
        if !starts_well || key.len() > 128 {
            return Err(self.error(&format!("`{key}` is no key")));
        }
        if !self.take('=') {
            return Err(self.error("no `=` after a key"));
        }
        let quoted = self.take('"');
        let value = if quoted { self.quoted()? } else { self.bare()?.to_owned() };
        Ok(Token { key: key.to_owned(), value, quoted })
    }

    fn bare(&mut self) -> Result<&'a str, String> {
        let value = self.take_while(|c| c.is_ascii_graphic() && !"\"\\=".contains(c));
        if value.is_empty() { Err(self.error("no value")) } else { Ok(value) }
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut value = String::new();
        loop {
            value.push_str(self.take_while(|c| c != '"' && c != '\\' && !must_be_escaped(c)));
            if self.take('"') {
                return Ok(value);
            }
            if !self.take('\\') {
                return Err(self.error("a raw character that must be escaped, or no closing quote"));
            }
            value.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        const SHORT: [(char, char); 7] =
            [('"', '"'), ('\\', '\\'), ('n', '\n'), ('r', '\r'), ('t', '\t'), ('b', '\u{8}'), ('f', '\u{c}')];
        if let Some((_, character)) = SHORT.into_iter().find(|(letter, _)| self.rest.starts_with(*letter)) {
            self.rest = &self.rest[1..];
            return Ok(character);
        }
        let digits = self.rest.strip_prefix('u').and_then(|rest| rest.get(..4)).unwrap_or_default();
        let lower = digits.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        let character = u32::from_str_radix(digits, 16).ok().filter(|_| lower).and_then(char::from_u32);
        match character {
            Some(character) if must_be_escaped(character) && !SHORT.iter().any(|(_, short)| *short == character) => {
                self.rest = &self.rest[5..];
                Ok(character)
            }
            _ => Err(self.error("no escape of the grammar")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_grammar_is_read() {
        let line = r#"a="" b_1="x y=z" c="\"\\\n\r\t\b\f\u0000\u007f\u0085\u2028\ufeff" d="né😀""#;
        let fields = parse(line).expect("a line of the grammar");
        let expected = ["", "x y=z", "\"\\\n\r\t\u{8}\u{c}\0\u{7f}\u{85}\u{2028}\u{feff}", "né😀"];
        assert_eq!(fields.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(field(line, "b_1").as_deref(), Ok("x y=z"));
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused() {
        for line in [
            "",
            " ",
            "a",
            "a=",
            "=\"x\"",
            "1a=\"x\"",
            "a b=\"x\"",
            "a=\"x",
            "a=\"x\" ",
            " a=\"x\"",
            "a=\"x\"  b=\"y\"",
            "a=\"x\"b=\"y\"",
            "a=\"x\"\tb=\"y\"",
            "a=\"x\" a=\"y\"",
            "a=\"\n\"",
            "a=\"\u{85}\"",
            "a=\"\u{2028}\"",
            "a=\"\u{202e}\"",
            "a=\"\u{feff}\"",
            r#"a="\x1b""#,
            r#"a="\u{1b}""#,
            r#"a="\/""#,
            r#"a="\u0041""#,
            r#"a="\u000a""#,
            r#"a="\u001B""#,
            r#"a="\ud83d\ude00""#,
            r#"a="\u00""#,
            r#"a="\"#,
            "a=x y=\"z\"",
        ] {
            assert!(parse(line).is_err(), "{line:?} was read as {:?}", parse(line));
        }
        for line in ["a=x=y", "a=x\"y", "a=é", "a=x\\n", "a="] {
            assert!(tokens(line).is_err(), "{line:?} was read as {:?}", tokens(line));
        }
    }
}
