//! Programs that write the lines of other systems, and what they write.

use std::process::{Command, Stdio};

/// The lines that a program writes, without whatever the environment asks of it.
fn lines(program: &str) -> Vec<String> {
    let mut command = Command::new(program);
    for variable in ["CANONLOG_LEVEL", "CANONLOG_FORMAT", "CANONLOG_OUTPUT", "DEVEL"] {
        command.env_remove(variable);
    }
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

/// The line with its time as `TIME` and its id as `ID`, once they were looked at.
fn timeless(line: &str) -> String {
    let (time, rest) = line.split_at(24);
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00 00:00:00.000Z");
    let (before, after) = rest.split_once("request_id=").expect("a request's id");
    let (id, after) = after.split_at(after.find(' ').unwrap_or(after.len()));
    assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{line}");
    format!("TIME{before}request_id=ID{after}")
}

#[test]
fn taliskers_example_line_is_what_it_was() {
    let written: Vec<String> = lines(env!("CARGO_BIN_EXE_talisker")).iter().map(|line| timeless(line)).collect();
    let [happened, failed, request] = &written[..] else { panic!("{written:#?}") };
    assert_eq!(happened, r#"TIME INFO app "something happened" context="I haz it" request_id=ID"#);
    let expected = r#"TIME ERROR app "no \"cart\"\nat all" cart="se=ven" version="1.5" empty="" items=0 request_id=ID "#
        .to_owned()
        + r#"exc_type=core::num::error::ParseIntError exc_msg="invalid digit found in string" "#
        + r#"trailer="first line\nsecond \"line\"""#;
    assert_eq!(*failed, expected);
    assert!(request.starts_with(r#"TIME INFO canonlog.request "" view=talisker::view duration_ms="#), "{request}");
    assert!(request.ends_with(" request_id=ID"), "{request}");
}

/// The line with its time, which was looked at, as `TIME`.
fn without_time(line: &str) -> String {
    let (time, rest) = line.split_at(20);
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{line}");
    format!("TIME{rest}")
}

#[test]
fn three_outputs_and_four_emitters_write_what_they_did_in_twiggy() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_twiggy"))
        .arg(folder.path())
        .env_remove("CANONLOG_LEVEL")
        .env_remove("CANONLOG_FORMAT")
        .env_remove("CANONLOG_OUTPUT")
        .output()
        .expect("the program starts");
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    let file = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("the file");
    let everything: Vec<String> = file("everything.log").lines().map(without_time).collect();
    assert_eq!(
        everything,
        [
            "TIME:INFO:shop|open",
            "TIME:INFO:pants:holes=2:size=32|worn",
            r"TIME:WARNING:socks:holes=1|a toe\nshows",
            "TIME:INFO:hat:colour=red|",
            r"TIME:ERROR:pants:size=32|no such size\nTRACE core::num::error::ParseIntError: invalid digit found in string",
        ]
    );
    assert_eq!(
        file("clothes.log").lines().collect::<Vec<_>>(),
        [
            "DEBUG:pants:size=32|folded",
            "INFO:pants:holes=2:size=32|worn",
            r"WARNING:socks:holes=1|a toe\nshows",
            r"ERROR:pants:size=32|no such size\nTRACE core::num::error::ParseIntError: invalid digit found in string",
        ]
    );
    assert_eq!(
        file("bad.log").lines().collect::<Vec<_>>(),
        [
            r"ERROR:pants:size=32|no such size\nTRACE core::num::error::ParseIntError: invalid digit found in string",
            "NOTICE:pants:size=32|ironed",
            "CRITICAL:shop|on fire",
        ]
    );
    let shown = lines(env!("CARGO_BIN_EXE_twiggy"));
    assert_eq!(shown.iter().filter(|line| line.ends_with(".log")).count(), 3, "{shown:#?}");
}
