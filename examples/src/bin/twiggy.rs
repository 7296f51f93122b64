//! Three outputs and four emitters, which are changed while the program runs: what twiggy did, in canonlog's words.
//!
//! `cargo run --bin twiggy` shows what went where; with a directory behind `--`, the outputs are files in it.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::{env, fs};

use canonlog::filter::{field, globs, names};
use canonlog::{Emitter, File, Level, LevelFilter, TextLine, emitters, logger};

fn main() -> Result<(), Box<dyn Error>> {
    let (folder, shown) = match env::args_os().nth(1) {
        Some(folder) => (PathBuf::from(folder), false),
        None => (env::temp_dir().join(format!("canonlog-twiggy-{}", std::process::id())), true),
    };
    fs::create_dir_all(&folder)?;
    let open = |name: &str| File::open(folder.join(name));

    let guard = canonlog::setup()
        // Every emitter has a name, a minimum level, filters, a format and an output.
        .emitter(Emitter::new("*").level(Level::Info).format(TextLine::new()).output(open("everything.log")?))
        .emitter(
            Emitter::new("pants")
                .matching(names(["pants", "trousers"]))
                .format(TextLine::shell())
                .output(open("clothes.log")?),
        )
        // To the same file as the one before: a line that both would write is written once.
        .emitter(
            Emitter::new("worn out")
                .matching([globs(["*s"]), field("app_holes").ge(1)])
                .format(TextLine::shell())
                .output(open("clothes.log")?),
        )
        .emitter(
            Emitter::new("bad")
                .matching("event_level >= error or exc_type".parse::<canonlog::Filter>()?)
                .format(TextLine::shell())
                .output(open("bad.log")?),
        )
        .init()?;

    let pants = logger("pants").bind("size", 32);
    logger("shop").info("open");
    pants.debug("folded"); // too low a level for `*`
    pants.field("holes", 2).info("worn"); // to two emitters of one file, once
    logger("socks").field("holes", 1).warning("a toe\nshows");
    logger("hat").field("colour", "red").info(""); // fields without a text
    if let Err(error) = "thirty".parse::<u32>() {
        pants.trace(&error).error("no such size");
    }

    // Changed by name, while the program runs: what was said before stays said.
    emitters().set_level("*", LevelFilter::Disabled)?;
    emitters().change("bad", |bad| bad.unfiltered().level(Level::Notice))?;
    emitters().remove("pants")?;
    pants.notice("ironed");
    logger("shop").critical("on fire");

    guard.shutdown();
    if shown {
        for name in ["everything.log", "clothes.log", "bad.log"] {
            writeln!(io::stdout(), "{name}\n{}", fs::read_to_string(folder.join(name))?)?;
        }
        fs::remove_dir_all(&folder)?;
    }
    Ok(())
}
