//! Reads a tree by a schema: what may stand there is kept in its usual form, all else is an error.

use super::error::{ConfigError, list};
use super::offers::{self, Offer};
use super::tree::{Node, Place, Table, What};
use super::{hints, measure, schema};
use crate::level::LevelFilter;

/// What a key may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Bool,
    /// A level, or `disabled`.
    Level,
    Duration,
    /// A length of time, or `false`.
    DurationOrOff,
    /// Bytes.
    Size,
    /// A whole number, at least and at most.
    Count(u64, u64),
    Text,
    Path,
    OneOf(&'static [&'static str]),
    /// A list; one value is a list of one.
    ListOf(&'static Kind),
    /// The same; at least one.
    SomeOf(&'static Kind),
    /// What a text has to be, and what is wrong if it is not.
    Checked(&'static str, fn(&str) -> Result<(), String>),
    Table(&'static [Key]),
    /// Values of one kind, mostly tables, under names of the user's.
    Named(&'static Kind),
    /// Values under names of the user's.
    Fields,
    /// One of several, by its name, or a table that has the name under `type`; and keys that each of them may have. The program may
    /// offer further ones.
    Choice(Offer, &'static [Variant], &'static [Key]),
    /// The same, or a path, or the name of one of `[outputs]`.
    Output(&'static [Variant], &'static [Key]),
    /// The first of two that fits.
    Either(&'static Kind, &'static Kind),
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What holds where nothing is said, as TOML; empty where it is nothing.
    pub(crate) usual: &'static str,
    pub(crate) is_required: bool,
}

impl Key {
    pub(crate) const fn new(name: &'static str, kind: Kind, usual: &'static str) -> Key {
        Key { name, kind, usual, is_required: false }
    }

    pub(crate) const fn required(name: &'static str, kind: Kind) -> Key {
        Key { name, kind, usual: "", is_required: true }
    }
}

/// One of several things that a key may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [Key],
}

pub(super) const LEVELS: [&str; 7] = ["debug", "info", "notice", "warning", "error", "critical", "disabled"];

/// What is found out about a tree.
#[derive(Default)]
pub(super) struct Checks<'t> {
    pub(super) errors: Vec<ConfigError>,
    /// The outputs that have names.
    pub(super) outputs: Vec<&'t str>,
    /// Whether texts stand for numbers and the like, as in the environment.
    pub(super) loose: bool,
}

/// Whether a text is meant as a path: a word is more likely a misspelt name than a file's name.
pub(super) fn is_path(text: &str) -> bool {
    text.contains(['/', '.', '\\'])
}

pub(super) fn names_of(variants: &[Variant]) -> Vec<&'static str> {
    variants.iter().map(|variant| variant.name).collect()
}

/// What can be chosen: of this crate, of what the program offers, or else by one of these names; and how that list goes on.
struct Choice<'a> {
    offer: Offer,
    variants: &'a [Variant],
    /// Keys beside those of a variant.
    more: &'a [Key],
    others: &'a [&'a str],
    words: &'a str,
}

impl Checks<'_> {
    /// The value in its usual form; nothing, and an error, if it is none of this kind.
    pub(super) fn check(&mut self, kind: Kind, node: &Node, path: &str) -> Option<Node> {
        let checked = match (kind, &node.what) {
            (Kind::Choice(offer, variants, more), _) => {
                return self.choice(&Choice { offer, variants, more, others: &[], words: "" }, node, path);
            }
            (Kind::Output(variants, more), _) => return self.output(variants, more, node, path),
            (Kind::Table(keys), What::Table(table)) => {
                return Some(Node { what: What::Table(self.table(keys, table, node.place, path)), place: node.place });
            }
            (Kind::Named(kind), What::Table(tables)) => return Some(self.named(*kind, tables, node.place, path)),
            (Kind::SomeOf(_), What::List(all)) if all.is_empty() => {
                let message = "an empty list lets nothing pass; leave it out for everything";
                self.errors.push(ConfigError::wrong(path, node.place, message));
                return None;
            }
            (Kind::SomeOf(kind), _) => return self.check(Kind::ListOf(kind), node, path),
            (Kind::ListOf(kind), What::List(all)) => {
                let all =
                    all.iter().enumerate().filter_map(|(at, node)| self.check(*kind, node, &format!("{path}[{at}]")));
                What::List(all.collect())
            }
            (Kind::ListOf(kind), What::Text(text)) if self.loose => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                let all = words.filter_map(|word| self.check(*kind, &Node::text(word), path));
                What::List(all.collect())
            }
            (Kind::ListOf(kind), _) => What::List(vec![self.check(*kind, node, path)?]),
            (Kind::Fields, What::Table(fields)) => return Some(self.fields(fields, node.place, path)),
            (Kind::Either(first, second), _) => {
                let before = self.errors.len();
                let found = self.check(*first, node, path);
                if found.is_some() && self.errors.len() == before {
                    return found;
                }
                self.errors.truncate(before);
                let found = self.check(*second, node, path);
                // What is of the right shape is told what is wrong in it.
                let is_meant = matches!(
                    (*second, &node.what),
                    (Kind::Table(_), What::Table(_)) | (Kind::Checked(..), What::Text(_))
                );
                if self.errors.len() > before && !is_meant {
                    self.errors.truncate(before);
                    let error = ConfigError::expected(path, node.place, &node.shown(), kind.expected());
                    self.errors.push(error.near(&first.names()));
                }
                return found;
            }
            (Kind::Checked(_, check), What::Text(text)) => match check(text) {
                Ok(()) => node.what.clone(),
                Err(message) => {
                    self.errors.push(ConfigError::wrong_text(path, node.place, text, message));
                    return None;
                }
            },
            _ => match self.plain(kind, &node.what) {
                Some(what) => what,
                None => {
                    self.errors.push(hints::unfitting(kind, node, path, self.loose));
                    return None;
                }
            },
        };
        Some(Node { what: checked, place: node.place })
    }

    fn plain(&self, kind: Kind, what: &What) -> Option<What> {
        let number = |what: &What| match what {
            What::Integer(number) => u64::try_from(*number).ok(),
            What::Text(text) if self.loose => text.trim().parse().ok(),
            _ => None,
        };
        let fits = |text: &String| !text.is_empty() && !text.contains('\0');
        Some(match (kind, what) {
            (Kind::Bool, What::Bool(_)) => what.clone(),
            (Kind::Bool, What::Text(text)) if self.loose => What::Bool(truth(text)?),
            (Kind::Level, What::Text(text)) => What::Text(text.trim().parse::<LevelFilter>().ok()?.as_str().to_owned()),
            (Kind::DurationOrOff, What::Bool(false)) => what.clone(),
            (Kind::DurationOrOff, What::Text(text)) if truth(text) == Some(false) && !text.trim().starts_with('0') => {
                What::Bool(false)
            }
            (Kind::Duration | Kind::DurationOrOff, what) => {
                let time = match what {
                    What::Text(text) => measure::duration(text)?,
                    What::Integer(number) => measure::duration(&number.to_string())?,
                    What::Float(number) => measure::duration(&number.to_string())?,
                    _ => return None,
                };
                if matches!(kind, Kind::DurationOrOff) && time.is_zero() {
                    return None;
                }
                What::Text(measure::of_duration(time))
            }
            (Kind::Size, What::Text(text)) => What::Text(measure::of_size(measure::size(text)?)),
            (Kind::Size, What::Integer(number)) => What::Text(measure::of_size(u64::try_from(*number).ok()?)),
            (Kind::Count(least, most), what) => {
                let number = number(what).filter(|number| (least..=most).contains(number))?;
                What::Integer(i64::try_from(number).ok()?)
            }
            (Kind::Text, What::Text(text)) if fits(text) => what.clone(),
            (Kind::Path, What::Text(text)) if fits(text) && !hints::is_for_a_shell(text) => what.clone(),
            (Kind::OneOf(names), What::Text(text)) => {
                let name = names.iter().find(|name| name.eq_ignore_ascii_case(text.trim()))?;
                What::Text((*name).to_owned())
            }
            _ => return None,
        })
    }

    /// A table, with all keys known and those there that must be.
    pub(super) fn table(&mut self, keys: &[Key], table: &Table, place: Place, path: &str) -> Table {
        self.table_beside(keys, &[], table, place, path)
    }

    fn table_beside(&mut self, keys: &[Key], more: &[Key], table: &Table, place: Place, path: &str) -> Table {
        let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let known = || keys.iter().chain(more);
        let mut checked = Table::default();
        for (key, node) in table.iter() {
            match known().find(|known| known.name == key) {
                Some(known) => {
                    if let Some(node) = self.check(known.kind, node, &join(key)) {
                        checked.set(key, node);
                    }
                }
                None => {
                    let names: Vec<&str> = known().map(|key| key.name).collect();
                    let error = ConfigError::unknown(&join(key), node.place, key, &names);
                    self.errors.push(error.hint(hints::elsewhere(path, key)));
                }
            }
        }
        for key in known().filter(|key| key.is_required && table.get(key.name).is_none()) {
            self.errors.push(ConfigError::missing(&join(key.name), place, key.kind.expected()));
        }
        checked
    }

    fn named(&mut self, kind: Kind, tables: &Table, place: Place, path: &str) -> Node {
        let mut checked = Table::default();
        for (name, node) in tables.iter() {
            let is_taken = path == "outputs"
                && (schema::OUTPUTS.iter().any(|output| output.name == name) || offers::has(Offer::Output, name));
            let path = format!("{path}.{name}");
            if is_taken {
                let message = "there is an output of this name already; choose another one";
                self.errors.push(ConfigError::wrong(&path, node.place, message));
            } else if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
                self.errors.push(ConfigError::wrong(
                    &path,
                    node.place,
                    "a name has 1 to 64 characters, all of them visible",
                ));
            } else if let Some(node) = self.check(kind, node, &path) {
                checked.set(name, node);
            }
        }
        Node { what: What::Table(checked), place }
    }

    fn fields(&mut self, fields: &Table, place: Place, path: &str) -> Node {
        let mut checked = Table::default();
        for (name, node) in fields.iter() {
            match &node.what {
                What::Text(_) | What::Integer(_) | What::Float(_) | What::Bool(_) => checked.set(name, node.clone()),
                _ => {
                    let expected = "a text, a number or a boolean";
                    let path = format!("{path}.{name}");
                    self.errors.push(ConfigError::expected(&path, node.place, &node.shown(), expected));
                }
            }
        }
        Node { what: What::Table(checked), place }
    }

    fn choice(&mut self, choice: &Choice<'_>, node: &Node, path: &str) -> Option<Node> {
        let &Choice { offer, variants, more, others, words } = choice;
        let offered = offers::names(offer);
        let all = || names_of(variants).into_iter().chain(offered.iter().map(String::as_str));
        let (types, names): (Vec<&str>, Vec<&str>) = (all().collect(), all().chain(others.iter().copied()).collect());
        let find = |name: &str| variants.iter().find(|variant| variant.name.eq_ignore_ascii_case(name.trim()));
        match &node.what {
            What::Text(text) => match find(text) {
                Some(variant) => match variant.keys.iter().find(|key| key.is_required) {
                    Some(key) => {
                        let message = self.needs_more(variant.name, key.name);
                        self.errors.push(ConfigError::wrong(path, node.place, message));
                        None
                    }
                    None => Some(Node { what: What::Text(variant.name.to_owned()), place: node.place }),
                },
                None if offers::has(offer, text) => Some(node.clone()),
                None => {
                    self.errors.push(ConfigError::one_of(path, node.place, text, &names, words));
                    None
                }
            },
            What::Table(table) => {
                let at = format!("{path}.type");
                let Some(kind) = table.get("type") else {
                    self.errors.push(ConfigError::missing(&at, node.place, list(&types)));
                    return None;
                };
                let name = kind.as_text().unwrap_or_default();
                let mut rest = table.clone();
                rest.remove("type");
                if find(name).is_none() && offers::has(offer, name) {
                    return Some(self.offered(name, more, rest, node, path));
                }
                let Some(variant) = find(name) else {
                    self.errors.push(ConfigError::one_of(&at, kind.place, &kind.shown(), &types, ""));
                    return None;
                };
                let rest = self.table_beside(variant.keys, more, &rest, node.place, path);
                self.errors.extend(hints::without_effect(variant.name, &rest, path));
                let mut checked = Table::default();
                checked.set("type", Node::text(variant.name));
                checked.overlay(&rest);
                Some(Node { what: What::Table(checked), place: node.place })
            }
            _ => {
                self.errors.push(ConfigError::expected(
                    path,
                    node.place,
                    &node.shown(),
                    list(&names) + words + ", or a table",
                ));
                None
            }
        }
    }

    /// What is said of a name alone that needs a key.
    fn needs_more(&self, name: &str, key: &str) -> String {
        match name {
            "file" if self.loose => "`file` needs more: write the path itself, such as `./events.log`".to_owned(),
            _ if self.loose => format!("`{name}` needs more, which a variable cannot say; write it in the file"),
            _ => format!("`{name}` needs more: write {{ type = \"{name}\", {key} = .. }}"),
        }
    }

    /// A table of what the program offers: it knows its keys itself, but for these.
    fn offered(&mut self, name: &str, known: &[Key], mut rest: Table, node: &Node, path: &str) -> Node {
        let known: Table = known
            .iter()
            .filter_map(|key| {
                let said = rest.remove(key.name)?;
                Some((key.name.to_owned(), self.check(key.kind, &said, &format!("{path}.{}", key.name))?))
            })
            .collect();
        self.errors.extend(hints::without_effect(name, &known, path));
        let mut checked = Table::default();
        checked.set("type", Node::text(name));
        checked.overlay(&rest);
        checked.overlay(&known);
        Node { what: What::Table(checked), place: node.place }
    }

    fn output(&mut self, variants: &[Variant], more: &[Key], node: &Node, path: &str) -> Option<Node> {
        let text = node.as_text().unwrap_or_default();
        if text == "-" {
            return Some(Node { what: What::Text("stdout".to_owned()), place: node.place });
        }
        let outputs = self.outputs.clone();
        if let Some(meant) = hints::address(text) {
            let message = format!("`{}` is no path; write {meant}", text.escape_debug());
            self.errors.push(ConfigError::wrong_text(path, node.place, text, message));
            return None;
        }
        if outputs.contains(&text) {
            return Some(node.clone());
        }
        if is_path(text) && !text.contains('\0') {
            return self.check(Kind::Path, node, path);
        }
        let file = match text {
            "" => String::new(),
            text => format!(", or a path (`./{text}` for a file of this name)"),
        };
        let choice = Choice { offer: Offer::Output, variants, more, others: &outputs, words: &file };
        self.choice(&choice, node, path)
    }
}

/// What a word says.
fn truth(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    if is(&["true", "yes", "on", "1", "enable"]) {
        Some(true)
    } else if is(&["false", "no", "off", "0", "disable"]) {
        Some(false)
    } else {
        None
    }
}
