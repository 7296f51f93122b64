//! A configuration as TOML.

use std::fmt::{self, Write};

use super::tree::{Node, Table, What};
use crate::redact::{self, REDACTED};

/// Writes a table: first what takes a line, so that no key slips into another table, then its tables.
pub(super) fn tables(table: &Table, path: &str, to: &mut impl Write) -> fmt::Result {
    for (key, node) in table.iter().filter(|(_, node)| takes_a_line(node, path)) {
        pair(key, node, to)?;
        to.write_str("\n")?;
    }
    for (key, node) in table.iter().filter(|(_, node)| !takes_a_line(node, path)) {
        let Some(inner) = node.as_table() else { continue };
        let path = [path, if path.is_empty() { "" } else { "." }, &name(key)].concat();
        if inner.is_empty() || inner.iter().any(|(_, node)| takes_a_line(node, &path)) {
            write!(to, "\n[{path}]\n")?;
        }
        tables(inner, &path, to)?;
    }
    Ok(())
}

/// Whether what stands in a table of this path is told on one line: so is a choice, but for those that have a name each.
fn takes_a_line(node: &Node, path: &str) -> bool {
    node.as_table().is_none() || is_choice(node) && path != "outputs"
}

fn is_choice(node: &Node) -> bool {
    node.as_table().is_some_and(|table| table.get("type").is_some())
}

/// Whether values of this key are nobody's to see, however it is written: a field's name is cleaned before it is looked at, too.
pub(super) fn hides(key: &str) -> bool {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    redact::hides(&key.chars().map(fit).collect::<String>())
}

/// Whether the value of this key is nobody's to see. Tables have names of the user's, but for those `inside` a choice.
pub(super) fn is_secret(key: &str, node: &Node, inside: bool) -> bool {
    let may_be = match node.what {
        What::Bool(_) => false,
        What::Table(_) => inside,
        _ => true,
    };
    may_be && hides(key)
}

/// What somebody says of a table, without the values in it that are nobody's to see.
pub(super) fn without_secrets(said: String, table: &Table) -> String {
    table.iter().fold(said, |said, (key, node)| without(said, node, hides(key)))
}

fn without(said: String, node: &Node, is_secret: bool) -> String {
    // What is short may be part of any word.
    const SHORT: usize = 4;
    match &node.what {
        What::Table(table) if !is_secret => without_secrets(said, table),
        What::Table(table) => table.iter().fold(said, |said, (_, node)| without(said, node, true)),
        What::List(all) => all.iter().fold(said, |said, node| without(said, node, is_secret)),
        What::Bool(_) => said,
        _ if !is_secret => said,
        _ => {
            let text = node.shown();
            let said = said.replace(&format!("{text:?}"), REDACTED).replace(&format!("`{text}`"), REDACTED);
            if text.len() < SHORT { said } else { said.replace(&text, REDACTED) }
        }
    }
}

fn pair(key: &str, node: &Node, to: &mut impl Write) -> fmt::Result {
    write!(to, "{} = ", name(key))?;
    if is_secret(key, node, true) { quoted(REDACTED, to) } else { value(node, to) }
}

fn value(node: &Node, to: &mut impl Write) -> fmt::Result {
    match &node.what {
        What::Text(text) => quoted(text, to),
        What::Integer(number) => write!(to, "{number}"),
        What::Float(number) if number.is_nan() => to.write_str("nan"),
        What::Float(number) if number.is_infinite() => to.write_str(if *number > 0.0 { "inf" } else { "-inf" }),
        // With a point or an exponent, so that it is read as what it is.
        What::Float(number) => write!(to, "{number:?}"),
        What::Bool(value) => write!(to, "{value}"),
        What::Date(date) => to.write_str(date),
        What::List(list) => {
            to.write_str("[")?;
            for (at, node) in list.iter().enumerate() {
                to.write_str(if at > 0 { ", " } else { "" })?;
                value(node, to)?;
            }
            to.write_str("]")
        }
        What::Table(table) => {
            to.write_str("{ ")?;
            for (at, (key, node)) in table.iter().enumerate() {
                to.write_str(if at > 0 { ", " } else { "" })?;
                pair(key, node, to)?;
            }
            to.write_str(" }")
        }
    }
}

/// A key, bare where it can be.
fn name(key: &str) -> String {
    if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return key.to_owned();
    }
    let mut name = String::new();
    let _ = quoted(key, &mut name);
    name
}

fn quoted(text: &str, to: &mut impl Write) -> fmt::Result {
    to.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => to.write_str("\\\"")?,
            '\\' => to.write_str("\\\\")?,
            '\n' => to.write_str("\\n")?,
            '\t' => to.write_str("\\t")?,
            '\r' => to.write_str("\\r")?,
            c if c.is_control() => write!(to, "\\u{:04X}", u32::from(c))?,
            c => to.write_char(c)?,
        }
    }
    to.write_str("\"")
}
