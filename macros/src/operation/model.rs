//! What `#[operation]` was given, read and checked.

use proc_macro2::TokenStream;
use syn::LitStr;
use syn::ext::IdentExt;

use crate::args::{Args, Form, Frames, Known, Pair, field_name, to_field_name};
use crate::diag::Diagnostics;
use crate::func::Func;

const MACRO: &str = "#[operation]";

const KNOWN: [Known; 7] = [
    Known { name: "name", form: Form::Value, example: "name = \"cart_load\"" },
    Known { name: "fields", form: Form::List, example: "fields(cart_id = cart.id)" },
    Known { name: "tags", form: Form::List, example: "tags(table = \"carts\")" },
    Known { name: "errors", form: Form::Value, example: "errors = false" },
    Known { name: "frames", form: Form::Value, example: "frames = false" },
    Known { name: "lines", form: Form::Value, example: "lines = false" },
    Known { name: "crate", form: Form::Path, example: "crate = path::to::canonlog" },
];

/// A valid use of `#[operation]`. Holding one means that expansion cannot fail.
pub(super) struct Operation {
    pub(super) runtime: TokenStream,
    /// Prefix of the fields this function writes; the function's name unless given.
    pub(super) name: String,
    /// Extra fields, then the tags under the operation's name, in the order written.
    pub(super) fields: Vec<Pair>,
    /// Whether errors are followed through the body.
    pub(super) errors: bool,
    /// What the runtime is told of where the body is.
    pub(super) frames: Frames,
    pub(super) item: Func,
}

impl Operation {
    pub(super) fn lower(args: TokenStream, item: TokenStream, diag: &mut Diagnostics) -> Option<Self> {
        let item = Func::read(item, MACRO, diag);
        let mut args = Args::read(args, MACRO, &KNOWN, diag);
        let name = args.text("name", "name = \"cart_load\"", diag).filter(|name| field_name(name, name, diag));
        let mut fields = args.pairs("fields", diag);
        let tags = args.pairs("tags", diag);
        let (errors, frames) = (args.errors(diag), args.frames(diag));
        let runtime = args.runtime();
        let item = item?;
        let name = name.map_or_else(|| to_field_name(&item.sig.ident.unraw().to_string()), |name| name.value());
        for Pair { key, value } in tags {
            let tag = key.value();
            if tag == "time" || tag == "count" {
                let what = format_args!("the tag `{tag}` would overwrite `app_{name}_{tag}`");
                diag.mistake(&key, what, "give the tag another name");
            }
            fields.push(Pair { key: LitStr::new(&format!("{name}_{tag}"), key.span()), value });
        }
        Some(Operation { runtime, name, fields, errors, frames, item })
    }
}
