//! Macros whose arguments are expressions that run where they stand.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprBlock, Macro, Pat, Token, token};

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
    } else if let Ok(mut repeat) = mac.parse_body_with(|input: ParseStream<'_>| {
        Ok((input.parse::<Expr>()?, input.parse::<Token![;]>()?, input.parse::<Expr>()?))
    }) {
        visit(&mut repeat.0);
        let (value, semicolon, length) = repeat;
        mac.tokens = quote!(#value #semicolon #length);
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

/// Hands the parts of `join!`, `try_join!` and `tokio::select!` to `visit`; false for any other macro, which stays as it is.
pub(super) fn visit_together(mac: &mut Macro, visit: &mut dyn FnMut(&mut Expr, Part)) -> bool {
    let mut segments = mac.path.segments.iter().rev();
    let (Some(last), crate_name) = (segments.next(), segments.next()) else { return false };
    // Those of other crates ask more of a future than to be one.
    let is_select = last.ident == "select" && crate_name.is_some_and(|name| name.ident == "tokio");
    let tokens = match () {
        () if is_select => mac.parse_body_with(|input: ParseStream<'_>| select(input, visit)),
        () if last.ident == "join" || last.ident == "try_join" => {
            mac.parse_body_with(|input: ParseStream<'_>| join(input, visit))
        }
        () => return false,
    };
    if let Ok(tokens) = tokens {
        mac.tokens = tokens;
    }
    true
}

mod keyword {
    syn::custom_keyword!(biased);
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

/// `pattern = future, if condition => handler, … else => handler`.
fn select(input: ParseStream<'_>, visit: &mut dyn FnMut(&mut Expr, Part)) -> syn::Result<TokenStream> {
    let mut parts = vec![biased(input)?];
    // Nothing is rewritten before all of it is understood.
    let mut found = Vec::new();
    while !input.is_empty() {
        if input.peek(Token![else]) {
            parts.push(input.parse::<Token![else]>()?.into_token_stream());
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
