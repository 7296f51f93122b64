//! GELF, received by the server of the npm package `graygelf`, and held to what Graylog's own input refuses.

use std::net::UdpSocket;
use std::process::Command;

use canonlog::{Emitter, EmitterSet, EventType, Gelf, Output, OwnedEvent, Tcp, Udp, Value};
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
}).listen(0, '127.0.0.1', function () {
    server.listen(Number(process.argv[1]), '127.0.0.1');
    server._udp.on('listening', () => console.log(this.address().port));
});
"#;

/// The receiver, and its ports of TCP and of UDP.
fn receiver() -> Option<(Running, u16, u16)> {
    let (node, modules) = (program("node")?, package("node_modules/graygelf")?);
    let mut command = Command::new(node);
    let udp = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    command.args(["-e", RECEIVER, &udp.to_string()]).env("NODE_PATH", modules.parent()?);
    let receiver = Running::start(&mut command);
    let port = receiver.says().as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    Some((receiver, port, udp))
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

/// Each value, and texts as messages.
fn messages() -> Vec<OwnedEvent> {
    let mut all = events(EventType::Log);
    for (event, text) in all.iter_mut().zip(super::TEXTS.iter().cycle()) {
        event.set("log_msg", text);
    }
    all
}

/// Sends events, and holds what was received to them.
fn are_read(receiver: &Running, output: impl Output, all: &[OwnedEvent]) {
    let set = EmitterSet::start([Emitter::new("graylog").format(Gelf::new().host("web-1")).output(output)]);
    let set = set.expect("it starts");
    for event in all {
        // One after the other: who is slow to read datagrams loses them.
        set.emit(&event.view());
        assert!(set.flush(SOON));
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
    assert_eq!((set.shutdown(SOON), set.written()), (0, all.len() as u64));
}

#[test]
fn graygelf_reads_every_value_over_tcp() {
    let Some((receiver, tcp, _)) = receiver() else { return };
    let tcp = Tcp::new(&format!("127.0.0.1:{tcp}")).expect("an address").null_terminated();
    are_read(&receiver, tcp, &messages());
}

#[test]
fn graygelf_reads_every_value_over_udp_and_puts_long_ones_together() {
    let Some((receiver, _, udp)) = receiver() else { return };
    let mut all = messages();
    for (event, length) in all.iter_mut().zip([8_000, 8_192, 20_000, 60_000]) {
        event.set("app_long", "é\"\\x".repeat(length / 6));
    }
    let udp = Udp::new(&format!("127.0.0.1:{udp}")).expect("an address").chunked();
    are_read(&receiver, udp, &all);
}
