//! Messages of syslog, and entries of the journal, read back by strict readers to the same values.

use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use canonlog::{
    Emitter, EmitterSet, EventType, Facility, Format, Journald, Level, Logfmt, Output, OwnedEvent, Syslog, Value,
};
use canonlog_tests::program;
use canonlog_tests::rfc5424::{self, Message};
use proptest::prelude::*;

use super::sockets::SOON;

/// A value that is kept as it was.
#[derive(Clone, Debug)]
enum Kept {
    Text(String),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Time(Duration),
}

impl Kept {
    fn set(&self, event: &mut OwnedEvent, name: &str) {
        match self {
            Kept::Text(text) => event.set(name, text),
            Kept::Unsigned(number) => event.set(name, number),
            Kept::Signed(number) => event.set(name, number),
            Kept::Float(number) => event.set(name, number),
            Kept::Bool(value) => event.set(name, value),
            Kept::Time(time) => event.set(name, time),
        }
    }

    /// Whether a text says this value, exactly.
    fn is(&self, text: &str) -> bool {
        match self {
            Kept::Text(kept) => kept == text,
            Kept::Unsigned(number) => text.parse() == Ok(*number),
            Kept::Signed(number) => text.parse() == Ok(*number),
            Kept::Float(number) => text.parse::<f64>().is_ok_and(|read| read.to_bits() == number.to_bits()),
            Kept::Bool(value) => text.parse() == Ok(*value),
            Kept::Time(time) => {
                let Some((seconds, nanos)) = text.split_once('.') else { return false };
                let nanos = format!("{nanos:0<9}");
                seconds.parse() == Ok(time.as_secs()) && nanos.parse() == Ok(time.subsec_nanos()) && nanos.len() == 9
            }
        }
    }
}

fn value() -> impl Strategy<Value = Kept> {
    let hostile = prop::collection::vec(
        prop_oneof![
            Just("\""),
            Just("]"),
            Just("\\"),
            Just("\n"),
            Just("\u{2028}"),
            Just("\\n"),
            Just("[a b=\"c\"]"),
            Just("\t="),
            Just("é")
        ],
        0..8,
    );
    prop_oneof![
        any::<String>().prop_map(Kept::Text),
        hostile.prop_map(|pieces| Kept::Text(pieces.concat())),
        any::<u64>().prop_map(Kept::Unsigned),
        (i64::MIN..0).prop_map(Kept::Signed),
        any::<f64>().prop_filter("a number", |number| number.is_finite()).prop_map(Kept::Float),
        any::<bool>().prop_map(Kept::Bool),
        (0_u64..1 << 33, 0_u32..1_000_000_000).prop_map(|(secs, nanos)| Kept::Time(Duration::new(secs, nanos))),
    ]
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(Level::ALL.to_vec())
}

/// Fields with different names.
fn fields() -> impl Strategy<Value = Vec<(String, Kept)>> {
    prop::collection::vec(value(), 0..12).prop_map(|values| {
        values.into_iter().enumerate().map(|(at, value)| (format!("app_field_{at}"), value)).collect()
    })
}

fn event(level: Level, fields: &[(String, Kept)]) -> OwnedEvent {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_214_761_123);
    let mut event = OwnedEvent::new(EventType::Job, level, time);
    fields.iter().for_each(|(name, value)| value.set(&mut event, name));
    event
}

fn syslog() -> Syslog {
    Syslog::udp("127.0.0.1:514").expect("an address").hostname("web-1").app_name("shop").facility(Facility::Local3)
}

/// The message of an event, as it goes through the queue.
fn line(output: &impl Output, format: impl Format, event: &OwnedEvent) -> String {
    let format: Arc<dyn Format> = Arc::new(format);
    let mut line = Vec::new();
    output.wire(&format).expect("more than lines").format(&event.view(), &mut line);
    String::from_utf8(line).expect("UTF-8")
}

fn read(line: &str) -> Message {
    assert!(!line.contains(['\n', '\r', '\u{2028}', '\u{85}', '\0']), "one line for any reader: {line:?}");
    rfc5424::parse(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// What a value of structured data stands for: the escapes of JSON, but that quotes need none.
pub(super) fn plain(value: &str) -> String {
    let quoted = format!("\"{}\"", value.replace('"', "\\\""));
    serde_json::from_str(&quoted).unwrap_or_else(|error| panic!("{error}: {value}"))
}

proptest! {
    #[test]
    fn structured_data_is_read_back_to_the_same_values(level in level(), fields in fields()) {
        let event = event(level, &fields);
        let read = read(&line(&syslog().structured("shop@32473").max_message(1 << 20), Logfmt::new(), &event));
        prop_assert_eq!(read.priority, 19 * 8 + level.syslog_severity());
        prop_assert_eq!(read.time, "2026-11-20T22:46:01.123Z");
        prop_assert_eq!(&read.header[..2], ["web-1", "shop"]);
        prop_assert_eq!(&read.header[3], "job");
        prop_assert_eq!(read.data.len(), 1);
        let (id, params) = &read.data[0];
        prop_assert_eq!(id, "shop@32473");
        prop_assert_eq!(params.len(), fields.len());
        for ((name, text), (set, kept)) in params.iter().zip(&fields) {
            prop_assert_eq!(name, set);
            prop_assert!(kept.is(&plain(text)), "{:?} became {}", kept, text);
        }
    }

    #[test]
    fn the_text_is_the_line_of_the_format(level in level(), fields in fields()) {
        let event = event(level, &fields);
        let read = read(&line(&syslog().max_message(1 << 20), Logfmt::new(), &event));
        let mut expected = Vec::new();
        Logfmt::new().format(&event.view(), &mut expected);
        prop_assert_eq!(read.text.map(String::into_bytes), Some(expected));
        prop_assert!(read.data.is_empty());
    }

    #[test]
    fn however_long_an_event_is_its_message_has_a_length_and_a_form(
        longest in 480_usize..3_000, lengths in prop::collection::vec(0_usize..4_000, 0..60), structured in any::<bool>(),
    ) {
        let fields: Vec<_> = lengths
            .iter()
            .enumerate()
            .map(|(at, len)| (format!("app_field_{at}"), Kept::Text("é\"]\n".repeat(len / 4))))
            .collect();
        let output = if structured { syslog().structured("shop@32473") } else { syslog() };
        let line = line(&output.max_message(longest), Logfmt::new(), &event(Level::Info, &fields));
        prop_assert!(line.len() <= longest, "{} of {}", line.len(), longest);
        let read = read(&line);
        if structured {
            let left_out = read.data[0].1.iter().find(|(name, _)| name == "fields_left_out");
            let left_out = left_out.map_or(0, |(_, count)| count.parse::<usize>().expect("a count"));
            let there = read.data[0].1.iter().filter(|(name, _)| name.starts_with("app_")).count();
            prop_assert_eq!(there + left_out, fields.len());
        }
    }

    #[test]
    fn the_journal_gets_every_field_as_it_was(level in level(), fields in fields()) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("socket");
        let journal = UnixDatagram::bind(&path).expect("a socket");
        let output = Journald::at(&path).expect("a path").identifier("shop");
        let set = EmitterSet::start([Emitter::new("journal").output(output).direct()]).expect("it starts");
        let event = event(level, &fields);
        set.emit(&event.view());
        prop_assert_eq!((set.written(), set.lost()), (1, 0));
        let mut room = vec![0; 1 << 18];
        journal.set_read_timeout(Some(SOON)).expect("a time");
        let len = journal.recv(&mut room).expect("an entry");
        let entry = super::journal::parse(&room[..len]).expect("an entry of the protocol");
        let of = |name: &str| -> Vec<&str> {
            entry.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
        };
        prop_assert_eq!(of("PRIORITY"), [level.syslog_severity().to_string()]);
        prop_assert_eq!(of("SYSLOG_IDENTIFIER"), ["shop"]);
        prop_assert_eq!((of("EVENT_TYPE"), of("EVENT_TIME")), (vec!["job"], vec!["2026-11-20T22:46:01.123Z"]));
        let mut expected = Vec::new();
        Logfmt::new().format(&event.view(), &mut expected);
        prop_assert_eq!(of("MESSAGE"), [String::from_utf8(expected).expect("UTF-8")]);
        prop_assert_eq!(entry.len(), fields.len() + 6);
        for (name, kept) in &fields {
            let values = of(&name.to_uppercase());
            prop_assert!(values.len() == 1 && kept.is(values[0]), "{:?} became {:?}", kept, values);
        }
    }
}

#[test]
fn the_text_of_a_message_is_the_text_beside_structured_data_and_in_the_journal() {
    let mut event = OwnedEvent::new(EventType::Log, Level::Notice, SystemTime::now());
    event.set("log_msg", "paid \"7\"\nitems");
    event.set("log_loc", "src/cart.rs:42");
    let read = read(&line(&syslog().structured("shop@32473"), Logfmt::new(), &event));
    assert_eq!(read.text.as_deref(), Some(r#"paid \"7\"\nitems"#));
    assert_eq!(read.data[0].1, [("log_loc".to_owned(), "src/cart.rs:42".to_owned())]);
    let entry = line(&Journald::new(), Logfmt::new(), &event);
    let fields: Vec<&str> = entry.split('\t').collect();
    assert!(fields.contains(&r#"MESSAGE=paid \"7\"\nitems"#), "{entry}");
    assert!(fields.contains(&"CODE_FILE=src/cart.rs") && fields.contains(&"CODE_LINE=42"), "{entry}");
}

#[test]
fn what_a_format_has_no_line_for_is_no_message_and_what_is_absent_no_field() {
    struct None;
    impl Format for None {
        fn format(&self, _: &canonlog::Event<'_>, _: &mut Vec<u8>) {}
    }
    let mut event = event(Level::Info, &[]);
    event.set("req_referrer", Value::Null);
    assert_eq!(line(&syslog(), None, &event), "");
    assert_eq!(line(&Journald::new(), None, &event), "");
    let read = read(&line(&syslog().structured("shop@1"), None, &event));
    assert_eq!((read.data, read.text), (vec![("shop@1".to_owned(), Vec::new())], Option::None));
}

#[test]
fn names_and_ids_that_no_header_takes_are_made_to_fit() {
    let output = syslog().hostname("my host\n").app_name(&"é".repeat(60)).structured("my \"shop\"]=");
    let read = read(&line(&output, Logfmt::new(), &event(Level::Info, &[])));
    assert_eq!(read.header[0], "my_host");
    assert_eq!(read.header[1], "_".repeat(48));
    assert_eq!(read.data[0].0, "my__shop___");
    let read = rfc5424::parse(&line(&syslog().hostname(""), Logfmt::new(), &event(Level::Info, &[])));
    assert_eq!(read.expect("a message").header[0], "");
}

#[test]
fn the_header_for_the_socket_of_the_own_machine_is_the_short_one_in_local_time() {
    const EXPECTED: &str = "CANONLOG_TEST_SHORT_TIME";
    if let Ok(time) = std::env::var(EXPECTED) {
        let local = line(&Syslog::local().app_name("shop"), Logfmt::new(), &event(Level::Error, &[]));
        let head =
            format!("<11>{time} shop[{}]: event_type=\"job\" event_time=\"2026-11-20T22:46:01", std::process::id());
        assert!(local.starts_with(&head), "{local}");
        let full = line(&syslog(), Logfmt::new(), &event(Level::Error, &[]));
        assert!(full.contains(">1 2026-11-20T22:46:01.123Z "), "{full}");
        return;
    }
    // The C library reads the zone once: a process for each.
    let zones = [("UTC0", "Nov 20 22:46:01"), ("XST-5:30", "Nov 21 04:16:01"), ("XST+3", "Nov 20 19:46:01")];
    for (zone, expected) in zones {
        let mut command = program::command(std::env::current_exe().expect("it runs"));
        let this = "messages::the_header_for_the_socket_of_the_own_machine_is_the_short_one_in_local_time";
        let ended = program::run(command.args(["--exact", this]).env("TZ", zone).env(EXPECTED, expected), SOON);
        assert!(ended.code() == Some(0) && ended.out.contains("1 passed"), "{zone}: {}", ended.out);
    }
}
