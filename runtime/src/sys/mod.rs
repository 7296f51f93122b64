//! What std does not offer. The only folder with `unsafe`: one operation a block, each with its argument.

pub(crate) mod clocks;
pub(crate) mod fd;
pub(crate) mod fork;
pub(crate) mod listen;
pub(crate) mod slab;
pub(crate) mod thread;
pub(crate) mod word;
