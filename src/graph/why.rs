//! Why a dependency is there, and how one thing reaches another. Pure.

use super::{EdgeKind, Graph, TargetId, Web};
use crate::buck;
use crate::error::{Error, Result};
use crate::finding::Evidence;
use crate::label::Label;
use crate::source::ProjectPath;
use crate::workspace::Workspace;

/// An answer to `why`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The question, answered in a sentence.
    pub title: String,
    /// Chains from one end to the other, the shortest first.
    pub chains: Vec<Vec<WhyStep>>,
    /// Sources that use the other end directly.
    pub evidence: Vec<Evidence>,
}

/// One link of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyStep {
    /// The target or module.
    pub text: String,
    /// The file that has the link to the next one, or that defines the last.
    pub path: String,
    /// The line in it.
    pub line: u32,
}

impl Graph {
    /// Explains the way from one target or module to another; without `to`, who depends on `from`.
    ///
    /// Fails if an end names nothing in the repository.
    pub fn why(&self, workspace: &Workspace, from: &str, to: Option<&str>) -> Result<Why> {
        let start = self.named(workspace, from)?;
        let Some(to) = to else { return Ok(self.users(&start)) };
        let goals = self.named(workspace, to)?;
        let mut why = Why { evidence: self.direct_evidence(&start, &goals), ..Why::default() };
        let web = self.web();
        let ways = web.ways_from(start.iter().map(|id| id.index()));
        let paths = goals.iter().filter_map(|goal| ways.to(goal.index()));
        match paths.min_by_key(Vec::len) {
            Some(path) => {
                why.title = match path.len() {
                    0 | 1 => format!("`{from}` is `{to}`"),
                    2 => format!("`{from}` depends on `{to}` directly"),
                    n => format!("`{from}` reaches `{to}` in {} steps", n - 1),
                };
                why.chains.push(self.chain(&path));
            }
            None => why.title = format!("`{from}` does not reach `{to}`"),
        }
        Ok(why)
    }

    /// All dependencies but those of configuration.
    fn web(&self) -> Web {
        let edges = self.targets.ids().flat_map(|from| {
            let edges = self.targets.node(from).edges.iter();
            edges
                .filter(|edge| edge.kind != EdgeKind::Configuration)
                .map(move |edge| (from.index(), edge.to.index()))
        });
        Web::new(self.targets.len(), edges)
    }

    fn users(&self, goals: &[TargetId]) -> Why {
        let mut why = Why::default();
        for from in self.targets.ids() {
            let direct = self.targets.node(from).edges.iter().any(|edge| goals.contains(&edge.to));
            if direct && !goals.contains(&from) {
                why.evidence.extend(self.direct_evidence(&[from], goals));
                if let Some(goal) = goals.first() {
                    why.chains.push(self.chain(&[from.index(), goal.index()]));
                }
            }
        }
        why.chains.sort_by(|a, b| a[0].text.cmp(&b[0].text));
        let names: Vec<String> =
            goals.iter().map(|id| self.targets.node(*id).label.to_string()).collect();
        let count = why.chains.len();
        why.title = match count {
            0 => format!("nothing depends on {}", names.join(", ")),
            1 => format!("one target depends on {}", names.join(", ")),
            _ => format!("{count} targets depend on {}", names.join(", ")),
        };
        why
    }

    /// The targets that a label, a module or a file names.
    pub fn named(&self, workspace: &Workspace, text: &str) -> Result<Vec<TargetId>> {
        let here = workspace.cells.package_of_dir(&workspace.start);
        let label = Label::parse_full(text)
            .filter(|label| self.targets.find(label).is_some())
            .or_else(|| buck::parse_label(text, &here, &workspace.cells).map(|w| w.label));
        if let Some(id) = label.and_then(|label| self.targets.find(&label)) {
            return Ok(vec![id]);
        }
        let mut owners: Vec<TargetId> = match self.owners.find(text) {
            Some(name) => self.owners.providers(name).map(|provision| provision.target).collect(),
            None => {
                let path = workspace.start.join(text).unwrap_or_else(|| ProjectPath::new(text));
                let provisions = self.owners.provisions().iter();
                provisions
                    .filter(|provision| provision.path.as_ref() == Some(&path))
                    .map(|provision| provision.target)
                    .collect()
            }
        };
        owners.sort_unstable();
        owners.dedup();
        if owners.is_empty() {
            return Err(Error::new(format!("`{text}` is no target, module or source"))
                .hint("write a label such as //pkg:name, a dotted module, or a path"));
        }
        Ok(owners)
    }

    /// The uses by which sources of `from` need `to`.
    fn direct_evidence(&self, from: &[TargetId], to: &[TargetId]) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        for &id in from {
            for (provision, unit) in self.units_of(id) {
                let Some(path) = &provision.path else { continue };
                for used in &unit.uses {
                    let provided = used.name.is_some_and(|name| {
                        self.owners.providers(name).any(|other| to.contains(&other.target))
                    });
                    if provided {
                        let text = format!("uses `{}` ({})", used.wanted, used.kind.as_str());
                        let path = path.to_string();
                        evidence.push(Evidence { path, line: used.line, text });
                    }
                }
            }
        }
        evidence.sort();
        evidence.dedup();
        evidence
    }

    fn chain(&self, path: &[usize]) -> Vec<WhyStep> {
        let steps = path.iter().enumerate().map(|(at, &node)| {
            let id = TargetId::new(node);
            let label = self.targets.node(id).label.to_string();
            let next = path.get(at + 1).map(|next| TargetId::new(*next));
            let (path, line) = self.place_of_link(id, next);
            WhyStep { text: label, path, line }
        });
        steps.collect()
    }

    /// Where a target has its dependency on the next; where it is defined, if there is no next.
    fn place_of_link(&self, from: TargetId, to: Option<TargetId>) -> (String, u32) {
        let Some(target) = self.definition(from) else { return (String::new(), 0) };
        let edge =
            to.and_then(|to| self.targets.node(from).edges.iter().find(|edge| edge.to == to));
        let literal = edge.and_then(|edge| target.deps.get(edge.dep)).and_then(|dep| dep.literal);
        let place = match literal {
            Some(literal) => self.evaluation.place(literal),
            None => target.place.clone(),
        };
        let line =
            self.evaluation.file(&place.path).map_or(0, |file| file.lines().line(place.span.start));
        (place.path.to_string(), line)
    }
}
