//! Two processes write to one pipe.

use std::collections::BTreeSet;
use std::process::Stdio;

use canonlog_tests::logfmt;
use canonlog_tests::program::{text, wait};

use super::{PATIENCE, subject};

#[test]
fn two_processes_that_share_a_pipe_tear_none_of_each_others_lines() {
    const EACH: usize = 5_200;
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let out = text(reader);
    let mut children = [(); 2].map(|()| {
        let mut command = subject(&["requests", "5000"]);
        command.stdout(writer.try_clone().expect("a descriptor")).stderr(Stdio::null());
        (command.spawn().expect("it starts"), command)
    });
    drop(writer);
    for (child, command) in &mut children {
        assert_eq!(wait(child, &format!("{command:?}"), PATIENCE).code(), Some(0));
    }
    // The parent's own ends of the pipe go with the commands.
    drop(children);
    let out = out.join().expect("no panic");
    let ids: BTreeSet<String> =
        out.lines().map(|line| logfmt::field(line, "req_id").unwrap_or_else(|error| panic!("{error}"))).collect();
    assert_eq!((out.lines().count(), ids.len()), (2 * EACH, 2 * EACH));
}
