//! What the compiler says when a macro is misused: one mistake a file, its words beside it.

/// Messages of the compiler's own change with it: they are compared where it is the one they were written with.
#[test]
fn each_mistake_is_named_with_what_to_write_instead() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
}
