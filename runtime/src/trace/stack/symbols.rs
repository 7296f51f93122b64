//! From addresses to functions, files and lines, by what the program's file tells.
//!
//! The file is opened when the first address is asked for: some 8 ms, on the thread that asks. System libraries are not opened:
//! what they were called for is told by their callers.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;

use addr2line::Loader;

use super::modules::Module;
use super::names::{self, Sources, Whose};
use super::unwind::Unwinder;
use crate::trace::site;
use crate::trace::stuck::NO_LINE;

/// So many addresses are remembered.
const REMEMBERED: usize = 4_096;

/// A place in the source.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `file.rs:line:function`.
    pub(super) text: String,
    /// The function in it.
    pub(super) function: String,
    pub(super) whose: Whose,
}

/// What is known of the program's addresses.
#[derive(Default)]
pub(super) struct Symbols {
    /// By the path of the module; none where it tells nothing.
    files: HashMap<String, Option<Loader>>,
    /// The places of an address in a module: several where functions were merged into their callers; the innermost first.
    known: HashMap<(String, u64), Rc<[Place]>>,
    sources: Sources,
    /// How many annotated functions were looked at for that.
    looked_at: usize,
    /// Their crates.
    looked_up: Vec<&'static str>,
    /// Whether it was looked up where canonlog's own sources lay.
    knows_ours: bool,
}

/// A function, with its file and line if the program's file has them.
struct Raw {
    name: String,
    at: Option<(String, u32)>,
}

impl Symbols {
    /// The places of an address.
    pub(super) fn places(&mut self, address: u64, unwinder: &Unwinder) -> Rc<[Place]> {
        let Some(module) = unwinder.module(address) else { return Rc::default() };
        self.learn_sources(unwinder);
        let key = (module.mapped.path.clone(), address.wrapping_sub(module.bias));
        if let Some(known) = self.known.get(&key) {
            return Rc::clone(known);
        }
        let raw = self.file(module).map(|file| frames(file, key.1)).unwrap_or_default();
        // With line tables alone, what was merged into other functions has no path.
        if !self.knows_ours && raw.iter().any(|raw| !raw.name.contains("::")) {
            self.knows_ours = true;
            self.sources.ours = self.root(frames as *const () as usize, "src/trace/stack/symbols.rs", unwinder);
        }
        let places: Rc<[Place]> = raw.into_iter().map(|raw| self.place(raw)).collect();
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, Rc::clone(&places));
        places
    }

    fn place(&self, Raw { name, at }: Raw) -> Place {
        let whose = self.sources.whose(&name, at.as_ref().map(|(file, _)| file.as_str()));
        let function = names::function(&name).to_owned();
        let text = match at {
            Some((file, line)) => format!("{}:{line}:{function}", self.sources.file(&file)),
            None => format!("{NO_LINE}:{function}"),
        };
        Place { text, function, whose }
    }

    fn file(&mut self, module: &Module) -> Option<&Loader> {
        let path = &module.mapped.path;
        let open = || match is_this_program(path) {
            // A program that was replaced or removed meanwhile is still there by its other name; beside its own, there may be a file
            // with its debug information.
            true if is_same_file(path, THIS_PROGRAM) => Loader::new(path).ok(),
            true => Loader::new(THIS_PROGRAM).ok(),
            false => {
                let is_system = SYSTEM.iter().any(|folder| path.starts_with(folder));
                let is_there = path.starts_with('/') && !path.ends_with(" (deleted)");
                (is_there && !is_system).then(|| Loader::new(path).ok())?
            }
        };
        if !self.files.contains_key(path) {
            self.files.insert(path.clone(), open());
        }
        self.files.get(path)?.as_ref()
    }

    /// Where the sources of crates with annotated functions lay when they were compiled, under whatever name the compiler was
    /// told: the file of one of their functions, without the part of it that is known.
    fn learn_sources(&mut self, unwinder: &Unwinder) {
        let funs = site::known(self.looked_at);
        self.looked_at += funs.len();
        for fun in funs {
            let name = fun.crate_name();
            if self.looked_up.contains(&name) {
                continue;
            }
            self.looked_up.push(name);
            let root = self.root(fun.address(), fun.file(), unwinder);
            if root.as_deref().is_some_and(names::is_downloaded) {
                continue;
            }
            self.sources.crates.push(name);
            self.sources.roots.extend(root);
            // What was known may be the application's after all.
            self.known.clear();
        }
    }

    /// The folder that the code at an address was compiled in, whose file there is known.
    fn root(&mut self, address: usize, file: &str, unwinder: &Unwinder) -> Option<String> {
        let address = address as u64;
        let module = unwinder.module(address)?;
        let address = address.wrapping_sub(module.bias);
        let location = self.file(module)?.find_location(address).ok()??;
        Some(location.file?.strip_suffix(file)?.strip_suffix('/')?.to_owned())
    }
}

/// Where a system has its libraries.
const SYSTEM: [&str; 6] = ["/lib/", "/lib32/", "/lib64/", "/usr/lib/", "/usr/lib32/", "/usr/lib64/"];
const THIS_PROGRAM: &str = "/proc/self/exe";

fn is_this_program(path: &str) -> bool {
    std::fs::read_link(THIS_PROGRAM).is_ok_and(|exe| exe.as_os_str() == path)
}

fn is_same_file(one: &str, other: &str) -> bool {
    let number = |path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    number(one).is_some_and(|one| number(other) == Some(one))
}

/// The functions at an address of a file, innermost first.
fn frames(file: &Loader, address: u64) -> Vec<Raw> {
    let symbol = file.find_symbol(address).map(|name| addr2line::demangle_auto(name.into(), None).into_owned());
    let mut found = Vec::new();
    if let Ok(mut frames) = file.find_frames(address) {
        while let Ok(Some(frame)) = frames.next() {
            let name = frame.function.and_then(|name| name.demangle().ok().map(|name| name.into_owned()));
            let at = frame.location.and_then(|at| Some((at.file?.to_owned(), at.line?)));
            found.push((name, at));
        }
    }
    // The symbol is that of the outermost, and has its full path with line tables alone too.
    match found.last_mut() {
        Some((name, _)) if symbol.is_some() => *name = symbol,
        None => found.extend(symbol.map(|name| (Some(name), None))),
        Some(_) => {}
    }
    let named = |(name, at): (Option<String>, _)| Raw { name: name.unwrap_or_else(|| "?".to_owned()), at };
    found.into_iter().map(named).collect()
}
