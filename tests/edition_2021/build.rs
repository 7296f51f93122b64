//! Writes the functions that are hard to rewrite a second time, without their attributes.

use std::path::Path;
use std::{env, fs, io};

const FUNCTIONS: &str = "../tests/torture/functions.rs";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={FUNCTIONS}");
    println!("cargo::rerun-if-env-changed=CANONLOG_TESTS_LINTED");
    println!("cargo::rustc-check-cfg=cfg(linted)");
    if env::var_os("CANONLOG_TESTS_LINTED").is_some() {
        println!("cargo::rustc-cfg=linted");
    }
    let written = fs::read_to_string(FUNCTIONS)?;
    let plain: Vec<&str> = written.lines().map(without_attribute).collect();
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo names a folder"))?;
    fs::write(Path::new(&folder).join("functions.rs"), plain.join("\n"))
}

/// A line of the file, or an empty one, so that every line keeps its number.
fn without_attribute(line: &str) -> &str {
    match line.trim() {
        "#[operation]" | "#[instrument_request]" | "use canonlog::{instrument_request, operation};" => "",
        // What is included has no documentation of its own.
        text if text.starts_with("//!") => "",
        _ => line,
    }
}
