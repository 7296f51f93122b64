//! A body that gives the fallback instead of failing, without a closure around it.
//!
//! ```text
//! 'fallback: {
//!     let error = 'fail_0: {                    one for each `?`, as each has its own type of error
//!         let value = { body }; return value;   operand?  ──▶  match operand { Ok(value) => value, Err(error) => break 'fail_0 error }
//!     };
//!     event of `error`; break 'fallback;        after the body, so that every type in it is known
//! }
//! EXPR
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Block, Expr, Lifetime, Token, Type};

use super::hidden;
use crate::args::Frames;
use crate::func::{is_option, is_unit, may_fail};
use crate::rewrite::frames::Guard;
use crate::rewrite::{self, Rules, Taps, frames};
use crate::site;

/// How to rewrite a body.
pub(super) struct InPlace<'m> {
    pub(super) runtime: &'m TokenStream,
    pub(super) fallback: &'m Expr,
    pub(super) panics: bool,
    pub(super) errors: bool,
    pub(super) frames: Frames,
    pub(super) result: &'m Type,
    pub(super) is_async: bool,
}

impl InPlace<'_> {
    pub(super) fn expand(&self, body: &Block) -> TokenStream {
        let InPlace { runtime, fallback, result, .. } = self;
        let taps = self.errors.then(|| Taps::new(runtime, result));
        let mut exits = Exits { how: self, taps, failures: Vec::new(), breaks: false };
        let mut body = body.clone();
        if self.probes() {
            hidden::exits(&mut body, runtime, result);
        }
        // Before there is a `match` for each `?`.
        if let Some(taps) = &mut exits.taps {
            taps.leaves(&mut body);
        }
        rewrite::inside(&mut body, &mut exits);
        let Exits { failures, breaks, .. } = exits;
        let (diverges, end) = (rewrite::diverges(&body), rewrite::end_line(&body));
        let breaks = breaks || !failures.is_empty() || (self.probes() && !diverges);
        // Where panics are caught, the body stands in a future of its own.
        let guard = if self.panics { Guard::Elsewhere } else { Guard::Own };
        frames::apply(runtime, self.frames, self.is_async, guard, &mut body);
        if !breaks && !self.panics {
            // Nothing that is seen here can fail; the fallback is still checked.
            let stmts = &body.stmts;
            return quote! {
                #[allow(unreachable_code, clippy::diverging_sub_expression, clippy::unused_unit)]
                if false { return #fallback; }
                { #(#stmts)* }
            };
        }
        let inner = failures.iter().enumerate().fold(self.success(&body, diverges, end), |inner, (number, line)| {
            let (label, fallback) = (fail_label(number), fallback_label());
            let (error, fun) = (Ident::new("error", Span::mixed_site()), site::fun());
            let number = site::line(*line);
            quote! {
                let #error = #label: { #inner };
                {
                    use #runtime::{ErrorProbe as _, ShownErrorProbe as _};
                    #runtime::partial_failure((&&#runtime::Probe(&#error)).__canonlog_error(), &#fun, #number);
                }
                break #fallback;
            }
        });
        let label = fallback_label();
        if !self.panics {
            return quote!(#label: { #inner } #fallback);
        }
        let (value, fun) = (Ident::new("value", Span::mixed_site()), site::fun());
        let inner = if breaks { quote!(#label: { #inner } ::core::option::Option::None) } else { inner };
        let outcome = if self.is_async {
            quote!(#runtime::catch_async(&#fun, async move {
                if false { return #runtime::never::<::core::option::Option<#result>>(); }
                #inner
            }).await)
        } else {
            quote!(#runtime::catch(&#fun, move || -> ::core::option::Option<#result> { #inner }))
        };
        quote! {
            if let ::core::option::Option::Some(#value) = #outcome { return #value; }
            #fallback
        }
    }

    /// Whether a value that leaves by the tail or `return` can be a failure.
    fn probes(&self) -> bool {
        may_fail(self.result)
    }

    /// The body, and what leaves with its value.
    fn success(&self, body: &Block, diverges: bool, end: Span) -> TokenStream {
        let InPlace { runtime, result, panics, .. } = self;
        let stmts = &body.stmts;
        let value = Ident::new("value", Span::mixed_site());
        if diverges {
            // A `return` around it would be unreachable.
            quote!({ #(#stmts)* })
        } else if self.probes() {
            let (leave, label) = (leave(runtime, result, site::line(end)), fallback_label());
            let given = if *panics { quote!(::core::option::Option::Some(#value)) } else { quote!(#value) };
            quote! {
                let #value: #result = { #(#stmts)* };
                if let ::core::option::Option::Some(#value) = #leave { return #given; }
                break #label;
            }
        } else if is_unit(result) {
            let unit = panics.then(|| quote!(::core::option::Option::Some(())));
            quote!({ #(#stmts)* } return #unit;)
        } else {
            let given = if *panics { quote!(::core::option::Option::Some(#value)) } else { quote!(#value) };
            quote!(let #value: #result = { #(#stmts)* }; return #given;)
        }
    }
}

/// An expression that reports `value` if it is a failure and is else `Some(value)`.
pub(super) fn leave(runtime: &TokenStream, result: &Type, line: u32) -> TokenStream {
    let (value, fun) = (Ident::new("value", Span::mixed_site()), site::fun());
    quote!({
        use #runtime::{ResultExit as _, ShownResultExit as _, ValueExit as _};
        (&&&#runtime::Exit::<#result>::NEW).__canonlog_leave(#value, &#fun, #line)
    })
}

fn fallback_label() -> Lifetime {
    Lifetime::new("'fallback", Span::mixed_site())
}

fn fail_label(number: usize) -> Lifetime {
    Lifetime::new(&format!("'fail_{number}"), Span::mixed_site())
}

struct Exits<'m> {
    how: &'m InPlace<'m>,
    taps: Option<Taps<'m>>,
    /// The token of each `?`.
    failures: Vec<Span>,
    /// Whether something else leads to the fallback.
    breaks: bool,
}

impl Rules for Exits<'_> {
    fn question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        let InPlace { runtime, result, panics, .. } = self.how;
        let span = Span::mixed_site().located_at(token.span);
        let join = match &self.taps {
            Some(taps) => taps.join(&operand, span),
            None => quote_spanned!(span=> ()),
        };
        let (fun, line) = (site::fun(), site::line(token.span));
        let mut label = fail_label(self.failures.len());
        label.set_span(span);
        self.failures.push(token.span);
        let (value, error) = (Ident::new("value", span), Ident::new("error", span));
        if is_option(result) {
            let none = if *panics {
                quote_spanned!(span=> ::core::option::Option::Some(::core::option::Option::None))
            } else {
                quote_spanned!(span=> ::core::option::Option::None)
            };
            syn::parse_quote_spanned!(span=> match #runtime::FallibleOrNone::branch(#join, #operand, &#fun, #line) {
                #runtime::Branch::Value(#value) => #value,
                #runtime::Branch::Nothing => return #none,
                #runtime::Branch::Failed(#error) => break #label #error,
            })
        } else {
            syn::parse_quote_spanned!(span=> match #runtime::Fallible::branch(#join, #operand, &#fun, #line) {
                ::core::result::Result::Ok(#value) => #value,
                ::core::result::Result::Err(#error) => break #label #error,
            })
        }
    }

    fn inner_question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        match &mut self.taps {
            Some(taps) => taps.inner_question(operand, token),
            None => rewrite::plain_question(operand, token),
        }
    }

    fn exit(&mut self, mut value: Expr, line: Span) -> Expr {
        let InPlace { runtime, result, panics, .. } = self.how;
        if !self.how.probes() {
            return if *panics { syn::parse_quote!(::core::option::Option::Some(#value)) } else { value };
        }
        if let Some(taps) = &mut self.taps {
            value = taps.exit(value, line);
        }
        let leave = leave(runtime, result, site::line(line));
        let given = Ident::new("value", Span::mixed_site());
        if *panics {
            return syn::parse_quote!({ let #given: #result = #value; #leave });
        }
        self.breaks = true;
        let label = fallback_label();
        syn::parse_quote!({
            let #given: #result = #value;
            match #leave {
                ::core::option::Option::Some(#given) => #given,
                ::core::option::Option::None => break #label,
            }
        })
    }

    fn unit(&mut self) -> Option<Expr> {
        self.how.panics.then(|| syn::parse_quote!(::core::option::Option::Some(())))
    }
}
