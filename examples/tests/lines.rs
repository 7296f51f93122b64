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
