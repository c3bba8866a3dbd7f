//! Where a `load` leads. Pure functions of cells and text.

use crate::label::PackageId;
use crate::source::ProjectPath;
use crate::workspace::Cells;

/// Resolves the first argument of a `load` (`buck2_interpreter/src/parse_import.rs`).
///
/// Aliases are those of the cell that holds `from`, whichever build file started the evaluation.
/// The error says why nothing can be there.
pub(super) fn resolve(
    cells: &Cells,
    from: &ProjectPath,
    text: &str,
) -> Result<ProjectPath, String> {
    let here = from.parent().unwrap_or_else(ProjectPath::root);
    let leaves = || format!("`{text}` leaves the project");
    if cells.is_bazel() && super::bazel::is_external(text, cells) {
        return Err(format!("`{text}` is of another repository"));
    }
    let Some((cell, rest)) = text.trim_start_matches('@').split_once("//") else {
        let relative = text.strip_prefix(':').unwrap_or(text);
        return here.join(relative).ok_or_else(leaves);
    };
    let own = cells.cell_of(from);
    let cell =
        cells.resolve_alias(&own.name, cell).ok_or_else(|| format!("no cell or alias `{cell}`"))?;
    let (directory, file) = match rest.split_once(':') {
        Some(parts) => parts,
        None => rest.rsplit_once('/').unwrap_or(("", rest)),
    };
    let package = PackageId::new(cell, directory);
    let directory =
        cells.dir_of_package(&package).ok_or_else(|| format!("`{package}` is not on disk"))?;
    directory.join(file).ok_or_else(leaves)
}
