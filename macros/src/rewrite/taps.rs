//! Notes through which lines of a body errors pass.
//!
//! ```text
//! operand?      ──▶ Tap::tap::<Ret, _>(mark(), operand, FUN, line)?
//! return value  ──▶ return (&&Leaving::<Ret>::NEW).__canonlog_exit(mark(), value, FUN, line)
//! bail!(..)     ──▶ { let _about = about(|| left_at::<Ret>(FUN, line)); bail!(..) }
//! ensure!(..)   ──▶ { let about = about(|| left_at::<Ret>(FUN, line)); ensure!(..); past(about); }
//! ```
//!
//! Nothing asks for the operand's type before the compiler knows it, and no value of the user's is borrowed over an await.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprCall, GenericArgument, Local, PathArguments, Stmt, Token, Type, token};

use super::places;
use super::{Rules, plain_question};
use crate::args::{located, span_of};
use crate::func::{is_option, may_fail};
use crate::site;

/// What to write for a function that gives `result`.
pub(crate) struct Taps<'m> {
    runtime: &'m TokenStream,
    result: &'m Type,
    /// The result as a type that can be named.
    named: TokenStream,
}

impl<'m> Taps<'m> {
    pub(crate) fn new(runtime: &'m TokenStream, result: &'m Type) -> Self {
        Taps { runtime, result, named: named(result) }
    }

    /// Rewrites a body in place.
    pub(crate) fn apply(runtime: &'m TokenStream, result: &'m Type, body: &mut Block) {
        let mut taps = Taps::new(runtime, result);
        if may_fail(result) {
            super::body(body, &mut taps);
        } else {
            super::inside(body, &mut taps);
        }
    }

    /// Rewrites what a body ends in.
    pub(crate) fn leaves(&mut self, body: &mut Block) {
        if may_fail(self.result) {
            super::leaves(body, self);
        }
    }

    /// The import that makes exits callable.
    pub(crate) fn import(runtime: &TokenStream, result: &Type) -> Option<TokenStream> {
        may_fail(result).then(|| {
            // A body that loops for ever, or only panics, has no exit.
            quote! {
                #[allow(unused_imports)]
                use #runtime::{FallibleLeaving as _, ValueLeaving as _};
            }
        })
    }

    /// By what an error is told from one that came before.
    pub(crate) fn join(&self, operand: &Expr, span: Span) -> TokenStream {
        let runtime = located(self.runtime, span);
        let places = places::of(operand);
        if places.is_empty() {
            return quote_spanned!(span=> #runtime::mark());
        }
        let places = places.iter().map(|place| {
            // The place's own: a value that is gone is reported where it stands.
            let own = span_of(place);
            let address = match place {
                // An address, as a field may not be aligned; a variable may be a function, which has none.
                Expr::Field(field) => quote_spanned!(own=> &raw const #field),
                place => quote_spanned!(own=> &#place),
            };
            quote_spanned!(span=> #runtime::place(#address))
        });
        quote_spanned!(span=> (#runtime::mark(), [#(#places),*]))
    }

    fn tap(&self, operand: Expr, token: Token![?], left: &TokenStream) -> Expr {
        if is_ours(&operand) {
            return plain_question(operand, token);
        }
        let (fun, line, span) = (site::fun(), site::line(token.span), Span::mixed_site().located_at(token.span));
        let (runtime, join) = (located(self.runtime, span), self.join(&operand, span));
        let tap = quote_spanned!(span=> #runtime::Tap::tap::<#left, _>);
        let tap = called(tap, join, operand, quote_spanned!(span=> &#fun), quote_spanned!(span=> #line));
        plain_question(tap, token)
    }
}

impl Rules for Taps<'_> {
    fn question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        // There, `?` takes nothing but an `Option`.
        if is_option(self.result) {
            return plain_question(operand, token);
        }
        self.tap(operand, token, &self.named)
    }

    fn inner_question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        self.tap(operand, token, &quote!(()))
    }

    fn exit(&mut self, mut value: Expr, line: Span) -> Expr {
        // An argument can have no attributes; on a variable they say nothing.
        if let Expr::Path(path) = &mut value {
            path.attrs.clear();
        }
        let has_attribute = || ends(&value).is_some_and(|(is_hash, _, _)| is_hash);
        if !may_fail(self.result) || is_success(&value) || is_ours(&value) || has_attribute() {
            return value;
        }
        let (fun, number, span) = (site::fun(), site::line(line), Span::mixed_site().located_at(line));
        let join = self.join(&value, span);
        let (runtime, result) = (located(self.runtime, span), self.result);
        let exit = quote_spanned!(span=> (&&#runtime::Leaving::<#result>::NEW).__canonlog_exit);
        called(exit, join, value, quote_spanned!(span=> &#fun), quote_spanned!(span=> #number))
    }

    fn failing_macro(&mut self, mac: Expr, line: Span, diverges: bool) -> Expr {
        let (fun, number, span) = (site::fun(), site::line(line), Span::mixed_site().located_at(line));
        let (runtime, named) = (located(self.runtime, span), &self.named);
        let about = quote_spanned!(span=> #runtime::about(|| #runtime::left_at::<#named>(&#fun, #number)));
        let name = Ident::new(if diverges { "_about" } else { "about" }, span);
        if diverges {
            return syn::parse_quote!({ let #name = #about; #mac });
        }
        syn::parse_quote!({ let #name = #about; #mac; #runtime::past(#name); })
    }
}

/// A call that stands where `value` stands, for what the compiler says of it: from its first token to its last.
///
/// Made of parts, as parsing it again is what takes most of an expansion's time.
fn called(function: TokenStream, join: TokenStream, value: Expr, fun: TokenStream, line: TokenStream) -> Expr {
    let (_, first, last) = ends(&value).unwrap_or((false, Span::call_site(), Span::call_site()));
    let mut function = function.into_iter();
    let opening = function.next().map(|mut token| {
        token.set_span(first);
        token
    });
    let function = opening.into_iter().chain(function).collect();
    let args = [Expr::Verbatim(join), value, Expr::Verbatim(fun), Expr::Verbatim(line)];
    Expr::Call(ExprCall {
        attrs: Vec::new(),
        func: Box::new(Expr::Verbatim(function)),
        paren_token: token::Paren(last),
        args: args.into_iter().collect(),
    })
}

/// Whether the first token of an expression begins an attribute; where it stands, and where the last one does.
fn ends(value: &Expr) -> Option<(bool, Span, Span)> {
    let mut tokens = value.to_token_stream().into_iter();
    let first = tokens.next()?;
    let is_hash = matches!(&first, TokenTree::Punct(punct) if punct.as_char() == '#');
    let (open, close) = match &first {
        TokenTree::Group(group) => (group.span_open(), group.span_close()),
        token => (token.span(), token.span()),
    };
    let last = match tokens.last() {
        Some(TokenTree::Group(group)) => group.span_close(),
        Some(token) => token.span(),
        None => close,
    };
    Some((is_hash, open, last))
}

/// Whether a value is a success by the look of it.
fn is_success(value: &Expr) -> bool {
    let is = |path: &syn::Path, names: &[&str]| {
        path.segments.len() == 1 && path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
    };
    match value {
        Expr::Call(call) => matches!(&*call.func, Expr::Path(path) if is(&path.path, &["Ok", "Some"])),
        Expr::Path(path) => is(&path.path, &["None"]),
        // `operand?` as a tail has its own mark.
        Expr::Lit(_) | Expr::Try(_) => true,
        Expr::Paren(paren) => is_success(&paren.expr),
        Expr::Group(group) => is_success(&group.expr),
        _ => false,
    }
}

/// Whether another of canonlog's attributes on the same function has written this.
pub(super) fn is_ours(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.segments.iter().any(|part| part.ident == "__private"),
            // Written just now.
            Expr::Verbatim(_) => true,
            _ => false,
        },
        Expr::MethodCall(call) => call.method == "__canonlog_exit" || call.method == "__canonlog_together",
        _ => false,
    }
}

/// Whether another of canonlog's attributes has already dealt with what follows in a block.
pub(super) fn is_about(block: &Block) -> bool {
    let Some(Stmt::Local(Local { init: Some(first), .. })) = block.stmts.first() else { return false };
    let calls_about = |call: &ExprCall| match &*call.func {
        Expr::Path(function) => function.path.segments.last().is_some_and(|last| last.ident == "about"),
        _ => false,
    };
    is_ours(&first.expr) && matches!(&*first.expr, Expr::Call(call) if calls_about(call))
}

/// A type without `_`, of which the part that matters is the same: that of the error.
fn named(result: &Type) -> TokenStream {
    if !has_holes(result) {
        return quote!(#result);
    }
    if let Type::Path(path) = crate::func::bare(result)
        && let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result")
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(error)) = arguments.args.get(1)
        && !has_holes(error)
    {
        return quote!(::core::result::Result<(), #error>);
    }
    quote!(())
}

fn has_holes(ty: &Type) -> bool {
    struct Find(bool);
    impl VisitMut for Find {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            self.0 |= matches!(ty, Type::Infer(_) | Type::Macro(_) | Type::Never(_));
            visit_mut::visit_type_mut(self, ty);
        }
    }
    let mut find = Find(false);
    find.visit_type_mut(&mut ty.clone());
    find.0
}
