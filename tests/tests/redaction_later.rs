//! Names that become secrets while messages wait. The set-up is the process's: one test.

use canonlog::message::Relay;
use canonlog::{Config, Emitter, Level, Logger, Lookback, Memory};

static LOG: Logger = Logger::new("shop");

#[test]
fn what_was_kept_before_its_name_became_a_secret_is_hidden_when_it_comes_out() {
    let memory = Memory::new();
    let emitter = Emitter::new("all").level(Level::Debug).output(memory.clone());
    let guard = canonlog::setup().emitter(emitter).lookback(Lookback::new()).init().expect("the only set-up");
    LOG.field("late_card", "4111 own").info("kept");
    Relay::new(Level::Info, "theirs").pass(format_args!("kept too"), |into| into.field("late_card", "4111 theirs"));
    let config = Config::parse("[redact]\nkeys = ['late_card']\n").expect("it is right");
    guard.reconfigure(config).expect("it is right");
    LOG.error("broken");
    assert!(guard.flush());
    let lines = memory.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[..2].iter().all(|line| line.contains("app_late_card=\"[redacted]\"")), "{lines:?}");
}
