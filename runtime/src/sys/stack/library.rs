//! Libraries that come and go, for tests of what looks at stacks meanwhile.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};

/// A library that is loaded.
pub(crate) struct Library(*mut c_void);

impl Library {
    pub(crate) fn load(name: &CStr) -> Option<Library> {
        // SAFETY: `name` is a live text that ends in zero. The C library's own ones, which tests ask for, have no initialisers that
        // other code would have to be ready for.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        (!handle.is_null()).then_some(Library(handle))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: `dlopen` gave the handle, and it is closed once; nothing of the library was asked for.
        unsafe { libc::dlclose(self.0) };
    }
}
