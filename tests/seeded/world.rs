//! What a generator of mutations has to know of a repository: which targets can be changed, and what it would mean.
//!
//! Who names what is read off the words of the sources, so that it does not rest on the judgement under test.

use super::repository::Run;
use fixedbitset::FixedBitSet;
use secateur::buck::{Dep, LiteralId, Target, parse_label};
use secateur::finding::CheckId;
use secateur::graph::{EdgeKind, Kind, NameId, TargetId, target_at};
use secateur::label::Label;
use secateur::source::{Place, ProjectPath};
use secateur::workspace::Pattern;
use std::collections::{BTreeMap, BTreeSet};

/// A repository before its mutations, and the edges as the mutations so far have made them.
pub struct World<'r> {
    pub run: &'r Run,
    /// Every edge, whatever travels along it.
    builds: Vec<BTreeSet<usize>>,
    /// Edges along which modules travel.
    modules: Vec<BTreeSet<usize>>,
    /// The same from the other side.
    users: Vec<BTreeSet<usize>>,
    /// As `modules`, with the fixes of the run made: what leans on an edge that goes there may lean on a mutation as well.
    pruned: Vec<BTreeSet<usize>>,
    /// How many dependencies each literal makes.
    fed: BTreeMap<LiteralId, usize>,
    live: FixedBitSet,
    /// Every edge but those that the run calls unused.
    needed: Vec<BTreeSet<usize>>,
    /// By target, what its sources name, and the prefixes under which they load anything.
    wants: Vec<(BTreeSet<NameId>, BTreeSet<&'r str>)>,
    words: BTreeMap<TargetId, BTreeSet<String>>,
}

impl<'r> World<'r> {
    pub fn new(run: &'r Run) -> Self {
        let targets = &run.graph.targets;
        let mut world = Self {
            run,
            builds: vec![BTreeSet::new(); targets.len()],
            modules: vec![BTreeSet::new(); targets.len()],
            users: vec![BTreeSet::new(); targets.len()],
            pruned: vec![BTreeSet::new(); targets.len()],
            fed: BTreeMap::new(),
            live: FixedBitSet::new(),
            needed: Vec::new(),
            wants: targets.ids().map(|id| wants(run, id)).collect(),
            words: BTreeMap::new(),
        };
        let is_unused = unused(run);
        let mut needed = vec![BTreeSet::new(); targets.len()];
        for id in targets.ids() {
            for edge in &targets.node(id).edges {
                world.builds[id.index()].insert(edge.to.index());
                if edge.kind == EdgeKind::Modules {
                    world.modules[id.index()].insert(edge.to.index());
                    world.users[edge.to.index()].insert(id.index());
                }
                if !is_unused.contains(&(id, edge.to)) {
                    needed[id.index()].insert(edge.to.index());
                }
            }
            let deps = run.graph.definition(id).map_or(&[][..], |target| &target.deps);
            for literal in deps.iter().filter_map(|dep| dep.literal) {
                *world.fed.entry(literal).or_default() += 1;
            }
        }
        for (at, modules) in world.modules.iter().enumerate() {
            world.pruned[at] = modules.intersection(&needed[at]).copied().collect();
        }
        let unused = run.report.findings.iter().filter(|found| found.check == CheckId::UnusedDep);
        for fix in unused.filter_map(|found| found.fix.as_ref()) {
            for addition in fix.additions() {
                let ends = [&addition.to, &addition.dep].map(|label| targets.find(label));
                if let [Some(user), Some(dep)] = ends {
                    world.pruned[user.index()].insert(dep.index());
                }
            }
        }
        world.live = closure(&needed, starts(run));
        world.needed = needed;
        let python = targets.ids().filter(|id| world.is_python(*id));
        world.words = python.map(|id| (id, words_of(run, id))).collect();
        world
    }

    /// The targets that a mutation may change: Python, read whole, alive, with sources of their own on disk.
    pub fn subjects(&self) -> Vec<TargetId> {
        let ids = self.run.graph.targets.ids();
        ids.filter(|id| self.live.contains(id.index()) && self.is_whole(*id)).collect()
    }

    /// The libraries among them.
    pub fn libraries(&self) -> Vec<TargetId> {
        let targets = &self.run.graph.targets;
        let is_library = |id: &TargetId| targets.node(*id).kind == Kind::PythonLibrary;
        self.subjects().into_iter().filter(is_library).collect()
    }

    fn is_python(&self, id: TargetId) -> bool {
        let kind = self.run.graph.targets.node(id).kind;
        matches!(kind, Kind::PythonLibrary | Kind::PythonBinary | Kind::PythonTest)
    }

    fn is_whole(&self, id: TargetId) -> bool {
        let graph = &self.run.graph;
        let provisions = graph.owners.of_target(id);
        let is_read = |file| !graph.files.get(file).facts.incomplete;
        self.is_python(id)
            && graph.definition(id).is_some_and(|target| !target.manual && !target.incomplete)
            && !provisions.is_empty()
            && provisions.iter().all(|provision| provision.file.is_some_and(is_read))
    }

    pub fn definition(&self, id: TargetId) -> &'r Target {
        self.run.graph.definition(id).unwrap()
    }

    pub fn label(&self, id: TargetId) -> &'r Label {
        &self.run.graph.targets.node(id).label
    }

    /// The literals of `deps` that make one dependency only.
    pub fn literals(&self, id: TargetId) -> Vec<(&'r Dep, Place)> {
        let evaluation = &self.run.graph.evaluation;
        let single = |dep: &'r Dep| {
            let literal = dep.literal.filter(|literal| {
                let written = evaluation.literal(*literal);
                self.fed[literal] == 1 && !written.manual && self.is_in_list(*literal)
            })?;
            (&*dep.attr == "deps" && !dep.in_string).then(|| (dep, evaluation.place(literal)))
        };
        self.definition(id).deps.iter().filter_map(single).collect()
    }

    /// Whether a literal of `srcs` stands in a list and makes one source only.
    pub fn is_single(&self, literal: LiteralId) -> bool {
        let graph = &self.run.graph;
        let targets = graph.targets.ids().filter_map(|id| graph.definition(id));
        let sources = targets.flat_map(|target| &target.sources);
        sources.filter(|source| source.literal == Some(literal)).count() == 1
            && self.is_in_list(literal)
    }

    /// Whether the configuration names a target: all that is in it counts as used.
    pub fn is_root(&self, id: TargetId) -> bool {
        let workspace = &self.run.workspace;
        workspace.settings.roots.targets.iter().any(|text| {
            let pattern = Pattern::parse(text, &workspace.cells, &ProjectPath::root());
            pattern.is_ok_and(|pattern| pattern.matches_label(self.label(id)))
        })
    }

    /// Whether some source loads modules of a package by names that it makes.
    pub fn is_loaded_by_prefix(&self, package: &str) -> bool {
        let graph = &self.run.graph;
        let mut units = graph.targets.ids().flat_map(|id| graph.units_of(id));
        units
            .any(|(_, unit)| unit.prefixes.iter().any(|(prefix, _)| package.starts_with(&**prefix)))
    }

    fn is_in_list(&self, literal: LiteralId) -> bool {
        let evaluation = &self.run.graph.evaluation;
        let place = evaluation.place(literal);
        let container = evaluation.literal(literal).container;
        container.is_some_and(|(span, _)| self.text(&place.path)[span.range()].starts_with('['))
    }

    /// The text of a build file.
    pub fn text(&self, path: &ProjectPath) -> &'r str {
        self.run.graph.evaluation.file(path).unwrap().text()
    }

    /// How a build file of `user` can name a target.
    pub fn spelling(&self, user: TargetId, dep: &Label) -> Option<String> {
        let package = &self.label(user).package;
        let path = &dep.package.path;
        let local = format!("//{path}:{}", dep.name);
        [local, dep.to_string()].into_iter().find(|text| {
            let written = parse_label(text, package, &self.run.workspace.cells);
            written.is_some_and(|written| written.label == *dep)
        })
    }

    /// Whether `visibility` lets one target depend on another.
    pub fn sees(&self, user: TargetId, dep: TargetId) -> bool {
        let (user, package) = (self.label(user), &self.label(dep).package);
        let matches = |text: &String| {
            let text = match text.strip_prefix("//") {
                Some(rest) => format!("{}//{rest}", package.cell),
                None => text.clone(),
            };
            let pattern = Pattern::parse(&text, &self.run.workspace.cells, &ProjectPath::root());
            pattern.is_ok_and(|pattern| pattern.matches_label(user))
        };
        user.package == *package || self.is_public(dep) || self.visibility(dep).iter().any(matches)
    }

    /// Whether everybody may depend on a target, those outside of the repository among them.
    pub fn is_public(&self, id: TargetId) -> bool {
        self.visibility(id).iter().any(|text| text == "PUBLIC")
    }

    fn visibility(&self, id: TargetId) -> Vec<String> {
        let mut patterns: Vec<String> = Vec::new();
        match (self.definition(id).attr("visibility"), self.run.graph.package(id)) {
            (Some(value), _) => {
                value.for_each_text(&mut |text| patterns.push(text.text.to_string()));
            }
            (None, Some(package)) => {
                patterns.extend(package.default_visibility.iter().map(ToString::to_string));
            }
            (None, None) => {}
        }
        patterns
    }

    /// Whether a source of `user` has a word that could mean something of `dep`, or needs it for the packages around it.
    pub fn may_name(&self, user: TargetId, dep: TargetId) -> bool {
        let owners = &self.run.graph.owners;
        let name = |id: NameId| owners.name(id);
        let words = &self.words[&user];
        let own = owners.of_target(user);
        let named = owners.of_target(dep).iter().any(|provision| {
            let module = name(provision.name);
            let around = format!("{module}.");
            words.contains(module.rsplit('.').next().unwrap_or(module))
                || own.iter().any(|own| name(own.name).starts_with(&around))
        });
        let stem = |file: &str| file.split('.').next().unwrap_or(file).to_owned();
        let resources = &owners.offer(dep).resources;
        named || resources.iter().any(|(_, file)| words.contains(&stem(file)))
    }

    /// Whether a source of `user` has the dotted name of a module of `dep`, or an import that brings it from a package.
    pub fn names(&self, user: TargetId, dep: TargetId) -> bool {
        let texts = texts_of(self.run, user);
        self.provided(dep).any(|module| texts.iter().any(|text| names(text, module)))
    }

    pub fn depends_on(&self, user: TargetId, dep: TargetId) -> bool {
        self.builds[user.index()].contains(&dep.index())
    }

    pub fn closes_cycle(&self, user: TargetId, dep: TargetId) -> bool {
        closure(&self.builds, [dep.index()]).contains(user.index())
    }

    /// Whether some target above `user` would see a difference but for size: a module that it lacked, or has twice.
    pub fn matters_above(&self, user: TargetId, dep: TargetId) -> bool {
        let brought = closure(&self.modules, [dep.index()]);
        let above = closure(&self.users, [user.index()]);
        above.ones().any(|top| {
            [&self.modules, &self.pruned].into_iter().any(|edges| {
                let held = closure(edges, [top]);
                let mut new = brought.clone();
                new.difference_with(&held);
                !new.is_clear() && self.differs(&held, &new)
            })
        })
    }

    fn differs(&self, held: &FixedBitSet, new: &FixedBitSet) -> bool {
        let graph = &self.run.graph;
        let owners = &graph.owners;
        let is_in = |set: &FixedBitSet, name| {
            owners.providers(name).any(|provision| set.contains(provision.target.index()))
        };
        let doubles = new.ones().any(|at| {
            owners.of_target(target_at(at)).iter().any(|provision| is_in(held, provision.name))
        });
        let gives = |at: usize| {
            let (names, prefixes) = &self.wants[at];
            names.iter().any(|name| is_in(new, *name) && !is_in(held, *name))
                || prefixes.iter().any(|prefix| {
                    let mut brought = new.ones().flat_map(|at| self.provided(target_at(at)));
                    brought.any(|module| module.starts_with(prefix))
                })
        };
        doubles || held.ones().any(gives)
    }

    /// Remembers a dependency that a mutation makes.
    pub fn connect(&mut self, user: TargetId, dep: TargetId) {
        self.builds[user.index()].insert(dep.index());
        self.modules[user.index()].insert(dep.index());
        self.users[dep.index()].insert(user.index());
    }

    /// Takes an edge away, unless one of some targets would then be dead.
    pub fn cut(&mut self, user: TargetId, dep: TargetId, keep: &BTreeSet<TargetId>) -> bool {
        let was_there = self.needed[user.index()].remove(&dep.index());
        let live = closure(&self.needed, starts(self.run));
        let is_fine = keep.iter().all(|id| live.contains(id.index()));
        if was_there && !is_fine {
            self.needed[user.index()].insert(dep.index());
        }
        is_fine
    }

    /// Whether a source has the name of a module, and no dependency of its target provides it or a package that stands for it.
    pub fn lacks(&self, user: TargetId, module: &str) -> bool {
        let has = |at: &usize| self.provides(target_at(*at), module);
        let is_named = texts_of(self.run, user).iter().any(|text| names(text, module));
        is_named && !self.builds[user.index()].iter().any(has)
    }

    /// Whether a target provides a module, by itself or among all below a package.
    pub fn provides(&self, id: TargetId, module: &str) -> bool {
        let owners = &self.run.graph.owners;
        owners.of_target(id).iter().any(|provision| {
            let rest = module.strip_prefix(owners.name(provision.name));
            rest.is_some_and(|rest| rest.is_empty() || provision.is_prefix && rest.starts_with('.'))
        })
    }

    /// Everything that a target can reach.
    pub fn below(&self, id: TargetId) -> Vec<TargetId> {
        closure(&self.builds, [id.index()]).ones().map(target_at).collect()
    }

    /// The names of the modules that a target provides.
    pub fn provided(&self, id: TargetId) -> impl Iterator<Item = &'r str> {
        let owners = &self.run.graph.owners;
        owners.of_target(id).iter().map(|provision| owners.name(provision.name))
    }
}

/// The dependencies that count as unused already: what only they keep alive is not alive.
fn unused(run: &Run) -> BTreeSet<(TargetId, TargetId)> {
    let unused = run.report.findings.iter().filter(|found| found.check == CheckId::UnusedDep);
    let find = |label: &Option<Label>| run.graph.targets.find(label.as_ref()?);
    unused.filter_map(|found| Some((find(&found.target)?, find(&found.dep)?))).collect()
}

/// What runs.
fn starts(run: &Run) -> impl Iterator<Item = usize> + '_ {
    let targets = &run.graph.targets;
    targets.ids().filter(|id| targets.node(*id).kind.is_executable()).map(TargetId::index)
}

fn closure(edges: &[BTreeSet<usize>], roots: impl IntoIterator<Item = usize>) -> FixedBitSet {
    let mut seen = FixedBitSet::with_capacity(edges.len());
    let mut stack: Vec<usize> = roots.into_iter().collect();
    while let Some(at) = stack.pop() {
        if !seen.put(at) {
            stack.extend(&edges[at]);
        }
    }
    seen
}

fn wants(run: &Run, id: TargetId) -> (BTreeSet<NameId>, BTreeSet<&str>) {
    let units = || run.graph.units_of(id).map(|(_, unit)| unit);
    let names = units().flat_map(|unit| &unit.uses).filter_map(|used| used.name);
    let prefixes = units().flat_map(|unit| &unit.prefixes).map(|(prefix, _)| &**prefix);
    (names.collect(), prefixes.collect())
}

fn texts_of(run: &Run, id: TargetId) -> Vec<String> {
    let provisions = run.graph.owners.of_target(id).iter();
    let paths = provisions.filter_map(|provision| provision.path.as_ref());
    let bytes = paths.map(|path| run.workspace.files.read(path).unwrap_or_default());
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

/// Whether a text has a dotted name as a whole, or an import from its package, or from one nearby, with the last part of it.
fn names(text: &str, module: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let (package, name) = module.rsplit_once('.').unwrap_or(("", module));
    let is_whole = |(at, _): (usize, &str)| {
        let (before, behind) = (&text[..at], &text[at + module.len()..]);
        !before.ends_with(is_part) && !behind.starts_with(|c| is_part(c) && c != '.')
    };
    let is_import = |(at, _): (usize, &str)| {
        let rest = &text[at + "from ".len()..];
        let line = rest.split('\n').next().unwrap_or(rest);
        let end = if line.contains('(') { rest.find(')') } else { Some(line.len()) };
        let from = rest.split_whitespace().next().unwrap_or("");
        let mut words = rest[..end.unwrap_or(rest.len())].split(|c| !is_part(c) || c == '.');
        (from == package || from.starts_with('.')) && words.any(|word| word == name)
    };
    text.match_indices(module).any(is_whole) || text.match_indices("from ").any(is_import)
}

fn words_of(run: &Run, id: TargetId) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = BTreeSet::new();
    for text in texts_of(run, id) {
        words.extend(text.split(|c| !is_word(c)).map(str::to_owned));
    }
    if let Some(target) = run.graph.definition(id) {
        for (attr, value) in &target.attrs {
            if &**attr != "deps" {
                value.for_each_text(&mut |text| {
                    words.extend(text.text.split(['.', ':', ' ']).map(str::to_owned));
                });
            }
        }
    }
    words
}

#[test]
fn whole_names_and_imports_are_told_from_words() {
    assert!(names("import a.b.c.d", "a.b.c"));
    assert!(names("from a.b import (\n    x,\n    c,\n)", "a.b.c"));
    assert!(names("from . import c", "a.b.c") && names("from .c import x", "a.b.c"));
    assert!(!names("from other.b import c\nimport za.b.c, a.b.cd", "a.b.c"));
    assert!(!names("from executorch import x", "torch"));
}
