//! The framework's own fields, which are found by their key alone.

use super::content::{Content, Field, Stored, head};
use super::names::{self, KeyId};

impl Content {
    /// Whether there is a field of one of the framework's keys.
    #[inline]
    pub(crate) fn has_known(&self, id: KeyId) -> bool {
        self.seen & 1 << names::key(id).bit != 0
    }

    /// Sets fields of such keys, which stand one behind the other.
    #[inline]
    pub(crate) fn set_numbers<const N: usize>(&mut self, kinds: [(KeyId, u64); N], values: [u64; N]) {
        let first = kinds.first().map_or(0, |(id, _)| names::key(*id).order);
        let bits = kinds.iter().fold(0, |bits, (id, _)| bits | 1_u64 << names::key(*id).bit);
        if self.seen & bits != 0 || first < self.last_order() {
            return self.put_numbers(&kinds, &values);
        }
        let mut at = self.bytes.len();
        let fields = kinds.map(|(id, _)| {
            let field = Field::new(names::key(id), at);
            at += 16;
            field
        });
        let mut entries = [[[0; 8]; 2]; N];
        for ((entry, (_, kind)), value) in entries.iter_mut().zip(kinds).zip(values) {
            *entry = [head::new(kind, 8).to_le_bytes(), value.to_le_bytes()];
        }
        self.bytes.extend_from_slice(entries.as_flattened().as_flattened());
        self.fields.extend_from_slice(&fields);
        self.seen |= bits;
    }

    #[inline(never)]
    fn put_numbers(&mut self, kinds: &[(KeyId, u64)], values: &[u64]) {
        for ((id, kind), value) in kinds.iter().zip(values) {
            let value = if *kind == head::NANOS { Stored::Nanos(*value) } else { Stored::U64(*value) };
            self.set_known(*id, value);
        }
    }

    /// Sets a length of time, in nanoseconds, of a key that is known when this is compiled, in its place.
    #[inline(always)]
    pub(crate) fn set_nanos(&mut self, id: KeyId, nanos: u64) {
        let label = names::key(id);
        if self.has_known(id) || label.order < self.last_order() {
            return self.put_known(id, Stored::Nanos(nanos));
        }
        let at = self.put(head::NANOS, nanos, 0);
        self.push_field(Field::new(label, at), label.order);
    }

    /// Sets a field of such a key, in its place.
    #[inline]
    pub(crate) fn set_known(&mut self, id: KeyId, value: Stored) {
        if !self.has_known(id) && names::key(id).order >= self.last_order() {
            return self.push_known(id, value);
        }
        self.put_known(id, value);
    }

    /// As [`set_known`](Self::set_known), before or at a field that is there.
    #[inline(never)]
    fn put_known(&mut self, id: KeyId, value: Stored) {
        let label = names::key(id);
        if self.has_known(id)
            && let Some(found) = self.fields.iter().position(|field| self.order_of(field) == label.order)
        {
            return self.set_at(found, value);
        }
        let at =
            self.fields.iter().rposition(|before| self.order_of(before) <= label.order).map_or(0, |before| before + 1);
        let field = Field::new(label, self.place(value));
        self.seen |= 1 << label.bit;
        self.fields.insert(at, field);
    }
}
