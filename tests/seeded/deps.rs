//! Mutations of dependencies: those that nothing uses come, those that are imported go.

use super::planted::{Planted, Sight, Way, insert_before, remove};
use super::random::Random;
use super::repository::Changes;
use super::world::World;
use secateur::buck::Dep;
use secateur::finding::CheckId;
use secateur::graph::{Kind, TargetId, UseKind, Via};
use secateur::source::{Place, ProjectPath};
use std::collections::BTreeSet;

/// How often another pair is tried before a mutation is given up.
const TRIES: usize = 400;

/// Inserts at most `count` dependencies that nothing uses.
pub fn insert(world: &mut World<'_>, count: usize, random: &mut Random) -> Vec<Planted> {
    let mut users = world.subjects();
    users.retain(|user| !world.literals(*user).is_empty());
    let libraries = world.libraries();
    let mut planted = Vec::new();
    for _ in 0..count * TRIES {
        if planted.len() == count || users.is_empty() {
            break;
        }
        let (user, dep) = (*random.pick(&users), *random.pick(&libraries));
        let is_needless = user != dep
            && !world.depends_on(user, dep)
            && world.sees(user, dep)
            && !world.may_name(user, dep)
            && !world.closes_cycle(user, dep)
            && !world.matters_above(user, dep);
        let Some(label) = world.spelling(user, world.label(dep)).filter(|_| is_needless) else {
            continue;
        };
        let literals = world.literals(user);
        let (_, place) = random.pick(&literals);
        let edit = insert_before(world.text(&place.path), place, &label);
        let target = Some(world.label(dep).clone());
        let wanted = Sight { dep: target, ..Sight::of(CheckId::UnusedDep, world.label(user)) };
        let changes = Changes { edits: vec![edit], ..Changes::default() };
        world.connect(user, dep);
        planted.push(Planted {
            way: Way::InsertDep,
            changes,
            wanted: vec![wanted],
            implied: Vec::new(),
        });
    }
    planted
}

/// Removes at most `count` dependencies whose modules are imported, and that nothing else the target declares provides.
pub fn remove_used(world: &mut World<'_>, count: usize, random: &mut Random) -> Vec<Planted> {
    let mut used = Vec::new();
    for user in world.subjects() {
        for (dep, place) in world.literals(user) {
            if let Some(modules) = imported(world, user, dep) {
                used.push((user, dep, place, modules));
            }
        }
    }
    random.shuffle(&mut used);
    let mut touched: BTreeSet<TargetId> = BTreeSet::new();
    let mut planted = Vec::new();
    for (user, dep, place, modules) in used {
        let is_new = planted.len() < count && !touched.contains(&user);
        let owner = world.run.graph.targets.find(&dep.to).filter(|_| is_new);
        let Some(owner) = owner else { continue };
        touched.insert(user);
        if world.cut(user, owner, &touched) {
            planted.push(removal(world, user, owner, &place, &modules));
        } else {
            touched.remove(&user);
        }
    }
    planted
}

fn removal(
    world: &World<'_>,
    user: TargetId,
    owner: TargetId,
    place: &Place,
    modules: &BTreeSet<String>,
) -> Planted {
    let edit = remove(world.text(&place.path), place);
    let label = world.label(user);
    let checks = [CheckId::MissingDep, CheckId::TransitiveDep];
    let sights = |module: &str| {
        let module = Some(module.to_owned());
        checks.map(|check| Sight { module: module.clone(), ..Sight::of(check, label) })
    };
    // Whatever the dependency brought may now be missing to others too, and nobody else may need it.
    let lost = world.below(owner).into_iter().flat_map(|id| {
        let missing = Sight { target: None, ..Sight::of(CheckId::MissingDep, label) };
        let by_module = |module: &str| Sight { module: Some(module.to_owned()), ..missing.clone() };
        let mut lost: Vec<Sight> = world.provided(id).map(by_module).collect();
        // What stands for all below a package is known by its label only.
        lost.push(Sight { dep: Some(world.label(id).clone()), ..missing });
        lost.push(Sight::of(CheckId::DeadTarget, world.label(id)));
        lost
    });
    let implied = lost.chain(world.provided(owner).flat_map(sights)).collect();
    Planted {
        way: Way::RemoveDep,
        changes: Changes { edits: vec![edit], ..Changes::default() },
        wanted: modules.iter().flat_map(|module| sights(module)).collect(),
        implied,
    }
}

/// The modules that living sources of a target import from one of its dependencies and from no other; `None` if there are
/// none.
fn imported(world: &World<'_>, user: TargetId, dep: &Dep) -> Option<BTreeSet<String>> {
    let graph = &world.run.graph;
    let owner = graph.targets.find(&dep.to)?;
    let is_library = graph.targets.node(owner).kind == Kind::PythonLibrary;
    if !is_library || graph.definition(user)?.deps.iter().filter(|d| d.to == dep.to).count() > 1 {
        return None;
    }
    let mut modules = BTreeSet::new();
    for (provision, unit) in graph.units_of(user) {
        if provision.path.as_ref().is_none_or(|path| is_dead(world, path)) {
            continue;
        }
        for used in &unit.uses {
            let is_import = matches!(used.kind, UseKind::Runtime | UseKind::Deferred)
                && used.via == Via::Name
                && !used.in_text
                && !used.manual
                && !used.missing_name;
            let Some(name) = used.name.filter(|_| is_import) else { continue };
            let providers: Vec<TargetId> = graph.owners.providers(name).map(|p| p.target).collect();
            let mut others = providers.iter().filter(|provider| **provider != owner);
            let is_declared = |other: &TargetId| *other == user || world.depends_on(user, *other);
            if providers.contains(&owner) && !others.any(is_declared) {
                modules.insert(used.wanted.to_string());
            }
        }
    }
    (!modules.is_empty()).then_some(modules)
}

/// Whether nothing but its own tests reaches a source: what it imports may go.
fn is_dead(world: &World<'_>, path: &ProjectPath) -> bool {
    let checks = [CheckId::DeadModule, CheckId::TestOnlyModule];
    let mut findings = world.run.report.findings.iter();
    findings.any(|found| checks.contains(&found.check) && found.region.path == *path)
}
