//! Values that were there before the expression in which they are looked at: an error among them arose earlier.

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Macro, Token, UnOp};

/// How many values are looked at.
const MOST: usize = 4;

/// Methods that hand on the error of what they are called on, or put it into another.
const ADAPTORS: [&str; 24] = [
    "and",
    "as_deref",
    "as_mut",
    "as_ref",
    "change_context",
    "clone",
    "cloned",
    "context",
    "copied",
    "expect",
    "flatten",
    "inspect",
    "inspect_err",
    "into",
    "into_report",
    "map",
    "map_err",
    "or",
    "take",
    "transpose",
    "unwrap",
    "with_context",
    "wrap_err",
    "wrap_err_with",
];

/// The values that an expression hands an error on from: `r`, `self.r`, `r.map_err(..)`, the `e` of `Err(E::Db(e))`.
///
/// None where it awaits: what is looked at before would be kept until after.
pub(super) fn of(expr: &Expr) -> Vec<Expr> {
    let mut found = Vec::new();
    handed_on(expr, &mut found);
    if !found.is_empty() && awaits(expr) {
        found.clear();
    }
    found.truncate(MOST);
    found
}

fn handed_on(expr: &Expr, found: &mut Vec<Expr>) {
    match expr {
        Expr::Paren(it) => handed_on(&it.expr, found),
        Expr::Group(it) => handed_on(&it.expr, found),
        Expr::Reference(it) => handed_on(&it.expr, found),
        Expr::Path(_) | Expr::Field(_) if is_place(expr) => found.push(expr.clone()),
        Expr::Unary(it) if matches!(it.op, UnOp::Deref(_)) => handed_on(&it.expr, found),
        Expr::MethodCall(ExprMethodCall { receiver, method, .. }) if ADAPTORS.iter().any(|name| method == name) => {
            handed_on(receiver, found);
        }
        Expr::Call(call) if is_err(&call.func) => call.args.iter().for_each(|arg| mentioned(arg, found)),
        _ => {}
    }
}

/// The values that an expression is made of. Not those of blocks, which may be known only there.
fn mentioned(expr: &Expr, found: &mut Vec<Expr>) {
    match expr {
        Expr::Path(_) | Expr::Field(_) if is_place(expr) => found.push(expr.clone()),
        Expr::Field(it) => mentioned(&it.base, found),
        Expr::Paren(it) => mentioned(&it.expr, found),
        Expr::Group(it) => mentioned(&it.expr, found),
        Expr::Reference(it) => mentioned(&it.expr, found),
        Expr::Unary(it) => mentioned(&it.expr, found),
        Expr::Cast(it) => mentioned(&it.expr, found),
        Expr::Call(it) => it.args.iter().for_each(|arg| mentioned(arg, found)),
        Expr::MethodCall(it) => {
            mentioned(&it.receiver, found);
            it.args.iter().for_each(|arg| mentioned(arg, found));
        }
        Expr::Tuple(it) => it.elems.iter().for_each(|elem| mentioned(elem, found)),
        Expr::Struct(it) => it.fields.iter().for_each(|field| mentioned(&field.expr, found)),
        Expr::Macro(it) => made_of(&it.mac).iter().flatten().for_each(|arg| mentioned(arg, found)),
        _ => {}
    }
}

/// What a macro is given that makes an error of it.
fn made_of(mac: &Macro) -> Option<Punctuated<Expr, Token![,]>> {
    let name = &mac.path.segments.last()?.ident;
    let makes = ["anyhow", "eyre", "format", "format_err", "report"].iter().any(|known| name == known);
    mac.parse_body_with(Punctuated::parse_terminated).ok().filter(|_| makes)
}

fn is_err(func: &Expr) -> bool {
    matches!(func, Expr::Path(path) if path.path.is_ident("Err"))
}

/// Whether it is a variable, or a field of one.
fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident().is_some_and(|name| {
            // Constants and variants begin with a capital.
            name.to_string().trim_start_matches("r#").starts_with(|c: char| c.is_lowercase() || c == '_')
        }),
        Expr::Field(field) => is_place(&field.base),
        Expr::Paren(paren) => is_place(&paren.expr),
        _ => false,
    }
}

fn awaits(expr: &Expr) -> bool {
    struct Find(bool);
    impl<'a> Visit<'a> for Find {
        fn visit_expr(&mut self, expr: &'a Expr) {
            match expr {
                Expr::Await(_) => self.0 = true,
                // One that is not known may hide one.
                Expr::Macro(it) => self.0 |= made_of(&it.mac).is_none_or(|args| args.iter().any(awaits)),
                Expr::Closure(_) | Expr::Async(_) => {}
                _ => visit::visit_expr(self, expr),
            }
        }
    }
    let mut find = Find(false);
    find.visit_expr(expr);
    find.0
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    #[test]
    fn the_values_that_an_error_is_handed_on_from_are_found() {
        for (expr, places) in [
            ("r", "r"),
            ("self.r", "self . r"),
            ("(&r)", "r"),
            ("*r", "r"),
            ("r.as_ref().map_err(|e| wrap(e))", "r"),
            ("Err(e)", "e"),
            ("Err(e).context(name)", "e"),
            ("Err(Error::Db(e))", "e"),
            ("Err(Error::Db { e, at: self.at })", "e, self . at"),
            ("Err(e.into())", "e"),
            ("Err(Error::new(last.unwrap(), 7))", "last"),
            ("Err(Error::Empty)", ""),
            ("Err({ let x = y; x })", ""),
            ("Err(anyhow!(\"no {}\", e))", "e"),
            ("Err(EMPTY)", ""),
            ("f(r)", ""),
            ("r.parse()", ""),
            ("r.await", ""),
            ("Err(wrap(e, name().await))", ""),
        ] {
            let expr = syn::parse_str(expr).expect("an expression");
            let found: Vec<String> = super::of(&expr).iter().map(|place| place.to_token_stream().to_string()).collect();
            assert_eq!(found.join(", "), places);
        }
    }
}
