//! Which emitters lead to the same place, and which of the sinks that there are lead there already.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::sink::{Parts, Sink};
use super::{Emitter, EmitterError, Filter, Way};
use crate::format::Format;
use crate::output::{Background, Output};

/// A place that emitters lead to.
pub(super) struct Home {
    pub(super) sink: Arc<Sink>,
    pub(super) output: Arc<dyn Output>,
    pub(super) place: Option<String>,
    /// Those of the emitters that lead there, in their order.
    pub(super) formats: Vec<Arc<dyn Format>>,
}

/// Emitters, where they lead, and which of those places is each one's.
pub(super) struct Planned {
    pub(super) emitters: Vec<Emitter>,
    pub(super) homes: Vec<Home>,
    pub(super) at: Vec<usize>,
}

/// What one place is made of, before it is known whether it is there already.
struct Plan {
    name: String,
    place: Option<String>,
    output: Arc<dyn Output>,
    formats: Vec<Arc<dyn Format>>,
    way: Option<Way>,
    first: String,
}

/// Where these emitters lead; `old` are the places that there are. The sinks that are missing are started.
///
/// # Errors
///
/// Emitters that contradict each other, and whatever keeps a thread from starting.
pub(super) fn plan(mut emitters: Vec<Emitter>, old: &[Home], losses: &Arc<AtomicU64>) -> Result<Planned, EmitterError> {
    let mut plans: Vec<Plan> = Vec::new();
    let mut at = Vec::with_capacity(emitters.len());
    for (number, emitter) in emitters.iter().enumerate() {
        if emitters[..number].iter().any(|other| other.name == emitter.name) {
            return Err(EmitterError::Twice { name: emitter.name.clone() });
        }
        if let Err(source) = emitter.filters.iter().try_for_each(Filter::check) {
            return Err(EmitterError::Filter { emitter: emitter.name.clone(), source });
        }
        at.push(place(&mut plans, emitter)?);
    }
    // Those that are kept first: they have their labels.
    let mut homes: Vec<Option<Home>> = plans.iter().map(|plan| plan.kept(old)).collect();
    for (number, plan) in plans.iter().enumerate() {
        if homes[number].is_none() {
            let label = free_label(&plan.name, &homes);
            homes[number] = Some(plan.start(label, old, losses)?);
        }
    }
    let homes: Vec<Home> = homes.into_iter().flatten().collect();
    for (emitter, at) in emitters.iter_mut().zip(&at) {
        // Its own, if another, is never written to.
        emitter.output = Arc::clone(&homes[*at].output);
    }
    Ok(Planned { emitters, homes, at })
}

/// The place of the emitter's output among the plans, made if it is new.
fn place(plans: &mut Vec<Plan>, emitter: &Emitter) -> Result<usize, EmitterError> {
    let format = Arc::clone(emitter.wired_format());
    let place = emitter.place();
    let is_there = |plan: &Plan| Arc::ptr_eq(&plan.output, &emitter.output) || (place.is_some() && plan.place == place);
    if let Some(at) = plans.iter().position(is_there) {
        let plan = &mut plans[at];
        if plan.way.is_some() && emitter.way.is_some() && plan.way != emitter.way {
            return Err(EmitterError::Conflict { first: plan.first.clone(), second: emitter.name.clone() });
        }
        plan.way = plan.way.or(emitter.way);
        plan.formats.push(format);
        return Ok(at);
    }
    plans.push(Plan {
        name: emitter.output_name().to_owned(),
        place,
        output: Arc::clone(&emitter.output),
        formats: vec![format],
        way: emitter.way,
        first: emitter.name.clone(),
    });
    Ok(plans.len() - 1)
}

impl Plan {
    fn way(&self) -> Way {
        self.way.unwrap_or(Way::Background(Background::default()))
    }

    /// The sink that leads there already, in the same way and by the same output.
    fn kept(&self, old: &[Home]) -> Option<Home> {
        let home = old.iter().find(|home| Arc::ptr_eq(&home.output, &self.output) && home.sink.way == self.way())?;
        Some(self.home(Arc::clone(&home.sink)))
    }

    fn start(&self, label: String, old: &[Home], losses: &Arc<AtomicU64>) -> Result<Home, EmitterError> {
        let led_there = |home: &&Home| {
            Arc::ptr_eq(&home.output, &self.output) || (self.place.is_some() && home.place == self.place)
        };
        let sink = Sink::start(Parts {
            label,
            output: Arc::clone(&self.output),
            formats: self.formats.clone(),
            way: self.way(),
            before: old.iter().find(led_there).map(|home| Arc::clone(&home.sink)),
            losses: Arc::clone(losses),
        });
        let sink = sink.map_err(|source| EmitterError::Thread { emitter: self.first.clone(), source })?;
        Ok(self.home(Arc::new(sink)))
    }

    fn home(&self, sink: Arc<Sink>) -> Home {
        let (output, place) = (Arc::clone(&self.output), self.place.clone());
        Home { sink, output, place, formats: self.formats.clone() }
    }
}

/// The output's name, with a number where another has it.
fn free_label(name: &str, homes: &[Option<Home>]) -> String {
    let is_free = |label: &String| homes.iter().flatten().all(|home| home.sink.label() != label);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}
