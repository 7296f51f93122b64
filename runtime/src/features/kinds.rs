//! What features tell of: the process, its machine, its thread, its version.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::FeatureFields;
use crate::context::OwnedValue;
use crate::sys::{fork, host};
use crate::value::Value;

/// Fields that never change: name, whether the framework's, value.
pub(super) type Fixed = Vec<(String, bool, OwnedValue)>;

/// The number of this process; asked for once in each.
pub(super) fn pid() -> u64 {
    /// Which process the number is of, plus one, and the number.
    static KNOWN: AtomicU64 = AtomicU64::new(0);
    let process = (fork::generation() + 1) << 32;
    let known = KNOWN.load(Ordering::Relaxed);
    if known & !u64::from(u32::MAX) == process {
        return known & u64::from(u32::MAX);
    }
    let pid = u64::from(std::process::id());
    KNOWN.store(process | pid, Ordering::Relaxed);
    pid
}

/// The name of the machine.
pub(super) fn host() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(host::host_name)
}

/// Makes what is made once.
pub(super) fn ready() {
    host();
}

/// Canonlog's own threads have names that begin so.
const OURS: &str = "canonlog-";

pub(super) fn add_thread(fields: &mut FeatureFields<'_>) {
    let current = std::thread::current();
    if current.name().is_some_and(|name| name.starts_with(OURS)) {
        return;
    }
    if let Some(name) = current.name() {
        fields.put("thread_name", true, Value::Str(name));
    }
    // The system's number, as in `top -H` and in a debugger; asked for once in a thread.
    let tid = crate::counters::mine().tid();
    if tid != 0 {
        fields.put("thread_id", true, Value::U64(tid));
    }
}

/// The longest revision, in bytes.
const LONGEST: u64 = 256;

/// The first line of the file that says which version this is.
pub(super) fn revision_of_file() -> Option<String> {
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(PathBuf::from));
    let folders = [Some(PathBuf::from(".")), beside].into_iter().flatten();
    folders.flat_map(|folder| ["version-info", "version-info.txt"].map(|name| folder.join(name))).find_map(first_line)
}

fn first_line(path: PathBuf) -> Option<String> {
    let mut text = Vec::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_the_first_line_of_its_file_and_not_too_long() {
        let path = std::env::temp_dir().join(format!("canonlog-version-info-{}", std::process::id()));
        for (text, want) in [
            ("0c3b7e1\nbranch main\n", Some("0c3b7e1".to_owned())),
            ("  v1.2 \r\n", Some("v1.2".to_owned())),
            ("\n0c3b7e1\n", None),
            ("", None),
            (&"x".repeat(1_000), Some("x".repeat(256))),
        ] {
            fs::write(&path, text).expect("a file in the folder for temporary ones");
            assert_eq!(first_line(path.clone()), want);
        }
        fs::remove_file(&path).expect("it is there");
        assert_eq!(first_line(path), None);
    }
}
