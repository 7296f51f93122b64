//! Which events some emitter wants, asked before they are made.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::event::EventType;
use crate::level::{Level, LevelFilter};

/// Types and levels of events, a bit for each pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wants(u64);

/// What some emitter of some pipeline wants. Before any is set up: everything, as without a set-up everything is written.
static WANTED: WantsCell = WantsCell::new(Wants::ALL);

const LEVELS: u32 = Level::ALL.len() as u32;

impl Wants {
    pub(crate) const ALL: Wants = Wants(u64::MAX);
    pub(crate) const NOTHING: Wants = Wants(0);

    /// Events of one type and level.
    #[inline(always)]
    pub(crate) const fn one(kind: EventType, level: Level) -> Wants {
        // Ten types have room; there are nine.
        Wants(1 << (kind as u32 * LEVELS + level as u32))
    }

    /// Events of these types (by their bits) from this level on.
    pub(crate) fn from(types: u32, minimum: LevelFilter) -> Wants {
        let of_level =
            |level: &Level| -> u64 { (0..10).fold(0, |all, kind| all | 1 << (kind * LEVELS + *level as u32)) };
        let of_type = |kind: u32| ((1 << LEVELS) - 1) << (kind * LEVELS);
        let levels =
            Level::ALL.iter().filter(|level| minimum.allows(**level)).fold(0, |all, level| all | of_level(level));
        let types: u64 = (0..10).filter(|kind| types & 1 << kind != 0).fold(0, |all, kind| all | of_type(kind));
        Wants(levels & types)
    }

    pub(crate) const fn and(self, other: Wants) -> Wants {
        Wants(self.0 | other.0)
    }

    #[inline(always)]
    pub(crate) const fn has(self, one: Wants) -> bool {
        self.0 & one.0 != 0
    }

    /// Makes it what [`wanted`] answers.
    pub(crate) fn publish(self) {
        WANTED.store(self);
    }
}

/// What is wanted at a time: looked at by every event, and hardly ever written.
pub(super) struct WantsCell(AtomicU64);

impl WantsCell {
    pub(super) const fn new(wants: Wants) -> WantsCell {
        WantsCell(AtomicU64::new(wants.0))
    }

    #[inline(always)]
    pub(super) fn load(&self) -> Wants {
        Wants(self.0.load(Relaxed))
    }

    pub(super) fn store(&self, wants: Wants) {
        self.0.store(wants.0, Relaxed);
    }
}

/// Whether any emitter wants events of this type and level, whatever its filters say of a single one: one load.
///
/// What is expensive to find out need not be found out for an event that nobody wants.
///
/// ```
/// use canonlog::{EventType, Level, wanted};
///
/// let _guard = canonlog::setup().level(Level::Info).init()?;
/// assert!(wanted(EventType::Request, Level::Info));
/// assert!(!wanted(EventType::Log, Level::Debug));
/// # Ok::<(), canonlog::SetupError>(())
/// ```
#[inline]
pub fn wanted(kind: EventType, level: Level) -> bool {
    WANTED.load().has(Wants::one(kind, level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_wanted_if_both_its_type_and_its_level_are() {
        let kinds = [EventType::Request, EventType::Log, EventType::Status];
        let wants = Wants::from(1 << EventType::Log as u32 | 1 << EventType::Status as u32, LevelFilter::Warning);
        for kind in kinds {
            for level in Level::ALL {
                let want = kind != EventType::Request && level >= Level::Warning;
                assert_eq!(wants.has(Wants::one(kind, level)), want, "{kind} {level}");
            }
        }
        assert_eq!(Wants::from(u32::MAX, LevelFilter::Disabled), Wants::NOTHING);
        assert!(Wants::from(u32::MAX, LevelFilter::Debug).has(Wants::one(EventType::Status, Level::Critical)));
    }
}
