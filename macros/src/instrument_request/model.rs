//! What `#[instrument_request]` was given, read and checked.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Expr, Ident, LitStr};

use crate::args::{Args, Form, Frames, Known, Pair, field_name, to_field_name};
use crate::diag::{self, Diagnostics};
use crate::func::Func;

const MACRO: &str = "#[instrument_request]";

const KNOWN: [Known; 9] = [
    Known { name: "name", form: Form::Value, example: "name = \"cart_load\"" },
    Known { name: "kind", form: Form::Value, example: "kind = \"job\"" },
    Known { name: "fields", form: Form::List, example: "fields(cart_id = cart.id)" },
    Known { name: "timeout", form: Form::Value, example: "timeout = \"2s\"" },
    Known { name: "request", form: Form::Value, example: "request = req" },
    Known { name: "errors", form: Form::Value, example: "errors = false" },
    Known { name: "frames", form: Form::Value, example: "frames = false" },
    Known { name: "lines", form: Form::Value, example: "lines = false" },
    Known { name: "crate", form: Form::Path, example: "crate = path::to::canonlog" },
];

/// A valid use of `#[instrument_request]`. Holding one means that expansion cannot fail.
pub(super) struct InstrumentRequest {
    pub(super) runtime: TokenStream,
    /// The name of its timings where it is not outermost; the function's unless given.
    pub(super) name: String,
    /// The view, if a name was given; else the function's path.
    pub(super) view: Option<LitStr>,
    pub(super) job: bool,
    /// Extra fields, in the order written.
    pub(super) fields: Vec<Pair>,
    pub(super) timeout: Option<Timeout>,
    /// The argument that holds the request.
    pub(super) request: Option<Ident>,
    /// Whether errors are followed through the body.
    pub(super) errors: bool,
    /// What the runtime is told of where the body is.
    pub(super) frames: Frames,
    pub(super) item: Func,
}

/// A time limit.
pub(super) enum Timeout {
    Off,
    Nanos(u64),
}

impl InstrumentRequest {
    pub(super) fn lower(args: TokenStream, item: TokenStream, diag: &mut Diagnostics) -> Option<Self> {
        let item = Func::read(item, MACRO, diag);
        let mut args = Args::read(args, MACRO, &KNOWN, diag);
        let name = args.text("name", "name = \"cart_load\"", diag).filter(|name| field_name(name, name, diag));
        let job = args.text("kind", "kind = \"job\"", diag).is_some_and(|kind| is_job(&kind, diag));
        let fields = args.pairs("fields", diag);
        let timeout = args.text("timeout", "timeout = \"2s\"", diag).and_then(|text| Timeout::read(&text, diag));
        let request = args.expr("request");
        let (errors, frames) = (args.errors(diag), args.frames(diag));
        let runtime = args.runtime();
        let item = item?;
        let request = request.and_then(|value| request_argument(&value, &item, diag));
        if let (true, Some(request)) = (job, &request) {
            diag.mistake(request, "`request` has no effect on a job", "remove `request` or `kind = \"job\"`");
        }
        Some(InstrumentRequest {
            runtime,
            view: name.clone(),
            name: name.map_or_else(|| to_field_name(&item.sig.ident.unraw().to_string()), |name| name.value()),
            job,
            fields,
            timeout,
            request,
            errors,
            frames,
            item,
        })
    }
}

fn is_job(kind: &LitStr, diag: &mut Diagnostics) -> bool {
    let value = kind.value();
    if value != "job" && value != "request" {
        let what = format_args!("`{value}` is not a kind of record");
        diag.mistake(kind, what, "write `kind = \"job\"` for work that nobody waits for, else `kind = \"request\"`");
    }
    value == "job"
}

fn request_argument(value: &Expr, item: &Func, diag: &mut Diagnostics) -> Option<Ident> {
    #[derive(Default)]
    struct Names(Vec<Ident>);
    impl<'a> Visit<'a> for Names {
        fn visit_pat_ident(&mut self, pat: &'a syn::PatIdent) {
            self.0.push(pat.ident.clone());
            syn::visit::visit_pat_ident(self, pat);
        }
    }
    let mut names = Names::default();
    item.sig.inputs.iter().for_each(|input| names.visit_fn_arg(input));
    let Expr::Path(path) = value else {
        diag.mistake(value, "`request` takes the name of an argument", "write `request = req`, with `req` an argument");
        return None;
    };
    let given = path.path.get_ident();
    if let Some(given) = given.filter(|given| names.0.contains(given)) {
        return Some(given.clone());
    }
    let got = given.map_or_else(String::new, ToString::to_string);
    let known: Vec<String> = names.0.iter().map(ToString::to_string).collect();
    let what = format!("`{got}` is not an argument of `{}`", item.sig.ident);
    match diag::nearest(&got, known.iter().map(String::as_str)) {
        Some(near) => diag.mistake(value, what, format_args!("an argument with a similar name exists: `{near}`")),
        None => diag.mistake(value, what, "name the argument that holds the `http::Request`"),
    }
    None
}

impl Timeout {
    /// Reads `2s`, `1.5s`, `150ms`, `1m`, `off`.
    fn read(text: &LitStr, diag: &mut Diagnostics) -> Option<Self> {
        let value = text.value();
        if value == "off" {
            return Some(Timeout::Off);
        }
        let digits = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
        let (number, unit) = value.split_at(digits);
        let unit = match unit.trim_start() {
            "ms" => 1e6,
            "s" => 1e9,
            "m" | "min" => 60e9,
            "h" => 3600e9,
            _ => 0.0,
        };
        let nanos = number.parse::<f64>().unwrap_or(0.0) * unit;
        if !(1.0..9e18).contains(&nanos) {
            let what = format_args!("`{value}` is not a time limit");
            diag.mistake(text, what, "write a number and `ms`, `s`, `m` or `h`, as in `\"2s\"`, or `\"off\"`");
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 9e18, checked above"
        )]
        Some(Timeout::Nanos(nanos as u64))
    }
}
