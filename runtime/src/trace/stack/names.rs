//! Whose code a function is, and how its place is printed.

/// Whose code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Application,
    Library,
    /// Ours: it stands between a record's owner and what runs inside.
    Canonlog,
}

/// The crate that a function is from: `core` for `<core::pin::Pin<shop::Cart> as core::future::Future>::poll`. The types that it
/// is made for are in its name too, but they did not write it.
pub(super) fn crate_of(function: &str) -> &str {
    let mut name = function;
    loop {
        let peeled = name.trim_start_matches(['<', '&', '*', '(', '[', '{', ' ']);
        let peeled =
            ["dyn ", "mut ", "const ", "impl "].iter().find_map(|word| peeled.strip_prefix(word)).unwrap_or(peeled);
        if peeled.len() == name.len() {
            break;
        }
        name = peeled;
    }
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
    &name[..end]
}

/// What is known of the sources that the program was made from.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The application's crates: those with annotated functions.
    pub(super) crates: Vec<&'static str>,
    /// The folders that they lay in.
    pub(super) roots: Vec<String>,
    /// The folder of canonlog itself.
    pub(super) ours: Option<String>,
}

/// Parts of paths under which no application lies: the compiler's own sources, and crates that were downloaded or copied in.
const LIBRARIES: [&str; 7] = [
    "/rustc/",
    "/registry/src/",
    "/git/checkouts/",
    "/vendor/",
    "/cargo-vendor-dir/",
    "/rustlib/src/rust/library/",
    "/.rustup/",
];

/// Whether crates lie there that are nobody's own.
pub(super) fn is_downloaded(folder: &str) -> bool {
    ["/registry/src/", "/git/checkouts/"].iter().any(|part| folder.contains(part))
}

/// Whether it is the folder of a package that was downloaded: `regex-1.12.0`.
fn has_version(folder: &str) -> bool {
    folder.rsplit_once('-').is_some_and(|(name, version)| !name.is_empty() && is_version(version))
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.')
}

fn below<'f>(file: &'f str, root: &str) -> Option<&'f str> {
    file.strip_prefix(root)?.strip_prefix('/')
}

impl Sources {
    /// The file from the root of the innermost crate of the application that it lies in.
    fn within<'f>(&self, file: &'f str) -> Option<&'f str> {
        self.roots.iter().filter_map(|root| below(file, root)).min_by_key(|short| short.len())
    }

    fn is_ours(&self, file: &str) -> bool {
        let folder = file.rsplit_once("/src/").and_then(|(folder, _)| folder.rsplit('/').next());
        self.ours.as_deref().is_some_and(|ours| below(file, ours).is_some())
            || folder.and_then(|folder| folder.strip_prefix("canonlog-")).is_some_and(is_version)
    }

    fn is_library(&self, file: &str) -> bool {
        let within = self.within(file);
        // Wherever the application's folder lies: what counts is where a file is in it.
        let path = within.unwrap_or(file);
        let part_of = |part: &str| path.contains(part) || path.starts_with(&part[1..]);
        let is_generated = part_of("/build/") && path.contains("/out/");
        // Compiled without the paths of the machine, a dependency's file begins with its name and version.
        let is_trimmed = within.is_none() && path.split('/').next().is_some_and(has_version);
        // Code of no crate: linked in, with debug information of its own.
        let is_foreign = within.is_none() && [".c", ".h", ".S", ".cc", ".cpp"].iter().any(|end| path.ends_with(end));
        LIBRARIES.iter().any(|part| part_of(part)) || is_generated || is_trimmed || is_foreign
    }

    /// Whose code a function is. Where no file is known, its crate decides.
    pub(super) fn whose(&self, function: &str, file: Option<&str>) -> Whose {
        let from = crate_of(function);
        match file {
            _ if from == "canonlog" => Whose::Canonlog,
            Some(file) if self.is_ours(file) => Whose::Canonlog,
            Some(file) if self.is_library(file) => Whose::Library,
            Some(_) => Whose::Application,
            None if self.crates.contains(&from) => Whose::Application,
            None => Whose::Library,
        }
    }

    /// The file as it is printed: from the root of a crate of the application, else from the folder of its own crate, which is the
    /// one that has `src`, or `tests` and the like.
    pub(super) fn file<'f>(&self, file: &'f str) -> &'f str {
        if let Some(short) = self.within(file).filter(|short| !short.contains("/src/")) {
            return short;
        }
        let folders = ["/src/", "/tests/", "/examples/", "/benches/"];
        let at = folders.iter().find_map(|folder| file.rfind(folder));
        let from = at.map_or(0, |at| file[..at].rfind('/').map_or(0, |slash| slash + 1));
        &file[from..]
    }
}

/// The name as it is printed: closures, and the bodies of `async` functions, go by the function that they are in.
pub(super) fn function(name: &str) -> &str {
    let mut name = name;
    while let Some((outer, last)) = name.rsplit_once("::") {
        if !(last.starts_with('{') && last.ends_with('}')) {
            break;
        }
        name = outer;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_is_that_of_the_code_and_not_of_the_types_it_is_made_for() {
        for (name, expected) in [
            ("shop::cart::load", "shop"),
            ("<shop::Cart as core::fmt::Display>::fmt", "shop"),
            ("<&shop::Cart as shop::Load>::load", "shop"),
            ("<dyn shop::Load as shop::Other>::load", "shop"),
            ("<core::pin::Pin<shop::Cart> as core::future::future::Future>::poll", "core"),
            ("core::slice::sort::sort8_stable::<u8, shop::closure>", "core"),
            ("<[shop::Cart] as shop::Load>::all", "shop"),
            ("clock_nanosleep", "clock_nanosleep"),
            ("", ""),
        ] {
            assert_eq!(crate_of(name), expected, "{name}");
        }
    }

    fn sources() -> Sources {
        let roots = ["/home/me/vendor/shop", "/ws/app", "/ws"].map(str::to_owned).to_vec();
        Sources { crates: vec!["shop"], roots, ours: Some("/src/of/canonlog".to_owned()) }
    }

    #[test]
    fn whose_code_it_is_is_told_by_the_file_and_else_by_the_crate() {
        use Whose::{Application, Canonlog, Library};
        let sources = sources();
        for (name, file, expected) in [
            ("shop::load", Some("/home/me/shop/src/main.rs"), Application),
            ("legacy::load", Some("/home/me/legacy/src/lib.rs"), Application),
            ("core::slice::sort", Some("/rustc/abc/library/core/src/slice/sort.rs"), Library),
            ("regex::find", Some("/home/me/.cargo/registry/src/index-1/regex-1.0.0/src/lib.rs"), Library),
            ("regex::find", Some("registry/src/index-1/regex-1.0.0/src/lib.rs"), Library),
            ("regex::find", Some("regex-1.0.0/src/lib.rs"), Library),
            ("regex::find", Some("/ws/vendor/regex/src/lib.rs"), Library),
            ("regex::find", Some("/elsewhere/vendor/regex/src/lib.rs"), Library),
            ("shop::load", Some("/home/me/vendor/shop/src/main.rs"), Application),
            ("shop::load", Some("/elsewhere/vendored/src/main.rs"), Application),
            ("shop::generated", Some("/home/me/target/debug/build/shop-1/out/made.rs"), Library),
            ("shop::load", Some("src/main.rs"), Application),
            ("sqlite3_step", Some("sqlite3/sqlite3.c"), Library),
            ("shop_step", Some("/ws/app/c/step.c"), Application),
            ("canonlog::pipeline::Scope::enter", Some("/home/me/canonlog/src/pipeline.rs"), Canonlog),
            ("poll", Some("/src/of/canonlog/src/__private/boundary.rs"), Canonlog),
            ("poll", Some("/home/me/.cargo/registry/src/index-1/canonlog-0.1.0/src/__private/boundary.rs"), Canonlog),
            ("poll", Some("/ws/canonlog-tools/src/lib.rs"), Application),
            ("shop::load", None, Application),
            ("legacy::load", None, Library),
            ("<canonlog::Boundary<shop::F> as core::future::Future>::poll", None, Canonlog),
        ] {
            assert_eq!(sources.whose(name, file), expected, "{name} {file:?}");
        }
    }

    #[test]
    fn closures_go_by_their_function() {
        assert_eq!(function("shop::checkout::{{closure}}::{{closure}}"), "shop::checkout");
        assert_eq!(function("shop::checkout::{closure#0}"), "shop::checkout");
        assert_eq!(function("shop::checkout"), "shop::checkout");
        assert_eq!(function("main"), "main");
    }

    #[test]
    fn a_file_is_printed_from_its_crate() {
        let sources = sources();
        for (path, expected) in [
            ("/ws/app/src/bin/shop.rs", "src/bin/shop.rs"),
            ("/ws/app/tests/all.rs", "tests/all.rs"),
            ("/ws/app/legacy/src/lib.rs", "legacy/src/lib.rs"),
            ("/ws/src/lib.rs", "src/lib.rs"),
            ("/ws/application/src/lib.rs", "application/src/lib.rs"),
            ("/elsewhere/legacy/src/deep/mod.rs", "legacy/src/deep/mod.rs"),
            ("/rustc/abc/library/std/src/thread/mod.rs", "std/src/thread/mod.rs"),
            ("/c/registry/src/index-1/tokio-1.0.0/src/time/sleep.rs", "tokio-1.0.0/src/time/sleep.rs"),
            ("/build/glibc/nptl/nanosleep.c", "/build/glibc/nptl/nanosleep.c"),
        ] {
            assert_eq!(sources.file(path), expected, "{path}");
        }
    }
}
