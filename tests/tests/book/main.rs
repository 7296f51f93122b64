//! The book says what the code does, and nothing else.
//!
//! Names are read out of the sources by their shape; `events` looks at events.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use canonlog_tests::book;

mod events;
mod fields;
mod options;
mod pages;
mod proofs;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page(name: &str) -> String {
    read(Path::new("book/src").join(name))
}

/// Every page, by its path in `book/src`.
fn pages() -> impl Iterator<Item = &'static str> {
    book::PAGES.iter().chain(book::PARTS_OF_PROGRAMS).copied()
}

/// The files below a folder that end in `ending`, relative to it.
fn files(folder: &Path, ending: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.insert(path.strip_prefix(folder).expect("below it").to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// A page without its blocks of code.
fn outside_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The words in backticks of the first column of a page's tables, below the heading given.
fn first_column(text: &str, heading: &str) -> BTreeSet<String> {
    rows(text, heading).into_iter().flat_map(|row| quoted(&row[0])).collect()
}

/// The rows of the tables below a heading, without the heads.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let level = heading.chars().take_while(|c| *c == '#').count();
    let lines = text.lines().skip_while(|line| line.trim_end() != heading);
    let below = lines.skip(1).take_while(|line| {
        let depth = line.chars().take_while(|c| *c == '#').count();
        depth == 0 || depth > level
    });
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in below {
        let Some(row) = line.strip_prefix('|') else { continue };
        let cells: Vec<String> =
            row.trim_end().trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        if cells[0].starts_with("---") {
            rows.pop();
        } else {
            rows.push(cells);
        }
    }
    rows
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A source without comments and unit tests.
fn code(path: &str) -> String {
    let text = read(path);
    let text = ["tests", "models"].iter().fold(text.as_str(), |text, tests| {
        text.split(&format!("#[cfg(test)]\nmod {tests} {{")).next().unwrap_or_default()
    });
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The sources of the library, by their path in `runtime/src`, with what they hold.
fn sources() -> BTreeMap<String, String> {
    let folder = root().join("runtime/src");
    let paths =
        files(&folder, ".rs").into_iter().filter(|path| !path.ends_with("tests.rs") && !path.ends_with("models.rs"));
    paths.map(|path| (path.clone(), code(&format!("runtime/src/{path}")))).collect()
}

/// The texts of a source, in order, each with what stands between it and the one before.
fn literals(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut rest, mut between) = (code, String::new());
    while let Some(at) = rest.find('"') {
        between.push_str(&rest[..at]);
        // A quote as a character is no text.
        if rest[..at].ends_with('\'') || rest[..at].ends_with("'\\") {
            rest = &rest[at + 1..];
            continue;
        }
        let text = &rest[at + 1..];
        let mut end = 0;
        while !text[end..].starts_with('"') {
            end += if text[end..].starts_with('\\') { 2 } else { text[end..].chars().next().map_or(1, char::len_utf8) };
            if end >= text.len() {
                return found;
            }
        }
        found.push((std::mem::take(&mut between), text[..end].to_owned()));
        rest = &text[end + 1..];
    }
    found
}

/// The namespaces of the framework's fields.
const NAMESPACES: [&str; 19] = [
    "event", "req", "job", "log", "exc", "resp", "cancel", "timeout", "db", "http", "rt", "poll", "dropped",
    "canonlog", "status", "process", "thread", "peer", "build",
];

/// The framework's fields of the reference, with their types.
fn documented_fields() -> BTreeMap<String, String> {
    let reference = page("reference/fields.md");
    let mut fields = BTreeMap::new();
    for row in rows(&reference, "# Fields") {
        for name in quoted(&row[0]).into_iter().filter(|name| !name.starts_with("app_")) {
            assert!(fields.insert(name.clone(), row[1].clone()).is_none(), "`{name}` has two rows");
        }
    }
    fields
}
