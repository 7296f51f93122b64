//! The pages of the book, so that their code is compiled and run as doctests.

macro_rules! pages {
    ($($name:ident = $path:literal;)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../book/src/", $path))]
            pub mod $name {}
        )*

        /// The pages whose code is tested, by their path in `book/src`.
        pub const PAGES: &[&str] = &[$($path),*];
    };
}

pages! {
    introduction = "introduction.md";
    start = "guide/start.md";
    context = "guide/context.md";
    timings = "guide/timings.md";
    errors = "guide/errors.md";
    messages = "guide/messages.md";
    instrumenters = "guide/instrumenters.md";
    serving = "guide/serving.md";
    database = "guide/database.md";
    timeouts = "guide/timeouts.md";
    outputs = "guide/outputs.md";
    emitters = "guide/emitters.md";
    reading = "guide/reading.md";
    redaction = "guide/redaction.md";
    configuration = "guide/configuration.md";
    status = "guide/status.md";
    lookback = "guide/lookback.md";
    features = "guide/features.md";
    testing = "guide/testing.md";
    events = "reference/events.md";
    fields = "reference/fields.md";
    macros = "reference/macros.md";
    setup = "reference/setup.md";
    configuration_reference = "reference/configuration.md";
    formats = "reference/formats.md";
    locations = "reference/locations.md";
    limits = "reference/limits.md";
    counters = "reference/counters.md";
    promises = "reference/promises.md";
    proofs = "reference/proofs.md";
    record = "internals/record.md";
    request = "internals/request.md";
    writer = "internals/writer.md";
    stacks = "internals/stacks.md";
    migration = "migration.md";
    starlog = "starlog.md";
    migration_talisker = "migration/talisker.md";
    migration_twiggy = "migration/twiggy.md";
    contributing = "contributing.md";
}

/// Pages that show parts of programs, which are compiled with these: no page here has code of its own.
pub const PARTS_OF_PROGRAMS: &[&str] = &["guide/shop.md"];
