//! One configuration of all that was said: later wins.
//!
//! ```text
//! what holds without a word ◀ file ◀ environment ◀ program
//! ```

use super::check::{Key, Kind};
use super::schema::{self, ROOT};
use super::tree::{Node, Table, What};

/// Keys that the emitters take over.
const OF_EMITTERS: [&str; 3] = ["level", "format", "output"];

/// What of it holds for emitters that say nothing themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Tops {
    pub(super) level: Option<Node>,
    /// Of the first of them.
    pub(super) format: Option<Node>,
    pub(super) output: Option<Node>,
}

impl Tops {
    fn of(said: &Table) -> Tops {
        let [level, format, output] = OF_EMITTERS.map(|key| said.get(key).cloned());
        Tops { level, format, output }
    }

    fn or(self, before: Tops) -> Tops {
        Tops {
            level: self.level.or(before.level),
            format: self.format.or(before.format),
            output: self.output.or(before.output),
        }
    }
}

/// All that was said, by whom it was said.
pub(super) struct Said<'s> {
    pub(super) file: &'s Table,
    pub(super) environment: &'s Table,
    pub(super) program: &'s Table,
    /// The emitters of the file that was read before, if this one adds to them.
    pub(super) before: Option<&'s Table>,
    /// Whether the program brings emitters: these take the place of the default one.
    pub(super) has_emitters: bool,
    /// Whether lines are for a developer, where nobody says how they look; asked with whether they go to standard output.
    pub(super) develops: &'s dyn Fn(bool) -> bool,
}

/// The configuration that holds, and what holds for the emitters that the program brings.
pub(super) fn resolve(said: &Said<'_>) -> (Table, Tops) {
    let mut all = usual(ROOT);
    for layer in [said.file, said.environment, said.program] {
        for (key, node) in layer.iter() {
            match (key, &node.what) {
                ("emitters", _) => {}
                _ if OF_EMITTERS.contains(&key) => {}
                // Nobody takes away what another wants to be hidden.
                ("redact", What::Table(redact)) => add_redact(all.enter(key), redact),
                // Each output is whole.
                ("outputs", What::Table(outputs)) => {
                    outputs.iter().for_each(|(name, node)| all.enter(key).set(name, node.clone()));
                }
                (_, What::Table(table)) => all.enter(key).overlay(table),
                _ => all.set(key, node.clone()),
            }
        }
    }
    let layers = [said.file, said.environment, said.program];
    let has = |path: &str| layers.iter().any(|layer| layer.at(path).is_some());
    // Who says how, says that.
    if has("lookback") && !has("lookback.enabled") {
        all.put("lookback.enabled", What::Bool(true).into());
    }
    let (file, environment) = (Tops::of(said.file), Tops::of(said.environment));
    let later = Tops::of(said.program).or(environment);
    all.set("emitters", What::Table(emitters(said, &file, &later)).into());
    (all, later.or(file))
}

/// What holds where nothing is said.
fn usual(keys: &'static [Key]) -> Table {
    let mut table = Table::default();
    for key in keys.iter().filter(|key| !OF_EMITTERS.contains(&key.name)) {
        match key.kind {
            Kind::Table(inner) => table.set(key.name, What::Table(usual(inner)).into()),
            _ => {
                if let Some(node) = schema::usual(key) {
                    table.set(key.name, node);
                }
            }
        }
    }
    table
}

fn add_redact(to: &mut Table, said: &Table) {
    for (key, node) in said.iter() {
        let more = match (&node.what, to.get(key).map(|node| &node.what)) {
            (What::List(more), Some(What::List(before))) => {
                let new = more.iter().filter(|node| !before.contains(node));
                What::List(before.iter().chain(new).cloned().collect())
            }
            (what, _) => what.clone(),
        };
        to.set(key, Node { what: more, place: node.place });
    }
}

/// `later` is said by environment and program, of emitters that the file has, too.
fn emitters(said: &Said<'_>, file: &Tops, later: &Tops) -> Table {
    let of_file = said.file.table("emitters");
    let is_incremental = said.file.get("incremental").and_then(Node::as_bool) == Some(true);
    let mut all = Table::default();
    if let Some(before) = said.before.filter(|_| is_incremental) {
        all.clone_from(before);
    } else if (of_file.is_none() || is_incremental) && !said.has_emitters {
        all.enter("default");
    }
    for (name, node) in of_file.into_iter().flat_map(Table::iter) {
        all.set(name, node.clone());
    }
    let names: Vec<String> = all.keys().map(str::to_owned).collect();
    for (at, name) in names.iter().enumerate() {
        let is_default = said.file.at("emitters.default").is_none() && name == "default";
        let emitter = all.enter(name);
        let first = |node: &Option<Node>| node.clone().filter(|_| at == 0);
        let to = later.output.as_ref().or(file.output.as_ref()).and_then(Node::as_text);
        let develops = is_default && (said.develops)(to.is_none_or(|to| to == "stdout"));
        let fill = [("level", file.level.clone()), ("format", first(&file.format)), ("output", first(&file.output))];
        for (key, node) in fill {
            let node = node.or_else(|| (key == "format" && develops).then(|| Node::text("pretty")));
            let node = node.or_else(|| schema::EMITTER.iter().find(|known| known.name == key).and_then(schema::usual));
            if let Some(node) = node.filter(|_| emitter.get(key).is_none()) {
                emitter.set(key, node);
            }
        }
        let last = [("level", later.level.clone()), ("format", first(&later.format)), ("output", first(&later.output))];
        last.into_iter().filter_map(|(key, node)| Some((key, node?))).for_each(|(key, node)| emitter.set(key, node));
    }
    all
}
