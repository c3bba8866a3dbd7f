//! Build files, evaluated: targets with their dependencies and sources, and the literal that each was written as.
//!
//! Evaluation is permissive: what cannot be found is absorbed, what fails costs its own statement, and both are counted.
//! Reads files through the workspace; writes nothing.

mod bazel;
mod beside;
mod bounds;
mod causes;
mod comments;
mod compare;
mod correct;
mod data_load;
mod evaluator;
mod globals;
mod helpers;
mod kept;
mod labels;
mod loads;
mod lower;
mod macros;
mod marks;
mod merge;
mod modules;
mod outline;
mod package;
mod parse;
mod pieces;
mod prelude;
mod recorded;
mod recorder;
mod rule;
mod run;
mod schema;
mod select;
mod session;
mod syntax;
mod trial;
mod unknown;
mod value;

pub use comments::{Directives, Keep};
pub use evaluator::Evaluator;
pub use labels::{Written, in_arg, looks_like_label, parse as parse_label};
pub use lower::{Dep, Source, SourceOrigin, Target};
pub use marks::LiteralId;
pub use outline::{Call, Element, Outline, Sequence, Statement, Sum};
pub use package::Package;
pub use parse::{Literal, LoadStatement, LoadSymbol};
pub use schema::{AttrKind, DepRole, RuleSchema, RuleTable};
pub use trial::{Trial, TriedPackage, Untried};
pub use value::{Text, Value};

use crate::error::Result;
use crate::label::PackageId;
use crate::progress::Progress;
use crate::source::{LineIndex, Place, Problem, ProjectPath};
use crate::workspace::{Cells, Workspace};
use parse::ParsedFile;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What the build files of a workspace define under one configuration.
#[derive(Debug)]
pub struct Evaluation {
    /// Packages, sorted by name.
    pub packages: Vec<Package>,
    /// Build files and the files they load, by the number that [`LiteralId::file`] holds.
    pub files: Vec<SourceFile>,
    /// What could not be read, found or run; sorted.
    pub problems: Vec<Problem>,
    /// Attributes by rule, as the prelude on disk or the built-in table has them.
    pub rules: RuleTable,
    by_path: FxHashMap<ProjectPath, u32>,
}

/// A file of the build language, as edits and reports need it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    parsed: Arc<ParsedFile>,
}

impl SourceFile {
    /// Reads a text that is not on disk, as it would be if it were.
    pub fn of(path: &ProjectPath, text: &str) -> Self {
        Self { parsed: Arc::new(ParsedFile::parse(path, text.as_bytes().to_vec(), None)) }
    }

    /// The file.
    pub fn path(&self) -> &ProjectPath {
        &self.parsed.path
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.parsed.text
    }

    /// Its lines.
    pub fn lines(&self) -> &LineIndex {
        &self.parsed.lines
    }

    /// String literals that may name targets or files, in source order.
    pub fn literals(&self) -> &[Literal] {
        &self.parsed.collected.literals
    }

    /// Its `load` statements.
    pub fn loads(&self) -> &[LoadStatement] {
        &self.parsed.collected.loads
    }

    /// Whether an expression, or a comment that hides code, uses a name.
    pub fn uses_name(&self, name: &str) -> bool {
        let collected = &self.parsed.collected;
        collected.used.contains(name)
            || collected.annotating.contains(name)
            || collected.directives.conditional.iter().any(|span| {
                self.text().get(span.range()).is_some_and(|comment| comment.contains(name))
            })
    }

    /// What its comments say.
    pub fn directives(&self) -> &Directives {
        &self.parsed.collected.directives
    }
}

impl Evaluation {
    /// The literal that a mark named.
    pub fn literal(&self, id: LiteralId) -> &Literal {
        &self.files[id.file as usize].literals()[id.index as usize]
    }

    /// Where a literal stands.
    pub fn place(&self, id: LiteralId) -> Place {
        let file = &self.files[id.file as usize];
        Place { path: file.path().clone(), span: file.literals()[id.index as usize].span }
    }

    /// A package by its name.
    pub fn package(&self, id: &PackageId) -> Option<&Package> {
        let at = self.packages.binary_search_by(|package| package.id.cmp(id)).ok()?;
        self.packages.get(at)
    }

    /// A file by its path.
    pub fn file(&self, path: &ProjectPath) -> Option<&SourceFile> {
        self.by_path.get(path).map(|at| &self.files[*at as usize])
    }
}

/// Evaluates every build file of the workspace in the configuration of `cells`.
///
/// Fails only if the evaluator itself cannot start; trouble in files is [`Evaluation::problems`].
pub fn evaluate(
    workspace: &Workspace,
    cells: &Cells,
    progress: &dyn Progress,
) -> Result<Evaluation> {
    if workspace.cache.is_on()
        && let Some(evaluation) = kept::evaluate(workspace, cells, progress)?
    {
        return Ok(evaluation);
    }
    Ok(Evaluator::new(workspace, cells, progress)?.into_evaluation())
}
