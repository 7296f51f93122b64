//! What `#[emit]` writes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Block, Expr, ReturnType, Token};

use super::model::Emit;
use crate::args::located;
use crate::func::{Body, Shape};
use crate::rewrite::{self, Rules, plain_question};
use crate::site;

pub(super) fn expand(model: &Emit) -> TokenStream {
    let Emit { runtime, level, text, logger, item } = model;
    let Body::Parsed(body) = &item.body else { return item.to_token_stream() };
    let (said, line) = (said(), site::line(item.sig.ident.span()));
    let (here, logger) = match logger {
        Some(logger) => (None, quote!(&#logger)),
        None => {
            let here = quote!(static HERE: #runtime::Logger = #runtime::Logger::new(::core::module_path!()););
            (Some(here), quote!(&HERE))
        }
    };
    let body = if model.gives_future() { futures(model, body) } else { in_place(model, body) };
    item.with_body(&quote! {
        static #said: #runtime::Said = {
            #here
            #runtime::Said {
                level: #runtime::Level::#level,
                text: #text,
                logger: || #logger,
                place: (::core::file!(), #line),
            }
        };
        #body
    })
}

/// The name of the static. Items have no hygiene, so it is one that nobody else writes.
fn said() -> Ident {
    Ident::new("__CANONLOG_SAID", Span::mixed_site())
}

/// The value, once it is said. A type that cannot be is reported where the function says what it returns.
fn say(model: &Emit, value: &impl ToTokens) -> TokenStream {
    let (runtime, said, result) = (&model.runtime, said(), model.result());
    let declared = match &model.item.sig.output {
        ReturnType::Type(_, declared) => declared.span(),
        ReturnType::Default => model.item.sig.ident.span(),
    };
    let span = Span::mixed_site().located_at(declared);
    let (given, at) = (Ident::new("value", span), located(runtime, span));
    let call = quote_spanned!(span=> #at::Emits::emit_as(&#given, &#said););
    quote!({
        let #given: #result = #value;
        #call
        #given
    })
}

/// The block as an expression that says what it gives.
fn in_place(model: &Emit, body: &Block) -> TokenStream {
    let mut body = body.clone();
    rewrite::inside(&mut body, &mut Returns { model });
    let stmts = &body.stmts;
    if rewrite::diverges(&body) { quote!({ #(#stmts)* }) } else { say(model, &quote!({ #(#stmts)* })) }
}

/// Each `return`.
struct Returns<'m> {
    model: &'m Emit,
}

impl Rules for Returns<'_> {
    fn question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        plain_question(operand, token)
    }

    fn exit(&mut self, value: Expr, _: Span) -> Expr {
        Expr::Verbatim(say(self.model, &value))
    }
}

/// A function that returns a future: what an async block gives that stands there is said in it, any other future is wrapped.
fn futures(model: &Emit, body: &Block) -> TokenStream {
    let mut body = body.clone();
    rewrite::body(&mut body, &mut Futures { model });
    let stmts = &body.stmts;
    quote!({ #(#stmts)* })
}

struct Futures<'m> {
    model: &'m Emit,
}

impl Rules for Futures<'_> {
    fn question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        plain_question(operand, token)
    }

    fn exit(&mut self, mut value: Expr, _: Span) -> Expr {
        if let Some(future) = rewrite::future_of(&mut value) {
            let body = in_place(self.model, &future.block);
            future.block = syn::parse_quote!({ #body });
            return value;
        }
        let (runtime, said) = (&self.model.runtime, said());
        match self.model.item.shape() {
            Shape::Boxed { .. } => syn::parse_quote!(#runtime::Box::pin(#runtime::emitted_later(#value, &#said))),
            _ => syn::parse_quote!(#runtime::emitted_later(#value, &#said)),
        }
    }
}
