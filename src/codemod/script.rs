//! A plan as a script for buildozer. Pure.

use super::buildozer::{self, Change as Step, Rule};
use super::plan::Plan;
use crate::buck::{Dep, LiteralId, Outline, Target};
use crate::finding::{Change, FixSet, Removal};
use crate::graph::{Graph, TargetId};
use crate::label::Label;
use crate::source::{ProjectPath, Span};

/// The script that makes the fixes of a plan, as far as buildozer can.
pub fn script(plan: &Plan) -> String {
    let steps: Vec<(Rule, Step)> =
        plan.batches.iter().flat_map(|batch| batch.steps.iter().cloned()).collect();
    buildozer::script(&steps)
}

/// What buildozer has to do for a fix. A fix of which it cannot make a part is left to people as a whole.
pub(super) fn steps(graph: &Graph, fix: &FixSet) -> Vec<(Rule, Step)> {
    let steps: Result<Vec<_>, String> =
        fix.changes.iter().map(|change| step(graph, fix, change)).collect();
    match steps {
        Ok(steps) => steps.into_iter().flatten().collect(),
        Err(why) => {
            let notes = fix.changes.iter().filter_map(|change| note(graph, change));
            notes.map(|(rule, what)| (rule, Step::ByHand { what, why: why.clone() })).collect()
        }
    }
}

/// What buildozer has to do for a change, or why it cannot.
fn step(graph: &Graph, fix: &FixSet, change: &Change) -> Result<Vec<(Rule, Step)>, String> {
    match change {
        Change::RemoveDep(removal) => removed(graph, fix, removal),
        Change::ReplaceDep(removal, labels) => {
            let mut steps = removed(graph, fix, removal)?;
            let added = labels.iter().map(|dep| added(graph, &removal.from, dep));
            steps.extend(added.collect::<Result<Vec<_>, String>>()?);
            Ok(steps)
        }
        Change::AddDep(addition) => Ok(vec![added(graph, &addition.to, &addition.dep)?]),
        Change::DeleteTarget(label) => Ok(vec![(Site::of(graph, label)?.rule, Step::Delete)]),
        Change::RemoveLoad(path, _) if is_build_file(graph, path) => {
            Ok(vec![(whole_file(path), Step::UnusedLoads)])
        }
        Change::RemoveLoad(path, _) => Err(format!("the `load` stands in {path}")),
        Change::RemoveSource(literal) => {
            let target = user_of_source(graph, *literal).ok_or("no single target has it")?;
            let site = Site::of(graph, &target.label)?;
            let attr = site.attr(graph, *literal)?;
            let label = graph.evaluation.literal(*literal).text.to_string();
            Ok(vec![(site.rule, Step::Remove { attr, label })])
        }
        Change::DeleteFile(_) => Err("buildozer deletes no files".to_owned()),
        Change::RemoveComment(..) => Err("buildozer takes no comment out of several".to_owned()),
        Change::AddKeep(_) => Err("buildozer would move the comment".to_owned()),
    }
}

fn removed(graph: &Graph, fix: &FixSet, removal: &Removal) -> Result<Vec<(Rule, Step)>, String> {
    let site = Site::of(graph, &removal.from)?;
    let literal = removal.literal.ok_or("no single literal makes it")?;
    let attr = site.attr(graph, literal)?;
    let text = |literal: LiteralId| graph.evaluation.literal(literal).text.to_string();
    let mut steps =
        vec![(site.rule.clone(), Step::Remove { attr: attr.clone(), label: text(literal) })];
    // buildozer removes the label however it is written, and wherever in the attribute it stands.
    let goes = |literal: LiteralId| fix.removals().any(|other| other.literal == Some(literal));
    let same = |dep: &&Dep| dep.to == removal.to && dep.attr == removal.attr;
    for dep in site.target.deps.iter().filter(same) {
        let Some(kept) = dep.literal.filter(|kept| !goes(*kept)) else { continue };
        if site.attr(graph, kept).as_ref() != Ok(&attr) {
            continue;
        }
        if dep.branch.is_some() {
            return Err(format!("buildozer would take `{}` out of the `select` too", dep.text));
        }
        steps.push((site.rule.clone(), Step::Keep { attr: attr.clone(), label: text(kept) }));
    }
    Ok(steps)
}

fn added(graph: &Graph, to: &Label, dep: &Label) -> Result<(Rule, Step), String> {
    let (attr, label) = ("deps".to_owned(), written(dep, to));
    Ok((Site::of(graph, to)?.rule, Step::Add { attr, label }))
}

/// A target whose call buildozer finds: a statement of its build file that names it.
struct Site<'a> {
    rule: Rule,
    target: &'a Target,
    /// The names of its arguments, and the bytes of their values.
    arguments: Vec<(String, Span)>,
}

impl<'a> Site<'a> {
    fn of(graph: &'a Graph, label: &Label) -> Result<Self, String> {
        let id = graph.targets.find(label);
        let found = id.and_then(|id| Some((graph.definition(id)?, graph.package(id)?)));
        let (target, package) = found.ok_or("it is not defined here")?;
        let place = &target.place;
        let file = graph.evaluation.file(&place.path).filter(|_| place.path == package.build_file);
        let file = file.ok_or_else(|| format!("a macro in {} makes the target", place.path))?;
        let outline = Outline::of(&place.path, file.text());
        let is_statement = outline.statements.iter().any(|statement| statement.span == place.span);
        let call = outline.call(place.span).filter(|_| is_statement);
        let call = call.ok_or("the target is not made by a statement of its own")?;
        let named = call.arguments.iter().filter_map(|argument| {
            let key = file.text().get(argument.key?.range())?;
            Some((key.to_owned(), argument))
        });
        let is_name = |(key, argument): &(String, &crate::buck::Element)| {
            key == "name" && argument.text.as_deref() == Some(&*label.name)
        };
        if !named.clone().any(|named| is_name(&named)) {
            return Err("a macro makes up the target's name".to_owned());
        }
        let arguments = named.map(|(key, argument)| (key, argument.value)).collect();
        let rule = Rule { build_file: package.build_file.clone(), name: label.name.to_string() };
        Ok(Self { rule, target, arguments })
    }

    /// The argument that a literal stands in.
    fn attr(&self, graph: &Graph, literal: LiteralId) -> Result<String, String> {
        let place = graph.evaluation.place(literal);
        let is_in = |value: &Span| value.start <= place.span.start && place.span.end <= value.end;
        let mut arguments = self.arguments.iter().filter(|_| place.path == self.rule.build_file);
        arguments.find(|(_, value)| is_in(value)).map(|(key, _)| key.clone()).ok_or_else(|| {
            let line =
                graph.evaluation.file(&place.path).map_or(0, |f| f.lines().line(place.span.start));
            format!("the literal stands in {}:{line}", place.path)
        })
    }
}

/// What is to be done about a change, for people.
fn note(graph: &Graph, change: &Change) -> Option<(Rule, String)> {
    Some(match change {
        Change::RemoveDep(removal) => (
            rule(graph, &removal.from)?,
            format!("remove `{}` from `{}`", removal.to, removal.attr),
        ),
        Change::ReplaceDep(removal, labels) => {
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            let what = format!(
                "replace `{}` in `{}` with {}",
                removal.to,
                removal.attr,
                labels.join(", ")
            );
            (rule(graph, &removal.from)?, what)
        }
        Change::AddDep(addition) => {
            (rule(graph, &addition.to)?, format!("add `{}` to `deps`", addition.dep))
        }
        Change::DeleteTarget(label) => (rule(graph, label)?, "delete it".to_owned()),
        Change::RemoveSource(literal) => {
            let text = &graph.evaluation.literal(*literal).text;
            (whole_file(&graph.evaluation.place(*literal).path), format!("remove `{text}`"))
        }
        Change::DeleteFile(path) => (whole_file(path), "delete the file".to_owned()),
        Change::RemoveLoad(path, span) => (
            whole_file(path),
            format!("remove the symbol loaded in line {}", line(graph, path, *span)),
        ),
        Change::RemoveComment(path, span) => {
            (whole_file(path), format!("remove the comment in line {}", line(graph, path, *span)))
        }
        Change::AddKeep(keep) => (
            whole_file(&keep.path),
            format!("keep it, for {}: {}", keep.check.as_str(), keep.reason),
        ),
    })
}

fn line(graph: &Graph, path: &ProjectPath, span: Span) -> u32 {
    graph.evaluation.file(path).map_or(0, |file| file.lines().line(span.start))
}

fn rule(graph: &Graph, label: &Label) -> Option<Rule> {
    let id = graph.targets.find(label)?;
    let build_file = graph.package(id)?.build_file.clone();
    Some(Rule { build_file, name: label.name.to_string() })
}

/// How buildozer calls all of a file.
fn whole_file(path: &ProjectPath) -> Rule {
    Rule { build_file: path.clone(), name: "__pkg__".to_owned() }
}

fn is_build_file(graph: &Graph, path: &ProjectPath) -> bool {
    graph.evaluation.packages.iter().any(|package| package.build_file == *path)
}

/// The one target of which a literal makes a source.
fn user_of_source(graph: &Graph, literal: LiteralId) -> Option<&Target> {
    let targets = graph.targets.ids().filter_map(|id: TargetId| graph.definition(id));
    let mut users =
        targets.filter(|target| target.sources.iter().any(|s| s.literal == Some(literal)));
    users.next().filter(|_| users.next().is_none())
}

/// A label as a file of another target's package would write it.
fn written(label: &Label, user: &Label) -> String {
    if label.package == user.package {
        format!(":{}", label.name)
    } else if label.package.cell == user.package.cell {
        format!("//{}:{}", label.package.path, label.name)
    } else {
        label.to_string()
    }
}
