//! The canonical order: namespace by namespace, each in the order of its first write.

use super::content::Content;
use super::order::{OTHER_RANK, rank_of};

impl Content {
    /// Puts the fields in canonical order. Stable, without allocation.
    #[inline(always)]
    pub(crate) fn sort(&mut self) {
        if !self.in_order {
            self.sort_fields();
        }
        if rank_of(self.last_order()) >= OTHER_RANK {
            self.group_other();
        }
    }

    #[inline(never)]
    fn sort_fields(&mut self) {
        // Few fields stand out of place (an `app_` after the first `resp_`), so insertion is the right sort.
        let mut last = 0;
        for at in 0..self.fields.len() {
            let order = self.order_of(&self.fields[at]);
            if order >= last {
                last = order;
                continue;
            }
            let before = self.fields[..at].iter().rposition(|field| self.order_of(field) <= order);
            let to = before.map_or(0, |before| before + 1);
            self.fields[to..=at].rotate_right(1);
        }
        self.in_order = true;
    }

    /// Brings fields of one unknown namespace together, in the order of each namespace's first write.
    #[inline(never)]
    fn group_other(&mut self) {
        let start = self.fields.partition_point(|field| rank_of(self.order_of(field)) < OTHER_RANK);
        let end = self.fields.partition_point(|field| rank_of(self.order_of(field)) <= OTHER_RANK);
        let namespace = |content: &Self, at: usize| {
            let name = content.name_of(&content.fields[at]);
            name.split_once('_').map_or(name.len(), |(namespace, _)| namespace.len())
        };
        for at in start + 1..end {
            let len = namespace(self, at);
            let last = (start..at).rev().find(|&before| {
                let (a, b) = (self.name_of(&self.fields[at]), self.name_of(&self.fields[before]));
                namespace(self, before) == len && a[..len] == b[..len]
            });
            if let Some(last) = last {
                self.fields[last + 1..=at].rotate_right(1);
            }
        }
    }
}
