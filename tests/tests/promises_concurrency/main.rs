//! What canonlog promises under concurrency, on every runtime and for the process.
//!
//! | promise | proven in |
//! |---|---|
//! | R1 reentrancy is dropped and counted, never a recursion or a deadlock | `reentrancy` |
//! | R2 an instrumenter that fails costs its fields only | `instrumenters.rs` |
//! | R3 a context goes where it is carried, and nowhere else | `runtimes`, `one_record`, `serving_contexts.rs` |
//! | R4 late writes are counted | `late`, `one_record`, `context.rs`, `serving_contexts.rs` |
//! | R5 a flush from anywhere, twice, by many at once | `processes`, `reentrancy`, `teardown.rs` |
//! | R6 a runtime that is dropped leaves an event for each request | `teardown.rs`, `serving_contexts.rs` |
//! | R7 destructors of thread-local values, in both orders | `destructors`, `teardown.rs` |
//! | R8 a child made by `fork` ends, with ids and lines of its own | `processes`, `teardown.rs` |
//! | R9 no signal handler | `processes` |
//! | R10 a guard bound to `_`, an exit without a guard | `processes`, `teardown.rs` |
//! | R11 durations are never negative; an event reads the date once | `clock` |
//! | R12 a second set-up is an error; pipelines of tests are apart | `pipelines`, `teardown.rs` |
//! | R13 the queue and the counters under stress | `promises_overload.rs`, `writer_model.rs`, loom tests of the library |
//!
//! This program has a pipeline of its process, set up once by whichever test comes first: [`lines`].

mod clock;
mod destructors;
mod late;
mod one_record;
mod pipelines;
mod processes;
mod reentrancy;
mod runtimes;

use std::sync::OnceLock;
use std::time::Duration;

use canonlog::{Emitter, EventType, Guard, Logfmt, Memory};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(10);

static GUARD: OnceLock<(Guard, Memory)> = OnceLock::new();

/// The process's pipeline, whose filter, format and outputs all use canonlog themselves; and the lines that it wrote.
fn lines() -> (&'static Guard, &'static Memory) {
    let (guard, memory) = GUARD.get_or_init(|| {
        let memory = Memory::new();
        let lines = Emitter::new("lines")
            .filter(|event| {
                reentrancy::at("filter", event);
                true
            })
            .format(reentrancy::Emitting(Logfmt::new()))
            .output(memory.clone());
        let jobs = |name: &str| Emitter::new(name).only([EventType::Job]);
        let direct = jobs("direct").output(reentrancy::EmittingOutput("direct")).direct();
        let background = jobs("background").output(reentrancy::EmittingOutput("background"));
        let guard = canonlog::setup().emitter(lines).emitter(direct).emitter(background).init();
        (guard.expect("the only set-up of this process"), memory)
    });
    (guard, memory)
}
