//! This program's name.

use std::path::Path;

/// The name of the program's file, as it was started; empty if that cannot be told.
pub(super) fn name() -> String {
    let started = std::env::args_os().next().unwrap_or_default();
    Path::new(&started).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
