//! A target of the graph as a tree: its closure's files as Buck2's link tree has them, and a script that starts it. Reads the
//! repository's files and what was built.
//!
//! - Each file goes where its rule says: `base_module`, keys of `srcs` and `resources`. Stubs stay out: they are for type checkers.
//! - Each directory that holds Python, and those above it, gets an `__init__.py` if it has none, as Buck2 and Bazel make them.
//!   Directories of resources get none.
//! - Wheels are unpacked, and directories of `prebuilt_python_library` copied, to the root.
//! - What rules make is taken from a directory of outputs, where the output of `cell//package:name` is at `package/name` (in other
//!   cells than the root's: `cell/package/name`), and a sub-target's at `package/name[sub]`. That is what
//!   `buck2 build //package:name --out DIR/package/name` writes. Native libraries go to `runtime/lib`.
//! - What is missing is an error that names each part and the target to build: a bundle has no holes. What the interpreter has
//!   of its own can be left to it, by name.
//! - Of a `select` the branch `DEFAULT` is taken; without one, all of them.
//! - Two files for one path are an error that names both owners.

mod runner;
mod tree;

use super::entry::EntryPoint;
use crate::buck::{SourceOrigin, Target};
use crate::cas::pack::SourceEntry;
use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, Laid, LaidOrigin, LinkTrees, Main, TargetId};
use crate::label::Label;
use crate::python::distributions::normalize;
use crate::workspace::Workspace;
use runner::{LIBRARIES, Runner};
use std::path::{Path, PathBuf};
use tree::Tree;

/// What [`lay_out`] needs besides the graph.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// What was built: see the module's words for where what is.
    pub out: Option<&'a Path>,
    /// Labels, or names of distributions, that the interpreter has of its own.
    pub external: &'a [String],
    /// The interpreter in the script's first line: an absolute path, or a name that is looked up.
    pub python: Option<&'a str>,
}

/// A target, laid out.
#[derive(Debug)]
pub struct Layout {
    /// Its files, in the order of their paths.
    pub entries: Vec<SourceEntry>,
    /// The script that starts it; `None` for libraries.
    pub entry: Option<EntryPoint>,
    /// What is left to the interpreter, sorted.
    pub external: Vec<Label>,
}

/// So many missing parts are named in one message.
const MAX_NAMED: usize = 20;

/// Lays out the closure of a target.
///
/// # Errors
/// A part is missing, two files have one path, or a file cannot be read.
pub fn lay_out(
    graph: &Graph,
    workspace: &Workspace,
    root: TargetId,
    options: &Options<'_>,
) -> Result<Layout> {
    let trees = LinkTrees::new(graph, workspace);
    let label = &graph.targets.node(root).label;
    let mut laying = Laying {
        graph,
        workspace,
        options,
        tree: Tree::default(),
        missing: Vec::new(),
        external: Vec::new(),
    };
    let closure = trees.closure(root);
    let mut roots: Vec<String> = Vec::new();
    for id in &closure {
        laying.target(*id, &trees)?;
        roots.extend(trees.import_roots(*id));
    }
    laying.complete(label)?;
    let Laying { mut tree, mut external, .. } = laying;
    tree.add_inits(label);
    let main = trees.main(root);
    if workspace.cells.is_bazel()
        && let Some(Main::Script(script)) = &main
        && let Some((dir, _)) = script.rsplit_once('/')
    {
        roots.insert(0, dir.to_owned());
    }
    let mut seen = rustc_hash::FxHashSet::default();
    roots.retain(|root| seen.insert(root.clone()));
    let entry = match main {
        None => None,
        Some(main) => {
            let is_taken = tree.has(&label.name);
            let name = format!("{}{}", label.name, if is_taken { ".run" } else { "" });
            let runner = Runner {
                label: &label.to_string(),
                python: options.python,
                main: &main,
                roots: &roots,
                has_libraries: tree.has(LIBRARIES),
            };
            tree.add_made(&name, runner.text().into_bytes(), true, label)?;
            Some(EntryPoint::program(&name))
        }
    };
    external.sort();
    external.dedup();
    Ok(Layout { entry, entries: tree.entries()?, external })
}

struct Laying<'a> {
    graph: &'a Graph,
    workspace: &'a Workspace,
    options: &'a Options<'a>,
    tree: Tree,
    /// What nobody has, as lines of a message.
    missing: Vec<String>,
    external: Vec<Label>,
}

impl Laying<'_> {
    fn target(&mut self, id: TargetId, trees: &LinkTrees<'_>) -> Result<()> {
        let node = self.graph.targets.node(id);
        let label = &node.label;
        let needs_more = match node.kind {
            Kind::External | Kind::PythonPrebuilt | Kind::PythonExtension | Kind::OtherLibrary => {
                true
            }
            Kind::PythonLibrary
            | Kind::PythonBinary
            | Kind::PythonTest
            | Kind::Unknown
            | Kind::Proto => false,
            Kind::Alias | Kind::Files | Kind::OtherExecutable | Kind::Configuration => {
                return Ok(());
            }
        };
        if needs_more && self.is_external(label) {
            self.external.push(label.clone());
            return Ok(());
        }
        match (node.kind, self.graph.definition(id)) {
            (Kind::PythonPrebuilt, Some(target)) => self.prebuilt(target),
            (Kind::OtherLibrary, _) => self.library(label),
            (Kind::External, _) | (_, None) => {
                match self.built(label, None) {
                    Some(path) => self.distribution(&path, label)?,
                    None => self.missing.push(format!("{label} (not in this repository)")),
                }
                Ok(())
            }
            _ => trees.of_target(id).into_iter().try_for_each(|laid| self.file(laid, label)),
        }
    }

    fn is_external(&self, label: &Label) -> bool {
        let text = label.to_string();
        let last = label.package.path.rsplit('/').next().unwrap_or_default();
        let names = [normalize(&label.name), normalize(last)];
        self.options.external.iter().any(|external| {
            *external == text
                || text.ends_with(external) && external.starts_with("//")
                || names.contains(&normalize(external))
        })
    }

    /// Where the output of a target is, if it was built.
    fn built(&self, label: &Label, sub_target: Option<&str>) -> Option<PathBuf> {
        let mut path = self.options.out?.to_owned();
        if label.package.cell != self.workspace.cells.root().name {
            path.push(&*label.package.cell);
        }
        path.push(&*label.package.path);
        path.push(match sub_target {
            Some(sub) => format!("{}[{sub}]", label.name),
            None => label.name.to_string(),
        });
        tree::is_there(&path).then_some(path)
    }

    fn file(&mut self, laid: Laid, owner: &Label) -> Result<()> {
        let Laid { destination, origin } = laid;
        if destination.ends_with(".pyi") {
            return Ok(());
        }
        match origin {
            LaidOrigin::Source(path) => {
                let origin = self.workspace.root.join(path.as_str());
                if !tree::is_there(&origin) {
                    self.missing.push(format!("{path} (a source of {owner})"));
                    return Ok(());
                }
                self.tree.add_path(&destination, &origin, owner)
            }
            LaidOrigin::Made { by, sub_target } => match self.built(&by, sub_target.as_deref()) {
                Some(built) => {
                    // An output directory, or a directory that the build tool has put the output into.
                    let name = destination.rsplit('/').next().unwrap_or(&destination);
                    let inside = built.join(name);
                    let origin = if tree::is_there(&inside) { inside } else { built };
                    self.tree.add_path(&destination, &origin, owner)
                }
                None => {
                    let sub = sub_target.map(|sub| format!("[{sub}]")).unwrap_or_default();
                    self.missing.push(format!("{destination} (made by {by}{sub})"));
                    Ok(())
                }
            },
        }
    }

    fn prebuilt(&mut self, target: &Target) -> Result<()> {
        let owner = &target.label;
        for source in target.sources.iter().filter(|source| {
            matches!(&*source.attr, "binary_src" | "source_dir" | "srcs" | "wheel")
        }) {
            match &source.origin {
                SourceOrigin::File { path, present: true } => {
                    self.distribution(&self.workspace.root.join(path.as_str()), owner)?;
                }
                SourceOrigin::File { path, .. } => {
                    self.missing.push(format!("{path} (the wheel of {owner})"));
                }
                SourceOrigin::Target(written) => {
                    match self.built(&written.label, written.sub_target.as_deref()) {
                        Some(path) => self.distribution(&path, owner)?,
                        None => self
                            .missing
                            .push(format!("the wheel of {owner} (made by {})", written.label)),
                    }
                }
            }
        }
        if target.sources.is_empty() {
            self.missing.push(format!("{owner} (it names no wheel)"));
        }
        Ok(())
    }

    /// A wheel, or the directory of an unpacked one.
    fn distribution(&mut self, path: &Path, owner: &Label) -> Result<()> {
        if tree::is_dir(path) {
            self.tree.add_path("", path, owner)
        } else {
            self.tree.add_wheel(path, owner)
        }
    }

    /// A native library, or a directory of them.
    fn library(&mut self, label: &Label) -> Result<()> {
        let Some(path) = self.built(label, None) else {
            self.missing.push(format!("{label} (a native library)"));
            return Ok(());
        };
        if tree::is_dir(&path) {
            return self.tree.add_path(LIBRARIES, &path, label);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.tree.add_path(&format!("{LIBRARIES}/{name}"), &path, label)
    }

    fn complete(&mut self, label: &Label) -> Result<()> {
        self.missing.sort();
        self.missing.dedup();
        if self.missing.is_empty() {
            return Ok(());
        }
        let named: Vec<&str> = self.missing.iter().take(MAX_NAMED).map(String::as_str).collect();
        let more = match self.missing.len().saturating_sub(MAX_NAMED) {
            0 => String::new(),
            count => format!("\n  and {count} more"),
        };
        let message = format!(
            "parts are missing that no file of the repository is:\n  {}{more}",
            named.join("\n  ")
        );
        Err(Error::new(message).at(label.to_string()).hint(
            "build each target into a directory (`buck2 build //package:name --out DIR/package/name`) and pass `--out DIR`; \
             pass `--external NAME` for what the interpreter has of its own",
        ))
    }
}

#[cfg(test)]
mod tests;
