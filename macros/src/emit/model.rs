//! What `#[emit]` was given, read and checked.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Expr, LitStr};

use crate::args::{Args, Form, Known};
use crate::diag::Diagnostics;
use crate::func::{Func, Shape, is_never, is_unit};

const MACRO: &str = "#[emit]";

const KNOWN: [Known; 9] = [
    Known { name: "debug", form: Form::Word, example: "debug" },
    Known { name: "info", form: Form::Word, example: "info" },
    Known { name: "notice", form: Form::Word, example: "notice" },
    Known { name: "warning", form: Form::Word, example: "warning" },
    Known { name: "error", form: Form::Word, example: "error" },
    Known { name: "critical", form: Form::Word, example: "critical" },
    Known { name: "text", form: Form::Value, example: "text = \"checked out\"" },
    Known { name: "logger", form: Form::Value, example: "logger = SHOP" },
    Known { name: "crate", form: Form::Path, example: "crate = path::to::canonlog" },
];

/// The names of the levels among the arguments, with those of their variants.
const LEVELS: [(&str, &str); 6] = [
    ("debug", "Debug"),
    ("info", "Info"),
    ("notice", "Notice"),
    ("warning", "Warning"),
    ("error", "Error"),
    ("critical", "Critical"),
];

/// A valid use of `#[emit]`. Holding one means that expansion cannot fail.
pub(super) struct Emit {
    pub(super) runtime: TokenStream,
    /// The variant of the level.
    pub(super) level: Ident,
    pub(super) text: LitStr,
    /// Who says what has no logger of its own; one of the module's name unless given.
    pub(super) logger: Option<Expr>,
    pub(super) item: Func,
}

impl Emit {
    pub(super) fn lower(args: TokenStream, item: TokenStream, diag: &mut Diagnostics) -> Option<Self> {
        let item = Func::read(item, MACRO, diag);
        let mut args = Args::read(args, MACRO, &KNOWN, diag);
        let mut level = None;
        for (name, variant) in LEVELS {
            let Some(word) = args.word(name) else { continue };
            if level.is_some() {
                diag.mistake(&word, "a message has one level", "remove the others");
            }
            level = Some(Ident::new(variant, Span::call_site()));
        }
        let text = args.text("text", "text = \"checked out\"", diag);
        let logger = args.expr("logger");
        let runtime = args.runtime();
        let item = item?;
        // Where the arguments could not be read, a level may be among them.
        if level.is_none() && !diag.has_mistakes() {
            let help = "write `#[emit(info)]`, with one of debug, info, notice, warning, error, critical";
            diag.mistake(&item.sig.ident, "`#[emit]` needs a level", help);
        }
        let result = item.shape().output().unwrap_or_else(|| item.result());
        if is_unit(&result) || is_never(&result) {
            let help =
                "return a `canonlog::Logger`, a `canonlog::Message`, or a struct that derives `canonlog::Fields`";
            diag.mistake(&item.sig.ident, "`#[emit]` has nothing to say of a function that returns nothing", help);
        }
        let text = text.unwrap_or_else(|| LitStr::new("", Span::call_site()));
        Some(Emit { runtime, level: level?, text, logger, item })
    }

    /// What the function, or the future that it returns, gives.
    pub(super) fn result(&self) -> syn::Type {
        self.item.shape().output().unwrap_or_else(|| self.item.result())
    }

    /// Whether the function gives a future that is not its own.
    pub(super) fn gives_future(&self) -> bool {
        matches!(self.item.shape(), Shape::Future { .. } | Shape::Boxed { .. })
    }
}
