//! rsyslog as the peer, where it is installed: over UDP, TCP, and unix sockets, through a restart, with what it made of each message.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use canonlog::{
    Emitter, EmitterSet, EventType, Facility, Format, Framing, Level, Logfmt, Output, OwnedEvent, Syslog, Value,
};
use canonlog_tests::numbered::{Numbered, emit};

use super::messages::plain;
use super::peers;
use super::sockets::SOON;

const PROGRAM: &str = "/usr/sbin/rsyslogd";

/// A server of our own: its files are below `dir`, its ports on the loopback.
struct Server {
    child: Child,
    dir: tempfile::TempDir,
    udp: u16,
    tcp: u16,
}

/// Whether there is rsyslog, with what is needed of it; says so if not.
fn is_there() -> bool {
    let there = Path::new(PROGRAM).exists();
    if !there {
        eprintln!("skipped: {PROGRAM} is not installed");
    }
    there
}

fn configuration(dir: &Path, udp: u16, tcp: u16) -> String {
    let dir = dir.display();
    format!(
        r#"
global(workDirectory="{dir}" maxMessageSize="64k" processInternalMessages="off" parser.escapeControlCharactersOnReceive="off")
module(load="imudp") module(load="imptcp") module(load="imuxsock" SysSock.Use="off") module(load="mmpstrucdata")
template(name="all" type="string"
    string="%syslogfacility-text%|%syslogseverity-text%|%timereported:::date-rfc3339%|%hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg%\n")
template(name="data" type="string" string="%$!rfc5424-sd%\n")
ruleset(name="take") {{
    action(type="omfile" file="{dir}/out.log" template="all" asyncWriting="off" flushOnTXEnd="on")
    if $app-name == "named" then {{
        action(type="mmpstrucdata" jsonRoot="$!" sd_name.lowercase="off")
        action(type="omfile" file="{dir}/data.log" template="data" asyncWriting="off" flushOnTXEnd="on")
    }}
}}
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="take")
input(type="imptcp" address="127.0.0.1" port="{tcp}" ruleset="take")
input(type="imptcp" path="{dir}/stream.sock" unlink="on" ruleset="take")
input(type="imuxsock" socket="{dir}/log.sock" ruleset="take" ratelimit.interval="0" useSpecialParser="off" ignoreTimestamp="off"
    useSysTimeStamp="off")
input(type="imuxsock" socket="{dir}/local.sock" ruleset="take" ratelimit.interval="0")
"#
    )
}

impl Server {
    fn start() -> Server {
        let dir = tempfile::tempdir().expect("a directory");
        let udp = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let tcp = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        fs::write(dir.path().join("rsyslog.conf"), configuration(dir.path(), udp, tcp)).expect("a file");
        let child = Server::spawn(dir.path());
        let server = Server { child, dir, udp, tcp };
        server.wait_until_it_listens();
        server
    }

    fn spawn(dir: &Path) -> Child {
        Command::new(PROGRAM)
            .args(["-n", "-f"])
            .arg(dir.join("rsyslog.conf"))
            .arg("-i")
            .arg(dir.join("pid"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.join("err")).expect("a file"))
            .spawn()
            .expect("it starts")
    }

    fn wait_until_it_listens(&self) {
        let began = Instant::now();
        let sockets = ["log.sock", "local.sock"].map(|name| self.path(name));
        while std::net::TcpStream::connect(("127.0.0.1", self.tcp)).is_err()
            || std::os::unix::net::UnixStream::connect(self.path("stream.sock")).is_err()
            || !sockets.iter().all(|path| path.exists())
            || !self.has_udp()
        {
            let err = fs::read_to_string(self.path("err")).unwrap_or_default();
            assert!(began.elapsed() < SOON, "rsyslogd does not listen: {err}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether the port is taken, so that nobody else gets it.
    fn has_udp(&self) -> bool {
        UdpSocket::bind(("127.0.0.1", self.udp)).is_err()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Ends it in order: it writes what it has.
    #[allow(unsafe_code)]
    fn stop(&mut self) {
        let pid = i32::try_from(self.child.id()).expect("a pid");
        // SAFETY: a signal to a child of ours that nobody has waited for: its id is still its own.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
        canonlog_tests::program::wait(&mut self.child, "rsyslogd", SOON);
    }

    fn restart(&mut self) {
        self.stop();
        self.child = Server::spawn(self.dir.path());
        self.wait_until_it_listens();
    }

    /// What it wrote, once there are so many lines, field by field.
    fn lines(&self, count: usize) -> Vec<Vec<String>> {
        let began = Instant::now();
        loop {
            let text = fs::read_to_string(self.path("out.log")).unwrap_or_default();
            if text.lines().count() >= count && text.ends_with('\n') {
                let fields = |line: &str| line.splitn(9, '|').map(str::to_owned).collect();
                return text.lines().map(fields).collect();
            }
            assert!(began.elapsed() < SOON, "{} of {count} lines: {text}", text.lines().count());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send(format: impl Format, output: impl Output, events: &[OwnedEvent]) {
    let set = EmitterSet::start([Emitter::new("syslog").format(format).output(output)]).expect("it starts");
    events.iter().for_each(|event| set.emit(&event.view()));
    assert_eq!((set.shutdown(SOON), set.written()), (0, events.len() as u64));
}

/// One event of each level.
fn events() -> Vec<OwnedEvent> {
    let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_214_761_123);
    let event = |level| {
        let mut event = OwnedEvent::new(EventType::Job, level, time);
        event.set("app_text", "a \"b\" \\ ] é\nnext");
        event
    };
    Level::ALL.into_iter().map(event).collect()
}

#[test]
fn rsyslog_reads_each_part_of_a_message_over_every_transport() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let (udp, tcp) = (format!("127.0.0.1:{}", server.udp), format!("127.0.0.1:{}", server.tcp));
    let (stream, datagram) = (server.path("stream.sock"), server.path("log.sock"));
    let make = |transport: &str| match transport {
        "udp" => Syslog::udp(&udp).expect("an address"),
        "tcp" => Syslog::tcp(&tcp).expect("an address"),
        "tcp lines" => Syslog::tcp(&tcp).expect("an address").framing(Framing::Newline),
        "stream" => Syslog::unix(&stream).expect("a path"),
        "stream counted" => Syslog::unix(&stream).expect("a path").framing(Framing::OctetCounting),
        _ => Syslog::unix(&datagram).expect("a path"),
    };
    let names = ["debug", "info", "notice", "warning", "err", "crit"];
    let mut count = 0;
    for transport in ["udp", "tcp", "tcp lines", "stream", "stream counted", "datagram"] {
        for structured in [false, true] {
            let output = make(transport).facility(Facility::Local5).app_name("shop").hostname("web-1");
            let output = if structured { output.structured("shop@32473") } else { output };
            send(Logfmt::new(), output, &events());
            count += 6;
            let lines = server.lines(count);
            for (line, name) in lines[count - 6..].iter().zip(names) {
                let what = format!("{transport}, structured {structured}: {line:?}");
                let head = ["local5", name, "2026-11-20T22:46:01.123Z", "web-1", "shop"];
                assert_eq!(line[..5], head, "{what}");
                assert_eq!(
                    (line[5].as_str(), line[6].as_str()),
                    (std::process::id().to_string().as_str(), "job"),
                    "{what}"
                );
                let data = if structured { r#"[shop@32473 app_text="a \"b\" \\\\ \] é\\nnext"]"# } else { "-" };
                assert_eq!(line[7], data, "{what}");
                assert!(line[8].contains(r#"app_text="a \"b\" \\ ] é\nnext""#), "{what}");
            }
        }
    }
    assert_eq!(server.lines(count).len(), count, "nothing else");
}

#[test]
fn rsyslog_reads_the_values_of_structured_data_by_their_names() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let output = Syslog::tcp(&format!("127.0.0.1:{}", server.tcp)).expect("an address").app_name("named");
    let events = peers::events(EventType::Job);
    send(Logfmt::new(), output.structured("shop@32473").hostname("web-1"), &events);
    server.lines(events.len());
    let read = peers::until("all data are there", || {
        let text = fs::read_to_string(server.path("data.log")).unwrap_or_default();
        (text.lines().count() == events.len() && text.ends_with('\n')).then_some(text)
    });
    for (event, line) in events.iter().zip(read.lines()) {
        let read: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let params = read["shop@32473"].as_object().expect("the element");
        let view = event.view();
        let there = || view.fields().filter(|(_, value)| !matches!(value, Value::Null));
        assert_eq!(params.len(), there().count(), "{line}");
        for (name, value) in there() {
            let text = params[name].as_str().expect("a text");
            assert!(peers::says(value, &plain(text)), "{name}: {text:?} for {value:?}");
        }
    }
}

#[test]
fn rsyslog_reads_the_short_header_where_it_listens_for_its_own_machine() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let output = Syslog::unix(server.path("local.sock")).expect("a path").full_header(false).app_name("shop");
    send(Numbered, output.facility(Facility::Daemon), &{
        let mut event = OwnedEvent::new(EventType::Request, Level::Warning, std::time::SystemTime::now());
        event.set("app_n", 7);
        vec![event]
    });
    let line = server.lines(1).remove(0);
    assert_eq!((line[0].as_str(), line[1].as_str(), line[4].as_str()), ("daemon", "warning", "shop"), "{line:?}");
    assert_eq!((line[5].as_str(), line[8].trim_start()), (std::process::id().to_string().as_str(), "<7>"), "{line:?}");
}

#[test]
fn through_restarts_of_rsyslog_every_event_is_read_or_counted() {
    if !is_there() {
        return;
    }
    let mut server = Server::start();
    let tcp = format!("127.0.0.1:{}", server.tcp);
    let quick = |output: Syslog| output.pauses(Duration::from_millis(5), Duration::from_millis(50));
    let outputs = [
        quick(Syslog::tcp(&tcp).expect("an address")).app_name("tcp"),
        quick(Syslog::unix(server.path("log.sock")).expect("a path")).app_name("datagram"),
        quick(Syslog::unix(server.path("stream.sock")).expect("a path")).app_name("stream"),
    ];
    let start = |output: Syslog| {
        EmitterSet::start([Emitter::new("syslog").format(Numbered).output(output)]).expect("it starts")
    };
    let sets = outputs.map(start);
    const ROUND: u64 = 300;
    for round in 0..3 {
        for set in &sets {
            (0..ROUND).for_each(|n| emit(set, round * ROUND + n));
            assert!(set.flush(SOON));
        }
        if round < 2 {
            // What was handed over is read before it goes.
            let handed: u64 = sets.iter().map(EmitterSet::written).sum();
            server.lines(usize::try_from(handed).expect("a count"));
            server.restart();
        }
    }
    let mut read = 0;
    for set in &sets {
        let lost = set.shutdown(SOON);
        assert_eq!((set.written() + lost, lost), (3 * ROUND, 0));
        read += set.written();
    }
    let lines = server.lines(usize::try_from(read).expect("a count"));
    for name in ["tcp", "datagram", "stream"] {
        let numbers: Vec<String> =
            lines.iter().filter(|line| line[4] == name).map(|line| line[8].trim_start().to_owned()).collect();
        assert!(
            numbers.iter().eq((0..3 * ROUND).map(|n| format!("<{n}>")).collect::<Vec<_>>().iter()),
            "{name}: {numbers:?}"
        );
    }
}
