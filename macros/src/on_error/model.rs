//! What `#[on_error]` was given, read and checked.

use proc_macro2::TokenStream;
use syn::Expr;

use crate::args::{Args, Form, Frames, Known};
use crate::diag::Diagnostics;
use crate::func::{Func, is_never};

const MACRO: &str = "#[on_error]";

const KNOWN: [Known; 6] = [
    Known { name: "return", form: Form::Value, example: "return = Vec::new()" },
    Known { name: "panics", form: Form::Word, example: "panics" },
    Known { name: "errors", form: Form::Value, example: "errors = false" },
    Known { name: "frames", form: Form::Value, example: "frames = false" },
    Known { name: "lines", form: Form::Value, example: "lines = false" },
    Known { name: "crate", form: Form::Path, example: "crate = path::to::canonlog" },
];

/// A valid use of `#[on_error]`. Holding one means that expansion cannot fail.
pub(super) struct OnError {
    pub(super) runtime: TokenStream,
    /// What the function returns when it fails.
    pub(super) fallback: Expr,
    /// Whether a panic is a failure too.
    pub(super) panics: bool,
    /// Whether errors are followed through the body.
    pub(super) errors: bool,
    /// What the runtime is told of where the body is.
    pub(super) frames: Frames,
    pub(super) item: Func,
}

impl OnError {
    pub(super) fn lower(args: TokenStream, item: TokenStream, diag: &mut Diagnostics) -> Option<Self> {
        let item = Func::read(item, MACRO, diag);
        let mut args = Args::read(args, MACRO, &KNOWN, diag);
        let fallback = args.expr("return");
        let panics = args.word("panics");
        let (errors, frames) = (args.errors(diag), args.frames(diag));
        let runtime = args.runtime();
        let item = item?;
        // Where the arguments could not be read, `return` may be among them.
        if fallback.is_none() && !diag.has_mistakes() {
            let help = "write `#[on_error(return = ..)]`, with the value that the caller gets instead";
            diag.mistake(&item.sig.ident, "`#[on_error]` needs a fallback", help);
        }
        if let Some(panics) = &panics
            && is_never(&item.result())
        {
            let help = "remove `panics`, or give the function a type that the fallback can have";
            diag.mistake(panics, "`panics` has no effect on a function that never returns", help);
        }
        Some(OnError { runtime, fallback: fallback?, panics: panics.is_some(), errors, frames, item })
    }

    /// The function as if its arguments had been right: its `?` are no mistakes, whatever the fallback.
    pub(super) fn without_arguments(item: TokenStream) -> Option<Self> {
        let item = Func::read(item, MACRO, &mut Diagnostics::default())?;
        let fallback = syn::parse_quote!(loop {});
        let (runtime, frames) = (quote::quote!(::canonlog::__private), Frames { frames: false, lines: false });
        Some(OnError { runtime, fallback, panics: false, errors: false, frames, item })
    }
}
