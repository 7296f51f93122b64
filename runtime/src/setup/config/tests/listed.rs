//! Every key stands in the example and in the book.

use super::*;

/// All keys, by their paths, and what holds without each: those of named tables under `NAME`, those of variants with their `type`.
fn every_key() -> Vec<(String, &'static str)> {
    fn of(kind: check::Kind, path: &str, all: &mut Vec<(String, &'static str)>) {
        match kind {
            check::Kind::Table(keys) => keys.iter().for_each(|key| {
                all.push((format!("{path}.{}", key.name), key.usual));
                of(key.kind, &format!("{path}.{}", key.name), all);
            }),
            check::Kind::Named(kind) => of(*kind, &format!("{path}.NAME"), all),
            _ => {}
        }
    }
    let mut all = Vec::new();
    for key in schema::ROOT {
        all.push((key.name.to_owned(), key.usual));
        of(key.kind, key.name, &mut all);
    }
    all
}

fn read(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_example_uses_every_key_and_every_variant_with_all_of_its_keys() {
    let config = Config::parse(&read("examples/config/canonlog.toml")).expect("it is right");
    let all = |path: &str| -> Vec<Node> {
        let mut found = vec![Node::from(tree::What::Table(config.said.clone()))];
        for key in path.split('.') {
            let inner = found.iter().filter_map(Node::as_table).flat_map(|table| {
                table
                    .iter()
                    .filter(|(name, _)| key == "NAME" || *name == key)
                    .map(|(_, node)| node.clone())
                    .collect::<Vec<_>>()
            });
            found = inner.collect();
        }
        found
    };
    for (path, _) in every_key() {
        assert!(!all(&path).is_empty(), "`{path}`");
    }
    let outputs = [all("outputs.NAME"), all("emitters.NAME.output")].concat();
    for (nodes, variants, more) in
        [(all("emitters.NAME.format"), schema::FORMATS, &[][..]), (outputs, schema::OUTPUTS, schema::WAYS)]
    {
        let tables: Vec<&Table> = nodes.iter().filter_map(Node::as_table).collect();
        for variant in variants {
            let is_it = |table: &&&Table| table.text("type") == Some(variant.name);
            let uses = nodes.iter().any(|node| node.as_text() == Some(variant.name))
                || tables.iter().any(|table| is_it(&table));
            assert!(uses, "`{}`", variant.name);
            for key in variant.keys {
                let uses = tables.iter().filter(is_it).any(|table| table.get(key.name).is_some());
                assert!(uses, "`{}` of `{}`", key.name, variant.name);
            }
        }
        for key in more {
            assert!(tables.iter().any(|table| table.get(key.name).is_some()), "`{}`", key.name);
        }
    }
    let formats = all("emitters.NAME.format");
    for key in schema::CONVERTER {
        let tables = formats.iter().filter_map(|format| format.as_table()?.get("fields"));
        let uses = |node: &Node| {
            matches!(&node.what, tree::What::List(all) if all.iter().any(|converter| {
                converter.as_table().is_some_and(|converter| converter.get(key.name).is_some())
            }))
        };
        assert!(tables.clone().any(uses), "`fields.{}`", key.name);
    }
    for key in schema::QUEUE {
        let uses =
            all("outputs.NAME.queue").iter().filter_map(Node::as_table).any(|queue| queue.get(key.name).is_some());
        assert!(uses, "`queue.{}`", key.name);
    }
}

#[test]
fn the_reference_has_every_key_with_what_holds_without_it() {
    let page = read("book/src/reference/configuration.md");
    let row = |cells: &[&str], usual: &str| {
        let begin = cells.iter().map(|cell| format!("| `{cell}` ")).collect::<String>();
        let usual = if usual.is_empty() { String::new() } else { format!("| `{usual}` |") };
        let is_it = |line: &&str| line.starts_with(&begin) && line.contains(&usual);
        assert!(page.lines().any(|line| is_it(&line)), "a row that begins with {begin:?}, and has {usual:?}");
    };
    for (path, usual) in every_key() {
        row(&[&path], usual);
    }
    for variant in schema::FORMATS.iter().chain(schema::OUTPUTS) {
        row(&[variant.name], "");
        for key in variant.keys {
            row(&[variant.name, key.name], &key.usual.replace('|', "\\|"));
        }
    }
    for (prefix, keys) in [("", schema::WAYS), ("queue.", schema::QUEUE), ("fields.", schema::CONVERTER)] {
        keys.iter().for_each(|key| row(&[&format!("{prefix}{}", key.name)], key.usual));
    }
    for (variable, path) in schema::VARIABLES {
        row(&[variable, path], "");
    }
    // What the set-up can be told is to be had without a program, too.
    let documented = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).count();
    assert!(documented > 60, "{documented}");
}
