//! What `#[on_error]` writes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Block, Expr, Token, Type};

use super::in_place::{InPlace, leave};
use super::model::OnError;
use crate::func::{Body, Shape, may_fail};
use crate::rewrite::{self, Rules, Taps, frames, plain_question};
use crate::site;

pub(super) fn expand(model: &OnError) -> TokenStream {
    let OnError { runtime, errors, item, .. } = model;
    let Body::Parsed(body) = &item.body else { return item.to_token_stream() };
    let place = site::statics(runtime, &item.sig.ident);
    let shape = item.shape();
    let result = shape.output().unwrap_or_else(|| item.result());
    let import = if *errors { Taps::import(runtime, &result) } else { None };
    let body = match shape {
        Shape::Sync => in_place(model, body, &item.result(), false),
        Shape::Async => in_place(model, body, &item.result(), true),
        Shape::Future { output } => futures(model, body, &output, None),
        Shape::Boxed { declared, output } => futures(model, body, &output, Some(&declared)),
    };
    item.with_body(&quote!(#import #place #body))
}

fn in_place(model: &OnError, body: &Block, result: &Type, is_async: bool) -> TokenStream {
    let OnError { runtime, fallback, panics, errors, .. } = model;
    let frames = frames::unless_of_another(model.frames, &model.item);
    let guard = frames::guard(runtime, frames);
    let body = InPlace { runtime, fallback, panics: *panics, errors: *errors, frames, result, is_async }.expand(body);
    quote!(#guard #body)
}

/// A function that returns a future: an async block that stands there is rewritten in place, any other future is wrapped.
fn futures(model: &OnError, body: &Block, output: &Type, boxed: Option<&Type>) -> TokenStream {
    let OnError { runtime, fallback, item, .. } = model;
    let mut body = body.clone();
    let mut rules = Futures { model, output, boxed, wrapped: false };
    rewrite::body(&mut body, &mut rules);
    let stmts = &body.stmts;
    if !rules.wrapped {
        return quote!({ #(#stmts)* });
    }
    // Made once, as every future that an `impl Future` gives is of one type.
    let (recovery, value) = (recovery_ident(), Ident::new("value", Span::mixed_site()));
    let leave = leave(runtime, output, site::line(item.sig.ident.span()));
    quote! {
        let #recovery = #runtime::recovery::<#output, _, _>(|#value| #leave, move || #fallback);
        { #(#stmts)* }
    }
}

fn recovery_ident() -> Ident {
    Ident::new("recovery", Span::mixed_site())
}

struct Futures<'m> {
    model: &'m OnError,
    output: &'m Type,
    boxed: Option<&'m Type>,
    /// Whether a future is wrapped that could not be rewritten.
    wrapped: bool,
}

impl Rules for Futures<'_> {
    fn question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        plain_question(operand, token)
    }

    fn exit(&mut self, mut value: Expr, _: Span) -> Expr {
        let runtime = &self.model.runtime;
        if let Some(future) = rewrite::future_of(&mut value) {
            let body = in_place(self.model, &future.block, self.output, true);
            future.block = syn::parse_quote!({ #body });
            return value;
        }
        if !may_fail(self.output) {
            return value;
        }
        self.wrapped = true;
        let recovery = recovery_ident();
        match self.boxed {
            Some(declared) => syn::parse_quote!(#runtime::boxed(#recovery.wrap::<#declared>(#value))),
            None => syn::parse_quote!(#recovery.wrap::<_>(#value)),
        }
    }
}
