//! Macros whose arguments are expressions that run where they stand.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprBlock, Macro, Pat, Token, token};

/// Each evaluates its arguments in the function itself, at most once, in no closure.
const EXPRESSIONS: [&str; 29] = [
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
    "pin",
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

/// None of these waits for anything, unless one of its arguments does.
const NEVER_WAIT: [&str; 26] = [
    "cfg",
    "column",
    "concat",
    "debug",
    "debug_span",
    "env",
    "error",
    "error_span",
    "event",
    "file",
    "include_bytes",
    "include_str",
    "info",
    "info_span",
    "json",
    "line",
    "log",
    "module_path",
    "option_env",
    "span",
    "stringify",
    "thread_local",
    "trace",
    "trace_span",
    "warn",
    "warn_span",
];

/// What stands in these runs elsewhere, as in an async block.
const ELSEWHERE: [&str; 2] = ["stream", "try_stream"];

/// Each leaves the function with an error that it makes; and whether it always does.
const FAILING: [(&str, bool); 5] =
    [("bail", true), ("ensure", false), ("ensure_eq", false), ("ensure_ne", false), ("ensure_whatever", false)];

/// For a macro that may leave the function with an error that it makes: whether it always does.
pub(super) fn fails(mac: &Macro) -> Option<bool> {
    let last = mac.path.segments.last()?;
    FAILING.iter().find(|(name, _)| last.ident == name).map(|(_, always)| *always)
}

/// Whether the function itself may wait for something in it, unseen by whoever visits its expressions.
pub(super) fn may_wait(mac: &Macro) -> bool {
    let Some(last) = mac.path.segments.last() else { return true };
    let is = |names: &[&str]| names.iter().any(|name| last.ident == name);
    if is(&ELSEWHERE) {
        return false;
    }
    let mut mac = mac.clone();
    // Those that wait in what is visited are found there.
    if visit_together(&mut mac, &mut |_, _| {}) == Some(Together::Whole) {
        return false;
    }
    let is_visited = is(&EXPRESSIONS) && visit(&mut mac, |_| {});
    !(is_visited || (is(&EXPRESSIONS) || is(&NEVER_WAIT)) && !has_await(mac.tokens.clone()))
}

/// Whether it is one that waits for several futures, whatever of it is visited.
pub(super) fn is_together(mac: &Macro) -> bool {
    visit_together(&mut mac.clone(), &mut |_, _| {}).is_some()
}

fn has_await(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "await",
        TokenTree::Group(group) => has_await(group.stream()),
        _ => false,
    })
}

/// Hands each expression in a known macro's arguments to `visit`; an unknown macro stays as it is, and so does one whose
/// arguments are none (false).
pub(super) fn visit(mac: &mut Macro, mut visit: impl FnMut(&mut Expr)) -> bool {
    let known = mac.path.segments.last().is_some_and(|last| EXPRESSIONS.iter().any(|name| last.ident == name));
    if !known {
        return false;
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
    } else if let Ok(mut repeat) = mac.parse_body_with(|input: ParseStream<'_>| {
        Ok((input.parse::<Expr>()?, input.parse::<Token![;]>()?, input.parse::<Expr>()?))
    }) {
        visit(&mut repeat.0);
        let (value, semicolon, length) = repeat;
        mac.tokens = quote!(#value #semicolon #length);
    } else {
        return false;
    }
    true
}

/// Hands each expression in a macro to `visit` that either of the two below hands on.
pub(super) fn visit_known(mac: &mut Macro, visit_expr: &mut dyn FnMut(&mut Expr)) {
    if visit_together(mac, &mut |expr, _| visit_expr(expr)).is_none() {
        visit(mac, visit_expr);
    }
}

/// What an expression in a macro is that waits for several futures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// One of the futures.
    Future,
    /// What runs when one is ready, or before.
    Code,
}

/// How much of a macro is visited that waits for several futures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Together {
    Whole,
    /// Not the futures.
    Code,
}

/// Hands the parts of `join!`, `try_join!` and `select!` to `visit`; `None` for any other macro, which stays as it is.
///
/// Other crates' `select!` asks more of a future than to be one, and so may one whose crate is not named: of those, only what runs
/// when a future is ready is visited.
pub(super) fn visit_together(mac: &mut Macro, visit: &mut dyn FnMut(&mut Expr, Part)) -> Option<Together> {
    let mut segments = mac.path.segments.iter().rev();
    let (last, crate_name) = (segments.next()?, segments.next());
    let (together, tokens) = if last.ident == "select" && crate_name.is_some_and(|name| name.ident == "tokio") {
        (Together::Whole, mac.parse_body_with(|input: ParseStream<'_>| select(input, visit)))
    } else if last.ident == "select" || last.ident == "select_biased" {
        let code = &mut |expr: &mut Expr, part| {
            if part == Part::Code {
                visit(expr, part);
            }
        };
        (Together::Code, mac.parse_body_with(|input: ParseStream<'_>| select(input, code)))
    } else if last.ident == "join" || last.ident == "try_join" {
        (Together::Whole, mac.parse_body_with(|input: ParseStream<'_>| join(input, visit)))
    } else {
        return None;
    };
    mac.tokens = tokens.ok()?;
    Some(together)
}

mod keyword {
    syn::custom_keyword!(biased);
    syn::custom_keyword!(complete);
    syn::custom_keyword!(default);
}

/// `biased;`, in both.
fn biased(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if !input.peek(keyword::biased) || !input.peek2(Token![;]) {
        return Ok(TokenStream::new());
    }
    let (biased, semicolon) = (input.parse::<keyword::biased>()?, input.parse::<Token![;]>()?);
    Ok(quote!(#biased #semicolon))
}

fn join(input: ParseStream<'_>, visit: &mut dyn FnMut(&mut Expr, Part)) -> syn::Result<TokenStream> {
    let biased = biased(input)?;
    let mut futures = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
    if futures.iter().any(|future| matches!(future, Expr::Lit(_))) {
        return Err(input.error("a macro of the same name that waits for nothing"));
    }
    futures.iter_mut().for_each(|future| visit(future, Part::Future));
    Ok(quote!(#biased #futures))
}

/// `pattern = future, if condition => handler, … else => handler`; `complete` or `default` in the place of `else`.
fn select(input: ParseStream<'_>, visit: &mut dyn FnMut(&mut Expr, Part)) -> syn::Result<TokenStream> {
    let mut parts = vec![biased(input)?];
    // Nothing is rewritten before all of it is understood.
    let mut found = Vec::new();
    while !input.is_empty() {
        let is_word = input.peek(Token![else]) || input.peek(keyword::complete) || input.peek(keyword::default);
        if is_word && input.peek2(Token![=>]) {
            parts.push(input.call(Ident::parse_any)?.into_token_stream());
        } else {
            let (pattern, equals) = (Pat::parse_multi_with_leading_vert(input)?, input.parse::<Token![=]>()?);
            parts.push(quote!(#pattern #equals));
            found.push((parts.len(), input.parse::<Expr>()?, Part::Future));
            parts.push(TokenStream::new());
            if input.peek(Token![,]) {
                let (comma, condition) = (input.parse::<Token![,]>()?, input.parse::<Token![if]>()?);
                let value = input.parse::<Expr>()?;
                parts.push(quote!(#comma #condition #value));
            }
        }
        parts.push(input.parse::<Token![=>]>()?.into_token_stream());
        let handler = if input.peek(token::Brace) {
            Expr::Block(ExprBlock { attrs: Vec::new(), label: None, block: input.parse()? })
        } else {
            input.parse()?
        };
        found.push((parts.len(), handler, Part::Code));
        parts.push(TokenStream::new());
        if input.peek(Token![,]) {
            parts.push(input.parse::<Token![,]>()?.into_token_stream());
        }
    }
    for (at, mut expr, part) in found {
        visit(&mut expr, part);
        parts[at] = expr.into_token_stream();
    }
    Ok(parts.into_iter().collect())
}
