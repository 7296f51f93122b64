//! OpenTelemetry's log model: held to its protobuf schema, and sent through a collector, `rotel`, which says it again in protobuf.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use canonlog::{EventType, Level, Otlp, OwnedEvent, Value};
use serde_json::Value as Json;

use super::{Running, events, line, package, same, says, time, until};

/// Reads requests, and says what stands in them, one line each. With `json`, lines of JSON come in, and a field that the schema does
/// not have is an error. Else protobuf is received over HTTP.
const READER: &str = r#"
import base64, gzip, http.server, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

def pairs(attributes):
    return {one.key: [one.value.WhichOneof('value'), str(getattr(one.value, one.value.WhichOneof('value') or 'string_value'))]
            for one in attributes}

def say(request):
    for of_resource in request.resource_logs:
        for of_scope in of_resource.scope_logs:
            for record in of_scope.log_records:
                print(json.dumps({
                    'resource': pairs(of_resource.resource.attributes), 'scope': of_scope.scope.name,
                    'time': record.time_unix_nano, 'observed': record.observed_time_unix_nano,
                    'severity': record.severity_number, 'text': record.severity_text, 'event': record.event_name,
                    'body': record.body.string_value, 'attributes': pairs(record.attributes), 'count': len(record.attributes),
                    'trace': record.trace_id.hex(), 'span': record.span_id.hex(), 'flags': record.flags}), flush=True)

def ids(whole):
    # OTLP's JSON has ids in hexadecimal digits, that of protobuf bytes in base64.
    for of_resource in whole['resourceLogs']:
        for of_scope in of_resource['scopeLogs']:
            for record in of_scope['logRecords']:
                for name in ('traceId', 'spanId'):
                    if name in record:
                        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    return json.dumps(whole)

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        say(ExportLogsServiceRequest.FromString(gzip.decompress(body) if self.headers['content-encoding'] == 'gzip' else body))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass

if sys.argv[1] == 'json':
    for text in sys.stdin:
        text = ids(json.loads(text))
        json_format.Parse(text, LogsData())
        say(json_format.Parse(text, ExportLogsServiceRequest()))
else:
    server = http.server.HTTPServer(('127.0.0.1', 0), Receiver)
    print(server.server_port, flush=True)
    server.serve_forever()
"#;

/// Python with OpenTelemetry's schema.
fn reader(mode: &str) -> Option<Running> {
    // Only where all of it was installed.
    let python = package("python/complete").and_then(|_| package("python/bin/python"))?;
    let mut command = Command::new(python);
    Some(Running::start(command.args(["-c", READER, mode])))
}

/// Each value, names of OpenTelemetry's own, a trace, a message.
fn all() -> Vec<OwnedEvent> {
    let mut all = events(EventType::Job);
    let mut request = OwnedEvent::new(EventType::Request, Level::Error, time());
    for (name, value) in [
        ("req_method", Value::Str("GET")),
        ("req_path", Value::Str("/cart")),
        ("req_referrer", Value::Null),
        ("exc_type", Value::Str("shop::Error")),
        ("resp_status", Value::U64(500)),
        ("trace_id", Value::Str("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("trace_span_id", Value::Str("00f067aa0ba902b7")),
        ("trace_sampled", Value::Bool(true)),
    ] {
        request.set(name, value);
    }
    let mut message = OwnedEvent::new(EventType::Log, Level::Debug, time());
    for (name, value) in [("log_name", "shop.cart"), ("log_msg", "sold\nout"), ("log_loc", "src/cart.rs:17")] {
        message.set(name, value);
    }
    all.extend([request, message]);
    all
}

/// Whether an attribute is this value, by the kind that the schema has for it.
fn is(value: Value<'_>, read: &Json) -> bool {
    let (Some(kind), Some(text)) = (read[0].as_str(), read[1].as_str()) else { return false };
    match (value, kind) {
        (Value::Str(_), "string_value") | (Value::I64(_), "int_value") => says(value, text),
        (Value::U64(number), kind) => {
            says(value, text) && kind == if i64::try_from(number).is_ok() { "int_value" } else { "string_value" }
        }
        (Value::Bool(value), "bool_value") => text == if value { "True" } else { "False" },
        (Value::F64(number), "double_value") if number.is_finite() => text.parse().is_ok_and(|read| same(read, number)),
        (Value::F64(number), "string_value") => text.parse().is_ok_and(|read| same(read, number)),
        (Value::Duration(time), "double_value") => {
            let seconds = format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
            text.parse::<f64>().ok() == seconds.parse().ok()
        }
        _ => false,
    }
}

/// Holds what was read of an event to the event.
fn check(event: &OwnedEvent, read: &Json) {
    let view = event.view();
    let severity =
        [5, 9, 10, 13, 17, 21][Level::ALL.iter().position(|level| *level == view.level()).expect("one of them")];
    assert_eq!(
        (&read["severity"], &read["text"]),
        (&Json::from(severity), &Json::from(view.level().as_str())),
        "{read}"
    );
    let nanos = 1_795_214_761_123_000_000_u64;
    assert_eq!((read["time"].as_u64(), read["observed"].as_u64()), (Some(nanos), Some(nanos)), "{read}");
    assert_eq!(read["resource"]["service.name"], serde_json::json!(["string_value", "shop"]), "{read}");
    let attributes = &read["attributes"];
    match view.kind() {
        EventType::Request => {
            let head = ["event", "body", "trace", "span"].map(|name| read[name].as_str());
            let id = "4bf92f3577b34da6a3ce929d0e0e4736";
            assert_eq!(head, ["canonlog.request", "GET /cart", id, "00f067aa0ba902b7"].map(Some), "{read}");
            assert_eq!(read["flags"], 1);
            let whole = serde_json::json!({
                "http.request.method": ["string_value", "GET"], "url.path": ["string_value", "/cart"],
                "exception.type": ["string_value", "shop::Error"], "http.response.status_code": ["int_value", "500"],
            });
            assert_eq!(*attributes, whole);
        }
        EventType::Log => {
            assert_eq!(
                ["event", "body", "scope"].map(|name| read[name].as_str()),
                ["", "sold\nout", "shop.cart"].map(Some)
            );
            let whole = serde_json::json!({"code.file.path": ["string_value", "src/cart.rs"], "code.line.number": ["int_value", "17"]});
            assert_eq!(*attributes, whole);
        }
        _ => {
            let there = || view.fields().filter(|(_, value)| !matches!(value, Value::Null));
            assert_eq!(read["count"], there().count(), "{read}");
            for (name, value) in there() {
                assert!(is(value, &attributes[name]), "{name}: {} for {value:?}", attributes[name]);
            }
        }
    }
}

#[test]
fn opentelemetrys_schema_has_every_member_and_gives_every_value_back() {
    let Some(mut python) = reader("json") else { return };
    let mut input = python.input();
    for event in all() {
        writeln!(input, "{}", line(&Otlp::new().service("shop"), &event)).expect("it reads");
        check(&event, &python.says());
    }
}

/// Posts a body, and gives the status back.
fn post(port: u16, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1).map(str::to_owned)
}

fn collector(program: &Path, to: &Json, port: u16) -> Running {
    let dir = tempfile::tempdir().expect("a directory");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let mut command = Command::new(program);
    command.args(["start", "--exporter", "otlp", "--otlp-exporter-protocol", "http"]);
    command.args(["--batch-timeout", "50ms", "--otlp-exporter-endpoint", &format!("http://127.0.0.1:{to}")]);
    command.args([
        "--otlp-http-endpoint",
        &format!("127.0.0.1:{port}"),
        "--otlp-grpc-endpoint",
        &format!("127.0.0.1:{free}"),
    ]);
    command.arg("--pid-file").arg(dir.path().join("pid"));
    Running::start(&mut command)
}

#[test]
fn a_collector_of_opentelemetry_passes_every_value_on() {
    let Some(program) = rotel() else { return };
    let Some(python) = reader("http") else { return };
    let to = python.says();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let _collector = collector(&program, &to, port);
    until("the collector listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    for event in all() {
        assert_eq!(post(port, &line(&Otlp::new().service("shop"), &event)).as_deref(), Some("200"));
        check(&event, &python.says());
    }
}

/// The collector, below the packages of whatever version Python has.
fn rotel() -> Option<std::path::PathBuf> {
    let versions = package("python/lib")?.read_dir().ok()?;
    let found =
        versions.flatten().map(|dir| dir.path().join("site-packages/rotel/rotel-agent")).find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: there is no rotel in `peers` of the target directory");
    }
    found
}
