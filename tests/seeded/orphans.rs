//! Mutations that add what nobody needs: modules, with and without tests of their own, and whole libraries.

use super::planted::{Planted, Sight, Way, insert_before};
use super::random::Random;
use super::repository::{Changes, Edit};
use super::world::World;
use secateur::buck::SourceOrigin;
use secateur::finding::CheckId;
use secateur::graph::{Kind, Provision, TargetId};
use secateur::source::{Place, ProjectPath};
use std::collections::BTreeSet;

const WAYS: [Way; 5] = [
    Way::AddModule,
    Way::AddModuleWithTest,
    Way::AddModuleWithTestOfLivingCode,
    Way::AddLibrary,
    Way::AddLibraryWithUser,
];

/// A module that needs nothing of the repository.
const ALONE: &str =
    "import json\n\n\ndef retired(value):\n    return json.dumps({\"value\": value})\n";

/// A source of a library that a new file can be made after.
struct Model {
    target: TargetId,
    path: ProjectPath,
    /// The package of its module, with the dot behind it.
    package: String,
    /// Its literal in `srcs`; without one, a glob has found it.
    literal: Option<Place>,
}

/// Adds at most `count` modules, in turn in each of the ways.
pub fn add(world: &World<'_>, count: usize, random: &mut Random) -> Vec<Planted> {
    let mut models = models(world);
    random.shuffle(&mut models);
    let mut planted: Vec<Planted> = Vec::new();
    let mut targets: BTreeSet<TargetId> = BTreeSet::new();
    for model in models {
        if planted.len() == count {
            break;
        }
        let way = WAYS[planted.len() % WAYS.len()];
        let with_test = matches!(way, Way::AddModuleWithTest | Way::AddModuleWithTestOfLivingCode);
        // Among tests, what uses living code may be there for the tests of that.
        let is_support = way == Way::AddModuleWithTestOfLivingCode && is_among_tests(&model.path);
        let is_taken = targets.contains(&model.target) || is_support;
        if !(is_taken || with_test && world.is_public(model.target))
            && let Some(new) = plant(world, &model, way, planted.len())
        {
            targets.insert(model.target);
            planted.push(new);
        }
    }
    planted
}

fn is_among_tests(path: &ProjectPath) -> bool {
    path.as_str().split('/').any(|part| ["test", "tests", "testing"].contains(&part))
}

/// The sources of libraries that are alive and that nothing outside may import or load by name.
fn models(world: &World<'_>) -> Vec<Model> {
    let graph = &world.run.graph;
    let is_library = |id: &TargetId| graph.targets.node(*id).kind == Kind::PythonLibrary;
    let is_named = |id: &TargetId| graph.mentions.labels.contains_key(world.label(*id));
    let targets = world.subjects().into_iter().filter(is_library).filter(|id| !is_named(id));
    let targets = targets.filter(|id| !world.is_root(*id));
    let sources = targets.flat_map(|id| graph.owners.of_target(id));
    sources.filter_map(|provision| model(world, provision)).collect()
}

fn model(world: &World<'_>, provision: &Provision) -> Option<Model> {
    let graph = &world.run.graph;
    let path = provision.path.clone()?;
    let module = graph.owners.name(provision.name);
    let stem = path.file_name().strip_suffix(".py")?;
    if stem.starts_with("__") || stem == "conftest" {
        return None;
    }
    let package = module.strip_suffix(stem).filter(|package| package.ends_with('.'))?;
    let is_source =
        |origin: &SourceOrigin| matches!(origin, SourceOrigin::File { path: p, .. } if *p == path);
    let sources = &world.definition(provision.target).sources;
    let source = sources.iter().find(|source| is_source(&source.origin) && &*source.attr == "srcs");
    let source = source.filter(|source| source.destination.is_none())?;
    let literal = match source.literal {
        Some(literal) if world.is_single(literal) => Some(graph.evaluation.place(literal)),
        Some(_) => return None,
        None => None,
    };
    let package = package.to_owned();
    (!world.is_loaded_by_prefix(&package)).then_some(Model {
        target: provision.target,
        path,
        package,
        literal,
    })
}

fn plant(world: &World<'_>, model: &Model, way: Way, number: usize) -> Option<Planted> {
    let copy = String::from_utf8(world.run.workspace.files.read(&model.path).ok()?).ok()?;
    let package = world.run.graph.package(model.target)?;
    let stem = format!("retired_{number}");
    let dir = model.path.parent()?;
    let file = dir.join(&format!("{stem}.py"))?;
    // A glob would take what is meant for another target.
    if way != Way::AddModule && !package.globs.is_empty() {
        return None;
    }
    let below = dir.below(&package.dir)?;
    let inside = |name: &str| format!("{below}/{name}").trim_start_matches('/').to_owned();
    let is_taken = |glob: &String| *glob == "**/*.py" || *glob == inside("*.py");
    if model.literal.is_none() && !package.globs.iter().any(is_taken) {
        return None;
    }
    let mut changes = Changes::default();
    // A copy lacks what its model lacks, and may come before it.
    let mut implied: Vec<Sight> =
        [CheckId::MissingDep, CheckId::TransitiveDep].map(|check| Sight::at(check, &file)).into();
    let mut append = |text: String| {
        let path = package.build_file.clone();
        let at = world.text(&path).len();
        changes.edits.push(Edit { path, start: at, end: at, text });
    };
    let library = |deps: &str| {
        let src = inside(&format!("{stem}.py"));
        format!("\npython_library(\n    name = \"{stem}\",\n    srcs = [\"{src}\"],\n{deps})\n")
    };
    let wanted = match way {
        Way::AddModule => Sight::at(CheckId::DeadModule, &file),
        Way::AddModuleWithTest | Way::AddModuleWithTestOfLivingCode => {
            let test = format!("{stem}_test.py");
            let (name, src) = (&world.label(model.target).name, inside(&test));
            append(format!(
                "\npython_test(\n    name = \"{stem}_test\",\n    srcs = [\"{src}\"],\n    deps = [\":{name}\"],\n)\n"
            ));
            let text =
                format!("import {}{stem}\n\nassert {}{stem}\n", model.package, model.package);
            changes.created.push((dir.join(&test)?, text));
            // The test is a new program, which lacks what its library does not declare.
            let held = world.below(model.target).into_iter();
            implied.extend(held.map(|id| Sight::of(CheckId::MissingDep, world.label(id))));
            Sight::at(CheckId::TestOnlyModule, &file)
        }
        _ => {
            let label = package.id.target(stem.as_str());
            append(library(""));
            if way == Way::AddLibraryWithUser {
                let literals = world.literals(model.target);
                let (_, place) = literals.first()?;
                let text = world.text(&place.path);
                changes.edits.push(insert_before(
                    text,
                    place,
                    &world.spelling(model.target, &label)?,
                ));
                implied.push(Sight::of(CheckId::DeadTarget, &label));
                implied.push(Sight::at(CheckId::DeadModule, &file));
                let user = world.label(model.target);
                Sight { dep: Some(label), ..Sight::of(CheckId::UnusedDep, user) }
            } else {
                Sight::of(CheckId::DeadTarget, &label)
            }
        }
    };
    if matches!(way, Way::AddModule | Way::AddModuleWithTest | Way::AddModuleWithTestOfLivingCode)
        && let Some(place) = &model.literal
    {
        changes.edits.push(insert_before(
            world.text(&place.path),
            place,
            &inside(&format!("{stem}.py")),
        ));
    }
    let text = if way == Way::AddModuleWithTest { ALONE.to_owned() } else { copy };
    changes.created.push((file, text));
    Some(Planted { way, changes, wanted: vec![wanted], implied })
}
