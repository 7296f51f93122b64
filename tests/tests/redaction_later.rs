//! Names that become secrets while messages wait. The set-up is the process's: one test.

use canonlog::message::Relay;
use canonlog::{Config, Emitter, Level, Logger, Lookback, Memory};

static LOG: Logger = Logger::new("shop");

#[test]
fn what_was_kept_before_its_name_became_a_secret_is_hidden_when_it_comes_out() {
    let memory = Memory::new();
    let emitter = Emitter::new("all").level(Level::Debug).output(memory.clone());
    let guard = canonlog::setup().emitter(emitter).lookback(Lookback::new()).init().expect("the only set-up");
    let comes_out = |hidden: &str| {
        let config = Config::parse(&format!("[redact]\nkeys = [{hidden}]\n")).expect("it is right");
        guard.reconfigure(config).expect("it is right");
        LOG.error("broken");
        assert!(guard.flush());
        memory.take()
    };

    LOG.field("Old Card", "4111").info("its name is cleaned");
    let lines = comes_out("'old_card'");
    assert!(lines.len() == 2 && lines[0].contains("app_old_card=\"[redacted]\""), "{lines:?}");

    LOG.field("late_card", "4111").info("noted");
    Relay::new(Level::Info, "theirs").pass(format_args!("kept"), |into| into.field("late_card", "4111"));
    let lines = comes_out("'old_card', 'late_card'");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[..2].iter().all(|line| line.contains("app_late_card=\"[redacted]\"")), "{lines:?}");
}
