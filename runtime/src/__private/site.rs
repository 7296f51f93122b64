//! Where annotated functions stand.

use std::fmt;

/// One annotated function.
#[derive(Debug)]
pub struct Fun {
    file: &'static str,
    line: u32,
    module: &'static str,
    name: &'static str,
    here: fn() -> &'static str,
}

/// The type's name, of a function item: its path.
pub fn name_of<T>(_: T) -> &'static str {
    std::any::type_name::<T>()
}

impl Fun {
    /// A function; `here` gives the path of a function inside a function inside it.
    pub const fn new(
        file: &'static str,
        line: u32,
        module: &'static str,
        name: &'static str,
        here: fn() -> &'static str,
    ) -> Self {
        Fun { file, line, module, name, here }
    }

    /// The line of the function's name.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// `file.rs:line:function`.
    pub(crate) fn at(&'static self, line: u32) -> At {
        At { fun: self, line }
    }

    /// The function's path: `shop::checkout`, `<shop::Cart as shop::Load>::load`.
    pub(crate) fn path(&self) -> Path {
        // The name of a type is not stable between compilers: known ends are cut off, and without them the parts serve.
        let path = (self.here)().strip_suffix("::__canonlog_name::__canonlog_here").map(|path| {
            let mut path = path;
            while let Some(outer) = path.strip_suffix("::{{closure}}") {
                path = outer;
            }
            path
        });
        match path {
            Some(path) => Path { module: None, name: path },
            None => Path { module: Some(self.module), name: self.name },
        }
    }
}

/// A function's path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    module: Option<&'static str>,
    name: &'static str,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(module) = self.module {
            write!(f, "{module}::")?;
        }
        f.write_str(self.name)
    }
}

impl Path {
    /// The path without formatting, where it is one text.
    pub(crate) fn as_str(&self) -> Option<&'static str> {
        self.module.is_none().then_some(self.name)
    }
}

/// A line in a function, as locations are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    fun: &'static Fun,
    line: u32,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.fun.file, self.line, self.fun.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(here: fn() -> &'static str) -> String {
        Fun::new("src/main.rs", 3, "shop", "checkout", here).path().to_string()
    }

    #[test]
    fn the_path_of_an_async_function_has_no_closure_in_it() {
        assert_eq!(path(|| "shop::checkout::{{closure}}::__canonlog_name::__canonlog_here"), "shop::checkout");
    }

    #[test]
    fn an_unknown_form_of_name_falls_back_to_the_module_and_the_name() {
        assert_eq!(path(|| "something else"), "shop::checkout");
    }
}
