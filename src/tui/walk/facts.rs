//! What is said of a target or module above its dependencies. Pure.

use super::world::{Layer, Node, World};
use crate::graph::{Resolution, name_at, target_at};
use crate::source::ProjectPath;

/// What a target or module is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its rule, or where a module comes from.
    pub kind: String,
    /// The oncall of its package.
    pub owner: Option<String>,
    /// Who may depend on it; for a module, who provides it.
    pub seen: String,
}

impl World {
    /// What a target or module is.
    pub fn facts(&self, node: Node) -> Facts {
        match node.layer {
            Layer::Targets => self.facts_of_target(node.at),
            Layer::Modules => self.facts_of_module(node.at),
        }
    }

    fn facts_of_target(&self, at: usize) -> Facts {
        let id = target_at(at);
        let (Some(target), Some(package)) = (self.graph.definition(id), self.graph.package(id))
        else {
            let label = &self.graph.targets.node(id).label;
            let kind = match self.graph.targets.resolution(label) {
                Resolution::Defined | Resolution::Outside => "outside of this repository",
                Resolution::MaybeDefined => "may be made by a macro that could not be read",
                Resolution::Broken => "not defined by any build file",
            };
            return Facts { kind: kind.to_owned(), owner: None, seen: String::new() };
        };
        let mut patterns: Vec<&str> = Vec::new();
        match target.attr("visibility") {
            Some(value) => value.for_each_text(&mut |text| patterns.push(&text.text)),
            None => patterns.extend(package.default_visibility.iter().map(|text| &**text)),
        }
        let seen = match patterns.as_slice() {
            [] => "visible in its package only".to_owned(),
            patterns if patterns.contains(&"PUBLIC") => "visible to everybody".to_owned(),
            patterns if patterns.len() <= 3 => format!("visible to {}", patterns.join(", ")),
            [first, second, rest @ ..] => {
                format!("visible to {first}, {second} and {} more", rest.len())
            }
            [only] => format!("visible to {only}"),
        };
        let owner =
            package.oncall.as_ref().filter(|name| !name.is_empty()).map(ToString::to_string);
        Facts { kind: target.kind.to_string(), owner, seen }
    }

    fn facts_of_module(&self, at: usize) -> Facts {
        let name = name_at(at);
        let mut paths: Vec<&str> = Vec::new();
        let mut targets: Vec<String> = Vec::new();
        for provision in self.graph.owners.providers(name) {
            paths.extend(provision.path.as_ref().map(ProjectPath::as_str));
            targets.push(self.graph.targets.node(provision.target).label.to_string());
        }
        paths.sort_unstable();
        paths.dedup();
        targets.sort_unstable();
        targets.dedup();
        let kind = match paths.as_slice() {
            [] => "no source on disk".to_owned(),
            [only] => (*only).to_owned(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        };
        let seen = match targets.as_slice() {
            [] => "provided by nobody".to_owned(),
            [only] => format!("of {only}"),
            [first, rest @ ..] => format!("of {first} and {} more", rest.len()),
        };
        Facts { kind, owner: None, seen }
    }
}
