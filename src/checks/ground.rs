//! What every check stands on: the graph, and ways to say where. Reads sources again only to count columns.

use crate::buck::{LiteralId, Target};
use crate::finding::{Known, Region};
use crate::graph::{Graph, TargetId, Use};
use crate::label::Label;
use crate::source::{LineIndex, ProjectPath, Span};
use crate::workspace::Workspace;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A source and where its lines begin; `None` if it cannot be read.
type Source = Arc<OnceLock<Option<(String, LineIndex)>>>;

/// What one run of the checks is about.
pub(super) struct Ground<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) graph: &'a Graph,
    /// Findings that nobody will read.
    pub(super) known: &'a Known,
    sources: Mutex<FxHashMap<ProjectPath, Source>>,
}

impl<'a> Ground<'a> {
    /// Nothing is read so far.
    pub(super) fn new(workspace: &'a Workspace, graph: &'a Graph, known: &'a Known) -> Self {
        Self { workspace, graph, known, sources: Mutex::default() }
    }

    /// The label of a target.
    pub(super) fn label(&self, id: TargetId) -> &'a Label {
        &self.graph.targets.node(id).label
    }

    /// All targets on disk with their definitions.
    pub(super) fn defined(&self) -> impl Iterator<Item = (TargetId, &'a Target)> + '_ {
        let graph = self.graph;
        graph.targets.ids().filter_map(move |id| Some((id, graph.definition(id)?)))
    }

    /// Where a literal of a build file stands.
    pub(super) fn literal(&self, id: LiteralId) -> Region {
        let place = self.graph.evaluation.place(id);
        self.build_region(&place.path, place.span)
    }

    /// Bytes of a build file, or of a file that it loads.
    pub(super) fn build_region(&self, path: &ProjectPath, span: Span) -> Region {
        let Some(file) = self.graph.evaluation.file(path) else {
            return Region::line(path.clone(), 1);
        };
        region(path, file.text(), file.lines(), span)
    }

    /// Where a target is defined: the first line of its call.
    pub(super) fn call(&self, target: &Target) -> Region {
        let start = target.place.span.start;
        let region = self.build_region(&target.place.path, Span::new(start, start));
        let Some(file) = self.graph.evaluation.file(&target.place.path) else { return region };
        let line = file.lines().span_of_line(file.text(), region.line);
        self.build_region(&target.place.path, Span::new(start, line.end.max(start)))
    }

    /// Where a source uses a module.
    pub(super) fn of_use(&self, path: &ProjectPath, used: &Use) -> Region {
        let nowhere = || Region::line(path.clone(), used.line);
        if used.span == Span::default() {
            return nowhere();
        }
        let source = self.source(path);
        let Some((text, lines)) = source.get_or_init(|| self.read(path)) else { return nowhere() };
        if used.span.end as usize > text.len() {
            return nowhere();
        }
        let whole = region(path, text, lines, used.span);
        if whole.line == used.line && whole.end_line == used.line {
            return whole;
        }
        // A statement over several lines: the line of the name is meant.
        let line = lines.span_of_line(text, used.line);
        let indent = text[line.range()].len() - text[line.range()].trim_start().len();
        region(path, text, lines, Span::new(line.start + indent as u32, line.end))
    }

    fn source(&self, path: &ProjectPath) -> Source {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sources.entry(path.clone()).or_default())
    }

    fn read(&self, path: &ProjectPath) -> Option<(String, LineIndex)> {
        let text = String::from_utf8(self.workspace.files.read(path).ok()?).ok()?;
        let lines = LineIndex::new(&text);
        Some((text, lines))
    }
}

fn region(path: &ProjectPath, text: &str, lines: &LineIndex, span: Span) -> Region {
    let (line, column) = lines.line_column(text, span.start);
    let (end_line, end_column) = lines.line_column(text, span.end);
    Region { path: path.clone(), line, column, end_line, end_column, span }
}
