//! Formats, as a configuration says them.

use super::build::{Checked, chosen, without_type};
use super::offers::{self, Offer};
use super::tree::{Node, Table, What};
use crate::emitter::Emitter;
use crate::event::EventType;
use crate::format::{Combined, Conversion, Converter, Gelf, Json, Logfmt, Otlp, Pretty, Talisker, Template, TextLine};

/// Types of events, by their names.
pub(super) fn types(node: &Node) -> Vec<EventType> {
    let names = node.texts();
    EventType::ALL.into_iter().filter(|kind| names.contains(&kind.as_str())).collect()
}

/// The emitter with this format.
///
/// # Errors
///
/// What the program says of one that it offers.
pub(super) fn format(emitter: Emitter, node: &Node) -> Result<Emitter, String> {
    let (name, said) = chosen(node);
    match offers::make(Offer::Format, name, &without_type(&said), &emitter) {
        Some(made) => made,
        None => Ok(own(emitter, name, &said)),
    }
}

fn own(emitter: Emitter, name: &str, said: &Table) -> Emitter {
    let is = |key: &str| said.truth(key) == Some(true);
    match name {
        "json" => emitter.format(Json::new()),
        "pretty" => emitter.format(said.truth("color").map_or_else(Pretty::new, |color| Pretty::new().color(color))),
        "combined" => emitter.format(Combined::new()),
        "talisker" => {
            let talisker = if is("exact_durations") { Talisker::new().exact_durations() } else { Talisker::new() };
            emitter.format(if is("locations") { talisker.locations() } else { talisker })
        }
        "line" => emitter.format(text_line(TextLine::new(), Conversion::line(), said)),
        "shell" => emitter.format(text_line(TextLine::new(), Conversion::shell(), said)),
        "template" => match Template::new(said.text("template").unwrap_or_default()) {
            Ok(template) => emitter.format(template.only(said.get("types").map(types).unwrap_or_default())),
            // It was checked.
            Err(_) => emitter,
        },
        "gelf" => emitter.format(said.text("host").map_or_else(Gelf::new, |host| Gelf::new().host(host))),
        "otlp" => emitter.format(otlp(said)),
        _ => {
            let mut logfmt = Logfmt::new();
            if said.text("quote") == Some("needed") {
                logfmt = logfmt.quote_needed();
            }
            if is("exact_durations") {
                logfmt = logfmt.exact_durations();
            }
            emitter.format(logfmt)
        }
    }
}

fn text_line(mut line: TextLine, usual: Conversion, said: &Table) -> TextLine {
    if let Some(separator) = said.text("separator") {
        line = line.separator(separator);
    }
    if let Some(prefix) = said.text("traceback_prefix") {
        line = line.traceback_prefix(prefix);
    }
    let line = line.conversion(conversion(usual, said));
    if said.truth("millis") == Some(true) { line.millis() } else { line }
}

/// The table by which the fields of a line are written.
fn conversion(usual: Conversion, said: &Table) -> Conversion {
    let mut table = match said.get("fields").map(|node| &node.what) {
        Some(What::List(all)) => {
            let table = all.iter().map(converter).fold(Conversion::new(), Conversion::with);
            // What is usually hidden is so still, unless it is named.
            ["time", "log_loc"].into_iter().fold(table, |table, key| {
                let hides = usual.get(key).any(Converter::hides) && table.get(key).next().is_none();
                if hides { table.with(Converter::new(key).hidden()) } else { table }
            })
        }
        _ => usual,
    };
    if let Some(between) = said.text("between") {
        table = table.separator(between);
    }
    if said.truth("unquoted") == Some(true) {
        table = table.unquoted();
    }
    if let Some(text) = said.text("aggregate").map(str::to_owned) {
        let between = said.text("between").unwrap_or(":").to_owned();
        table = table.aggregate(move |items| text.replace("{items}", &items.join(&between)));
    }
    table.rest(shown(Converter::new(""), said.text("rest")))
}

fn converter(node: &Node) -> Converter {
    let Some(said) = node.as_table() else { return Converter::new(node.as_text().unwrap_or_default()) };
    let converter = shown(Converter::new(said.text("key").unwrap_or_default()), said.text("show"));
    if said.truth("required") == Some(true) { converter.required() } else { converter }
}

fn shown(converter: Converter, how: Option<&str>) -> Converter {
    match how {
        None | Some("pair") => converter,
        Some("value") => converter.value_only(),
        Some("hidden") => converter.hidden(),
        Some(text) => {
            let pieces: Vec<String> = text.split("{value}").map(str::to_owned).collect();
            // What stands in a key or a value is none of the places.
            let item = move |key: &str, value: &str| {
                pieces.iter().map(|piece| piece.replace("{key}", key)).collect::<Vec<_>>().join(value)
            };
            converter.item(move |key, value| Some(item(key, value)))
        }
    }
}

fn otlp(said: &Table) -> Otlp {
    let mut otlp = Otlp::new();
    if let Some(service) = said.text("service") {
        otlp = otlp.service(service);
    }
    for (key, value) in said.table("resource").into_iter().flat_map(Table::iter) {
        otlp = otlp.resource(key, value.shown());
    }
    if said.truth("record_only") == Some(true) { otlp.record_only() } else { otlp }
}
