//! The argument grammar that all macros share.
//!
//! ```text
//! arguments = argument, ...      argument = word | word = expression | word(arguments)
//! ```
//!
//! Unknown, repeated and wrong-kind arguments are mistakes here; what a value means is up to the macro.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token, token};

use crate::diag::{self, Diagnostics};

/// What may follow an argument's name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing: `panics`.
    Word,
    /// `= expression`.
    Value,
    /// `= path`.
    Path,
    /// `(arguments)`.
    List,
}

/// An argument that a macro knows.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// How to write it, for help.
    pub(crate) example: &'static str,
}

/// What followed an argument's name.
pub(crate) enum Given {
    Word,
    Value(Expr),
    Path(Path),
    List(TokenStream),
}

/// What the runtime is told of where a function is.
#[derive(Clone, Copy)]
pub(crate) struct Frames {
    /// That it runs, and what it waits for.
    pub(crate) frames: bool,
    /// Each line that it comes to.
    pub(crate) lines: bool,
}

impl Frames {
    /// What a unit is told where it shall not be seen.
    pub(crate) fn unseen(self) -> Option<TokenStream> {
        (!self.frames).then(|| quote::quote!(.unseen()))
    }
}

/// One argument as written.
pub(crate) struct Arg {
    pub(crate) key: Ident,
    pub(crate) given: Given,
}

/// The arguments that stood the check: each known, once, and of its form.
pub(crate) struct Args(Vec<Arg>);

impl Args {
    /// Reads the arguments of `macro_name` (`#[operation]`).
    pub(crate) fn read(tokens: TokenStream, macro_name: &str, known: &[Known], diag: &mut Diagnostics) -> Self {
        let mut args = Args(Vec::new());
        for arg in split(tokens, macro_name, known, diag) {
            let name = arg.key.unraw().to_string();
            let Some(spec) = known.iter().find(|spec| spec.name == name) else {
                unknown(&arg.key, macro_name, known, diag);
                continue;
            };
            if args.0.iter().any(|before| before.key == arg.key) {
                diag.mistake(&arg.key, format_args!("`{name}` is given twice"), "remove one of them");
                continue;
            }
            if is_form(&arg, spec, diag) {
                args.0.push(arg);
            }
        }
        args
    }

    fn take(&mut self, name: &str) -> Option<Arg> {
        let at = self.0.iter().position(|arg| arg.key.unraw() == name)?;
        Some(self.0.remove(at))
    }

    /// Whether a word is there.
    pub(crate) fn word(&mut self, name: &str) -> Option<Ident> {
        self.take(name).map(|arg| arg.key)
    }

    /// The expression of an argument.
    pub(crate) fn expr(&mut self, name: &str) -> Option<Expr> {
        match self.take(name)?.given {
            Given::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The text of an argument; anything but a string literal is a mistake.
    pub(crate) fn text(&mut self, name: &str, example: &str, diag: &mut Diagnostics) -> Option<LitStr> {
        let value = self.expr(name)?;
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), attrs }) = &value
            && attrs.is_empty()
        {
            return Some(text.clone());
        }
        diag.mistake(&value, format_args!("`{name}` takes a string literal"), format_args!("write `{example}`"));
        None
    }

    /// Whether `errors = false` leaves a body as it is; without the feature, every body stays so.
    pub(crate) fn errors(&mut self, diag: &mut Diagnostics) -> bool {
        self.switch("errors", diag) && cfg!(feature = "errors")
    }

    /// What is to be known of where the function is: as `errors`, for `frames = false` and `lines = false`.
    pub(crate) fn frames(&mut self, diag: &mut Diagnostics) -> Frames {
        let frames = self.switch("frames", diag) && cfg!(feature = "frames");
        let lines = self.switch("lines", diag) && cfg!(feature = "lines");
        Frames { frames, lines: frames && lines }
    }

    fn switch(&mut self, name: &str, diag: &mut Diagnostics) -> bool {
        self.expr(name).is_none_or(|value| match &value {
            Expr::Lit(ExprLit { lit: Lit::Bool(given), attrs }) if attrs.is_empty() => given.value,
            _ => {
                let help = format_args!("write `{name} = false`, to leave the body as it is");
                diag.mistake(&value, format_args!("`{name}` takes `true` or `false`"), help);
                true
            }
        })
    }

    /// The list of an argument: `key = expression` each.
    pub(crate) fn pairs(&mut self, name: &str, diag: &mut Diagnostics) -> Vec<Pair> {
        match self.take(name) {
            Some(Arg { key, given: Given::List(tokens) }) => pairs(&key, tokens, diag),
            _ => Vec::new(),
        }
    }

    /// The path of an argument.
    pub(crate) fn path(&mut self, name: &str) -> Option<Path> {
        match self.take(name)?.given {
            Given::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Where expansions find the runtime: `crate = path`, or `::canonlog`.
    pub(crate) fn runtime(&mut self) -> TokenStream {
        self.path("crate").map_or_else(|| quote!(::canonlog::__private), |path| quote!(#path::__private))
    }
}

/// `key = expression` in a list; the key is a field's name.
pub(crate) struct Pair {
    pub(crate) key: LitStr,
    pub(crate) value: Expr,
}

fn pairs(list: &Ident, tokens: TokenStream, diag: &mut Diagnostics) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let place = format!("`{list}(..)`");
    for Arg { key, given } in split(tokens, &place, &[], diag) {
        let name = key.unraw().to_string();
        let Given::Value(value) = given else {
            diag.mistake(
                &key,
                format_args!("`{name}` in {place} needs a value"),
                format_args!("write `{name} = {name}`, or another expression"),
            );
            continue;
        };
        let literal = LitStr::new(&name, key.span());
        if pairs.iter().any(|before| before.key.value() == name) {
            diag.mistake(&key, format_args!("`{name}` is given twice"), "remove one of them");
        } else if field_name(&literal, &key, diag) {
            pairs.push(Pair { key: literal, value });
        }
    }
    pairs
}

/// Whether a text is a field's name: lower-case words joined by `_`. If not, that is noted at `at`.
pub(crate) fn field_name(name: &LitStr, at: impl ToTokens, diag: &mut Diagnostics) -> bool {
    let text = name.value();
    if is_field_name(&text) && text.len() <= 64 {
        return true;
    }
    if text.len() > 64 {
        diag.mistake(at, format_args!("`{text}` is too long for a field name"), "write at most 64 characters");
    } else {
        let better = to_field_name(&text);
        diag.mistake(
            at,
            format_args!("`{text}` is not a field name"),
            format_args!("write lower-case words joined by `_`, as in `{better}`"),
        );
    }
    false
}

fn is_field_name(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.bytes().all(word) && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// The nearest field name: `CartLoad` and `Cart Load` become `cart_load`, `HTTPInfo` becomes `http_info`.
pub(crate) fn to_field_name(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut name = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map_or(' ', |before| letters[before]);
        let ends_acronym = before.is_ascii_uppercase() && letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit() || ends_acronym) {
            name.push('_');
        }
        name.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' });
    }
    let name = name.trim_matches(|c| c == '_');
    match name.bytes().next() {
        None => "cart_load".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{name}"),
        Some(_) => name.to_owned(),
    }
}

fn unknown(key: &Ident, macro_name: &str, known: &[Known], diag: &mut Diagnostics) {
    let got = key.unraw().to_string();
    let names = || known.iter().map(|spec| spec.name);
    let what = format!("unknown argument `{got}` of `{macro_name}`");
    match diag::nearest(&got, names()) {
        Some(near) => diag.mistake(key, what, format_args!("an argument with a similar name exists: `{near}`")),
        None => diag.mistake(key, what, known_list(known)),
    }
}

fn known_list(known: &[Known]) -> String {
    match known {
        [only] => format!("the only argument here is `{}`", only.name),
        known => {
            let names: Vec<String> = known.iter().map(|spec| format!("`{}`", spec.name)).collect();
            format!("the arguments are {}", names.join(", "))
        }
    }
}

fn is_form(arg: &Arg, spec: &Known, diag: &mut Diagnostics) -> bool {
    let name = spec.name;
    let (what, help) = match (spec.form, &arg.given) {
        (Form::Word, Given::Word) | (Form::List, Given::List(_)) => return true,
        (Form::Value, Given::Value(_)) | (Form::Path, Given::Path(_)) => return true,
        (Form::Word, _) => (format!("`{name}` takes no value"), format!("write `{name}` alone")),
        (Form::Value | Form::Path, _) => (format!("`{name}` needs a value"), format!("write `{}`", spec.example)),
        (Form::List, _) => (format!("`{name}` takes a list in parentheses"), format!("write `{}`", spec.example)),
    };
    diag.mistake(&arg.key, what, help);
    false
}

/// Cuts the tokens into arguments; what cannot be read is noted and skipped.
fn split(tokens: TokenStream, place: &str, known: &[Known], diag: &mut Diagnostics) -> Vec<Arg> {
    let read = |input: ParseStream<'_>| {
        let mut args = Vec::new();
        while !input.is_empty() {
            match argument(input, known) {
                Ok(Some(arg)) => args.push(arg),
                Ok(None) => {
                    not_an_argument(input, place, known, diag);
                    skip(input);
                }
                Err(error) => {
                    diag.syntax(error);
                    skip(input);
                }
            }
            if input.is_empty() {
                break;
            }
            if input.parse::<Option<Token![,]>>()?.is_some() {
                continue;
            }
            let next = input.cursor().token_tree().map(|(token, _)| token);
            if input.peek(Ident::peek_any) {
                // The rest is read as the next argument, so that its own mistakes are reported too.
                diag.mistake(next, "arguments without a comma between them", "write `,` before this one");
                continue;
            }
            match args.pop_if(|arg: &mut Arg| matches!(arg.given, Given::Word)) {
                Some(Arg { key, .. }) => {
                    let what = format_args!("an argument's name is one word, and `{key}` is followed by more");
                    diag.mistake(next, what, "write one word, then `=` and a value, or `,`");
                }
                None => diag.mistake(next, "arguments without a comma between them", "write `,` before this one"),
            }
            skip(input);
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(args)
    };
    read.parse2(tokens).unwrap_or_else(|error: syn::Error| {
        diag.syntax(error);
        Vec::new()
    })
}

/// One argument; `None` if there is no word to begin it.
fn argument(input: ParseStream<'_>, known: &[Known]) -> syn::Result<Option<Arg>> {
    if !input.peek(Ident::peek_any) {
        return Ok(None);
    }
    let key = input.call(Ident::parse_any)?;
    let form = known.iter().find(|spec| key.unraw() == spec.name).map(|spec| spec.form);
    let given = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            Given::Word
        } else if form == Some(Form::Path) {
            Given::Path(input.call(Path::parse_mod_style)?)
        } else {
            Given::Value(input.parse()?)
        }
    } else if input.peek(token::Paren) {
        let list;
        syn::parenthesized!(list in input);
        Given::List(list.parse()?)
    } else {
        Given::Word
    };
    Ok(Some(Arg { key, given }))
}

fn not_an_argument(input: ParseStream<'_>, place: &str, known: &[Known], diag: &mut Diagnostics) {
    let token = input.cursor().token_tree().map(|(token, _)| token);
    let is_text = matches!(&token, Some(TokenTree::Literal(literal)) if literal.to_string().starts_with('"'));
    let got = token.as_ref().map_or_else(String::new, ToString::to_string);
    let what = format!("`{got}` is not an argument of {}", quoted(place));
    if is_text && known.iter().any(|spec| spec.name == "name") {
        diag.mistake(&token, what, format_args!("write `name = {got}`"));
    } else if known.is_empty() {
        diag.mistake(&token, what, "write `key = expression`");
    } else {
        diag.mistake(&token, what, known_list(known));
    }
}

fn quoted(place: &str) -> String {
    if place.starts_with('`') { place.to_owned() } else { format!("`{place}`") }
}

/// Skips to the next comma.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _skipped: syn::Result<TokenTree> = input.parse();
    }
}

/// Where a value stands, for what expansions say about it.
pub(crate) fn span_of(value: &Expr) -> Span {
    Span::mixed_site().located_at(value.span())
}

/// Tokens of ours, as if they stood at `span`; they keep the names that they mean.
pub(crate) fn located(tokens: &TokenStream, span: Span) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.clone().into_iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_has_a_field_name_near_it() {
        assert_eq!(to_field_name("Cart Load"), "cart_load");
        assert_eq!(to_field_name("cartLoad"), "cart_load");
        for (text, want) in [
            ("OnAStruct", "on_a_struct"),
            ("HTTPInfo", "http_info"),
            ("HTTP2Info", "http2_info"),
            ("CartV2", "cart_v2"),
            ("X", "x"),
            ("SQL", "sql"),
            ("UserID", "user_id"),
            ("AppVersion", "app_version"),
            ("cart_load", "cart_load"),
        ] {
            assert_eq!(to_field_name(text), want);
        }
        assert_eq!(to_field_name("2nd"), "_2nd");
        assert_eq!(to_field_name("!!"), "cart_load");
    }
}
