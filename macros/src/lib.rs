//! The attribute and derive macros of canonlog.
