//! What an output lost, the next event tells; one test alone in its program, as it sets the process up.

use canonlog::{Emitter, Kind, Writer, begin};
use canonlog_tests::faulty::{Fault, FaultyWriter};
use canonlog_tests::logfmt;

#[test]
fn the_next_event_says_how_many_were_lost_before_it() {
    let (writer, tape) = FaultyWriter::new(1, Fault::Errno(libc::EIO));
    let emitter = Emitter::new("faulty").output(Writer::new("faulty", writer)).direct();
    let _guard = canonlog::setup().emitter(emitter).init().expect("set up once");
    for _ in 0..3 {
        begin(Kind::Request).finish();
    }
    let text = tape.text();
    let requests: Vec<_> = text
        .lines()
        .map(|line| logfmt::parse(line).expect("a line of our grammar"))
        .filter(|fields| fields.contains(&("event_type".to_owned(), "request".to_owned())))
        .collect();
    let dropped = |fields: &[(String, String)]| {
        fields.iter().find(|(name, _)| name == "canonlog_dropped").map(|(_, count)| count.clone())
    };
    let told: Vec<_> = requests.iter().map(|fields| dropped(fields)).collect();
    assert_eq!(told, [Some("1".to_owned()), None], "{text}");
    assert_eq!(canonlog::stats().lost(), 1);
}
