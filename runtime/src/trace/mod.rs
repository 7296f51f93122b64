//! Where things are: the places in the source that events name, and what units that do not end are doing.

pub(crate) mod caller;
pub(crate) mod errors;
pub(crate) mod names;
pub(crate) mod places;
pub(crate) mod site;
#[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
pub(crate) mod stack;
pub(crate) mod stuck;
pub(crate) mod texts;
mod thread;
