//! Labels as Bazel writes them (<https://bazel.build/concepts/labels>). Pure functions of text and cells.

use crate::label::{Label, PackageId};
use crate::workspace::Cells;
use std::sync::Arc;

/// Reads `//a/b:c`, `//a/b`, `:c`, `@repo//a:b` and `@repo`; `None` for patterns and for text that has none of these forms.
///
/// Names of other repositories keep their `@`, and one behind `@@` both: what they mean is not known here.
pub(in crate::buck) fn parse(text: &str, package: &PackageId, cells: &Cells) -> Option<Label> {
    let (package, name) = split(text, package, cells)?;
    is_name(name).then(|| package.target(name))
}

/// The same where the attribute says that the text is a label: there a bare name is one too.
pub(in crate::buck) fn parse_in_attribute(
    text: &str,
    package: &PackageId,
    cells: &Cells,
) -> Option<Label> {
    if text.starts_with([':', '@', '/']) {
        return parse(text, package, cells);
    }
    is_name(text).then(|| package.target(text))
}

/// Whether a text names something of another repository.
pub(in crate::buck) fn is_external(text: &str, cells: &Cells) -> bool {
    let Some(rest) = text.strip_prefix('@') else { return false };
    let repository = rest.split_once("//").map_or(rest, |(repository, _)| repository);
    let repository = repository.trim_start_matches('@');
    !repository.is_empty() && cells.resolve_alias(&cells.root().name, repository).is_none()
}

fn split<'t>(text: &'t str, here: &PackageId, cells: &Cells) -> Option<(PackageId, &'t str)> {
    if let Some(name) = text.strip_prefix(':') {
        return Some((here.clone(), name));
    }
    let (cell, rest): (Arc<str>, &str) = match text.split_once("//") {
        Some(("", rest)) => (Arc::clone(&here.cell), rest),
        Some((repository, rest)) => (repository_of(repository, cells)?, rest),
        // `@repo` is `@repo//:repo`.
        None => {
            let name = text.strip_prefix('@')?.trim_start_matches('@');
            return Some((PackageId::new(repository_of(text, cells)?, ""), name));
        }
    };
    let (path, name) = match rest.split_once(':') {
        Some(parts) => parts,
        None => (rest, rest.rsplit('/').next()?),
    };
    let is_pattern = path.split('/').any(|part| part == "...") || path.ends_with('/');
    (!is_pattern).then(|| (PackageId::new(cell, path), name))
}

/// The cell of `@repo`: this repository's own, if that is what it is called.
fn repository_of(written: &str, cells: &Cells) -> Option<Arc<str>> {
    let name = written.strip_prefix('@')?.trim_start_matches('@');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~+!".contains(c);
    if !name.chars().all(is_plain) {
        return None;
    }
    let own = cells.resolve_alias(&cells.root().name, name);
    Some(own.unwrap_or_else(|| written.into()))
}

/// Whether a target can have a name. Bazel allows more signs than these; text with them is more likely something else.
fn is_name(name: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "*\"'$():|\\".contains(c);
    !name.is_empty() && name != "..." && !name.starts_with('/') && !name.contains(is_odd)
}
