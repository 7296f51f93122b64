//! Configuration as it is written: texts, numbers, lists, tables; each knows its line.

// Some of it only a file can say.
#![cfg_attr(not(feature = "config"), allow(dead_code))]

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) what: What,
    pub(crate) place: Place,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere: the program said it, or nobody.
    Program,
    /// In a line of a file.
    Line(usize),
    /// In a variable of the environment.
    Variable(&'static str),
}

/// What is written the same is the same, wherever it stands.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.what == other.what
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(Table),
    /// A date or a time, which no key takes.
    Date(String),
}

impl Node {
    pub(crate) fn text(text: impl Into<String>) -> Node {
        What::Text(text.into()).into()
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let What::Text(text) = &self.what { Some(text) } else { None }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let What::Bool(value) = self.what { Some(value) } else { None }
    }

    pub(crate) fn as_count(&self) -> Option<u64> {
        if let What::Integer(value) = self.what { u64::try_from(value).ok() } else { None }
    }

    pub(crate) fn as_table(&self) -> Option<&Table> {
        if let What::Table(table) = &self.what { Some(table) } else { None }
    }

    /// What it is, for messages.
    pub(crate) fn shown(&self) -> String {
        match &self.what {
            What::Text(text) | What::Date(text) => text.clone(),
            What::Integer(number) => number.to_string(),
            What::Float(number) => number.to_string(),
            What::Bool(value) => value.to_string(),
            What::List(_) => "a list".to_owned(),
            What::Table(_) => "a table".to_owned(),
        }
    }

    /// The texts of a list.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match &self.what {
            What::List(list) => list.iter().filter_map(Node::as_text).collect(),
            What::Text(text) => vec![text],
            _ => Vec::new(),
        }
    }
}

impl From<What> for Node {
    fn from(what: What) -> Node {
        Node { what, place: Place::Program }
    }
}

/// Keys and what they hold, in the order written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(Vec<(String, Node)>);

/// The order is nobody's concern.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.iter().all(|(key, node)| other.get(key) == Some(node))
    }
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find_map(|(known, node)| (known == key).then_some(node))
    }

    pub(crate) fn table(&self, key: &str) -> Option<&Table> {
        self.get(key).and_then(Node::as_table)
    }

    pub(crate) fn set(&mut self, key: &str, node: Node) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, before)) => *before = node,
            None => self.0.push((key.to_owned(), node)),
        }
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(key, node)| (key.as_str(), node))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The table of a key, made where there is none.
    pub(crate) fn enter(&mut self, key: &str) -> &mut Table {
        if self.table(key).is_none() {
            self.set(key, What::Table(Table::default()).into());
        }
        let entered = self.0.iter_mut().find(|(known, _)| known == key);
        match entered {
            Some((_, Node { what: What::Table(table), .. })) => table,
            _ => unreachable!("it was there or was made"),
        }
    }

    /// Takes over what another says. Tables are merged, all else is replaced.
    pub(crate) fn overlay(&mut self, other: &Table) {
        for (key, node) in other.iter() {
            match &node.what {
                What::Table(table) => self.enter(key).overlay(table),
                _ => self.set(key, node.clone()),
            }
        }
    }

    /// Sets what a path of keys joined by dots leads to.
    pub(crate) fn put(&mut self, path: &str, node: Node) {
        match path.split_once('.') {
            Some((first, rest)) => self.enter(first).put(rest, node),
            None => self.set(path, node),
        }
    }

    /// What such a path leads to.
    pub(crate) fn at(&self, path: &str) -> Option<&Node> {
        match path.split_once('.') {
            Some((first, rest)) => self.table(first)?.at(rest),
            None => self.get(path),
        }
    }
}

impl FromIterator<(String, Node)> for Table {
    fn from_iter<I: IntoIterator<Item = (String, Node)>>(all: I) -> Self {
        Table(all.into_iter().collect())
    }
}
