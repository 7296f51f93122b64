//! systemd-journald, in a `/run` of its own, and what `journalctl` finds in its files.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use canonlog::{Emitter, EmitterSet, EventType, Journald, Level, OwnedEvent, Value};
use serde_json::Value as Json;

use super::{events, program, says, time, until};
use crate::sockets::SOON;

/// A journal that only we know.
struct Journal {
    child: Child,
}

impl Journal {
    /// None, and why, where it cannot run.
    fn start() -> Option<Journal> {
        let (daemon, _, unshare) = (program("systemd-journald")?, program("journalctl")?, program("unshare")?);
        let ready = std::fs::read_to_string("/etc/machine-id").is_ok_and(|id| id.trim().len() == 32);
        let may = Command::new(&unshare).args(["-m", "mount", "-t", "tmpfs", "canonlog", "/run"]).output();
        if !ready || !may.is_ok_and(|tried| tried.status.success()) {
            eprintln!(
                "skipped: systemd-journald wants a machine id and a /run of its own, and one of them cannot be had here"
            );
            return None;
        }
        // A journal of a namespace reads neither the kernel's messages nor the audit's.
        let script = "mount -t tmpfs canonlog /run && mkdir -p /run/systemd/journald@shop.conf.d /run/log/journal \
            && printf '[Journal]\\nStorage=volatile\\nRateLimitBurst=0\\n' > /run/systemd/journald@shop.conf.d/test.conf \
            && exec \"$0\" shop";
        let mut command = Command::new(unshare);
        command.args(["-m", "sh", "-c", script]).arg(daemon);
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let journal = Journal { child };
        until("systemd-journald listens", || journal.path("systemd/journal.shop/socket").exists().then_some(()));
        Some(journal)
    }

    /// A path below its `/run`.
    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root/run/{path}", self.child.id()))
    }

    /// Its entries that match, once there are so many.
    fn entries(&self, matching: &str, count: usize) -> Vec<Json> {
        until("all entries are there", || {
            let dir = self.path("log/journal").read_dir().expect("a directory").next()?.expect("readable").path();
            let mut asked = Command::new("journalctl");
            asked.args(["-o", "json", "--all", "--no-pager", "--directory"]).arg(&dir).arg(matching);
            let out = asked.output().expect("journalctl").stdout;
            let entries: Vec<Json> = out
                .split_inclusive(|byte| *byte == b'\n')
                .map(|line| serde_json::from_slice(line).expect("JSON"))
                .collect();
            (entries.len() >= count).then_some(entries)
        })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The texts of a field: there may be several; one with characters that do not print is a list of bytes.
fn texts(field: &Json) -> Vec<String> {
    let bytes =
        |list: &[Json]| list.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
    match field {
        Json::String(text) => vec![text.clone()],
        Json::Array(list) => match bytes(list) {
            Some(bytes) => vec![String::from_utf8(bytes).expect("UTF-8")],
            None => list.iter().flat_map(texts).collect(),
        },
        _ => Vec::new(),
    }
}

fn send(journal: &Journal, events: &[OwnedEvent]) {
    let output = Journald::at(journal.path("systemd/journal.shop/socket")).expect("a path").identifier("shop");
    let set = EmitterSet::start([Emitter::new("journal").output(output).direct()]).expect("it starts");
    events.iter().for_each(|event| set.emit(&event.view()));
    assert_eq!((set.shutdown(SOON), set.written()), (0, events.len() as u64));
}

#[test]
fn journald_keeps_every_value_as_it_is() {
    let Some(journal) = Journal::start() else { return };
    let events = events(EventType::Job);
    send(&journal, &events);
    let entries = journal.entries("SYSLOG_IDENTIFIER=shop", events.len());
    assert_eq!(entries.len(), events.len());
    for (event, entry) in events.iter().zip(&entries) {
        let view = event.view();
        assert_eq!(entry["PRIORITY"], view.level().syslog_severity().to_string());
        assert_eq!((entry["EVENT_TYPE"].as_str(), entry["_TRANSPORT"].as_str()), (Some("job"), Some("journal")));
        assert_eq!(entry["EVENT_TIME"], "2026-11-20T22:46:01.123Z");
        let mut count = 0;
        for (name, value) in view.fields().filter(|(_, value)| !matches!(value, Value::Null)) {
            let read = texts(&entry[name.to_uppercase()]);
            assert!(matches!(&read[..], [text] if says(value, text)), "{name}: {read:?} for {value:?}");
            count += 1;
        }
        let all = entry.as_object().expect("an object");
        assert_eq!(all.keys().filter(|name| name.starts_with("APP_")).count(), count, "{all:?}");
    }
}

#[test]
fn journald_takes_every_name_and_shows_none_as_its_own() {
    let Some(journal) = Journal::start() else { return };
    let names = [
        ("req_path", "REQ_PATH"),
        ("app_cart.id", "APP_CART_ID"),
        ("app_cart-id", "APP_CART_ID"),
        ("MESSAGE", "APP_MESSAGE"),
        ("priority", "APP_PRIORITY"),
        ("message_id", "APP_MESSAGE_ID"),
        ("syslog_identifier", "APP_SYSLOG_IDENTIFIER"),
        ("_pid", "APP_PID"),
        ("__cursor", "APP__CURSOR"),
        ("@timestamp", "APP_TIMESTAMP"),
        ("code_file", "APP_CODE_FILE"),
        ("unit", "APP_UNIT"),
        ("object_pid", "APP_OBJECT_PID"),
        ("a=b\nPRIORITY=0", "A_B_PRIORITY_0"),
        ("é", "APP___"),
    ];
    let mut event = OwnedEvent::new(EventType::Job, Level::Info, time());
    names.iter().enumerate().for_each(|(at, (name, _))| event.set(name, at));
    let long = "k".repeat(128);
    event.set(&long, "long");
    let set = event.view().fields().count();
    assert_eq!(set, names.len() + 1);
    send(&journal, &[event]);
    let entry = journal.entries("EVENT_TYPE=job", 1).remove(0);
    for (at, (name, known)) in names.iter().enumerate() {
        assert!(texts(&entry[known]).contains(&at.to_string()), "{name}: {} for {at}: {entry}", entry[known]);
    }
    assert_eq!(entry["K".repeat(64)], "long");
    assert_eq!((&entry["PRIORITY"], &entry["SYSLOG_IDENTIFIER"]), (&Json::from("6"), &Json::from("shop")));
    assert_eq!(entry["_PID"], std::process::id().to_string());
}

#[test]
fn journald_shows_the_text_of_a_message_whole_however_long_it_is() {
    let Some(journal) = Journal::start() else { return };
    let long = "0123456789abcde\n".repeat(64 * 1024);
    let texts_sent = ["sold out", "one\ntwo\n", "", "\u{1b}[31m", &long];
    let event = |text: &&str| {
        let mut event = OwnedEvent::new(EventType::Log, Level::Warning, time());
        event.set("log_msg", text);
        event.set("log_loc", "src/cart.rs:17");
        event
    };
    send(&journal, &texts_sent.iter().map(event).collect::<Vec<_>>());
    let entries = journal.entries("CODE_LINE=17", texts_sent.len());
    for (text, entry) in texts_sent.iter().zip(&entries) {
        assert!(texts(&entry["MESSAGE"]) == [*text], "{} bytes of {}", entry["MESSAGE"].to_string().len(), text.len());
        assert_eq!((&entry["CODE_FILE"], &entry["PRIORITY"]), (&Json::from("src/cart.rs"), &Json::from("4")));
    }
}
