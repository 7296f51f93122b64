//! What std does not offer. The only folder with `unsafe`: one operation a block, each with its argument.

pub(crate) mod again;
pub(crate) mod alone;
pub(crate) mod clocks;
pub(crate) mod errno;
pub(crate) mod fd;
pub(crate) mod fork;
pub(crate) mod host;
pub(crate) mod lasting;
pub(crate) mod listen;
pub(crate) mod memfd;
pub(crate) mod slab;
pub(crate) mod socket;
#[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
pub(crate) mod stack;
pub(crate) mod thread;
pub(crate) mod word;
pub(crate) mod words;
pub(crate) mod zone;
