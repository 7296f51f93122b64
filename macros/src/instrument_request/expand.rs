//! What `#[instrument_request]` writes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Block, Type};

use super::model::{InstrumentRequest, Timeout};
use crate::func::{Body, Shape, is_never, is_unit, may_fail};
use crate::future::{Wrap, keep_fields, record_fields};
use crate::rewrite::Traced;
use crate::rewrite::frames::Guard;
use crate::site;

pub(super) fn expand(model: &InstrumentRequest) -> TokenStream {
    let InstrumentRequest { runtime, errors, frames, item, .. } = model;
    let Body::Parsed(body) = &item.body else { return item.to_token_stream() };
    let shape = item.shape();
    let statics = statics(model);
    let unit = site::unit();
    let result = shape.output().unwrap_or_else(|| item.result());
    let traced = Traced { runtime, result: &result, errors: *errors, frames: *frames, guard: Guard::Elsewhere };
    let import = traced.import();
    let inside = |block: &mut Block| traced.apply(block, true);
    let body = if let Some((wrap, output)) = Wrap::of(&shape, runtime, &inside) {
        let (init, probe) = (deferred(model), probe(runtime, output));
        wrap.apply(body, &quote!(#runtime::start::<#output, _, _, _>(|| &#unit, #init, #probe)))
    } else {
        let mut body = body.clone();
        traced.apply(&mut body, matches!(shape, Shape::Async));
        direct(model, &body, matches!(shape, Shape::Async))
    };
    item.with_body(&quote!(#import #statics #body))
}

/// A function that gives its result itself.
fn direct(model: &InstrumentRequest, body: &Block, is_async: bool) -> TokenStream {
    let (runtime, unit, setup, declared) = (&model.runtime, site::unit(), setup(model), model.item.result());
    // `!` has no place in a closure's or block's type on stable: one that has no value stands for it.
    let is_never = is_never(&declared);
    let result = if is_never { syn::parse_quote!(#runtime::Never) } else { declared.clone() };
    let (stmts, probe) = (&body.stmts, probe(runtime, &declared));
    let run = if is_async {
        let anchor = anchor(runtime, &result);
        quote!(#runtime::boundary(|| &#unit, async move { #anchor #setup { #(#stmts)* } }, #probe).await)
    } else {
        let output = (!is_unit(&result)).then(|| quote!(-> #result));
        quote!(#runtime::call(&#unit, move || #output { #setup { #(#stmts)* } }, #probe))
    };
    if is_never { quote!(match #run {}) } else { run }
}

/// A dead `return` that tells an async block its type, or coercions in the body would be lost.
fn anchor(runtime: &TokenStream, result: &Type) -> TokenStream {
    if is_unit(result) {
        quote!(if false {
            return;
        })
    } else {
        quote!(if false { return #runtime::never::<#result>(); })
    }
}

fn statics(model: &InstrumentRequest) -> TokenStream {
    let InstrumentRequest { runtime, name, view, job, frames, item, .. } = model;
    let (fun, unit, place) = (site::fun(), site::unit(), site::statics(runtime, &item.sig.ident));
    let view = view
        .as_ref()
        .map_or_else(|| quote!(::core::option::Option::None), |view| quote!(::core::option::Option::Some(#view)));
    let make = if *job { quote!(job) } else { quote!(request) };
    let (count, unseen) = (format!("{name}_count"), frames.unseen());
    quote! {
        #place
        static #unit: #runtime::Unit = #runtime::Unit::#make(&#fun, #view, #name, #count)#unseen;
    }
}

/// Statements at the beginning of the record.
fn setup(model: &InstrumentRequest) -> TokenStream {
    let InstrumentRequest { runtime, fields, request, .. } = model;
    let (fields, timeout) = (record_fields(runtime, fields), timeout(model));
    let request = request.as_ref().map(|request| {
        quote::quote_spanned!(Span::mixed_site().located_at(request.span())=> #runtime::RequestHead::record(&#request);)
    });
    quote!(#request #fields #timeout)
}

fn timeout(model: &InstrumentRequest) -> Option<TokenStream> {
    let runtime = &model.runtime;
    model.timeout.as_ref().map(|timeout| match timeout {
        Timeout::Off => quote!(#runtime::timeout_off();),
        Timeout::Nanos(nanos) => quote!(#runtime::timeout(#nanos);),
    })
}

/// A closure that does at the first poll what `setup` does; the arguments may be gone by then, so values are kept.
fn deferred(model: &InstrumentRequest) -> TokenStream {
    let InstrumentRequest { runtime, fields, request, .. } = model;
    let timeout = timeout(model);
    let (kept, head) = (Ident::new("kept", Span::mixed_site()), Ident::new("head", Span::mixed_site()));
    let keep_head = request.as_ref().map(|request| {
        quote::quote_spanned!(Span::mixed_site().located_at(request.span())=> let #head = #runtime::RequestHead::keep(&#request);)
    });
    let record_head = request.as_ref().map(|_| quote!(#head.record();));
    if fields.is_empty() {
        return quote!({ #keep_head move || { #record_head #timeout } });
    }
    let fields = keep_fields(runtime, fields);
    quote!({
        #keep_head
        let #kept = #fields;
        move || { #record_head #runtime::record_kept(#kept); #timeout }
    })
}

/// The closure that looks at what the function returned, by its declared type.
fn probe(runtime: &TokenStream, result: &Type) -> TokenStream {
    if !may_fail(result) {
        return quote!(#runtime::unprobed);
    }
    let value = Ident::new("value", Span::mixed_site());
    quote!(|#value| {
        use #runtime::{ResultProbe as _, ShownResultProbe as _, ValueProbe as _};
        (&&&#runtime::Probe(#value)).__canonlog_failure()
    })
}
