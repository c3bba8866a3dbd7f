//! The Python files of the project and their facts. Reads them, in parallel, through the workspace.

use super::ids::FileId;
use crate::digest::{Digest, Parts};
use crate::progress::Progress;
use crate::python::{self, Facts, SourceKind};
use crate::source::{Problem, ProblemKind, ProjectPath};
use crate::workspace::Workspace;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// A Python file.
#[derive(Debug)]
pub struct PythonFile {
    /// Where it is.
    pub path: ProjectPath,
    /// What it says.
    pub facts: Facts,
    /// Its text, kept only where the facts may lack something: what it might name is then searched in it.
    pub text: Option<String>,
    /// Nothing of it could be read.
    pub unreadable: bool,
    /// It holds no statement and no comment, so loading it does nothing. In Bazel it may hold comments: there an `__init__.py`
    /// that no target has is made, without them.
    pub is_empty: bool,
}

/// Where Python files lie: their handles are known before any of them is read.
#[derive(Clone, Debug, Default)]
pub(super) struct PythonPaths {
    /// Sorted.
    paths: Vec<(ProjectPath, SourceKind)>,
    by_path: FxHashMap<ProjectPath, FileId>,
}

impl PythonPaths {
    /// Lists every Python file and, if they count, every notebook; `skip` leaves files out.
    pub(super) fn list(workspace: &Workspace, skip: impl Fn(&ProjectPath) -> bool + Sync) -> Self {
        let notebooks = workspace.settings.python.notebooks;
        // A link that leads nowhere fails when it is read, and so counts as a file that could not be.
        let links = workspace.tree.symlinks();
        let links = links.filter(|(_, link)| link.target.is_none() && !link.is_dir);
        let links = links.map(|(path, _)| path).filter(|path| !workspace.files.exists(path));
        let mut paths: Vec<(ProjectPath, SourceKind)> = workspace
            .tree
            .files()
            .chain(links)
            .filter_map(|path| Some((path.clone(), kind_of(path.file_name(), notebooks)?)))
            .filter(|(path, _)| !skip(path))
            .collect();
        paths.sort_by(|(one, _), (other, _)| one.cmp(other));
        let ids = paths.iter().enumerate();
        let by_path = ids.map(|(at, (path, _))| (path.clone(), FileId::new(at))).collect();
        Self { paths, by_path }
    }

    /// The file at a path.
    pub(super) fn find(&self, path: &ProjectPath) -> Option<FileId> {
        self.by_path.get(path).copied()
    }
}

/// All Python files.
#[derive(Clone, Debug, Default)]
pub struct PythonFiles {
    files: Vec<Arc<PythonFile>>,
    pub(super) paths: Arc<PythonPaths>,
}

impl PythonFiles {
    /// Reads all files; what is `known` is not read again. Some are missing if somebody stops it.
    pub(super) fn read(
        workspace: &Workspace,
        paths: &Arc<PythonPaths>,
        known: impl Fn(&ProjectPath) -> Option<Arc<PythonFile>> + Sync,
        progress: &dyn Progress,
    ) -> Self {
        progress.start("read Python", Some(paths.paths.len()));
        let doctests = workspace.settings.python.doctests;
        let files: Vec<Arc<PythonFile>> = paths
            .paths
            .par_iter()
            .with_min_len(8)
            .filter(|_| !progress.is_cancelled())
            .map(|(path, kind)| {
                let read = || Arc::new(read_one(workspace, path, *kind, doctests));
                let file = known(path).unwrap_or_else(read);
                progress.step();
                file
            })
            .collect();
        Self { files, paths: Arc::clone(paths) }
    }

    /// A file that is not among those that changed.
    pub(super) fn unchanged(
        &self,
        path: &ProjectPath,
        changed: &BTreeSet<ProjectPath>,
    ) -> Option<Arc<PythonFile>> {
        let id = self.find(path).filter(|_| !changed.contains(path))?;
        Some(Arc::clone(&self.files[id.index()]))
    }

    /// A file.
    pub fn get(&self, id: FileId) -> &PythonFile {
        &self.files[id.index()]
    }

    /// The file at a path.
    pub fn find(&self, path: &ProjectPath) -> Option<FileId> {
        self.paths.find(path)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// All files with their handles, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &PythonFile)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId::new(index), &**file))
    }

    /// What could not be read in them.
    pub fn problems(&self) -> impl Iterator<Item = Problem> + '_ {
        self.files.iter().flat_map(|file| {
            file.facts.problems.iter().map(|problem| Problem {
                path: file.path.clone(),
                line: problem.line,
                kind: problem.kind,
                message: problem.message.clone(),
            })
        })
    }
}

fn kind_of(name: &str, notebooks: bool) -> Option<SourceKind> {
    match name.rsplit_once('.')?.1 {
        "py" => Some(SourceKind::Module),
        "pyi" => Some(SourceKind::Stub),
        "ipynb" if notebooks => Some(SourceKind::Notebook),
        _ => None,
    }
}

fn has_only_comments(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
    lines.all(|line| line.is_empty() || line.starts_with(b"#"))
}

/// What a file says, as far as it follows from its bytes and some settings alone.
#[derive(Serialize, Deserialize)]
struct Said {
    facts: Facts,
    is_empty: bool,
}

fn read_one(
    workspace: &Workspace,
    path: &ProjectPath,
    kind: SourceKind,
    doctests: bool,
) -> PythonFile {
    let said = if workspace.cache.is_on() {
        said_before(workspace, path, kind, doctests)
    } else {
        workspace.files.read(path).map(|bytes| said(workspace, path, &bytes, kind, doctests))
    };
    match said {
        Ok((Said { facts, is_empty }, text)) => {
            PythonFile { path: path.clone(), facts, text, unreadable: false, is_empty }
        }
        Err(error) => {
            let problem = python::FactProblem {
                line: 0,
                kind: ProblemKind::Unreadable,
                message: format!("cannot be read: {error}"),
            };
            let facts = Facts { problems: vec![problem], incomplete: true, ..Facts::default() };
            PythonFile { path: path.clone(), facts, text: None, unreadable: true, is_empty: false }
        }
    }
}

/// What the cache has, and else what it has from now on.
fn said_before(
    workspace: &Workspace,
    path: &ProjectPath,
    kind: SourceKind,
    doctests: bool,
) -> io::Result<(Said, Option<String>)> {
    let content = workspace.files.content(path)?;
    let key = |digest: &Digest| {
        let mut key = Parts::new("python");
        key.add_number(kind as u64).add_number(doctests.into());
        key.add_number(workspace.cells.is_bazel().into()).add_digest(digest).finish()
    };
    if let Some(said) = workspace.cache.get(&key(&content.digest)) {
        return Ok((said, None));
    }
    let (digest, bytes) = content.read(&*workspace.files, path)?;
    let (said, text) = said(workspace, path, &bytes, kind, doctests);
    // Where the text counts as well, nothing is gained.
    if text.is_none() {
        workspace.cache.put(key(&digest), &said);
    }
    Ok((said, text))
}

fn said(
    workspace: &Workspace,
    path: &ProjectPath,
    bytes: &[u8],
    kind: SourceKind,
    doctests: bool,
) -> (Said, Option<String>) {
    let mut facts = python::facts(path, bytes, kind);
    if doctests && kind == SourceKind::Module {
        facts.imports.extend(python::doctest_imports(bytes));
    }
    let text = facts.incomplete.then(|| String::from_utf8_lossy(bytes).into_owned());
    let is_empty = bytes.iter().all(u8::is_ascii_whitespace)
        || workspace.cells.is_bazel() && has_only_comments(bytes);
    (Said { facts, is_empty }, text)
}
