//! The emitters of a pipeline, to be changed while it runs.

use super::{Pipeline, parts, publish_wants};
use crate::emitter::{Emitter, EmitterError, Emitters};
use crate::level::LevelFilter;

/// The emitters that events go through now: added, changed and removed by name, while the program runs. Made by [`emitters`].
///
/// Each call does all that it says, or fails and changes nothing. Events made afterwards go by the new emitters; not one is lost by the
/// change. An output that no emitter leads to any more is written to its end in the background, for at most 2 s, and then dropped;
/// what it lost stays counted in [`stats()`](crate::stats()). (One that is written to [directly](Emitter::direct) is dropped when every
/// thread that has used it has emitted again, or ended.)
///
/// ```
/// use canonlog::{Emitter, Json, Level, LevelFilter, Memory, emitters};
///
/// let _guard = canonlog::setup().level(Level::Info).init()?;
/// let live = emitters();
///
/// live.set_level("default", Level::Debug)?; // while somebody looks for a fault
/// let memory = Memory::new();
/// live.add(Emitter::new("copy").format(Json::new()).output(memory.clone()))?;
/// live.change("copy", |copy| copy.level(Level::Error))?;
/// assert_eq!(live.names(), ["default", "copy"]);
/// live.remove("copy")?;
///
/// let error = live.remove("defualt").expect_err("there is none of this name");
/// assert_eq!(error.to_string(), "no emitter is called `defualt`; there are `default`; the nearest is `default`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LiveEmitters {
    pipeline: Pipeline,
}

/// The emitters of the process, or in a test those of its thread.
///
/// Before [`init()`](crate::Setup::init) they are what serves without any set-up, which `init()` replaces.
///
/// ```
/// let _guard = canonlog::setup().init()?;
/// assert_eq!(canonlog::emitters().names(), ["default"]);
/// # Ok::<(), canonlog::SetupError>(())
/// ```
pub fn emitters() -> LiveEmitters {
    LiveEmitters { pipeline: Pipeline::current() }
}

impl LiveEmitters {
    pub(crate) fn of_process() -> LiveEmitters {
        LiveEmitters { pipeline: Pipeline { number: 0 } }
    }

    fn emitters(self) -> &'static Emitters {
        &parts(self.pipeline.number()).emitters
    }

    fn changed(self, change: Result<(), EmitterError>) -> Result<(), EmitterError> {
        publish_wants();
        change
    }

    /// Their names, in the order in which they write.
    pub fn names(&self) -> Vec<String> {
        self.emitters().emitters().into_iter().map(|emitter| emitter.name().to_owned()).collect()
    }

    /// A copy of one, to look at or to put back.
    ///
    /// ```
    /// use canonlog::{Level, LevelFilter};
    ///
    /// let _guard = canonlog::setup().level(Level::Error).init()?;
    /// let emitter = canonlog::emitters().get("default").expect("it was set up");
    /// assert_eq!(emitter.minimum(), LevelFilter::Error);
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<Emitter> {
        self.emitters().emitters().into_iter().find(|emitter| emitter.name() == name)
    }

    /// Adds an emitter, behind the others.
    ///
    /// # Errors
    ///
    /// There is one of this name; it contradicts another; its writer cannot be started; canonlog was shut down.
    pub fn add(&self, emitter: Emitter) -> Result<(), EmitterError> {
        let emitter = emitter.ready();
        let add = |old: &[Emitter]| Ok(old.iter().cloned().chain([emitter]).collect());
        self.changed(self.emitters().change(add))
    }

    /// Adds emitters; one of the same name that is there is replaced, in its place. All of them, or with an error none.
    ///
    /// ```
    /// use canonlog::{Emitter, Json, Stderr};
    ///
    /// let _guard = canonlog::setup().init()?;
    /// let errors = Emitter::new("errors").output(Stderr::new());
    /// canonlog::emitters().put([Emitter::new("default").format(Json::new()), errors])?;
    /// assert_eq!(canonlog::emitters().names(), ["default", "errors"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`add`](LiveEmitters::add), but for the name.
    pub fn put(&self, emitters: impl IntoIterator<Item = Emitter>) -> Result<(), EmitterError> {
        let emitters = emitters.into_iter().map(Emitter::ready).collect();
        self.changed(self.emitters().put(emitters))
    }

    /// Puts these emitters in the place of all that there are. All of them, or with an error none.
    ///
    /// ```
    /// use canonlog::Emitter;
    ///
    /// let _guard = canonlog::setup().init()?;
    /// canonlog::emitters().replace_all([Emitter::new("one"), Emitter::new("two")])?;
    /// let error = canonlog::emitters().replace_all([Emitter::new("one"), Emitter::new("one")]).expect_err("which is it?");
    /// assert_eq!(error.to_string(), "two emitters are called `one`; give each a name of its own");
    /// assert_eq!(canonlog::emitters().names(), ["one", "two"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`add`](LiveEmitters::add).
    pub fn replace_all(&self, emitters: impl IntoIterator<Item = Emitter>) -> Result<(), EmitterError> {
        let emitters = emitters.into_iter().map(Emitter::ready).collect();
        self.changed(self.emitters().change(|_| Ok(emitters)))
    }

    /// Changes one: its level, types, filters, format, output.
    ///
    /// Of two threads that change the same one at the same time, that which ends later has its way. For the level alone,
    /// [`set_level`](LiveEmitters::set_level) keeps what others change meanwhile.
    ///
    /// # Errors
    ///
    /// There is none of this name; and as of [`add`](LiveEmitters::add).
    pub fn change(&self, name: &str, change: impl FnOnce(Emitter) -> Emitter) -> Result<(), EmitterError> {
        // What is a user's own runs while nothing is locked.
        let changed = self.get(name).map(|emitter| change(emitter).ready());
        self.changed(self.emitters().change_one(name, |old| Some(changed.unwrap_or_else(|| old.clone()))))
    }

    /// Changes the minimum level of one.
    ///
    /// ```
    /// use canonlog::{EventType, Level, LevelFilter, wanted};
    ///
    /// let _guard = canonlog::setup().init()?;
    /// canonlog::emitters().set_level("default", LevelFilter::Disabled)?;
    /// assert!(!wanted(EventType::Request, Level::Critical));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is none of this name, or canonlog was shut down.
    pub fn set_level(&self, name: &str, minimum: impl Into<LevelFilter>) -> Result<(), EmitterError> {
        let minimum = minimum.into();
        self.changed(self.emitters().change_one(name, |old| Some(old.clone().level(minimum))))
    }

    /// Takes one away.
    ///
    /// # Errors
    ///
    /// There is none of this name, or canonlog was shut down.
    pub fn remove(&self, name: &str) -> Result<(), EmitterError> {
        self.changed(self.emitters().change_one(name, |_| None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::format::Json;
    use crate::output::Memory;
    use crate::pipeline::{Kind, Parts, Settings, begin, panic};
    use crate::{filter, logger};

    #[test]
    fn the_panic_of_a_filter_is_none_of_the_request_and_loses_nothing() {
        panic::install();
        let memory = Memory::new();
        let emitter = Emitter::new("m").format(Json::new()).output(memory.clone()).direct();
        let broken = emitter.filter(|_: &Event<'_>| panic!("a filter's bug")).matching(filter::not(false));
        let started = Emitters::start(vec![broken.ready()]).expect("they agree");
        let before = Pipeline::add(Parts::new(Settings::default(), started)).make_current();
        let request = begin(Kind::Request);
        request.enter(|| logger("shop").info("said"));
        request.finish();
        assert_eq!(emitters().emitters().filter_panics(), 2);
        before.make_current();
        let lines = memory.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(!lines[1].contains("panic"), "{lines:?}");
    }

    #[test]
    fn the_emitters_of_a_thread_of_its_own_are_changed_apart_from_those_of_the_process() {
        let (memory, more) = (Memory::new(), Memory::new());
        let emitter = |name: &str, memory: &Memory| Emitter::new(name).output(memory.clone()).direct();
        let started = Emitters::start(vec![emitter("mine", &memory).ready()]).expect("they agree");
        let before = Pipeline::add(Parts::new(Settings::default(), started)).make_current();
        let mine = emitters();
        mine.add(emitter("more", &more)).expect("another name");
        assert!(matches!(mine.add(emitter("more", &more)), Err(EmitterError::Twice { .. })));
        begin(Kind::Job).finish();
        mine.change("mine", |mine| mine.level(LevelFilter::Error)).expect("it is there");
        mine.remove("more").expect("it is there");
        begin(Kind::Job).finish();
        before.make_current();
        assert_eq!((memory.len(), more.len(), mine.names()), (1, 1, vec!["mine".to_owned()]));
        assert!(!emitters().names().contains(&"mine".to_owned()));
        assert_eq!(mine.get("mine").map(|mine| mine.minimum()), Some(LevelFilter::Error));
    }
}
