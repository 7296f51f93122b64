//! The framework's own fields, which are found by their order alone.

use super::content::{Content, Field, KNOWN, Stored, head};
use super::order::Label;

impl Content {
    /// Whether there is a field of an order that only one name has ([`KNOWN`](order::order) ones).
    #[inline]
    pub(crate) fn has_known(&self, label: &Label) -> bool {
        self.seen & 1 << label.bit != 0
    }

    /// Sets fields of orders that only one name has each, which stand one behind the other.
    #[inline]
    pub(crate) fn set_numbers<const N: usize>(&mut self, kinds: [(&'static Label, u64); N], values: [u64; N]) {
        let behind = kinds.iter().all(|(label, _)| !self.has_known(label) && label.order >= self.last);
        if !behind {
            return self.put_numbers(&kinds, &values);
        }
        let mut at = self.bytes.len() as u32;
        let fields = kinds.map(|(label, _)| {
            let field = Field { label, at, name: KNOWN };
            at += 16;
            field
        });
        let mut entries = [[[0; 8]; 2]; N];
        for ((entry, (_, kind)), value) in entries.iter_mut().zip(kinds).zip(values) {
            *entry = [head::new(kind, 8).to_le_bytes(), value.to_le_bytes()];
        }
        self.bytes.extend_from_slice(entries.as_flattened().as_flattened());
        self.fields.extend_from_slice(&fields);
        for (label, _) in kinds {
            self.seen |= 1 << label.bit;
            self.last = label.order;
        }
    }

    #[inline(never)]
    fn put_numbers(&mut self, kinds: &[(&'static Label, u64)], values: &[u64]) {
        for ((label, kind), value) in kinds.iter().zip(values) {
            let value = if *kind == head::NANOS { Stored::Nanos(*value) } else { Stored::U64(*value) };
            self.set_known(label, value);
        }
    }

    /// Sets a field of an order that only one name has, in its place.
    #[inline]
    pub(crate) fn set_known(&mut self, label: &'static Label, value: Stored) {
        if !self.has_known(label) && label.order >= self.last {
            return self.push_label(label, value);
        }
        self.put_known(label, value);
    }

    /// As [`set_known`](Self::set_known), before or at a field that is there.
    #[inline(never)]
    fn put_known(&mut self, label: &'static Label, value: Stored) {
        let order = label.order;
        let found = if self.has_known(label) {
            self.fields.iter().position(|field| self.order_of(field) == order)
        } else {
            None
        };
        if let Some(found) = found {
            return self.set_at(found, value);
        }
        let at = self.fields.iter().rposition(|before| self.order_of(before) <= order).map_or(0, |before| before + 1);
        self.seen |= 1 << label.bit;
        let field = Field { label, at: self.place(value), name: KNOWN };
        self.fields.insert(at, field);
    }
}
