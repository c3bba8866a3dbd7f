//! Everything in one graph: targets, the modules they provide, and what each source uses.
//!
//! Build files and Python sources are read through the workspace; nothing is written. Other rooms see handles and sets, never petgraph.

mod closure;
mod dominators;
mod export;
mod files;
mod forward;
mod ids;
mod kinds;
mod layout;
mod mentions;
mod owners;
mod places;
mod runfiles;
mod targets;
mod third_party;
mod uses;
mod why;

pub use closure::{Goals, Ways, Web, name_at, target_at};
pub use dominators::{Bridge, Dominators};
use files::PythonPaths;
pub use files::{PythonFile, PythonFiles};
pub use ids::{FileId, NameId, TargetId};
pub use kinds::Kind;
pub use layout::{Laid, LaidOrigin, LinkTrees, Main};
pub use mentions::Mentions;
pub use owners::{Offer, Owners, Provision};
pub use targets::{Edge, EdgeKind, Node, Resolution, Targets};
pub use uses::{Unit, Use, UseKind, Via};
pub use why::{Why, WhyStep};

use crate::buck::{self, Evaluation, Evaluator, Package, Target};
use crate::error::{Error, Result};
use crate::finding::Coverage;
use crate::progress::Progress;
use crate::python::distributions::Distributions;
use crate::source::{Problem, ProblemKind, ProjectPath};
use crate::workspace::{Cells, Preset, Workspace};
use fixedbitset::FixedBitSet;
use owners::Context;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::sync::Arc;
use targets::Places;
use third_party::ThirdParty;
use uses::Resolver;

/// The repository as one graph.
#[derive(Debug)]
pub struct Graph {
    /// What the build files define.
    pub evaluation: Evaluation,
    /// Targets and the edges between them.
    pub targets: Targets,
    /// Python files and their facts.
    pub files: PythonFiles,
    /// Modules and who provides them.
    pub owners: Owners,
    /// What files outside of the graph name.
    pub mentions: Mentions,
    /// What could not be read; sorted.
    pub problems: Vec<Problem>,
    /// How much was read.
    pub coverage: Coverage,
    units: Vec<Unit>,
    unit_of_provision: Vec<Option<u32>>,
    /// Files that no target has as a source, under the names their paths suggest.
    unowned: Vec<(FileId, Unit)>,
    entries: Vec<Vec<Use>>,
    distributions: Distributions,
    /// The build system makes an `__init__` where there is none among the dependencies.
    makes_inits: bool,
}

/// Reads the workspace into a graph.
///
/// Fails only on mistakes in the configuration; what cannot be read in files is [`Graph::problems`].
pub fn build(workspace: &Workspace, progress: &dyn Progress) -> Result<Graph> {
    build_from(workspace, || evaluate_views(workspace, progress), |_| None, progress)
}

/// The same, with the evaluations it is made from: one for each view of the configuration, of the cells that
/// [`configurations`] gives. They can be asked what other file contents would give.
pub fn build_and_keep<'w>(
    workspace: &'w Workspace,
    cells: &'w [Cells],
    progress: &dyn Progress,
) -> Result<(Vec<Evaluator<'w>>, Graph)> {
    let mut kept = Vec::new();
    let evaluate = || {
        let evaluators = cells.iter().map(|cells| Evaluator::new(workspace, cells, progress));
        kept = evaluators.collect::<Result<_>>()?;
        merged(&kept)
    };
    let graph = build_from(workspace, evaluate, |_| None, progress)?;
    Ok((kept, graph))
}

/// The same of a workspace that differs in some files from that of `other`. What did not change is not read again.
pub fn build_beside(
    workspace: &Workspace,
    evaluators: &[Evaluator<'_>],
    other: &Graph,
    changed: &BTreeSet<ProjectPath>,
    progress: &dyn Progress,
) -> Result<Graph> {
    let known = |path: &ProjectPath| other.files.unchanged(path, changed);
    build_from(workspace, || merged(evaluators), known, progress)
}

fn merged(evaluators: &[Evaluator<'_>]) -> Result<Evaluation> {
    let mut evaluations = evaluators.iter().map(Evaluator::evaluation);
    let mut first = evaluations.next().ok_or_else(|| Error::new("nothing was evaluated"))?;
    evaluations.for_each(|evaluation| first.merge(evaluation));
    Ok(first)
}

/// The cells as each view of the configuration has them: the plain one, then those of `[[view]]`.
pub fn configurations(workspace: &Workspace) -> Result<Vec<Cells>> {
    let views = workspace.settings.views.iter().map(|view| workspace.with_view(view));
    std::iter::once(Ok(workspace.cells.clone())).chain(views).collect()
}

fn build_from(
    workspace: &Workspace,
    evaluate: impl FnOnce() -> Result<Evaluation> + Send,
    known: impl Fn(&ProjectPath) -> Option<Arc<PythonFile>> + Sync + Send,
    progress: &dyn Progress,
) -> Result<Graph> {
    let paths = Arc::new(PythonPaths::list(workspace, |path| skips(workspace, path)));
    let (resolved, (files, mentions)) = rayon::join(
        || -> Result<Resolved> {
            let evaluation = evaluate()?;
            progress.go_on()?;
            Ok(Resolved::new(workspace, evaluation, &paths))
        },
        || {
            let files = PythonFiles::read(workspace, &paths, known, progress);
            (files, Mentions::read(workspace))
        },
    );
    let Resolved { evaluation, targets, owners, distributions } = resolved?;
    progress.go_on()?;
    progress.start("resolve imports", None);
    let mut graph = Graph {
        coverage: coverage(workspace, &evaluation, &targets, &files),
        problems: problems(workspace, &evaluation, &files, &owners),
        evaluation,
        targets,
        files,
        owners,
        mentions,
        units: Vec::new(),
        unit_of_provision: Vec::new(),
        unowned: Vec::new(),
        entries: Vec::new(),
        distributions,
        makes_inits: workspace.cells.is_bazel(),
    };
    graph.resolve_units(workspace);
    let ids: Vec<TargetId> = graph.targets.ids().collect();
    graph.entries = ids.into_par_iter().map(|id| graph.entry_uses(id)).collect();
    Ok(graph)
}

/// What build files alone tell, with where Python files lie.
struct Resolved {
    evaluation: Evaluation,
    targets: Targets,
    owners: Owners,
    distributions: Distributions,
}

impl Resolved {
    fn new(workspace: &Workspace, mut evaluation: Evaluation, files: &PythonPaths) -> Self {
        if let Some(outside) = &workspace.outside {
            evaluation.correct(outside, workspace);
        }
        let distributions = Distributions::new(&workspace.settings.third_party.modules);
        let third_party = ThirdParty::new(workspace, &evaluation, distributions);
        let fbcode = workspace.settings.project.preset == Some(Preset::Fbcode);
        let places = Places {
            is_bazel: workspace.cells.is_bazel(),
            on_disk: &|package| is_on_disk(workspace, package),
            foreign: &|text, label| {
                third_party.names_distribution(text) || fbcode && is_foreign(workspace, text, label)
            },
        };
        let targets = Targets::build(&evaluation, &places);
        let owners = Owners::build(&Context {
            workspace,
            evaluation: &evaluation,
            targets: &targets,
            files,
            third_party: &third_party,
        });
        let distributions = third_party.distributions;
        Self { evaluation, targets, owners, distributions }
    }
}

fn evaluate_views(workspace: &Workspace, progress: &dyn Progress) -> Result<Evaluation> {
    let mut evaluation = buck::evaluate(workspace, &workspace.cells, progress)?;
    for view in &workspace.settings.views {
        let cells = workspace.with_view(view)?;
        evaluation.merge(buck::evaluate(workspace, &cells, progress)?);
    }
    Ok(evaluation)
}

/// The prelude is a tool, not the user's code; excluded files were excluded by the user.
fn skips(workspace: &Workspace, path: &ProjectPath) -> bool {
    workspace.cells.is_tool(&workspace.cells.cell_of(path).name) || workspace.is_excluded(path)
}

/// A package outside of every cell on disk, or in the prelude, or in a submodule that was not fetched, may be anything.
fn is_on_disk(workspace: &Workspace, package: &crate::label::PackageId) -> bool {
    if workspace.cells.is_tool(&package.cell) {
        return false;
    }
    let Some(dir) = workspace.cells.dir_of_package(package) else { return false };
    if workspace.is_excluded(&dir) {
        return false;
    }
    let cell_root = workspace.cells.get(&package.cell).map(|cell| cell.root.clone());
    let is_empty = |dir: &ProjectPath| {
        workspace.tree.dir(dir).is_some_and(|dir| dir.files.is_empty() && dir.dirs.is_empty())
    };
    // A cell or directory that is there and empty is a submodule that was not fetched.
    let unfetched = std::iter::successors(Some(dir), ProjectPath::parent).any(|dir| is_empty(&dir))
        || cell_root.is_some_and(|root| workspace.tree.dir(&root).is_none());
    !unfetched
}

/// In an exported tree, labels that name a cell by alias mean the repository that it was exported from.
fn is_foreign(workspace: &Workspace, text: &str, label: &crate::label::Label) -> bool {
    let written = text.split_once("//").map_or("", |(cell, _)| cell.trim_start_matches('@'));
    let own = &*label.package.cell;
    !written.is_empty() && written != own && written != &*workspace.cells.root().name
}

fn coverage(
    workspace: &Workspace,
    evaluation: &Evaluation,
    targets: &Targets,
    files: &PythonFiles,
) -> Coverage {
    let on_disk = || targets.ids().filter(|id| targets.node(*id).origin.is_some());
    let has_statement_problem: FxHashSet<&ProjectPath> = evaluation
        .problems
        .iter()
        .filter(|problem| problem.costs_targets())
        .map(|problem| &problem.path)
        .collect();
    let failed =
        |package: &&Package| package.failed || has_statement_problem.contains(&package.build_file);
    Coverage {
        packages: evaluation.packages.len(),
        packages_failed: evaluation.packages.iter().filter(failed).count()
            + workspace.tree.unread().count(),
        python_files: files.iter().count(),
        python_files_failed: files.iter().filter(|(_, file)| file.facts.incomplete).count(),
        targets: on_disk().count(),
        unknown_rules: on_disk().filter(|id| targets.node(*id).kind == Kind::Unknown).count(),
    }
}

fn problems(
    workspace: &Workspace,
    evaluation: &Evaluation,
    files: &PythonFiles,
    owners: &Owners,
) -> Vec<Problem> {
    let mut problems: Vec<Problem> = workspace.problems.clone();
    // A prelude that is broken as a whole changes what every build file means.
    let breaks = |problem: &Problem| {
        let kinds = [ProblemKind::Unreadable, ProblemKind::Syntax, ProblemKind::Limit];
        kinds.contains(&problem.kind) && !workspace.is_excluded(&problem.path)
    };
    let own = |problem: &&Problem| !skips(workspace, &problem.path) || breaks(problem);
    problems.extend(evaluation.problems.iter().filter(own).cloned());
    problems.extend(files.problems());
    problems.extend_from_slice(&owners.problems);
    problems.sort();
    problems.dedup();
    problems
}

impl Graph {
    /// The definition of a target that is on disk.
    pub fn definition(&self, id: TargetId) -> Option<&Target> {
        let (package, index) = self.targets.node(id).origin?;
        Some(&self.evaluation.packages[package].targets[index])
    }

    /// The package of a target that is on disk.
    pub fn package(&self, id: TargetId) -> Option<&Package> {
        let (package, _) = self.targets.node(id).origin?;
        Some(&self.evaluation.packages[package])
    }

    /// The sources of a target with what each uses: position of the provision, and its unit.
    pub fn units_of(&self, id: TargetId) -> impl Iterator<Item = (&Provision, &Unit)> {
        let range = self.owners.offer(id).provisions.clone();
        range.filter_map(|at| {
            let unit = self.unit_of_provision[at]?;
            Some((&self.owners.provisions()[at], &self.units[unit as usize]))
        })
    }

    /// What the source of the provision at a position uses.
    pub fn unit_at(&self, position: usize) -> Option<&Unit> {
        self.unit_of_provision[position].map(|unit| &self.units[unit as usize])
    }

    /// Files that no target has as a source, with what each uses.
    pub fn unowned(&self) -> &[(FileId, Unit)] {
        &self.unowned
    }

    /// What a target starts: main modules.
    pub fn entries(&self, id: TargetId) -> &[Use] {
        &self.entries[id.index()]
    }

    /// Edges along which Python modules travel, those for which `keep` is false left out.
    pub fn module_web(&self, keep: impl Fn(TargetId, &Edge) -> bool) -> Web {
        let edges = self
            .targets
            .ids()
            .flat_map(|from| self.targets.node(from).edges.iter().map(move |edge| (from, edge)));
        let modules =
            edges.filter(|(from, edge)| edge.kind == EdgeKind::Modules && keep(*from, edge));
        Web::new(self.targets.len(), modules.map(|(from, edge)| (from.index(), edge.to.index())))
    }

    fn resolver(&self) -> Resolver<'_> {
        let (owners, files, makes_inits) = (&self.owners, &self.files, self.makes_inits);
        Resolver { owners, files, makes_inits }
    }

    fn resolve_units(&mut self, workspace: &Workspace) {
        let mut keys: FxHashMap<(FileId, NameId), u32> = FxHashMap::default();
        // Of files that no target has, paths suggest the names.
        let mut wanted: Vec<(FileId, Option<(NameId, bool)>)> = Vec::new();
        let mut is_owned = FixedBitSet::with_capacity(self.files.len());
        let mut unit_of_provision = Vec::with_capacity(self.owners.provisions().len());
        for provision in self.owners.provisions() {
            let unit = provision.file.map(|file| {
                *keys.entry((file, provision.name)).or_insert_with(|| {
                    is_owned.insert(file.index());
                    wanted.push((file, Some((provision.name, provision.is_package))));
                    wanted.len() as u32 - 1
                })
            });
            unit_of_provision.push(unit);
        }
        let owned_units = wanted.len();
        let others = self.files.iter().filter(|(id, _)| !is_owned.contains(id.index()));
        wanted.extend(others.map(|(id, _)| (id, None)));
        let resolver = self.resolver();
        let unit = |(file, name): &(FileId, Option<(NameId, bool)>)| {
            let file = self.files.get(*file);
            if let Some((name, is_package)) = *name {
                return resolver.unit(file, self.owners.name(name), is_package);
            }
            let (name, is_package) = name_by_path(workspace, &file.path);
            resolver.unit(file, &name, is_package)
        };
        let mut units: Vec<Unit> = wanted.par_iter().map(unit).collect();
        let unowned = units.split_off(owned_units);
        let files = wanted[owned_units..].iter().map(|(file, ..)| *file);
        self.unowned = files.zip(unowned).collect();
        self.units = units;
        self.unit_of_provision = unit_of_provision;
    }

    fn entry_uses(&self, id: TargetId) -> Vec<Use> {
        let Some(target) = self.definition(id) else { return Vec::new() };
        let resolver = self.resolver();
        let base = places::prefix(target).replace('/', ".");
        let absolute = |name: &str| match name.strip_prefix('.') {
            Some(rest) if base.is_empty() => rest.to_owned(),
            Some(rest) => format!("{base}.{rest}"),
            None => name.to_owned(),
        };
        let mut uses = Vec::new();
        for (_, value) in &target.attrs {
            value.for_each_text(&mut |text| {
                uses.extend(run_by_name(&text.text).map(|module| resolver.entry(module)));
            });
        }
        uses.retain(|used| used.name.is_some());
        let module = target.text("main_module").map(|name| resolver.entry(&absolute(name)));
        let function = target.text("main_function").map(|name| {
            let name = absolute(name);
            let module = name.rsplit_once([':', '.']).map_or(name.as_str(), |(module, _)| module);
            resolver.entry(module)
        });
        uses.extend(module.into_iter().chain(function));
        uses
    }

    /// Whether a distribution is known to provide a module, whoever depends on it.
    pub fn is_distributed(&self, module: &str) -> bool {
        self.distributions.distributions_of(module).is_some()
    }
}

/// Modules that a command runs with `-m`.
fn run_by_name(command: &str) -> impl Iterator<Item = &str> {
    // Most texts name a file or a target, and have no words.
    let is_command = command.as_bytes().windows(2).any(|flag| flag == b"-m");
    let command = if is_command { command } else { "" };
    let words = command.split_whitespace();
    words.clone().zip(words.skip(1)).filter(|(flag, _)| *flag == "-m").map(|(_, module)| module)
}

/// The module name that a file's path suggests, for files whose name no rule gives.
fn name_by_path(workspace: &Workspace, path: &ProjectPath) -> (String, bool) {
    let dir = path.parent().unwrap_or_else(ProjectPath::root);
    let package = workspace.cells.package_of_dir(&dir);
    let destination = format!("{}/{}", package.path, path.file_name());
    let module = crate::python::modules::module_of(destination.trim_start_matches('/'));
    module.map_or_else(|| (String::new(), false), |module| (module.name, module.is_package))
}
