//! All the ways out of the process, the one way in to them, and how they change while events pass.
//!
//! ```text
//! event ──▶ the list that this thread kept ──(still the current number?)──▶ routes ──▶ sinks
//! change ─▶ plan ─▶ new sinks start ─▶ the new list has a new number ─▶ sinks without a route end in order
//! ```
//!
//! A thread asks for one number that hardly ever changes, and locks nothing. So it may be at work by the old list a moment after a
//! change: a sink that is left takes what was on its way, and nothing is lost.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::leaving::{self, Counts, Departed, merge};
use super::list::{List, Route};
use super::plan::{Home, plan};
use super::sink::{Sink, SinkStats};
use super::wanted::WantsCell;
use super::{Emitter, EmitterError, Wants};
use crate::counters::{self, Count};
use crate::event::{Event, EventType};
use crate::format::Pretty;
use crate::internal::guarded;
use crate::level::Level;
use crate::output::{Inside, LossReason};
use crate::sys::clocks;

/// Emitters, each with the place of its sink.
pub(crate) struct Emitters {
    /// The number of the list by which events go.
    current: AtomicU64,
    /// What one of its routes at least wants.
    wanted: WantsCell,
    state: Mutex<State>,
    /// Sinks without a route.
    departed: Arc<Departed>,
    filter_panics: AtomicU64,
    /// How many events were lost by all sinks there ever were, and how many of those events have told of.
    losses: Arc<AtomicU64>,
    told: AtomicU64,
}

/// What changes when emitters do.
pub(crate) struct State {
    emitters: Vec<Emitter>,
    /// Where they lead, in the order of the first emitter that leads there.
    homes: Vec<Home>,
    list: Arc<List>,
    ended: bool,
}

/// The locks on what changes.
pub(crate) struct Held<'a> {
    _state: MutexGuard<'a, State>,
    _departed: MutexGuard<'a, Counts>,
}

impl fmt::Debug for Emitters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.state().emitters.iter()).finish()
    }
}

impl Emitters {
    /// Starts them.
    ///
    /// # Errors
    ///
    /// Emitters that contradict each other, and whatever keeps a thread from starting.
    pub(crate) fn start(emitters: Vec<Emitter>) -> Result<Emitters, EmitterError> {
        let started = Emitters::none();
        let emitters = emitters.into_iter().map(Emitter::ready).collect();
        started.change(|_| Ok(emitters))?;
        Ok(started)
    }

    fn none() -> Emitters {
        let list = List::new(Vec::new());
        Emitters {
            current: AtomicU64::new(list.number),
            wanted: WantsCell::new(Wants::NOTHING),
            state: Mutex::new(State { emitters: Vec::new(), homes: Vec::new(), list, ended: false }),
            departed: Arc::default(),
            filter_panics: AtomicU64::new(0),
            losses: Arc::default(),
            told: AtomicU64::new(0),
        }
    }

    /// What a program without any set-up has: logfmt, or at a terminal what is nicer there, on standard output, which each event waits
    /// for at most 100 ms.
    pub(crate) fn fallback() -> Emitters {
        let emitter = Emitter::new("default").direct_within(Duration::from_millis(100));
        let emitter = if Pretty::is_wanted() { emitter.format(Pretty::new()) } else { emitter };
        // A direct sink has no thread, so nothing can fail.
        Emitters::start(vec![emitter]).unwrap_or_else(|_| Emitters::none())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The locks on what changes, held while the process forks.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held { _state: self.state(), _departed: self.departed.lock() }
    }

    /// What one of them at least wants.
    pub(crate) fn wants(&self) -> Wants {
        self.wanted.load()
    }

    /// Copies of the emitters, in their order.
    pub(crate) fn emitters(&self) -> Vec<Emitter> {
        self.state().emitters.clone()
    }

    /// Replaces the emitters by what `change` makes of them: all, or with an error none. What `change` calls is canonlog's own, but
    /// the emitters that it adds are [`ready`](Emitter::ready).
    ///
    /// # Errors
    ///
    /// That of `change`; emitters that contradict each other; whatever keeps a thread from starting.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&[Emitter]) -> Result<Vec<Emitter>, EmitterError>,
    ) -> Result<(), EmitterError> {
        let mut kept = Vec::new();
        let result = self.change_keeping(change, &mut kept);
        let _ = guarded(move || drop(kept));
        result
    }

    /// As [`change`](Emitters::change). What the changed emitters hold lives on in `kept`: what is refused, or replaced by what is
    /// there, ends when the lock is free.
    fn change_keeping(
        &self,
        change: impl FnOnce(&[Emitter]) -> Result<Vec<Emitter>, EmitterError>,
        kept: &mut Vec<Emitter>,
    ) -> Result<(), EmitterError> {
        let mut state = self.state();
        if state.ended {
            return Err(EmitterError::Ended);
        }
        let changed = change(&state.emitters)?;
        kept.clone_from(&changed);
        let planned = plan(changed, &state.homes, &self.losses)?;
        let routes = planned.emitters.iter().zip(&planned.at).map(|(emitter, at)| Route {
            wants: emitter.wants(),
            filters: emitter.filters.clone(),
            format: Arc::clone(emitter.wired_format()),
            own: emitter.wired_own().cloned(),
            sink: Arc::clone(&planned.homes[*at].sink),
            name: emitter.name().into(),
            follows: false,
            followed: false,
        });
        let list = List::new(routes.collect());
        // What was there may hold a user's closures, and outputs: they end when the lock is free.
        let old_formats = planned.homes.iter().map(|home| home.sink.set_formats(home.formats.clone()));
        let old_formats: Vec<_> = old_formats.collect();
        let old_list = std::mem::replace(&mut state.list, Arc::clone(&list));
        let old_emitters = std::mem::replace(&mut state.emitters, planned.emitters);
        let old_homes = std::mem::replace(&mut state.homes, planned.homes);
        self.current.store(list.number, Ordering::Release);
        self.wanted.store(list.routes.iter().fold(Wants::NOTHING, |all, route| all.and(route.wants)));
        let is_left = |home: &Home| state.homes.iter().all(|new| !Arc::ptr_eq(&new.sink, &home.sink));
        let left: Vec<Home> = old_homes.into_iter().filter(is_left).collect();
        self.departed.add(left.iter().map(|home| &home.sink));
        drop(state);
        List::forget(old_list.number);
        let _ = guarded(move || drop((old_formats, old_emitters, old_list)));
        left.into_iter().for_each(|home| leaving::end(home.sink, home.output, &self.departed));
        Ok(())
    }

    /// Adds these emitters; one of the same name that is there is replaced, in its place.
    ///
    /// # Errors
    ///
    /// As of [`change`](Emitters::change).
    pub(crate) fn put(&self, emitters: Vec<Emitter>) -> Result<(), EmitterError> {
        let result = self.change(|old| {
            let mut all = old.to_vec();
            for emitter in &emitters {
                match all.iter_mut().find(|known| known.name == emitter.name) {
                    Some(known) => known.clone_from(emitter),
                    None => all.push(emitter.clone()),
                }
            }
            Ok(all)
        });
        // Of two of one name the first is in no list.
        let _ = guarded(move || drop(emitters));
        result
    }

    /// Changes, or with none takes away, the emitter of this name.
    ///
    /// # Errors
    ///
    /// There is none of this name; and as of [`change`](Emitters::change).
    pub(crate) fn change_one(
        &self,
        name: &str,
        change: impl FnOnce(&Emitter) -> Option<Emitter>,
    ) -> Result<(), EmitterError> {
        // Without such an emitter it ends when the lock is free, with what it holds.
        let mut change = Some(change);
        let result = self.change(|old| {
            let mut all = old.to_vec();
            let Some(at) = all.iter().position(|known| known.name == name) else {
                let known = all.into_iter().map(|emitter| emitter.name).collect();
                return Err(EmitterError::Unknown { name: name.to_owned(), known });
            };
            match change.take().and_then(|change| change(&all[at])) {
                Some(changed) => all[at] = changed,
                None => drop(all.remove(at)),
            }
            Ok(all)
        });
        let _ = guarded(move || drop(change));
        result
    }

    /// The list by which events go now. Without a lock, and without a write that threads share, unless it has changed.
    #[inline(always)]
    fn with_list(&self, look: impl Fn(&List)) {
        if !List::look_at_kept(self.current.load(Ordering::Acquire), &look) {
            look(&self.fetch());
        }
    }

    #[cold]
    fn fetch(&self) -> Arc<List> {
        let list = Arc::clone(&self.state().list);
        List::keep(Some(&list));
        list
    }

    /// Hands an event to every emitter that takes it; `stamp` is [`clock::now`](crate::clock::now) of now, or before.
    pub(crate) fn emit(&self, event: &Event<'_>, stamp: u64) {
        let one = Wants::one(event.kind(), event.level());
        if !self.wanted.load().has(one) {
            return;
        }
        let Some(_inside) = Inside::enter() else { return self.lose_reentrant(event.kind(), event.level()) };
        self.with_list(|list| list.emit(event, one, stamp, &self.filter_panics));
    }

    #[cold]
    fn lose_reentrant(&self, kind: EventType, level: Level) {
        counters::add(Count::Reentrant, 1);
        self.lose(kind, level, LossReason::Reentrant);
    }

    /// Counts an event that was not made as lost, wherever it was to go.
    #[cold]
    pub(crate) fn lose(&self, kind: EventType, level: Level, reason: LossReason) {
        self.with_list(|list| list.lose(Wants::one(kind, level), reason));
    }

    /// The sinks, also those that are being left.
    fn sinks(&self) -> Vec<Arc<Sink>> {
        let mut sinks = self.homes();
        sinks.extend(self.departed.leaving());
        sinks
    }

    fn homes(&self) -> Vec<Arc<Sink>> {
        self.state().homes.iter().map(|home| Arc::clone(&home.sink)).collect()
    }

    /// Waits until every event so far is written or counted as lost; false if that takes longer than `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        let deadline = clocks::within(limit);
        let left = || deadline.saturating_duration_since(Instant::now());
        // Every one of them, also after one that took all the time.
        self.sinks().iter().filter(|sink| !sink.flush(left())).count() == 0
    }

    /// As [`flush`](Emitters::flush), from a thread that may be inside an output, and does not go on after it.
    pub(crate) fn flush_queues(&self, until: Instant) {
        // It may even be this thread that has the lock.
        let Ok(state) = self.state.try_lock() else { return };
        for sink in state.homes.iter().map(|home| &home.sink).chain(&self.departed.try_leaving()) {
            sink.flush_queue(until.saturating_duration_since(Instant::now()));
        }
    }

    /// Opens files again; the first error, if any.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let mut all = Ok(());
        for sink in self.homes() {
            all = all.and(sink.reopen());
        }
        all
    }

    /// Writes what there is, at most until `limit`, and says on stderr what was lost: how many events, in all.
    pub(crate) fn shutdown(&self, limit: Duration) -> u64 {
        let deadline = clocks::within(limit);
        self.state().ended = true;
        let sinks = self.sinks();
        sinks.iter().for_each(|sink| sink.close());
        sinks.iter().for_each(|sink| sink.finish(deadline));
        self.stats().iter().flat_map(|stats| stats.lost).sum()
    }

    /// What became of the events of each output; those of the same name, of which one took the place of the other, together.
    pub(crate) fn stats(&self) -> Vec<SinkStats> {
        self.departed.fold();
        let mut all = Vec::new();
        // Held meanwhile, as a sink may go from these to those.
        let state = self.state();
        let homes = state.homes.iter().map(|home| home.sink.stats());
        homes.chain(self.departed.stats()).for_each(|stats| merge(&mut all, stats));
        all
    }

    /// Events lost that no event has told of yet; from now on, one has.
    #[inline]
    pub(crate) fn untold_losses(&self) -> u64 {
        let lost = self.losses.load(Ordering::Relaxed);
        if lost == 0 {
            return 0;
        }
        lost.saturating_sub(self.told.fetch_max(lost, Ordering::Relaxed))
    }

    /// How often a filter has panicked.
    pub(crate) fn filter_panics(&self) -> u64 {
        self.filter_panics.load(Ordering::Relaxed)
    }
}

impl Drop for Emitters {
    /// Lets the writers finish on their own: some thread's list may hold their queues for long.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.homes.iter().for_each(|home| home.sink.close());
        List::forget(state.list.number);
    }
}
