//! A strict reader of syslog messages: RFC 5424, section 6, and nothing beside it.

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Facility times 8, and the severity.
    pub priority: u8,
    /// The time as it stands there.
    pub time: String,
    /// Host, program, process and id of the message; empty where it is nil.
    pub header: [String; 4],
    /// Elements of structured data: id, and parameters with what stands for their values.
    pub data: Vec<(String, Vec<(String, String)>)>,
    /// The text.
    pub text: Option<String>,
}

/// What is left of a message.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn eat(&mut self, what: &str) -> Result<(), String> {
        self.0 = self.0.strip_prefix(what).ok_or_else(|| format!("`{what}` is missing before `{}`", self.0))?;
        Ok(())
    }

    fn until(&mut self, ends: &[char], longest: usize) -> Result<&'a str, String> {
        let end = self.0.find(ends).unwrap_or(self.0.len());
        let (found, rest) = self.0.split_at(end);
        if found.is_empty() || found.len() > longest || !found.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("`{found}` is not printable, empty, or longer than {longest}"));
        }
        self.0 = rest;
        Ok(found)
    }

    fn name(&mut self) -> Result<String, String> {
        self.until(&['=', ' ', ']', '"'], 32).map(str::to_owned)
    }

    fn value(&mut self) -> Result<String, String> {
        self.eat("\"")?;
        let mut value = String::new();
        let mut characters = self.0.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Ok(value);
                }
                ']' => return Err("a `]` without a backslash".to_owned()),
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\' | ']'))) => value.push(escaped),
                    other => return Err(format!("a backslash before {other:?}")),
                },
                other => value.push(other),
            }
        }
        Err("a value without an end".to_owned())
    }
}

/// Reads a message.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse(message: &str) -> Result<Message, String> {
    let mut rest = Rest(message);
    let mut read = Message::default();
    rest.eat("<")?;
    let priority = rest.until(&['>'], 3)?;
    read.priority = priority.parse().map_err(|_| format!("priority `{priority}`"))?;
    if read.priority > 191 || read.priority.to_string() != priority {
        return Err(format!("priority `{priority}`"));
    }
    rest.eat(">1 ")?;
    read.time = rest.until(&[' '], 32)?.to_owned();
    let shape: String = read.time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if !(shape.starts_with("0000-00-00T00:00:00.0") && shape.ends_with('Z') && (22..=27).contains(&shape.len())) {
        return Err(format!("time `{}`", read.time));
    }
    for (part, longest) in read.header.iter_mut().zip([255, 48, 128, 32]) {
        rest.eat(" ")?;
        let found = rest.until(&[' '], longest)?;
        *part = if found == "-" { String::new() } else { found.to_owned() };
    }
    rest.eat(" ")?;
    if rest.0.starts_with('-') {
        rest.eat("-")?;
    } else {
        while rest.0.starts_with('[') {
            rest.eat("[")?;
            let id = rest.name()?;
            let mut params = Vec::new();
            while !rest.0.starts_with(']') {
                rest.eat(" ")?;
                let name = rest.name()?;
                rest.eat("=")?;
                params.push((name, rest.value()?));
            }
            rest.eat("]")?;
            read.data.push((id, params));
        }
        if read.data.is_empty() {
            return Err(format!("neither `-` nor structured data: `{}`", rest.0));
        }
    }
    if !rest.0.is_empty() {
        rest.eat(" ")?;
        read.text = Some(rest.0.to_owned());
    }
    Ok(read)
}
