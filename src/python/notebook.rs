//! Jupyter notebooks: code cells joined to one module. Pure functions; touches nothing.

use serde::Deserialize;

use super::facts::{FactProblem, Facts};
use crate::source::{LineIndex, ProblemKind, Span};

#[derive(Deserialize)]
struct Notebook {
    #[serde(default)]
    cells: Vec<Cell>,
    #[serde(default)]
    metadata: Metadata,
    /// Before version 4 of the format, cells lay in worksheets.
    #[serde(default)]
    worksheets: Vec<Worksheet>,
}

#[derive(Deserialize)]
struct Worksheet {
    #[serde(default)]
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    #[serde(default, alias = "input")]
    source: Lines,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    Many(Vec<String>),
    One(String),
}

impl Default for Lines {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Lines {
    fn join(&self) -> String {
        match self {
            Self::Many(lines) => lines.concat(),
            Self::One(text) => text.clone(),
        }
    }
}

#[derive(Default, Deserialize)]
struct Metadata {
    kernelspec: Option<Language>,
    language_info: Option<Language>,
}

#[derive(Deserialize)]
struct Language {
    language: Option<String>,
    name: Option<String>,
}

impl Metadata {
    /// Notebooks without metadata are Python's.
    fn is_python(&self) -> bool {
        let kernel = self.kernelspec.as_ref().and_then(|kernel| kernel.language.as_deref());
        let language = kernel.or_else(|| self.language_info.as_ref()?.name.as_deref());
        language.is_none_or(|language| language.to_ascii_lowercase().contains("python"))
    }
}

/// The code of a notebook as one text, and for each of its lines the line in the JSON text.
pub(super) struct Code {
    pub text: String,
    pub lines: Vec<u32>,
}

/// Reads the code cells; an error if this is no notebook, nothing if it is not in Python.
pub(super) fn code(bytes: &[u8]) -> Result<Code, FactProblem> {
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    if !is_object {
        // Serde would take a list for a notebook without names.
        let message = "not a notebook: no JSON object".to_owned();
        return Err(FactProblem { line: 1, kind: ProblemKind::Unreadable, message });
    }
    let notebook: Notebook = serde_json::from_slice(bytes).map_err(|error| FactProblem {
        line: error.line() as u32,
        kind: ProblemKind::Unreadable,
        message: format!("not a notebook: {error}"),
    })?;
    let mut code = Code { text: String::new(), lines: Vec::new() };
    if !notebook.metadata.is_python() {
        return Ok(code);
    }
    let mut places = Places::new(bytes);
    let sheets = notebook.worksheets.iter().flat_map(|sheet| &sheet.cells);
    for cell in notebook.cells.iter().chain(sheets).filter(|cell| cell.cell_type == "code") {
        for line in python_of(&cell.source.join()).lines() {
            code.lines.push(places.line_of(line));
            code.text.push_str(line);
            code.text.push('\n');
        }
    }
    Ok(code)
}

/// A cell without its cell magic; nothing if the magic hands the cell to another language.
fn python_of(cell: &str) -> &str {
    let Some(magic) = cell.trim_start().strip_prefix("%%") else { return cell };
    let (first, rest) = magic.split_once('\n').unwrap_or((magic, ""));
    match first.split_whitespace().next() {
        Some("time" | "timeit" | "capture" | "prun" | "python" | "python3" | "pypy" | "debug") => {
            rest
        }
        _ => "",
    }
}

/// Finds lines of code in the JSON text, from top to bottom.
struct Places<'b> {
    bytes: &'b [u8],
    cursor: usize,
    line: u32,
    lost: bool,
}

impl<'b> Places<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, cursor: 0, line: 1, lost: false }
    }

    /// Once a line is not found as written, all later ones get the last place known.
    fn line_of(&mut self, code: &str) -> u32 {
        if self.lost || code.trim().is_empty() {
            return self.line;
        }
        let quoted = serde_json::to_string(code).unwrap_or_default();
        let needle = quoted.trim_matches('"').as_bytes();
        let rest = self.bytes.get(self.cursor..).unwrap_or_default();
        let Some(found) = memchr::memmem::find(rest, needle) else {
            self.lost = true;
            return self.line;
        };
        let passed = rest.get(..found).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u32;
        self.cursor += found;
        let line = self.line;
        // The needle itself holds no raw newline.
        self.cursor += needle.len();
        line
    }
}

/// Replaces lines of the code by lines of the JSON text, and spans by nothing.
pub(super) fn relocate(facts: &mut Facts, lines: &[u32], bytes: &[u8]) {
    let at = |line: &mut u32| {
        let known = (*line as usize).checked_sub(1).and_then(|index| lines.get(index));
        *line = known.copied().unwrap_or(1);
    };
    let nowhere = Span::default();
    for import in &mut facts.imports {
        at(&mut import.line);
        import.span = nowhere;
        import.manual.iter_mut().for_each(|manual| at(&mut manual.line));
        for name in &mut import.names {
            at(&mut name.line);
            name.span = nowhere;
        }
    }
    for load in &mut facts.dynamic {
        at(&mut load.line);
        load.span = nowhere;
    }
    for string in &mut facts.strings {
        at(&mut string.line);
        string.span = nowhere;
    }
    for path in &mut facts.paths {
        at(&mut path.line);
        path.span = nowhere;
    }
    for directive in &mut facts.directives {
        at(&mut directive.line);
        at(&mut directive.speaks_of);
        directive.span = nowhere;
    }
    facts.attribute_uses.iter_mut().for_each(|used| at(&mut used.line));
    facts.pytest.plugins.iter_mut().for_each(|(_, line)| at(line));
    facts.pytest.requested.iter_mut().for_each(|(_, line)| at(line));
    facts.problems.iter_mut().for_each(|problem| at(&mut problem.line));
    facts.lines = super::count_lines(&LineIndex::new(&String::from_utf8_lossy(bytes)), bytes.len());
}
