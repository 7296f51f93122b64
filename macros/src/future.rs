//! Functions that return a future: what they return is wrapped, and boxed again where it was boxed.
//!
//! The record, or the operation, begins at the first poll; what the function does before it returns the future runs outside.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Block, Expr, Token, Type};

use crate::args::{Pair, span_of};
use crate::func::Shape;
use crate::rewrite::{self, Rules, plain_question};

/// The wrapping of every future that a function returns.
pub(crate) struct Wrap<'m> {
    pub(crate) runtime: &'m TokenStream,
    /// The type of the future in whose place the wrapped one is given; `_` where only the compiler knows.
    declared: TokenStream,
    boxed: bool,
    /// Rewrites the body of an async block that is returned as it is.
    pub(crate) inside: &'m dyn Fn(&mut Block),
}

impl<'m> Wrap<'m> {
    /// The wrapping for a shape; `None` for functions that return no future.
    pub(crate) fn of(
        shape: &'m Shape,
        runtime: &'m TokenStream,
        inside: &'m dyn Fn(&mut Block),
    ) -> Option<(Self, &'m Type)> {
        match shape {
            Shape::Future { output } => Some((Wrap { runtime, declared: quote!(_), boxed: false, inside }, output)),
            Shape::Boxed { declared, output } => {
                Some((Wrap { runtime, declared: quote!(#declared), boxed: true, inside }, output))
            }
            Shape::Sync | Shape::Async => None,
        }
    }

    /// The body with its futures wrapped, after `start` (an expression that makes a `Start`).
    pub(crate) fn apply(mut self, body: &Block, start: &TokenStream) -> TokenStream {
        let mut body = body.clone();
        rewrite::body(&mut body, &mut self);
        let (name, stmts) = (start_ident(), &body.stmts);
        quote!(let #name = #start; { #(#stmts)* })
    }
}

fn start_ident() -> Ident {
    Ident::new("start", Span::mixed_site())
}

impl Rules for Wrap<'_> {
    fn question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        plain_question(operand, token)
    }

    fn exit(&mut self, mut value: Expr, _: Span) -> Expr {
        if let Some(block) = rewrite::future_of(&mut value) {
            (self.inside)(&mut block.block);
        }
        let Wrap { runtime, declared, boxed, .. } = self;
        let start = start_ident();
        if *boxed {
            syn::parse_quote!(#runtime::boxed(#start.wrap::<#declared>(#value)))
        } else {
            syn::parse_quote!(#start.wrap::<#declared>(#value))
        }
    }
}

/// Statements that record fields at once.
pub(crate) fn record_fields(runtime: &TokenStream, fields: &[Pair]) -> TokenStream {
    let records = fields.iter().map(|Pair { key, value }| {
        let value = to_value(runtime, value);
        quote!(#runtime::record(#key, #value);)
    });
    quote!(#(#records)*)
}

/// An array of fields that are evaluated now and recorded later.
pub(crate) fn keep_fields(runtime: &TokenStream, fields: &[Pair]) -> TokenStream {
    let kept = fields.iter().map(|Pair { key, value }| {
        let value = to_value(runtime, value);
        quote!((#key, #runtime::keep(#value)))
    });
    quote!([#(#kept),*])
}

/// The value's own span: a type that cannot be recorded is reported on what the user wrote.
fn to_value(runtime: &TokenStream, value: &Expr) -> TokenStream {
    quote_spanned!(span_of(value)=> #runtime::ToValue::to_value(&#value))
}
