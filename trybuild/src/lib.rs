//! What rustc says when a macro of canonlog is misused: `tests/ui.rs` compiles every file under `ui/`.
