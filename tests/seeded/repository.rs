//! A repository on disk that is read only, and runs over it with changes laid over its files in memory.

use secateur::checks::{self, Selection};
use secateur::finding::Report;
use secateur::graph::{self, Graph};
use secateur::progress::Silent;
use secateur::source::ProjectPath;
use secateur::workspace::{Environment, OverlayFiles, Overrides, Workspace};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Build files recurse deeply.
const STACK_BYTES: usize = 64 << 20;

/// Bytes of a file that become another text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    pub path: ProjectPath,
    pub start: usize,
    pub end: usize,
    pub text: String,
}

/// What a mutation does to the files.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub edits: Vec<Edit>,
    pub created: Vec<(ProjectPath, String)>,
}

/// A repository.
pub struct Repository {
    root: PathBuf,
}

/// One run: what was read, and what was said.
pub struct Run {
    pub workspace: Workspace,
    pub graph: Graph,
    pub report: Report,
}

impl Repository {
    /// The repository at `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.canonicalize().unwrap() }
    }

    /// Runs every check over the repository as it would be with some changes. The disk stays as it is.
    pub fn run<'c>(&self, changes: impl IntoIterator<Item = &'c Changes>) -> Run {
        let environment =
            Environment { home: None, current_dir: self.root.clone(), system_config_dir: None };
        let mut workspace =
            Workspace::open(&self.root, &environment, &Overrides::default()).unwrap();
        lay_over(&mut workspace, &changes.into_iter().collect::<Vec<_>>());
        let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build().unwrap();
        pool.install(|| {
            let graph = graph::build(&workspace, &Silent).unwrap();
            let report = checks::run(&workspace, &graph, &Selection::default(), &Silent);
            Run { workspace, graph, report }
        })
    }
}

/// Puts changes over the files of a workspace.
fn lay_over(workspace: &mut Workspace, changes: &[&Changes]) {
    let mut edits: Vec<&Edit> = changes.iter().flat_map(|change| &change.edits).collect();
    edits.sort();
    let mut changed: BTreeMap<ProjectPath, Option<Vec<u8>>> = BTreeMap::new();
    // From the end, so that the places of those before stay what they are.
    for edit in edits.into_iter().rev() {
        let read = || Some(workspace.files.read(&edit.path).unwrap());
        let bytes = changed.entry(edit.path.clone()).or_insert_with(read).as_mut().unwrap();
        bytes.splice(edit.start..edit.end, edit.text.bytes());
    }
    let created: Vec<&(ProjectPath, String)> =
        changes.iter().flat_map(|change| &change.created).collect();
    for (path, text) in &created {
        changed.insert(path.clone(), Some(text.as_bytes().to_vec()));
    }
    let paths: Vec<ProjectPath> = created.iter().map(|(path, _)| path.clone()).collect();
    workspace.tree = workspace.tree.overlay(&paths, &[], &workspace.cells);
    workspace.files = Arc::new(OverlayFiles::new(Arc::clone(&workspace.files), changed));
}
