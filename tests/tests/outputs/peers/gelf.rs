//! GELF, received by the server of the npm package `graygelf`, and held to what Graylog's own input refuses.

use std::process::Command;

use canonlog::{Emitter, EmitterSet, EventType, Gelf, Tcp, Value};
use serde_json::Value as Json;

use super::{Running, events, package, program, same, says};
use crate::sockets::SOON;

/// Takes messages over TCP up to a null byte each, as Graylog does, and over UDP; has them read, and says each as JSON.
const RECEIVER: &str = r#"
const server = require('graygelf/server')();
server.on('error', error => { console.log(JSON.stringify({ refused: String(error) })) });
server.on('message', message => console.log(JSON.stringify(message)));
require('net').createServer(socket => {
    let rest = Buffer.alloc(0);
    socket.on('data', data => {
        rest = Buffer.concat([rest, data]);
        for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1)) server._message(rest.subarray(0, end));
    });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port) });
"#;

/// The receiver, and its port.
fn receiver() -> Option<(Running, u16)> {
    let (node, modules) = (program("node")?, package("node_modules/graygelf")?);
    let mut command = Command::new(node);
    let receiver = Running::start(command.args(["-e", RECEIVER]).env("NODE_PATH", modules.parent()?));
    let port = receiver.says().as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    Some((receiver, port))
}

/// Whether GELF's value is this one: a number, or a text where it is no number that all readers know. JavaScript's numbers are floats.
fn is(value: Value<'_>, read: &Json) -> bool {
    match value {
        Value::I64(number) => read.as_f64() == Some(number as f64),
        Value::U64(number) if i64::try_from(number).is_ok() => read.as_f64() == Some(number as f64),
        Value::F64(number) if number.is_finite() => {
            read.as_f64().is_some_and(|read| same(read, number) || number == 0.0)
        }
        Value::Duration(time) => read.as_f64() == Some(time.as_nanos() as f64 / 1e9),
        _ => read.as_str().is_some_and(|text| says(value, text)),
    }
}

#[test]
fn graygelf_reads_every_value_over_tcp() {
    let Some((receiver, port)) = receiver() else { return };
    let mut all = events(EventType::Log);
    for (event, text) in all.iter_mut().zip(super::TEXTS.iter().cycle()) {
        event.set("log_msg", text);
    }
    let tcp = Tcp::new(&format!("127.0.0.1:{}", port)).expect("an address").null_terminated();
    let set = EmitterSet::start([Emitter::new("graylog").format(Gelf::new().host("web-1")).output(tcp)]);
    let set = set.expect("it starts");
    all.iter().for_each(|event| set.emit(&event.view()));
    assert_eq!((set.shutdown(SOON), set.written()), (0, all.len() as u64));
    for event in &all {
        let (view, read) = (event.view(), receiver.says());
        assert_eq!((read["version"].as_str(), read["host"].as_str()), (Some("1.1"), Some("web-1")), "{read}");
        // Graylog drops a message without a text, and takes what is no number for no time.
        assert!(read["short_message"].as_str().is_some_and(|text| !text.trim().is_empty()), "{read}");
        assert_eq!(read["timestamp"].as_f64(), Some(1_795_214_761.123));
        assert_eq!(read["level"], view.level().syslog_severity());
        for (name, value) in view.fields().filter(|(name, _)| *name != "log_msg") {
            let read = read.get(format!("_{name}"));
            let is =
                if matches!(value, Value::Null) { read.is_none() } else { read.is_some_and(|read| is(value, read)) };
            assert!(is, "{name}: {read:?} for {value:?}");
        }
    }
}
