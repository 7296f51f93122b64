//! Where things are: the places in the source that events name.

pub(crate) mod site;
