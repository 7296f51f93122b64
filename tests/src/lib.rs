//! Doctests of the book.
