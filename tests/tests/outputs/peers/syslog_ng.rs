//! syslog-ng as the peer, which reads RFC 5424 into names and values: over TCP, UDP and unix sockets.

use std::ffi::OsStr;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use canonlog::{
    Combined, Emitter, EmitterSet, EventType, Facility, Format, Framing, Level, Logfmt, Output, OwnedEvent, Syslog,
    Value,
};
use serde_json::Value as Json;

use super::{events, line, package, says, time, until};
use crate::messages::plain;
use crate::sockets::SOON;

/// A server of our own: its files are below `dir`, its ports on the loopback.
struct Server {
    child: Child,
    dir: tempfile::TempDir,
    counted: u16,
    lines: u16,
    udp: u16,
}

/// The program of the Debian package where `.ci/run` has unpacked it: installed, it would take the place of rsyslog.
fn unpacked() -> Option<Command> {
    let root = package("syslog-ng")?;
    let below = |dir: &str, keep: fn(&str) -> bool| {
        let entries = root.join(dir).read_dir().into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).find(|path| path.file_name().and_then(OsStr::to_str).is_some_and(keep))
    };
    let modules = below("usr/lib/syslog-ng", |name| name.starts_with(|first: char| first.is_ascii_digit()))?;
    let of_system = ["lib", "usr/lib"].map(|dir| below(dir, |name| name.ends_with("-linux-gnu")));
    let libraries = of_system.into_iter().flatten().chain([root.join("usr/lib/syslog-ng")]);
    let mut command = Command::new(root.join("usr/sbin/syslog-ng"));
    command.env("LD_LIBRARY_PATH", std::env::join_paths(libraries).ok()?).arg("--module-path").arg(modules);
    Some(command)
}

fn configuration(dir: &Path, [counted, lines, udp]: [u16; 3]) -> String {
    let dir = dir.display();
    format!(
        r#"@version: 3.35
options {{ keep-hostname(yes); use-dns(no); dns-cache(no); ts-format(iso); frac-digits(3); stats-freq(0); log-msg-size(100000); }};
source take {{
    syslog(ip("127.0.0.1") port({counted}) transport("tcp"));
    syslog(ip("127.0.0.1") port({udp}) transport("udp"));
    network(ip("127.0.0.1") port({lines}) transport("tcp") flags(syslog-protocol));
    unix-dgram("{dir}/log.sock" flags(syslog-protocol));
    unix-stream("{dir}/stream.sock" flags(syslog-protocol));
    unix-dgram("{dir}/local.sock");
}};
destination out {{
    file("{dir}/out.log" template("$(format-flat-json --key .SDATA.* HOST=$HOST PROGRAM=$PROGRAM PID=$PID MSGID=$MSGID \
ISODATE=$S_ISODATE FACILITY=$FACILITY PRIORITY=$PRIORITY MESSAGE=$MESSAGE)\n"));
}};
log {{ source(take); destination(out); }};
"#
    )
}

impl Server {
    /// None where it is not installed.
    fn start() -> Option<Server> {
        let mut command = unpacked()?;
        let dir = tempfile::tempdir().expect("a directory");
        let tcp = || TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let udp = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let (counted, lines) = (tcp(), tcp());
        let file = |name: &str| dir.path().join(name);
        fs::write(file("syslog-ng.conf"), configuration(dir.path(), [counted, lines, udp])).expect("a file");
        command.args(["--foreground", "--no-caps", "--cfgfile"]).arg(file("syslog-ng.conf"));
        command.arg("--persist-file").arg(file("persist")).arg("--control").arg(file("control"));
        command.arg("--pidfile").arg(file("pid"));
        let said = fs::File::create(file("said")).expect("a file");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().expect("it starts");
        let server = Server { child, dir, counted, lines, udp };
        until("syslog-ng listens", || server.listens().then_some(()));
        Some(server)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn listens(&self) -> bool {
        let connects = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        connects(self.counted)
            && connects(self.lines)
            && UdpSocket::bind(("127.0.0.1", self.udp)).is_err()
            && std::os::unix::net::UnixStream::connect(self.path("stream.sock")).is_ok()
            && ["log.sock", "local.sock"].iter().all(|name| self.path(name).exists())
    }

    /// What it wrote, once there are so many lines.
    fn read(&self, count: usize) -> Vec<Json> {
        until("all messages are there", || {
            let text = fs::read_to_string(self.path("out.log")).unwrap_or_default();
            (text.lines().count() >= count && text.ends_with('\n'))
                .then(|| text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send(format: impl Format, output: Syslog, events: &[OwnedEvent]) {
    let output = output.facility(Facility::Local5).app_name("shop").hostname("web-1");
    let set = EmitterSet::start([Emitter::new("syslog").format(format).output(output)]).expect("it starts");
    events.iter().for_each(|event| set.emit(&event.view()));
    assert_eq!((set.shutdown(SOON), set.written()), (0, events.len() as u64));
}

#[test]
fn syslog_ng_reads_every_value_of_structured_data_over_every_transport() {
    let Some(server) = Server::start() else { return };
    let tcp = |port: u16| Syslog::tcp(&format!("127.0.0.1:{port}")).expect("an address");
    let outputs = [
        tcp(server.counted),
        tcp(server.lines).framing(Framing::Newline),
        Syslog::udp(&format!("127.0.0.1:{}", server.udp)).expect("an address"),
        Syslog::unix(server.path("log.sock")).expect("a path"),
        Syslog::unix(server.path("stream.sock")).expect("a path"),
    ];
    let events = events(EventType::Job);
    let mut count = 0;
    for output in outputs {
        let what = output.place().unwrap_or_default();
        send(Logfmt::new(), output.structured("shop@32473"), &events);
        count += events.len();
        let read = server.read(count);
        assert_eq!(read.len(), count, "{what}");
        for (event, read) in events.iter().zip(&read[count - events.len()..]) {
            let view = event.view();
            let names = ["debug", "info", "notice", "warning", "err", "crit"];
            let pid = std::process::id().to_string();
            let name = names[Level::ALL.iter().position(|level| *level == view.level()).expect("one of them")];
            let head = ["FACILITY", "PRIORITY", "HOST", "PROGRAM", "PID", "MSGID"].map(|key| read[key].as_str());
            assert_eq!(head, ["local5", name, "web-1", "shop", &pid, "job"].map(Some), "{what}");
            assert_eq!(read["ISODATE"], "2026-11-20T22:46:01.123+00:00");
            assert_eq!(read["MESSAGE"], line(&Logfmt::new(), event), "{what}");
            let mut fields = 0;
            for (name, value) in view.fields().filter(|(_, value)| !matches!(value, Value::Null)) {
                let text = read[format!("_SDATA.shop@32473.{name}")].as_str().expect("a text");
                assert!(says(value, &plain(text)), "{what}: {name}: {text:?} for {value:?}");
                fields += 1;
            }
            assert_eq!(read.as_object().map(|all| all.len()), Some(8 + fields), "{what}: {read}");
        }
    }
}

#[test]
fn syslog_ng_reads_a_long_message_between_short_ones_and_every_name() {
    let Some(server) = Server::start() else { return };
    let mut event = OwnedEvent::new(EventType::Request, Level::Info, time());
    let names = ["req_path", "app_cart.id", "app_a/b:c@d-e", "@x", "_y"];
    names.iter().enumerate().for_each(|(at, name)| event.set(name, at));
    event.set(&"k".repeat(60), "a long name");
    let mut long = event.clone();
    long.set("req_referrer", "x".repeat(20_000));
    long.set("req_user_agent", "é\"\\]".repeat(1_000));
    let output = Syslog::tcp(&format!("127.0.0.1:{}", server.counted)).expect("an address").max_message(90_000);
    send(Combined::new(), output.structured("shop@32473"), &[event.clone(), long.clone(), event]);
    let read = server.read(3);
    assert_eq!(read[0], read[2]);
    for (at, name) in names.iter().enumerate() {
        assert_eq!(read[1][format!("_SDATA.shop@32473.{name}")], at.to_string(), "{}", read[0]);
    }
    assert_eq!(read[0][format!("_SDATA.shop@32473.{}", "k".repeat(32))], "a long name", "{}", read[0]);
    assert!(read[1]["MESSAGE"] == line(&Combined::new(), &long));
    let agent = read[1]["_SDATA.shop@32473.req_user_agent"].as_str().expect("a text");
    assert!(plain(agent) == "é\"\\]".repeat(1_000));
}

#[test]
fn syslog_ng_reads_the_short_header_where_it_listens_for_its_own_machine() {
    let Some(server) = Server::start() else { return };
    let output = Syslog::unix(server.path("local.sock")).expect("a path").full_header(false);
    let events = events(EventType::Request);
    send(Logfmt::new(), output, &events);
    for (event, read) in events.iter().zip(server.read(events.len())) {
        let head = ["FACILITY", "PROGRAM"].map(|key| read[key].as_str());
        assert_eq!(head, [Some("local5"), Some("shop")], "{read}");
        assert_eq!(read["PID"], std::process::id().to_string());
        assert_eq!(read["MESSAGE"], line(&Logfmt::new(), event));
    }
}
