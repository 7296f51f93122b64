//! What is evaluated before the parts of an expression run.
//!
//! ```text
//! match head { pattern => arm }     ──▶ match head { pattern => { first; arm } }
//! if head { .. } else { .. }        ──▶ if head { first; .. } else { first; .. }
//! head && other                     ──▶ head && { first; other }
//! ```

use syn::{BinOp, Block, Expr, ExprBinary, ExprBlock, Pat, Stmt, token};

use super::{take, taps};

/// The expression that is evaluated before all others of it.
pub(super) fn head(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Match(it) => Some(&it.expr),
        Expr::If(it) => Some(&it.cond),
        Expr::While(it) => Some(&it.cond),
        Expr::ForLoop(it) => Some(&it.expr),
        Expr::Binary(ExprBinary { op: BinOp::And(_) | BinOp::Or(_), left, .. }) => Some(left),
        _ => None,
    }
}

/// Puts a statement before whatever may run after the head.
pub(super) fn put_after(expr: &mut Expr, first: &Stmt) {
    match expr {
        Expr::Match(it) => {
            for arm in &mut it.arms {
                if let Pat::Guard(it) = &mut arm.pat {
                    before(&mut it.guard, first);
                }
                before(&mut arm.body, first);
            }
        }
        Expr::If(it) => {
            before_all(&mut it.then_branch, first);
            if let Some((_, other)) = &mut it.else_branch {
                before(other, first);
            }
        }
        Expr::While(it) => before_all(&mut it.body, first),
        Expr::ForLoop(it) => before_all(&mut it.body, first),
        Expr::Binary(it) => before(&mut it.right, first),
        _ => {}
    }
}

/// Puts a statement before an expression. All of those above end what is temporary in them, as a block does.
pub(super) fn before(expr: &mut Expr, first: &Stmt) {
    match expr {
        Expr::Block(it) if it.label.is_none() && it.attrs.is_empty() && !taps::is_about(&it.block) => {
            it.block.stmts.insert(0, first.clone());
        }
        // What a pattern binds is there for more than the block.
        expr if has_let(expr) => {}
        expr => {
            let stmts = vec![first.clone(), Stmt::Expr(take(expr), None)];
            let block = Block { brace_token: token::Brace::default(), stmts };
            *expr = Expr::Block(ExprBlock { attrs: Vec::new(), label: None, block });
        }
    }
}

fn before_all(block: &mut Block, first: &Stmt) {
    block.stmts.insert(0, first.clone());
}

fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(ExprBinary { op: BinOp::And(_), left, right, .. }) => has_let(left) || has_let(right),
        _ => false,
    }
}
