//! The one visitor over a function's body.
//!
//! ```text
//! operand?      ──▶ Rules::question     of this function; `?` in closures, async blocks and nested items stays theirs
//! return value  ──▶ Rules::exit
//! the tail      ──▶ Rules::exit         of each branch
//! ```
//!
//! Whatever it does not know it leaves alone: macros outside the list of `macros.rs`, types, patterns, constants.

mod macros;
mod tail;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, Item, Macro, Pat, Token, Type};

pub(crate) use tail::{diverges, future_of};

/// What to put in the place of what a body leaves through.
pub(crate) trait Rules {
    /// The whole expression for `operand?`; the operand is already rewritten.
    fn question(&mut self, operand: Expr, token: Token![?]) -> Expr;

    /// The expression for a value that leaves by `return` or as the tail; `line` is where.
    fn exit(&mut self, value: Expr, line: Span) -> Expr;

    /// The value for a `return` without one, where it needs one.
    fn unit(&mut self) -> Option<Expr> {
        None
    }
}

/// Rewrites a function's body in place.
pub(crate) fn body(block: &mut Block, rules: &mut impl Rules) {
    inside(block, rules);
    tail::leaves(block, &mut |leaf| {
        let line = last_line(&leaf);
        rules.exit(leaf, line)
    });
}

/// Rewrites `?` and `return`, and leaves the tail.
pub(crate) fn inside(block: &mut Block, rules: &mut impl Rules) {
    Visitor { rules }.visit_block_mut(block);
}

/// The line of the tail of a block, or of its end.
pub(crate) fn end_line(block: &Block) -> Span {
    match block.stmts.last() {
        Some(syn::Stmt::Expr(tail, None)) => last_line(tail),
        _ => block.brace_token.span.close(),
    }
}

/// The token whose line best names an expression that leaves: the method in a chain, else the first token.
fn last_line(expr: &Expr) -> Span {
    match expr {
        Expr::MethodCall(call) => call.method.span(),
        Expr::Await(it) => match &*it.base {
            Expr::MethodCall(call) => call.method.span(),
            base => base.span(),
        },
        _ => expr.span(),
    }
}

struct Visitor<'r, R> {
    rules: &'r mut R,
}

impl<R: Rules> VisitMut for Visitor<'_, R> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Closure(_) | Expr::Async(_) | Expr::TryBlock(_) | Expr::Const(_) => {}
            // The length of `[x; N]` is a constant.
            Expr::Repeat(repeat) => self.visit_expr_mut(&mut repeat.expr),
            Expr::Try(it) => {
                self.visit_expr_mut(&mut it.expr);
                let operand = unparenthesised(take(&mut it.expr));
                *expr = self.rules.question(operand, it.question_token);
            }
            Expr::Return(it) => {
                let line = it.return_token.span;
                match &mut it.expr {
                    Some(value) => {
                        self.visit_expr_mut(value);
                        **value = self.rules.exit(take(value), line);
                    }
                    None => it.expr = self.rules.unit().map(Box::new),
                }
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        macros::visit(mac, |expr| self.visit_expr_mut(expr));
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, _: &mut Pat) {}
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::PLACEHOLDER)
}

/// Parentheses that were needed before `?` would be reported as unused around an argument.
fn unparenthesised(expr: Expr) -> Expr {
    match expr {
        Expr::Paren(paren) if paren.attrs.is_empty() => unparenthesised(*paren.expr),
        expr => expr,
    }
}
