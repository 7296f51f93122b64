//! What a block ends in.

use syn::{Block, Expr, ExprAsync, Stmt};

/// Hands each expression whose value the block gives to `wrap`: through `if`, `match` and blocks, not those that never end.
pub(crate) fn leaves(block: &mut Block, wrap: &mut impl FnMut(Expr) -> Expr) {
    if let Some(Stmt::Expr(tail, None)) = block.stmts.last_mut() {
        leaf(tail, wrap);
    }
}

fn leaf(expr: &mut Expr, wrap: &mut impl FnMut(Expr) -> Expr) {
    match expr {
        Expr::Block(it) if it.label.is_none() => leaves(&mut it.block, wrap),
        Expr::Unsafe(it) => leaves(&mut it.block, wrap),
        Expr::Group(it) => leaf(&mut it.expr, wrap),
        Expr::If(it) => {
            if let Some((_, other)) = &mut it.else_branch {
                leaves(&mut it.then_branch, wrap);
                leaf(other, wrap);
            }
        }
        Expr::Match(it) => it.arms.iter_mut().for_each(|arm| leaf(&mut arm.body, wrap)),
        // What a macro makes is unknown: perhaps no value at all.
        Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) | Expr::Macro(_) => {}
        expr if never_ends(expr) => {}
        expr => *expr = wrap(std::mem::replace(expr, Expr::PLACEHOLDER)),
    }
}

/// Whether control certainly does not come out of the end of a block that has a value.
///
/// Code after it would be reported to the user as unreachable.
pub(crate) fn diverges(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(last, _)) => never_ends(last),
        Some(Stmt::Macro(last)) => is_diverging(last.mac.path.segments.last()),
        _ => false,
    }
}

fn never_ends(expr: &Expr) -> bool {
    match expr {
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
        Expr::Loop(it) => !has_break(&it.body),
        Expr::Macro(it) => is_diverging(it.mac.path.segments.last()),
        Expr::Call(it) => match &*it.func {
            Expr::Path(path) => is_diverging(path.path.segments.last()),
            _ => false,
        },
        Expr::Block(it) => it.label.is_none() && diverges(&it.block),
        Expr::Unsafe(it) => diverges(&it.block),
        Expr::Group(it) => never_ends(&it.expr),
        Expr::If(it) => {
            it.else_branch.as_ref().is_some_and(|(_, other)| diverges(&it.then_branch) && never_ends(other))
        }
        // Without an arm it is of a value that there is none of.
        Expr::Match(it) => it.arms.iter().all(|arm| never_ends(&arm.body)),
        _ => false,
    }
}

/// What never returns, by its name: there is nothing else to go by.
fn is_diverging(last: Option<&syn::PathSegment>) -> bool {
    const NAMES: [&str; 10] = [
        "panic",
        "todo",
        "unimplemented",
        "unreachable",
        "bail",
        "exit",
        "abort",
        "panic_any",
        "resume_unwind",
        "unreachable_unchecked",
    ];
    last.is_some_and(|last| NAMES.iter().any(|name| last.ident == name))
}

/// Whether a loop has a `break` of its own; one to an outer label counts too, to be safe.
fn has_break(body: &Block) -> bool {
    use syn::visit::{self, Visit};
    struct Find {
        found: bool,
        depth: u32,
    }
    impl<'a> Visit<'a> for Find {
        fn visit_expr(&mut self, expr: &'a Expr) {
            let inner = matches!(expr, Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_));
            match expr {
                Expr::Closure(_) | Expr::Async(_) => {}
                Expr::Break(it) if self.depth == 0 || it.label.is_some() => self.found = true,
                // A macro may hide one.
                Expr::Macro(it) if !is_diverging(it.mac.path.segments.last()) => {}
                _ => {
                    self.depth += u32::from(inner);
                    visit::visit_expr(self, expr);
                    self.depth -= u32::from(inner);
                }
            }
        }
        fn visit_item(&mut self, _: &'a syn::Item) {}
    }
    let mut find = Find { found: false, depth: 0 };
    find.visit_block(body);
    find.found
}

/// The async block that an expression is, also inside `Box::pin(..)`.
pub(crate) fn future_of(expr: &mut Expr) -> Option<&mut ExprAsync> {
    match expr {
        Expr::Async(it) => Some(it),
        Expr::Group(it) => future_of(&mut it.expr),
        Expr::Paren(it) => future_of(&mut it.expr),
        Expr::Call(call) => {
            let Expr::Path(path) = &*call.func else { return None };
            let mut names = path.path.segments.iter().rev().map(|segment| &segment.ident);
            let is_pin =
                names.next().is_some_and(|name| name == "pin") && names.next().is_some_and(|name| name == "Box");
            match call.args.first_mut() {
                Some(only) if is_pin => future_of(only),
                _ => None,
            }
        }
        _ => None,
    }
}
