//! What of a body waits where no await of it is seen.

use syn::visit::{self, Visit};
use syn::{Block, Expr, Item, Macro, Pat, Stmt, Type};

use super::macros;

/// Whether the function itself may wait in a macro of a body: in one that is not visited, or for several things.
pub(super) fn in_block(body: &Block) -> bool {
    find(|unseen| unseen.visit_block(body))
}

/// The same of one statement, whatever is in it.
pub(super) fn in_stmt(stmt: &Stmt) -> bool {
    find(|unseen| unseen.visit_stmt(stmt))
}

/// The same of an expression.
pub(super) fn in_expr(expr: &Expr) -> bool {
    find(|unseen| unseen.visit_expr(expr))
}

fn find(visit: impl FnOnce(&mut Unseen)) -> bool {
    let mut unseen = Unseen(false);
    visit(&mut unseen);
    unseen.0
}

struct Unseen(bool);

impl Visit<'_> for Unseen {
    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => {}
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_macro(&mut self, mac: &Macro) {
        self.0 |= macros::may_wait(mac) || macros::is_together(mac);
        let mut inside = mac.clone();
        macros::visit_known(&mut inside, &mut |expr| self.visit_expr(expr));
    }

    fn visit_item(&mut self, _: &Item) {}
    fn visit_type(&mut self, _: &Type) {}

    fn visit_pat(&mut self, pat: &Pat) {
        if let Pat::Guard(it) = pat {
            self.visit_expr(&it.guard);
        }
    }
}
