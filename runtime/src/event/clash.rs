//! Fields that come when others of the same name are there already.

use super::content::Content;
use super::order::order;

impl Content {
    /// Where the field of a name stands.
    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| self.name_of(field) == name)
    }

    /// Gives a field of a user's another name, in its place.
    pub(crate) fn rename_at(&mut self, at: usize, name: &str) {
        let Some(value) = self.fields.get(at).map(|field| self.stored(field.at as usize)) else { return };
        let name_at = self.put_text(|bytes| bytes.extend_from_slice(name.as_bytes()));
        self.push_named(name_at, order(name), false, value);
        if let Some(renamed) = self.fields.pop() {
            self.fields[at] = renamed;
        }
    }
}
