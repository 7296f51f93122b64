//! Macros whose arguments are expressions that run where they stand.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Expr, Macro, Token};

/// Each evaluates its arguments in the function itself, at most once, in no closure.
const EXPRESSIONS: [&str; 28] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "ensure",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "join",
    "matches",
    "panic",
    "print",
    "println",
    "todo",
    "try_join",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
    "anyhow",
    "eyre",
    "set",
];

/// Each leaves the function with an error that it makes; and whether it always does.
const FAILING: [(&str, bool); 5] =
    [("bail", true), ("ensure", false), ("ensure_eq", false), ("ensure_ne", false), ("ensure_whatever", false)];

/// For a macro that may leave the function with an error that it makes: whether it always does.
pub(super) fn fails(mac: &Macro) -> Option<bool> {
    let last = mac.path.segments.last()?;
    FAILING.iter().find(|(name, _)| last.ident == name).map(|(_, always)| *always)
}

/// Hands each expression in a known macro's arguments to `visit`; an unknown macro stays as it is.
pub(super) fn visit(mac: &mut Macro, mut visit: impl FnMut(&mut Expr)) {
    let known = mac.path.segments.last().is_some_and(|last| EXPRESSIONS.iter().any(|name| last.ident == name));
    if !known {
        return;
    }
    // `name = value` in `format!` parses as an assignment, of which only the value is visited below.
    if let Ok(mut args) = mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
        for arg in &mut args {
            match arg {
                Expr::Assign(named) => visit(&mut named.right),
                arg => visit(arg),
            }
        }
        mac.tokens = args.into_token_stream();
    } else if let Ok(mut repeat) = mac.parse_body_with(|input: syn::parse::ParseStream<'_>| {
        Ok((input.parse::<Expr>()?, input.parse::<Token![;]>()?, input.parse::<Expr>()?))
    }) {
        visit(&mut repeat.0);
        let (value, semicolon, length) = repeat;
        mac.tokens = quote::quote!(#value #semicolon #length);
    }
}
