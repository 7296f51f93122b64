//! Where a text in double quotes is a name: some databases take it for a literal wherever a value can stand.
//!
//! ```text
//! select "id", lower("x") from "orders" as "o" where "id" = $1 and "o"."name" = "Bob"
//!        name        ?         name        name      name          name         ?
//! ```
//!
//! A name stands next to a dot, behind `from` and its like, at the beginning of an item in a list of columns, and where it is
//! compared with a placeholder or with a literal. Anywhere else it is taken for a value. Of these, an item of a `select` could
//! be a value too: it mostly is not, and without it little would be left of what PostgreSQL is asked.

use super::{CUT, Token, Tokens};

/// What a part of a statement has, up to its closing parenthesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Values can stand anywhere.
    Values,
    /// Tables; with `columns`, a list in parentheses behind one is of its columns.
    Tables { columns: bool },
    /// Each item begins with a column.
    Columns,
    /// The same, as long as no item has been a value.
    Items,
}

/// What stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// The beginning of the statement.
    Nothing,
    /// What an item follows: the word that begins a list, or a comma.
    Item,
    /// What a condition follows.
    Condition,
    /// `as`.
    As,
    /// A dot.
    Dot,
    /// A table, or the end of what stands for one.
    Table,
    /// `order`, `group`, `partition`.
    Order,
    /// `is distinct`.
    Distinct,
    Other,
}

/// A level of parentheses.
#[derive(Clone, Copy, Debug)]
struct Level {
    part: Part,
    /// Whether a `select` stands in it.
    selects: bool,
}

/// Where a statement is read.
pub(super) struct Places {
    levels: Vec<Level>,
    here: Level,
    before: Before,
    /// The rows of an `insert` are values, though a `select` gives them.
    inserts: bool,
    /// The next `and` belongs to a `between`.
    between: bool,
    /// A part of the text is gone; what is in quotes behind it has been told from values before.
    cut: bool,
}

const OUTSIDE: Level = Level { part: Part::Values, selects: true };

impl Places {
    pub(super) fn new() -> Self {
        Places {
            levels: Vec::new(),
            here: OUTSIDE,
            before: Before::Nothing,
            inserts: false,
            between: false,
            cut: false,
        }
    }

    /// Whether the text in double quotes that comes now is a name; `ahead` follows it.
    pub(super) fn has_name(&self, ahead: &Tokens<'_>) -> bool {
        let next = ahead.clone().find(|token| *token != Token::Space);
        if self.cut || self.before == Before::Dot || matches!(next, Some(Token::Plain("." | CUT))) {
            return true;
        }
        match (self.here.part, self.before) {
            (_, Before::As) | (Part::Tables { .. }, Before::Item | Before::Table) => true,
            (Part::Columns | Part::Items, Before::Item) => true,
            (_, Before::Condition) => is_compared(ahead.clone()),
            _ => false,
        }
    }

    /// Goes past a piece; a name in double quotes is one that was kept, or else a literal.
    pub(super) fn pass(&mut self, token: Token<'_>) {
        match token {
            Token::Space | Token::Unclear => {}
            Token::Literal | Token::Placeholder(_) => self.value(),
            Token::Name(_) => {
                let is_table = matches!(self.here.part, Part::Tables { .. });
                self.before = if is_table { Before::Table } else { Before::Other };
            }
            Token::Plain(CUT) => self.cut = true,
            Token::Plain(text) => self.plain(text),
        }
    }

    fn value(&mut self) {
        if self.here.part == Part::Items {
            self.here.part = Part::Values;
        }
        self.before = Before::Other;
    }

    fn begin(&mut self, part: Part) {
        (self.here.part, self.before) = (part, Before::Item);
    }

    fn condition(&mut self) {
        (self.here.part, self.before) = (Part::Values, Before::Condition);
    }

    fn plain(&mut self, text: &str) {
        match text {
            "." => self.before = Before::Dot,
            "," => self.before = if self.here.part == Part::Values { Before::Other } else { Before::Item },
            "(" => self.open(),
            ")" => {
                self.here = self.levels.pop().unwrap_or(OUTSIDE);
                let is_table = matches!(self.here.part, Part::Tables { .. });
                self.before = if is_table { Before::Table } else { Before::Other };
            }
            ";" => *self = Places { cut: self.cut, ..Places::new() },
            "=" | "<" | ">" | "|" | "+" | "-" | "*" | "/" if self.before != Before::Item => {
                if self.here.part != Part::Columns {
                    self.here.part = Part::Values;
                }
                self.before = Before::Other;
            }
            text => self.word(text),
        }
    }

    fn open(&mut self) {
        let inner = match (self.here.part, self.before) {
            (Part::Tables { columns: true }, Before::Table | Before::Other | Before::Item) => {
                // What follows the list is no second one.
                self.here.part = Part::Tables { columns: false };
                Part::Columns
            }
            _ => Part::Values,
        };
        self.levels.push(self.here);
        self.here = Level { part: inner, selects: false };
        self.before = match self.before {
            _ if inner == Part::Columns => Before::Item,
            Before::Condition => Before::Condition,
            _ => Before::Other,
        };
    }

    fn word(&mut self, word: &str) {
        match word.to_ascii_lowercase().as_str() {
            "select" => {
                self.begin(if self.inserts { Part::Values } else { Part::Items });
                self.here.selects = true;
            }
            "from" if self.here.selects && self.before != Before::Distinct => {
                self.begin(Part::Tables { columns: false });
            }
            "join" | "update" => self.begin(Part::Tables { columns: false }),
            "into" | "table" | "conflict" => {
                self.inserts |= word.eq_ignore_ascii_case("into");
                self.begin(Part::Tables { columns: true });
            }
            "insert" | "replace" if self.before == Before::Nothing => {
                self.inserts = true;
                self.before = Before::Other;
            }
            "set" => self.begin(Part::Columns),
            "returning" => self.begin(Part::Items),
            "order" | "group" | "partition" => self.before = Before::Order,
            "by" if self.before == Before::Order => self.begin(Part::Items),
            "where" | "having" | "on" => self.condition(),
            "between" => (self.between, self.before) = (true, Before::Other),
            "and" if self.between => (self.between, self.before) = (false, Before::Other),
            "and" | "or" | "not" | "when" => self.before = Before::Condition,
            "as" => self.before = Before::As,
            "value" | "in" if !matches!(self.here.part, Part::Tables { .. }) => self.before = Before::Other,
            "from" | "values" | "value" | "in" | "limit" | "offset" | "using" | "default" | "for" => {
                (self.here.part, self.before) = (Part::Values, Before::Other);
            }
            // A list goes on behind them, if they begin it.
            "distinct" | "all" | "only" | "lateral" if self.before == Before::Item => {}
            "distinct" => self.before = Before::Distinct,
            _ => self.before = Before::Other,
        }
    }
}

/// Whether what stands before is compared with what is no name: then it is one itself.
fn is_compared(mut ahead: Tokens<'_>) -> bool {
    const LONGEST: usize = 12;
    let mut compares = false;
    for _ in 0..LONGEST {
        if ahead.rest.starts_with('"') {
            return false;
        }
        match ahead.next() {
            Some(Token::Space) => {}
            Some(Token::Literal | Token::Placeholder(_) | Token::Plain(":" | "@")) => return compares,
            Some(Token::Plain("=" | "<" | ">" | "!" | "~")) => compares = true,
            Some(Token::Plain("(")) if compares => {}
            Some(Token::Plain(CUT)) => return true,
            Some(Token::Plain(word)) if word.eq_ignore_ascii_case("is") => return true,
            Some(Token::Plain(word))
                if ["in", "not", "like", "ilike", "between"].iter().any(|known| word.eq_ignore_ascii_case(known)) =>
            {
                compares = true;
            }
            _ => return false,
        }
    }
    false
}
