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

/// Parts of paths under which no application lies: the compiler's own sources, crates that were downloaded or copied in, and
/// what build scripts have written.
const LIBRARIES: [&str; 6] =
    ["/rustc/", "/registry/src/", "/git/checkouts/", "/vendor/", "/rustlib/src/rust/library/", "/.rustup/"];

fn is_library(file: &str) -> bool {
    let within = |part: &str| file.contains(part) || file.starts_with(&part[1..]);
    LIBRARIES.iter().any(|part| within(part)) || (file.contains("/build/") && file.contains("/out/"))
}

/// Whose code a function is; `crates` are those with annotated functions, which decide where no file is known.
pub(super) fn whose(function: &str, file: Option<&str>, crates: &[&str]) -> Whose {
    let from = crate_of(function);
    match file {
        _ if from == "canonlog" => Whose::Canonlog,
        Some(file) if is_library(file) => Whose::Library,
        // Without a file a name is all there is; code of no crate is C.
        Some(_) => Whose::Application,
        None if crates.contains(&from) => Whose::Application,
        None => Whose::Library,
    }
}

/// The name as it is printed: closures, and the bodies of `async` functions, go by the function that they are in.
pub(super) fn function(name: &str) -> &str {
    let mut name = name;
    while let Some((outer, last)) = name.rsplit_once("::") {
        let is_closure = last == "{{closure}}" || (last.starts_with("{closure#") && last.ends_with('}'));
        if !is_closure {
            break;
        }
        name = outer;
    }
    name
}

/// The file as it is printed: from the root of a crate with annotated functions, else from the folder of its own crate, which is
/// the one that has `src`, or `tests` and the like.
pub(super) fn file<'f>(file: &'f str, roots: &[String]) -> &'f str {
    let below = |root: &String| file.strip_prefix(root.as_str())?.strip_prefix('/');
    if let Some(short) = roots.iter().filter_map(below).min_by_key(|short| short.len())
        && !short.contains("/src/")
    {
        return short;
    }
    let folders = ["/src/", "/tests/", "/examples/", "/benches/"];
    let at = folders.iter().find_map(|folder| file.rfind(folder));
    let from = at.map_or(0, |at| file[..at].rfind('/').map_or(0, |slash| slash + 1));
    &file[from..]
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

    #[test]
    fn whose_code_it_is_is_told_by_the_file_and_else_by_the_crate() {
        use Whose::{Application, Canonlog, Library};
        let crates = ["shop"];
        for (name, file, expected) in [
            ("shop::load", Some("/home/me/shop/src/main.rs"), Application),
            ("legacy::load", Some("/home/me/legacy/src/lib.rs"), Application),
            ("core::slice::sort", Some("/rustc/abc/library/core/src/slice/sort.rs"), Library),
            ("regex::find", Some("/home/me/.cargo/registry/src/index-1/regex-1.0.0/src/lib.rs"), Library),
            ("regex::find", Some("registry/src/index-1/regex-1.0.0/src/lib.rs"), Library),
            ("shop::generated", Some("/home/me/target/debug/build/shop-1/out/made.rs"), Library),
            ("shop::load", Some("src/main.rs"), Application),
            ("canonlog::pipeline::Scope::enter", Some("/home/me/canonlog/src/pipeline.rs"), Canonlog),
            ("shop::load", None, Application),
            ("legacy::load", None, Library),
            ("<canonlog::Boundary<shop::F> as core::future::Future>::poll", None, Canonlog),
        ] {
            assert_eq!(whose(name, file, &crates), expected, "{name} {file:?}");
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
        let roots = ["/ws/shop".to_owned(), "/ws".to_owned()];
        for (path, expected) in [
            ("/ws/shop/src/bin/shop.rs", "src/bin/shop.rs"),
            ("/ws/shop/tests/all.rs", "tests/all.rs"),
            ("/ws/shop/legacy/src/lib.rs", "legacy/src/lib.rs"),
            ("/elsewhere/legacy/src/deep/mod.rs", "legacy/src/deep/mod.rs"),
            ("/rustc/abc/library/std/src/thread/mod.rs", "std/src/thread/mod.rs"),
            ("/c/registry/src/index-1/tokio-1.0.0/src/time/sleep.rs", "tokio-1.0.0/src/time/sleep.rs"),
            ("/build/glibc/nptl/nanosleep.c", "/build/glibc/nptl/nanosleep.c"),
        ] {
            assert_eq!(file(path, &roots), expected, "{path}");
        }
    }
}
