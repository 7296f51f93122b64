//! Outputs, as a configuration says them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::build::{Checked, bytes, chosen, without_type};
use super::check::is_path;
use super::offers::{self, Offer};
use super::schema::WAYS;
use super::tree::{Node, Table};
use crate::emitter::Emitter;
use crate::output::{
    AddressError, Background, Facility, File, Framing, Journald, Null, Overflow, Rotation, Stderr, Stdout, Syslog, Tcp,
    Udp, UnixSocket,
};

/// What is said of the link to a server.
macro_rules! link {
    ($output:ident, $said:expr) => {
        if let Some(limit) = $said.time("connect_within") {
            $output = $output.connect_within(limit);
        }
        if let Some(time) = $said.time("wait_for_server") {
            $output = $output.wait_for_server(time);
        }
        if $said.text("first_pause").or($said.text("longest_pause")).is_some() {
            let first = $said.time("first_pause").unwrap_or(Duration::from_millis(100));
            $output = $output.pauses(first, $said.time("longest_pause").unwrap_or(Duration::from_secs(5)));
        }
    };
}

/// A server of syslog: `udp://host:port`, `tcp://host:port`, or `unix:/path`, a path that begins at `folder`.
fn syslog_at(server: &str, folder: &Path) -> Result<Syslog, AddressError> {
    if let Some(server) = server.strip_prefix("udp://") {
        return Syslog::udp(server);
    }
    match server.strip_prefix("unix:") {
        Some(path) => Syslog::unix(socket_at(folder, path)),
        None => Syslog::tcp(server.strip_prefix("tcp://").unwrap_or(server)),
    }
}

/// Whether a text is such a server.
pub(super) fn is_syslog(text: &str) -> Result<(), String> {
    if !["udp://", "tcp://", "unix:"].iter().any(|scheme| text.starts_with(scheme)) {
        let text = text.escape_debug().to_string();
        let expected = "expected `udp://host:port`, `tcp://host:port` or `unix:/path`";
        let meant = match text.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => format!("; write `udp://{text}`"),
            _ if text.starts_with('/') => format!("; write `unix:{text}`"),
            _ => String::new(),
        };
        return Err(format!("`{text}` is no server; {expected}{meant}"));
    }
    syslog_at(text, Path::new("")).map(drop).map_err(|error| error.to_string())
}

fn syslog(said: &Table, folder: &Path) -> io::Result<Syslog> {
    let mut syslog = match said.text("server") {
        Some(server) => syslog_at(server, folder).map_err(io::Error::other)?,
        None => Syslog::local(),
    };
    if let Some(facility) = said.text("facility").and_then(|name| name.parse::<Facility>().ok()) {
        syslog = syslog.facility(facility);
    }
    if let Some(name) = said.text("app_name") {
        syslog = syslog.app_name(name);
    }
    if let Some(name) = said.text("hostname") {
        syslog = syslog.hostname(name);
    }
    if let Some(full) = said.truth("full_header") {
        syslog = syslog.full_header(full);
    }
    if let Some(id) = said.text("structured") {
        syslog = syslog.structured(id);
    }
    if let Some(longest) = bytes(said, "max_message") {
        syslog = syslog.max_message(longest);
    }
    syslog = match said.text("framing") {
        Some("octets") => syslog.framing(Framing::OctetCounting),
        Some(_) => syslog.framing(Framing::Newline),
        None => syslog,
    };
    link!(syslog, said);
    Ok(syslog)
}

fn journald(said: &Table, folder: &Path) -> io::Result<Journald> {
    let mut journald = match said.text("path") {
        Some(path) => Journald::at(socket_at(folder, path)).map_err(io::Error::other)?,
        None => Journald::new(),
    };
    if let Some(name) = said.text("identifier") {
        journald = journald.identifier(name);
    }
    link!(journald, said);
    Ok(journald)
}

/// The path, from where the program was started if it says nothing else: it may have gone elsewhere since.
fn at(folder: &Path, path: &str) -> PathBuf {
    if path.is_empty() { PathBuf::new() } else { folder.join(path) }
}

/// The same for a socket, whose path must be short: else as it was said.
fn socket_at(folder: &Path, path: &str) -> PathBuf {
    let whole = at(folder, path);
    if UnixSocket::new(&whole).is_ok() { whole } else { path.into() }
}

/// The file that an output is, and how it is rotated.
pub(super) fn file_of<'a>(node: &'a Node, all: &'a Table) -> Option<(&'a str, [Option<&'a Node>; 3])> {
    let named = node.as_text().and_then(|name| all.table("outputs")?.get(name));
    match named.unwrap_or(node).as_table() {
        Some(table) if table.text("type") == Some("file") => {
            Some((table.text("path")?, ["daily", "max_size", "keep"].map(|key| table.get(key))))
        }
        Some(_) => None,
        None => node.as_text().filter(|text| is_path(text)).map(|path| (path, [None; 3])),
    }
}

/// The emitter with this output; its paths begin at `folder`.
pub(super) fn output(emitter: Emitter, node: &Node, all: &Table, folder: &Path) -> io::Result<Emitter> {
    if let Some(named) = node.as_text().and_then(|name| all.table("outputs")?.get(name)) {
        return output(emitter, named, &Table::default(), folder);
    }
    let (name, said) = chosen(node);
    let mut options = without_type(&said);
    WAYS.iter().for_each(|key| drop(options.remove(key.name)));
    if let Some(made) = offers::make(Offer::Output, name, &options, &emitter) {
        return made.map(|emitter| way(emitter, &said)).map_err(io::Error::other);
    }
    let emitter = match name {
        "stdout" => emitter.output(Stdout::new()),
        "stderr" => emitter.output(Stderr::new()),
        "null" => emitter.output(Null::new()),
        "tracing" => tracing(emitter)?,
        "tcp" => {
            let mut tcp = Tcp::new(said.text("server").unwrap_or_default()).map_err(io::Error::other)?;
            link!(tcp, said);
            tcp = if said.truth("null_terminated") == Some(true) { tcp.null_terminated() } else { tcp };
            emitter.output(tcp)
        }
        "udp" => {
            let mut udp = Udp::new(said.text("server").unwrap_or_default()).map_err(io::Error::other)?;
            link!(udp, said);
            udp = if said.truth("chunked") == Some(true) { udp.chunked() } else { udp };
            emitter.output(udp)
        }
        "unix" => {
            let mut unix =
                UnixSocket::new(socket_at(folder, said.text("path").unwrap_or_default())).map_err(io::Error::other)?;
            link!(unix, said);
            unix = if said.truth("null_terminated") == Some(true) { unix.null_terminated() } else { unix };
            emitter.output(unix)
        }
        "syslog" => emitter.output(syslog(&said, folder)?),
        "journald" => emitter.output(journald(&said, folder)?),
        "file" => emitter.output(file(&at(folder, said.text("path").unwrap_or_default()), &said)?),
        path => emitter.output(File::open(at(folder, path))?),
    };
    Ok(way(emitter, &said))
}

#[cfg(feature = "tracing")]
fn tracing(emitter: Emitter) -> io::Result<Emitter> {
    Ok(emitter.output(crate::tracing::Dispatched::new()))
}

#[cfg(not(feature = "tracing"))]
fn tracing(_: Emitter) -> io::Result<Emitter> {
    Err(io::Error::other("`tracing` needs canonlog's feature `tracing`"))
}

fn file(path: &Path, said: &Table) -> io::Result<File> {
    let file = File::open(path)?;
    let (daily, size) = (said.truth("daily") == Some(true), said.size("max_size"));
    let rotation = match (daily, size) {
        (true, Some(size)) => Rotation::daily().max_size(size),
        (true, None) => Rotation::daily(),
        (false, Some(size)) => Rotation::size(size),
        (false, None) => return Ok(file),
    };
    Ok(file.rotate(said.count("keep").map_or(rotation, |keep| rotation.keep(keep))))
}

/// How lines get to the output.
fn way(emitter: Emitter, said: &Table) -> Emitter {
    if said.truth("direct") == Some(true) {
        return emitter.direct();
    }
    if let Some(limit) = said.time("direct") {
        return emitter.direct_within(limit);
    }
    let Some(queue) = said.table("queue") else { return emitter };
    let mut background = Background::new();
    if let Some(events) = queue.count("events") {
        background = background.events(events);
    }
    if let Some(size) = bytes(queue, "bytes") {
        background = background.bytes(size);
    }
    if let Some(period) = queue.time("period") {
        background = background.period(period);
    }
    if let Some(limit) = queue.time("overflow") {
        background = background.overflow(Overflow::Block(limit));
    }
    emitter.background(background)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_where_the_program_was_started_unless_its_path_would_be_too_long() {
        let folder = Path::new("/run/shop");
        assert_eq!(socket_at(folder, "log.sock"), Path::new("/run/shop/log.sock"));
        assert_eq!(socket_at(folder, "/dev/log"), Path::new("/dev/log"));
        let long = "x".repeat(100);
        assert_eq!(socket_at(folder, &long), Path::new(&long));
        let told = format!("{:?}", syslog_at("unix:log.sock", folder));
        assert!(told.contains("\"/run/shop/log.sock\""), "{told}");
    }
}
