//! Target patterns and paths of the command line. Touches the disk through `files` only, to tell files from directories.

use std::path::Path;

use super::cells::Cells;
use super::files;
use crate::error::{Error, Result};
use crate::label::{Label, PackageId};
use crate::source::ProjectPath;

/// What a user selects: `//...`, `//pkg/...`, `//pkg:`, `//pkg:name`, each with a cell if wanted, or a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    labels: Labels,
    paths: Paths,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Labels {
    None,
    /// The targets of these packages and of those below them.
    Below(Vec<PackageId>),
    Package(PackageId),
    Target(Label),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Paths {
    None,
    Below { dir: ProjectPath, except: Vec<ProjectPath> },
    File(ProjectPath),
}

impl Pattern {
    /// Reads a pattern. Relative ones, and cell aliases, are understood in `cwd`, a directory of the project.
    ///
    /// `//pkg` and `//pkg/` mean the package, or `//pkg:pkg` where the root cell sets `[buck2] infer_target_names`.
    pub fn parse(text: &str, cells: &Cells, cwd: &ProjectPath) -> Result<Self> {
        let fail = |reason: &str| {
            Error::new(format!("bad pattern `{text}`: {reason}")).hint(
                "patterns are //pkg/..., //pkg:, //pkg:name, or the path of a file or directory",
            )
        };
        if let Some((alias, rest)) = text.split_once("//").filter(|(alias, _)| !alias.contains('/'))
        {
            let from = cells.cell_of(cwd).name.clone();
            let cell = cells.named(&from, alias.strip_prefix('@').unwrap_or(alias))?;
            let (path, selection) = split(rest);
            let path = ProjectPath::root().join(path).filter(|normal| normal.as_str() == path);
            let path = path.ok_or_else(|| fail("its package is no plain path"))?;
            let package = PackageId::new(cell, path.as_str());
            return Ok(Self::of_package(&package, &selection, cells));
        }
        let (path, selection) = split(text);
        if selection == Selection::Unsaid {
            return Self::of_path(text, cells, cwd).map_err(|reason| fail(&reason));
        }
        let dir = cwd.join(path).filter(|_| !path.starts_with('/'));
        let dir = dir.ok_or_else(|| fail("it leads out of the project"))?;
        Ok(Self::of_package(&cells.package_of_dir(&dir), &selection, cells))
    }

    /// Whether the target is selected.
    pub fn matches_label(&self, label: &Label) -> bool {
        match &self.labels {
            Labels::None => false,
            Labels::Below(packages) => {
                packages.iter().any(|package| is_below(&label.package, package))
            }
            Labels::Package(package) => label.package == *package,
            Labels::Target(target) => label == target,
        }
    }

    /// Whether a file is selected as such, for findings that concern no target. A pattern for one target selects no file; one
    /// for a package selects what lies below its directory.
    pub fn matches_path(&self, path: &ProjectPath) -> bool {
        match &self.paths {
            Paths::None => false,
            Paths::Below { dir, except } => {
                path.below(dir).is_some() && !except.iter().any(|dir| path.below(dir).is_some())
            }
            Paths::File(file) => path == file,
        }
    }

    fn of_package(package: &PackageId, selection: &Selection<'_>, cells: &Cells) -> Self {
        let labels = match selection {
            Selection::Below => Labels::Below(vec![package.clone()]),
            Selection::Target(name) => Labels::Target(package.target(*name)),
            Selection::Unsaid if cells.infers_target_names() => {
                let name = package.path.rsplit('/').next().unwrap_or_default();
                Labels::Target(package.target(name))
            }
            Selection::All | Selection::Unsaid => Labels::Package(package.clone()),
        };
        let paths = match (&labels, dir_below(package, cells)) {
            (Labels::Target(_), _) | (_, None) => Paths::None,
            (_, Some(dir)) => {
                let roots = cells.iter().map(|cell| &cell.root);
                let except = roots.filter(|root| **root != dir && root.below(&dir).is_some());
                Paths::Below { except: except.cloned().collect(), dir }
            }
        };
        Self { labels, paths }
    }

    fn of_path(text: &str, cells: &Cells, cwd: &ProjectPath) -> std::result::Result<Self, String> {
        let outside = || "it leads out of the project".to_owned();
        let path = if Path::new(text).is_absolute() {
            let real = files::canonical(Path::new(text)).map_err(|error| error.to_string())?;
            files::relative(&cells.project, &real).ok_or_else(outside)?
        } else {
            cwd.join(text).ok_or_else(outside)?
        };
        let on_disk = cells.project.join(path.as_str());
        if files::is_dir(&on_disk) {
            return Ok(Self::of_dir(path, cells));
        }
        if !files::exists(&on_disk) {
            return Err("there is no such file or directory".to_owned());
        }
        let dir = path.parent().unwrap_or_else(ProjectPath::root);
        let mut names = cells.cell_of(&dir).build_file_names.iter();
        let labels = if names.any(|name| name == path.file_name()) {
            Labels::Package(cells.package_of_dir(&dir))
        } else {
            Labels::None
        };
        Ok(Self { labels, paths: Paths::File(path) })
    }

    /// A directory stands for all cells that lie in it.
    fn of_dir(dir: ProjectPath, cells: &Cells) -> Self {
        let roots = cells.iter().map(|cell| &cell.root);
        let inner = roots.filter(|root| **root != dir && root.below(&dir).is_some());
        let packages = [&dir].into_iter().chain(inner).map(|dir| cells.package_of_dir(dir));
        let labels = Labels::Below(packages.collect());
        Self { labels, paths: Paths::Below { dir, except: Vec::new() } }
    }
}

/// What a pattern wants of its package.
#[derive(PartialEq, Eq)]
enum Selection<'a> {
    Below,
    All,
    Target(&'a str),
    Unsaid,
}

/// Splits the package path from what is selected in it. Sub-targets and modifiers are dropped.
fn split(text: &str) -> (&str, Selection<'_>) {
    let plain = |path: &'_ str| path.len() - usize::from(path.ends_with('/') && path.len() > 1);
    if text == "..." {
        return ("", Selection::Below);
    }
    if let Some(path) = text.strip_suffix("/...") {
        return (path, Selection::Below);
    }
    let (path, selection) = match text.split_once(':') {
        Some((path, name)) => {
            let name = name.split(['[', '?']).next().unwrap_or_default();
            (path, if name.is_empty() { Selection::All } else { Selection::Target(name) })
        }
        None => (text, Selection::Unsaid),
    };
    (path.get(..plain(path)).unwrap_or(path), selection)
}

fn is_below(package: &PackageId, above: &PackageId) -> bool {
    let rest = package.path.strip_prefix(&*above.path);
    package.cell == above.cell
        && rest
            .is_some_and(|rest| above.path.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// The directory that holds a package and what is below it. The packages above a mount are held by the cell's root.
fn dir_below(package: &PackageId, cells: &Cells) -> Option<ProjectPath> {
    let cell = cells.get(&package.cell)?;
    let mount = PackageId::new(cell.name.clone(), cell.mount.clone());
    if is_below(&mount, package) { Some(cell.root.clone()) } else { cells.dir_of_package(package) }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
