//! The journal's native protocol: a strict reader, and entries too long for a datagram.

use std::io::{IoSliceMut, Read as _, Seek as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use canonlog::{Emitter, EmitterSet, EventType, Journald, Level, LossReason, OwnedEvent};
use canonlog_tests::numbered::{Numbered, emit, emit_until_written};

use super::sockets::SOON;

/// Reads an entry: `NAME=value` lines, and names with a length and a value of any bytes.
pub(super) fn parse(entry: &[u8]) -> Result<Vec<(String, String)>, String> {
    let mut fields = Vec::new();
    let mut rest = entry;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'=' | b'\n')).ok_or("a name without an end")?;
        let name = String::from_utf8(rest[..end].to_vec()).map_err(|error| error.to_string())?;
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
        if !starts || name.len() > 64 || !name.bytes().all(fits) {
            return Err(format!("`{name}` is no name of a field"));
        }
        let after = &rest[end + 1..];
        let (value, next) = if rest[end] == b'=' {
            let end = after.iter().position(|byte| *byte == b'\n').ok_or("a value without an end")?;
            (&after[..end], &after[end..])
        } else {
            let (length, after) = after.split_first_chunk::<8>().ok_or("no length")?;
            let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|error| error.to_string())?;
            after.split_at_checked(length).ok_or("a value shorter than its length")?
        };
        let value = String::from_utf8(value.to_vec()).map_err(|error| error.to_string())?;
        rest = next.strip_prefix(b"\n").ok_or("no end after a value")?;
        fields.push((name, value));
    }
    Ok(fields)
}

/// Takes one datagram, and the descriptor that came with it.
#[allow(unsafe_code)]
fn receive(socket: &UnixDatagram) -> (Vec<u8>, Option<std::fs::File>) {
    let (mut room, mut control) = (vec![0; 1 << 18], [0_u64; 8]);
    let mut slices = [IoSliceMut::new(&mut room)];
    // SAFETY: all zeros are a valid `msghdr`.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = slices.as_mut_ptr().cast();
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: the message points to buffers that live during the call, with their lengths.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0) };
    let len = usize::try_from(len).expect("a datagram");
    // SAFETY: the message is one that `recvmsg` has filled.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    if header.is_null() {
        room.truncate(len);
        return (room, None);
    }
    // SAFETY: the header is one in the buffer above.
    assert_eq!(unsafe { (*header).cmsg_type }, libc::SCM_RIGHTS);
    // SAFETY: as above.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: control data of this type is descriptors, at least one.
    let descriptor = unsafe { data.cast::<libc::c_int>().read_unaligned() };
    // SAFETY: it was made for this process by `recvmsg`, and nobody else knows it.
    let file = unsafe { std::fs::File::from_raw_fd(descriptor) };
    room.truncate(len);
    (room, Some(file))
}

#[allow(unsafe_code)]
fn seals(file: &std::fs::File) -> i32 {
    // SAFETY: this request takes no argument.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) }
}

#[test]
fn an_entry_too_long_for_a_datagram_comes_as_a_sealed_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("socket");
    let journal = UnixDatagram::bind(&path).expect("a socket");
    let output = Journald::at(&path).expect("a path");
    let set = EmitterSet::start([Emitter::new("journal").output(output).direct()]).expect("it starts");
    for n in 0..3 {
        let mut event = OwnedEvent::new(EventType::Log, Level::Info, std::time::SystemTime::now());
        event.set("log_msg", format!("{}<{n}>", " ".repeat(599_997)));
        set.emit(&event.view());
    }
    assert_eq!((set.written(), set.lost()), (3, 0));
    for n in 0..3 {
        let (datagram, file) = receive(&journal);
        let mut file = file.expect("a file");
        assert_eq!(datagram.len(), 0);
        assert_eq!(seals(&file), libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE);
        let mut entry = Vec::new();
        file.rewind().expect("a file");
        file.read_to_end(&mut entry).expect("bytes");
        let fields = parse(&entry).expect("an entry");
        let message = fields.iter().find(|(name, _)| name == "MESSAGE").map(|(_, value)| value.as_str());
        assert!(message.is_some_and(|text| text.len() == 600_000 && text.ends_with(&format!("<{n}>"))));
    }
}

#[test]
fn an_event_as_long_as_any_goes_through_the_queue_with_every_field_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("socket");
    let journal = UnixDatagram::bind(&path).expect("a socket");
    let set = EmitterSet::start([Emitter::new("journal").output(Journald::at(&path).expect("a path"))]);
    let set = set.expect("it starts");
    let mut event = OwnedEvent::new(EventType::Job, Level::Info, std::time::SystemTime::now());
    // 64 KiB with their escapes.
    let text = "\"\n\\é".repeat(1_000);
    (0..8).for_each(|at| event.set(&format!("app_{at}"), &text));
    set.emit(&event.view());
    assert_eq!((set.shutdown(SOON), set.written()), (0, 1));
    let (datagram, file) = receive(&journal);
    let mut entry = datagram;
    if let Some(mut file) = file {
        file.rewind().expect("a file");
        file.read_to_end(&mut entry).expect("bytes");
    }
    let fields = parse(&entry).expect("an entry");
    let of = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert!((0..8).all(|at| of(&format!("APP_{at}")) == Some(&text)));
    let message = of("MESSAGE").expect("a text");
    assert!(message.starts_with("event_type=\"job\"") && message.ends_with('…'), "{}", message.len());
}

#[test]
fn a_journal_that_is_restarted_or_not_there_is_counted_and_written_to_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("socket");
    let millis = Duration::from_millis;
    let output = Journald::at(&path).expect("a path").pauses(millis(2), millis(5)).wait_for_server(millis(1));
    let set = EmitterSet::start([Emitter::new("journal").format(Numbered).output(output)]).expect("it starts");
    emit(&set, 0);
    assert!(set.flush(SOON));
    assert_eq!((set.written(), set.lost_by(LossReason::Io)), (0, 1));
    let journal = UnixDatagram::bind(&path).expect("a socket");
    journal.set_read_timeout(Some(SOON)).expect("a time");
    emit_until_written(&set, SOON);
    let mut room = [0; 9_000];
    let len = journal.recv(&mut room).expect("an entry");
    let fields = parse(&room[..len]).expect("an entry");
    let of = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    assert_eq!(of("EVENT_TYPE").as_deref(), Some("dropped"), "what was lost is told first");
    assert_eq!(of("PRIORITY").as_deref(), Some("3"));
    assert_eq!(of("DROPPED_COUNT"), Some(set.lost().to_string()));
}

/// Runs where systemd-journald does.
#[test]
fn the_real_journal_finds_an_event_by_its_fields() {
    if !Path::new("/run/systemd/journal/socket").exists() {
        eprintln!("skipped: there is no systemd-journald on this machine");
        return;
    }
    let token =
        format!("canonlog-{}-{:?}", std::process::id(), Instant::now()).replace(|c: char| !c.is_alphanumeric(), "");
    let set = EmitterSet::start([Emitter::new("journal").output(Journald::new())]).expect("it starts");
    let mut event = OwnedEvent::new(EventType::Job, Level::Notice, std::time::SystemTime::now());
    event.set("app_token", &token);
    event.set("app_lines", "one\ntwo");
    set.emit(&event.view());
    assert_eq!((set.shutdown(SOON), set.written()), (0, 1));
    let began = Instant::now();
    loop {
        let asked =
            Command::new("journalctl").args(["-o", "json", "--no-pager", &format!("APP_TOKEN={token}")]).output();
        let told = String::from_utf8_lossy(&asked.expect("journalctl").stdout).into_owned();
        if let Some(line) = told.lines().next() {
            let entry: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!((entry["PRIORITY"].as_str(), entry["APP_LINES"].as_str()), (Some("5"), Some("one\ntwo")));
            return;
        }
        assert!(began.elapsed() < SOON, "the journal has no such entry");
        std::thread::sleep(Duration::from_millis(50));
    }
}
