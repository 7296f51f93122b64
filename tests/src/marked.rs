//! Lines that a test program names by a mark, so that the expected places move along with the code.

/// The files of a program in `tests/`, each with its text.
pub struct Marked {
    /// The program's name.
    pub program: &'static str,
    /// Its files, `main.rs` among them.
    pub files: &'static [(&'static str, &'static str)],
}

impl Marked {
    /// The location of the one line that ends in `// @mark`, in a function of its module.
    #[must_use]
    pub fn at(&self, mark: &str, function: &str) -> String {
        let (program, end) = (self.program, format!("// @{mark}"));
        let lines =
            self.files.iter().flat_map(|(file, text)| text.lines().zip(1..).map(move |(line, at)| (file, line, at)));
        let marked = lines.filter(|(_, line, _)| line.trim_end().ends_with(&end));
        let places: Vec<String> = marked
            .map(|(file, _, at)| match file.trim_end_matches(".rs") {
                "main" => format!("tests/{program}/main.rs:{at}:{program}::{function}"),
                module => format!("tests/{program}/{file}:{at}:{program}::{module}::{function}"),
            })
            .collect();
        let [place] = &places[..] else { panic!("one line is marked `{mark}`, not {places:?}") };
        place.clone()
    }
}

/// The files of the test program in which it stands, as [`Marked`].
#[macro_export]
macro_rules! marked {
    ($program:literal: $($file:literal),+ $(,)?) => {
        $crate::marked::Marked { program: $program, files: &[$(($file, include_str!($file))),+] }
    };
}
