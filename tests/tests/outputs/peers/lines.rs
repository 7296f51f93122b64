//! Lines in files: logfmt by the reader of Go's world (Loki's and Prometheus' too), JSON by Python and jq.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use canonlog::{EventType, Json, Logfmt, OwnedEvent, Value};
use serde_json::Value as Read;

use super::{Running, events, line, program, same, says};

/// Where Debian has Go's libraries.
const GO_PATH: &str = "/usr/share/gocode";

/// Says each line as a list of names and values, or what is wrong with it.
const GO: &str = r#"
package main

import ("encoding/json"; "fmt"; "os"; "github.com/go-logfmt/logfmt")

func main() {
	lines := logfmt.NewDecoder(os.Stdin)
	for lines.ScanRecord() {
		read := [][2]string{}
		for lines.ScanKeyval() {
			read = append(read, [2]string{string(lines.Key()), string(lines.Value())})
		}
		said, _ := json.Marshal(read)
		fmt.Println(string(said))
	}
	if lines.Err() != nil { fmt.Printf("%q\n", lines.Err().Error()) }
}
"#;

fn write_all(running: &mut Running, lines: &[String]) {
    let mut input = running.input();
    lines.iter().for_each(|line| writeln!(input, "{line}").expect("it reads"));
}

/// The fields of an event, and how the head of a line has its type, time and level.
fn head(event: &OwnedEvent) -> [(&str, &str); 3] {
    let view = event.view();
    [
        ("event_type", view.kind().as_str()),
        ("event_time", "2026-11-20T22:46:01.123Z"),
        ("event_level", view.level().as_str()),
    ]
}

#[test]
fn go_logfmt_reads_every_value_in_both_profiles() {
    let Some(go) = program("go") else { return };
    if !Path::new(GO_PATH).join("src/github.com/go-logfmt/logfmt").exists() {
        eprintln!("skipped: there is no go-logfmt in {GO_PATH}");
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("main.go"), GO).expect("a file");
    let mut command = Command::new(go);
    command.arg("run").arg(dir.path().join("main.go")).env("GO111MODULE", "off").env("GOPATH", GO_PATH);
    command.env("GOCACHE", dir.path().join("cache")).env("GOFLAGS", "");
    let mut go = Running::start(&mut command);
    let events = events(EventType::Request);
    let profiles = [Logfmt::new().exact_durations(), Logfmt::new().exact_durations().quote_needed()];
    let lines: Vec<String> =
        profiles.iter().flat_map(|format| events.iter().map(|event| line(format, event))).collect();
    write_all(&mut go, &lines);
    for (event, line) in events.iter().cycle().zip(&lines) {
        let read = go.says();
        let pairs: Option<Vec<[&str; 2]>> = read.as_array().map(|list| {
            list.iter().map(|pair| [&pair[0], &pair[1]].map(|text| text.as_str().expect("a text"))).collect()
        });
        let pairs = pairs.unwrap_or_else(|| panic!("{read}: {line}"));
        for (pair, (name, value)) in pairs.iter().zip(head(event)) {
            assert_eq!(*pair, [name, value]);
        }
        let view = event.view();
        assert_eq!(pairs.len(), 3 + view.fields().count(), "{line}");
        for ([read, text], (name, value)) in pairs[3..].iter().zip(view.fields()) {
            let is = if matches!(value, Value::Null) { *text == "-" } else { says(value, text) };
            assert!(*read == name && is, "{read}={text:?} for {name}={value:?} in {line}");
        }
    }
}

/// Whether a value of JSON is this one; `exact` where the reader keeps integers of 64 bits.
fn is(value: Value<'_>, read: &Read, exact: bool) -> bool {
    match value {
        Value::Null => read.is_null(),
        Value::Bool(value) => read.as_bool() == Some(value),
        Value::I64(number) if exact => read.as_i64() == Some(number),
        Value::U64(number) if exact => read.as_u64() == Some(number),
        // jq 1.6 has floats only, and writes 17 digits of them.
        Value::I64(number) => {
            read.as_f64().is_some_and(|read| (read / number as f64 - 1.0).abs() < 1e-15 || number == 0)
        }
        Value::U64(number) => {
            read.as_f64().is_some_and(|read| (read / number as f64 - 1.0).abs() < 1e-15 || number == 0)
        }
        Value::F64(number) if !number.is_finite() => read.is_null(),
        Value::F64(number) => read.as_f64().is_some_and(|read| same(read, number) || number == 0.0 && !exact),
        Value::Duration(time) => {
            let seconds = format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
            read.as_f64() == seconds.parse().ok()
        }
        Value::Str(text) => read.as_str() == Some(text),
        _ => false,
    }
}

/// Holds what a reader says of each line to its event.
fn read_json(command: &mut Command, exact: bool) {
    let mut reader = Running::start(command);
    let events = events(EventType::Request);
    let lines: Vec<String> = events.iter().map(|event| line(&Json::new(), event)).collect();
    write_all(&mut reader, &lines);
    for (event, line) in events.iter().zip(&lines) {
        let read = reader.says();
        let all = read.as_object().expect("an object");
        assert_eq!(all.len(), 3 + event.view().fields().count(), "{line}");
        assert!(head(event).iter().all(|(name, value)| read[name] == *value), "{read}");
        for (name, value) in event.view().fields() {
            assert!(is(value, &read[name], exact), "{name}: {} for {value:?} in {line}", read[name]);
        }
    }
}

#[test]
fn python_reads_every_value_of_json() {
    let Some(python) = program("python3") else { return };
    let script = "import json, sys\nfor line in sys.stdin: print(json.dumps(json.loads(line)), flush=True)";
    read_json(Command::new(python).args(["-c", script]), true);
}

#[test]
fn jq_reads_every_value_of_json() {
    let Some(jq) = program("jq") else { return };
    read_json(Command::new(jq).args(["--compact-output", "--unbuffered", "."]), false);
}
