//! How much a record and an event may hold.

/// How much a record and an event may hold. What does not fit is cut, and counted in the event itself.
///
/// ```
/// use canonlog::Limits;
///
/// let limits = Limits::default().value(1024).fields(32);
/// let setup = canonlog::setup().limits(limits);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(super) record: usize,
    pub(super) value: usize,
    pub(super) fields: usize,
    pub(super) event: usize,
}

impl Default for Limits {
    /// A record 64 KiB, a value 8 KiB, 128 fields of users', an event 64 KiB.
    fn default() -> Self {
        Limits { record: 64 << 10, value: 8 << 10, fields: 128, event: 64 << 10 }
    }
}

impl Limits {
    /// Bytes of a record's values.
    #[must_use]
    pub fn record(self, bytes: usize) -> Self {
        Limits { record: bytes, ..self }
    }

    /// Bytes of one value.
    #[must_use]
    pub fn value(self, bytes: usize) -> Self {
        Limits { value: bytes, ..self }
    }

    /// Fields beside the framework's, 32,767 at most.
    #[must_use]
    pub fn fields(self, count: usize) -> Self {
        Limits { fields: count, ..self }
    }

    /// Bytes of an event, after escaping.
    #[must_use]
    pub fn event(self, bytes: usize) -> Self {
        Limits { event: bytes, ..self }
    }
}
