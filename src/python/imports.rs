//! Import statements as facts. Pure functions; touches nothing.

use ruff_python_ast::{Alias, StmtImport, StmtImportFrom};
use ruff_text_size::TextRange;

use super::decode::Source;
use super::facts::{Import, ImportKind, ImportedName};

/// What surrounds a statement.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    /// In a function body.
    pub deferred: bool,
    /// A failing import is caught.
    pub optional: bool,
    /// Only type checkers get here.
    pub type_only: bool,
    /// The innermost test of another nature, and whether it must fail.
    pub condition: Option<(TextRange, bool)>,
}

impl Context {
    fn kind(self, is_lazy: bool) -> ImportKind {
        match self {
            _ if self.type_only => ImportKind::TypeOnly,
            _ if self.optional => ImportKind::Optional,
            _ if is_lazy => ImportKind::Lazy,
            _ if self.deferred => ImportKind::Deferred,
            _ => ImportKind::Runtime,
        }
    }

    fn condition_text(self, source: &Source<'_>) -> Option<Box<str>> {
        let (test, must_fail) = self.condition?;
        let test = source.slice(test);
        Some(if must_fail { format!("not ({test})").into() } else { test.into() })
    }
}

/// Adds one fact for each name of `import a, b`.
pub(super) fn import(
    source: &Source<'_>,
    statement: &StmtImport,
    context: Context,
    out: &mut Vec<Import>,
) {
    for alias in statement.names.iter().filter(|alias| is_whole(alias)) {
        // The statement's keyword belongs to its only name.
        let range = if statement.names.len() == 1 { statement.range } else { alias.range };
        let bound = alias.asname.as_ref().map(ruff_python_ast::Identifier::as_str);
        out.push(Import {
            module: alias.name.as_str().into(),
            level: 0,
            names: Vec::new(),
            from: false,
            bound: bound.map(Into::into),
            kind: context.kind(statement.is_lazy),
            deferred: context.deferred,
            condition: context.condition_text(source),
            span: source.span(range),
            line: line(source, range),
            manual: None,
            reexport: bound == Some(alias.name.as_str()),
        });
    }
}

/// Adds the fact of a `from` import, unless it is broken beyond use.
pub(super) fn import_from(
    source: &Source<'_>,
    statement: &StmtImportFrom,
    context: Context,
    out: &mut Vec<Import>,
) {
    let module = statement.module.as_ref().map_or("", |module| module.as_str());
    if module.is_empty() && statement.level == 0
        || module.split('.').any(str::is_empty) && !module.is_empty()
    {
        return;
    }
    let names: Vec<ImportedName> = statement
        .names
        .iter()
        .filter(|alias| is_whole(alias))
        .map(|alias| ImportedName {
            name: alias.name.as_str().into(),
            bound: alias.asname.as_ref().unwrap_or(&alias.name).as_str().into(),
            span: source.span(alias.range),
            line: line(source, alias.range),
        })
        .collect();
    let same_name = |alias: &Alias| {
        alias.asname.as_ref().is_some_and(|name| name.as_str() == alias.name.as_str())
    };
    out.push(Import {
        module: module.into(),
        level: statement.level,
        names,
        from: true,
        bound: None,
        kind: context.kind(statement.is_lazy),
        deferred: context.deferred,
        condition: context.condition_text(source),
        span: source.span(statement.range),
        line: line(source, statement.range),
        manual: None,
        reexport: statement.names.iter().any(same_name),
    });
}

/// The parser leaves names empty where it had to guess.
fn is_whole(alias: &Alias) -> bool {
    alias.name.as_str().split('.').all(|part| !part.is_empty())
}

fn line(source: &Source<'_>, range: TextRange) -> u32 {
    source.lines.line(range.start().to_u32())
}

/// Marks the imports that bind a name of `__all__`.
pub(super) fn mark_reexports(imports: &mut [Import], all: &[Box<str>]) {
    if all.is_empty() {
        return;
    }
    let listed: rustc_hash::FxHashSet<&str> = all.iter().map(|name| &**name).collect();
    for import in imports {
        let top = || import.module.split('.').next().unwrap_or("");
        import.reexport |= if import.from {
            import.names.iter().any(|name| listed.contains(&*name.bound))
        } else {
            listed.contains(import.bound.as_deref().unwrap_or_else(top))
        };
    }
}
