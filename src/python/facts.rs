//! What one Python file says: imports, dynamic loads, strings, names, comments. Pure values; touches nothing.

use serde::{Deserialize, Serialize};

use crate::source::{ProblemKind, Span};

/// How the bytes of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A `.py` file.
    Module,
    /// A `.pyi` file; all its imports are type-only.
    Stub,
    /// A Jupyter `.ipynb` file.
    Notebook,
}

/// The facts of one Python file: a pure function of its bytes.
///
/// Spans are byte ranges of the original file, whatever its encoding. In a notebook they are empty
/// (`0..0`) and lines are lines of the JSON text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Import statements, in source order.
    pub imports: Vec<Import>,
    /// Modules loaded by calls, in source order.
    pub dynamic: Vec<DynamicUse>,
    /// Strings that look like dotted names, in source order.
    pub strings: Vec<DottedString>,
    /// Strings that look like paths of Python files, in source order.
    pub paths: Vec<PathString>,
    /// The module's `__all__`, if it has one.
    pub all: Option<DunderAll>,
    /// Names that the module binds at its top level when it runs, sorted; type-only imports are left
    /// out (except in stubs), since `from pkg import name` does not find those at run time.
    pub bound: Vec<Box<str>>,
    /// The module binds `__getattr__` (PEP 562), so any attribute may exist.
    pub has_getattr: bool,
    /// Attribute chains that start at a name bound by a plain `import`, sorted by chain.
    pub attribute_uses: Vec<AttributeUse>,
    /// Fixtures and plugins.
    pub pytest: PytestFacts,
    /// Comments that steer this program or its kin, in source order.
    pub directives: Vec<Directive>,
    /// What could not be read or understood, in source order.
    pub problems: Vec<FactProblem>,
    /// The file has an `if __name__ == "__main__":` block.
    pub is_script: bool,
    /// A comment at the top says that a program wrote the file.
    pub generated: bool,
    /// Something may be missing from these facts.
    pub incomplete: bool,
    /// Number of lines.
    pub lines: u32,
}

/// One import statement, or one name of an `import a, b` statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Dotted name without leading dots; empty for `from . import x`.
    pub module: Box<str>,
    /// Number of leading dots.
    pub level: u32,
    /// The names of a `from` import (`*` for a star); empty for `import a.b`.
    pub names: Vec<ImportedName>,
    /// It is a `from` import.
    pub from: bool,
    /// The as-name of `import a.b as x`; `None` means that `a` is bound.
    pub bound: Option<Box<str>>,
    /// When and for whom it runs.
    pub kind: ImportKind,
    /// Inside a function body; class bodies run at once and are not deferred.
    pub deferred: bool,
    /// Source text of the innermost `if` test around it that is not about type checking;
    /// `not (…)` in the `else` branch.
    pub condition: Option<Box<str>>,
    /// The statement; for `import a, b` the alias.
    pub span: Span,
    /// Line of the span's start, counted from 1.
    pub line: u32,
    /// The `# @manual` comment that governs it.
    pub manual: Option<Manual>,
    /// It binds a name for others: `import x as x`, or a bound name is listed in `__all__`.
    pub reexport: bool,
}

/// One name of a `from` import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedName {
    /// The name in the imported module.
    pub name: Box<str>,
    /// The name it gets here.
    pub bound: Box<str>,
    /// The name with its `as` part.
    pub span: Span,
    /// Line counted from 1.
    pub line: u32,
}

/// A `# @manual` comment seen from its import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manual {
    /// The target that provides the import, as written.
    pub label: Option<Box<str>>,
    /// Line of the comment.
    pub line: u32,
}

/// When an import runs. Where several apply the earlier one in this list holds:
/// type-only, optional, lazy, deferred, runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ImportKind {
    /// When the module is loaded.
    Runtime,
    /// Never: only type checkers read it.
    TypeOnly,
    /// Its failure is caught.
    Optional,
    /// When a function is called.
    Deferred,
    /// On first use (PEP 810).
    Lazy,
}

/// A module, or many, loaded by a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DynamicUse {
    /// What may be loaded.
    pub target: DynamicTarget,
    /// Its absence is handled, or the name is only one of several guesses.
    pub optional: bool,
    /// Inside a function body.
    pub deferred: bool,
    /// The call as its canonical name, such as `importlib.import_module`.
    pub call: Box<str>,
    /// The call.
    pub span: Span,
    /// Line counted from 1.
    pub line: u32,
}

/// What a dynamic load may reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DynamicTarget {
    /// This module.
    Module {
        /// What the name is relative to.
        base: Base,
        /// Dotted name below the base; empty for the base itself.
        name: Box<str>,
    },
    /// Any module at or below this prefix.
    Under {
        /// What the prefix is relative to.
        base: Base,
        /// Dotted name below the base; empty for the base itself.
        prefix: Box<str>,
    },
    /// Any module at all.
    Unbounded,
}

/// What a dotted name is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Base {
    /// Nothing.
    Absolute,
    /// The file's package: 1 is its own package, as in import levels.
    Package(u32),
    /// The file's own dotted module name (`__name__`).
    OwnName,
}

/// A string that names something with dots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DottedString {
    /// Dotted name with at least one dot.
    pub text: Box<str>,
    /// Where it stands.
    pub kind: StringKind,
    /// The literal or comment.
    pub span: Span,
    /// Line counted from 1.
    pub line: u32,
}

/// Where a dotted string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StringKind {
    /// Anywhere else.
    Plain,
    /// In `mock.patch("…")`, `monkeypatch.setattr("…")` and the like.
    MockPatch,
    /// In a table at the top level of a module that has `__getattr__`.
    LazyTable,
    /// In a string annotation, a `cast` or a `# type:` comment.
    Annotation,
    /// `pkg.mod:attr`; the text has a dot in place of the colon.
    EntryPoint,
}

/// A string that ends in `.py`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathString {
    /// The path as written.
    pub text: Box<str>,
    /// The literal.
    pub span: Span,
    /// Line counted from 1.
    pub line: u32,
}

/// A module's `__all__`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DunderAll {
    /// The names, in order.
    pub names: Vec<Box<str>>,
    /// Nothing was added to it that could not be read.
    pub complete: bool,
}

/// An attribute chain on an imported module, such as `a.b.c.f` after `import a`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttributeUse {
    /// The chain, its first name replaced by the module's real dotted name.
    pub chain: Box<str>,
    /// Line of the first use, runtime uses before type-only ones.
    pub line: u32,
    /// Every use is in an annotation or under `TYPE_CHECKING`.
    pub type_only: bool,
}

/// What pytest reads from a file. All lists are sorted by name, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PytestFacts {
    /// Modules of `pytest_plugins`, with lines.
    pub plugins: Vec<(Box<str>, u32)>,
    /// Names of the fixtures that the file defines.
    pub fixtures: Vec<Box<str>>,
    /// Parameters of tests and fixtures, and strings of `usefixtures`, with lines.
    pub requested: Vec<(Box<str>, u32)>,
}

/// A comment that steers this program or its kin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directive {
    /// What it says.
    pub kind: DirectiveKind,
    /// Line counted from 1.
    pub line: u32,
    /// The line it speaks of: its own, or the next one with code if it is alone on its own.
    pub speaks_of: u32,
    /// The comment.
    pub span: Span,
}

/// What a directive says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectiveKind {
    /// `# @manual`, `# @manual=//pkg:target`: the import beside or below is managed by hand.
    Manual {
        /// The target that provides the import, as written.
        label: Option<Box<str>>,
    },
    /// `# secateur: keep[check,…] reason`.
    Keep {
        /// The checks it silences; empty means all.
        checks: Vec<Box<str>>,
        /// Why.
        reason: Box<str>,
    },
    /// `# secateur: loads[pkg.plugins.*] reason`: bounds the dynamic load on this or the next line.
    Loads {
        /// Dotted names; a final `.*` means everything at or below.
        patterns: Vec<Box<str>>,
        /// Why.
        reason: Box<str>,
    },
    /// A directive that is not written as it should be; what could be understood stands beside it.
    Malformed {
        /// The comment.
        text: Box<str>,
    },
}

/// A [`crate::source::Problem`] whose path is the file of these facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactProblem {
    /// Line counted from 1, or 0 when the whole file is meant.
    pub line: u32,
    /// The class of problem.
    pub kind: ProblemKind,
    /// What happened, as a lower-case fragment without a full stop.
    pub message: String,
}
