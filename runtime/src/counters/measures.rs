//! What programs count: messages by level, and counters of their own; a block of sums a thread.
//!
//! Sums only ever grow (or, of a counter that is told so, shrink): whoever reports them remembers what there was before, so that
//! several who do take nothing from each other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::{Block, Count, LAST_RESORT, add, blocks, mine};
use crate::level::Level;

/// How many counters a program can have.
pub(crate) const COUNTERS: usize = 256;

const LEVELS: usize = Level::ALL.len();

/// What was counted, and how often.
type Pair = [AtomicU64; 2];

/// One thread's sums. Only that thread writes them.
#[derive(Debug)]
pub(super) struct Measures {
    /// Bytes, and messages.
    messages: [Pair; LEVELS],
    /// The sum of the increments, and how many there were.
    own: [Pair; COUNTERS],
}

impl Measures {
    pub(super) const fn new() -> Measures {
        Measures {
            messages: [const { [const { AtomicU64::new(0) }; 2] }; LEVELS],
            own: [const { [const { AtomicU64::new(0) }; 2] }; COUNTERS],
        }
    }

    /// Begins anew: the thread that counted is not here any more, or will not count meanwhile.
    pub(super) fn clear(&self) {
        for pair in self.messages.iter().chain(&self.own) {
            pair.iter().for_each(|number| number.store(0, Ordering::Relaxed));
        }
    }
}

#[inline(always)]
fn add_to([sum, times]: &Pair, n: u64) {
    sum.store(sum.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    times.store(times.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// Names of counters by their place in memory; the same text may stand in several.
struct Names {
    places: [OnceLock<(&'static str, usize)>; NAME_PLACES],
    full: AtomicBool,
    /// The right to name a counter. Nothing is allocated under it: the program's allocator may count.
    naming: Mutex<()>,
}

const NAME_PLACES: usize = 1_024;
/// Some places stay empty, so that a search ends.
const MOST_NAMES: usize = NAME_PLACES / 2;

static NAMES: Names = Names::new();

pub(super) fn hold_names() -> MutexGuard<'static, ()> {
    NAMES.hold()
}

impl Names {
    const fn new() -> Names {
        Names { places: [const { OnceLock::new() }; NAME_PLACES], full: AtomicBool::new(false), naming: Mutex::new(()) }
    }

    fn hold(&self) -> MutexGuard<'_, ()> {
        self.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The places where a name may stand, first things first.
    #[inline]
    fn places(&self, name: &'static str) -> impl Iterator<Item = &OnceLock<(&'static str, usize)>> {
        let mixed = (name.as_ptr().addr() as u64 ^ (name.len() as u64) << 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let first = (mixed >> (64 - NAME_PLACES.trailing_zeros())) as usize;
        (first..first + NAME_PLACES).map(|at| &self.places[at % NAME_PLACES])
    }

    /// The number of the counter of this name; none where there is no room for it.
    #[inline]
    fn number(&self, name: &'static str) -> Option<usize> {
        for place in self.places(name) {
            match place.get() {
                // A `'static` text of the same place and length has the same bytes.
                Some((known, number)) if std::ptr::eq(*known, name) => return Some(*number),
                Some(_) => {}
                None => break,
            }
        }
        self.number_anew(name)
    }

    #[cold]
    fn number_anew(&self, name: &'static str) -> Option<usize> {
        if self.full.load(Ordering::Relaxed) {
            return None;
        }
        let _only = self.hold();
        let (mut names, mut next, mut known) = (0, 0, None);
        for (text, number) in self.all() {
            (names, next) = (names + 1, next.max(number + 1));
            if text == name {
                known = Some(number);
            }
        }
        let number = known.unwrap_or(next);
        if names >= MOST_NAMES || number >= COUNTERS {
            self.full.store(true, Ordering::Relaxed);
            return known;
        }
        // Another thread may have been here first: then it stands there already.
        let free = self.places(name).find(|place| place.get().is_none_or(|(known, _)| std::ptr::eq(*known, name)));
        let _ = free.map(|place| place.set((name, number)));
        Some(number)
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.places.iter().filter_map(OnceLock::get).copied()
    }
}

/// Counts one increment on this thread.
#[inline]
pub(crate) fn increment(name: &'static str, by: i64) {
    match NAMES.number(name) {
        Some(number) => add_to(&mine().measures.own[number], by.cast_unsigned()),
        None => add(Count::IncrementsLost, 1),
    }
}

/// Whether anybody wants to know of messages.
static MESSAGES: AtomicBool = AtomicBool::new(false);

/// From now on messages are counted.
pub(crate) fn count_messages() {
    MESSAGES.store(true, Ordering::Relaxed);
}

/// Whether messages are counted.
#[inline(always)]
pub(crate) fn counts_messages() -> bool {
    MESSAGES.load(Ordering::Relaxed)
}

/// Counts a message on this thread; `size` is the length of its text before anything is put into it, as far as that
/// is known.
#[inline]
pub(crate) fn message(level: Level, size: usize) {
    add_to(&mine().measures.messages[level as usize], size as u64);
}

/// Counts a text that was measured after its message was counted.
#[inline]
pub(crate) fn text(level: Level, size: usize) {
    let [sum, _] = &mine().measures.messages[level as usize];
    sum.store(sum.load(Ordering::Relaxed).wrapping_add(size as u64), Ordering::Relaxed);
}

/// A sum over all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// What was counted together.
    pub(crate) sum: i64,
    /// How often something was.
    pub(crate) times: u64,
}

impl Sum {
    fn add(&mut self, [sum, times]: &Pair) {
        self.sum = self.sum.wrapping_add(sum.load(Ordering::Relaxed).cast_signed());
        self.times = self.times.wrapping_add(times.load(Ordering::Relaxed));
    }

    /// What came since.
    pub(crate) fn since(self, before: Sum) -> Sum {
        Sum { sum: self.sum.wrapping_sub(before.sum), times: self.times.wrapping_sub(before.times) }
    }
}

fn sum_of(pair: impl Fn(&Measures) -> &Pair) -> Sum {
    let mut sum = Sum::default();
    for block in blocks().iter().copied().chain([&LAST_RESORT]) {
        let Block { measures, .. } = block;
        sum.add(pair(measures));
    }
    sum
}

/// Messages of a level, and their bytes, since the process began.
pub(crate) fn messages_of(level: Level) -> Sum {
    sum_of(|measures| &measures.messages[level as usize])
}

/// Every counter that was ever used, in the order of its first use, with its number.
pub(crate) fn counters() -> Vec<(usize, &'static str, Sum)> {
    let mut all: Vec<(usize, &'static str, Sum)> = Vec::new();
    for (name, number) in NAMES.all() {
        if all.iter().all(|(known, ..)| *known != number) {
            all.push((number, name, sum_of(|measures| &measures.own[number])));
        }
    }
    all.sort_unstable_by_key(|(number, ..)| *number);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Sum {
        counters().into_iter().find_map(|(_, known, sum)| (known == name).then_some(sum)).unwrap_or_default()
    }

    #[test]
    fn increments_of_all_threads_come_together_under_one_name() {
        let before = of("measured_together");
        let names: [&'static str; 3] =
            ["measured_together", String::from("measured_together").leak(), "measured_together"];
        std::thread::scope(|scope| {
            for (name, by) in names.into_iter().zip([1, 5, 7]) {
                scope.spawn(move || increment(name, by));
            }
        });
        assert_eq!(of("measured_together").since(before), Sum { sum: 13, times: 3 });
        increment("measured_together", -13);
        assert_eq!(of("measured_together").since(before), Sum { sum: 0, times: 4 });
    }

    #[test]
    fn a_name_beyond_those_that_there_is_room_for_has_no_counter_and_the_others_keep_theirs() {
        let names = Box::new(Names::new());
        let texts: Vec<&'static str> = (0..COUNTERS).map(|at| &*format!("measured_{at}").leak()).collect();
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(names.number(text), Some(at));
        }
        assert_eq!(names.number("one_too_many"), None);
        assert_eq!(texts.iter().filter_map(|text| names.number(text)).sum::<usize>(), COUNTERS * (COUNTERS - 1) / 2);
    }

    #[test]
    fn one_text_in_many_places_leaves_room_for_a_search_to_end() {
        let names = Box::new(Names::new());
        let mut copies = (0..2 * NAME_PLACES).map(|_| &*String::from("many_copies").leak());
        assert_eq!(copies.by_ref().take(MOST_NAMES).filter_map(|copy| names.number(copy)).max(), Some(0));
        assert_eq!(copies.filter_map(|copy| names.number(copy)).count(), 1, "the one that fills it is counted still");
        assert_eq!(names.all().count(), MOST_NAMES);
    }
}
