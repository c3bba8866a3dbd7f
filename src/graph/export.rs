//! The graph as JSON objects, one for each target or module. Pure.

use super::{Graph, NameId, TargetId};
use crate::buck::SourceOrigin;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Graph {
    /// Gives `out` one object for each target on disk, sorted by label.
    pub fn export_targets(&self, out: &mut dyn FnMut(Value)) {
        let mut ids: Vec<TargetId> =
            self.targets.ids().filter(|id| self.targets.node(*id).origin.is_some()).collect();
        ids.sort_by(|a, b| self.targets.node(*a).label.cmp(&self.targets.node(*b).label));
        for id in ids {
            if let Some(object) = self.target_object(id) {
                out(object);
            }
        }
    }

    fn target_object(&self, id: TargetId) -> Option<Value> {
        let target = self.definition(id)?;
        let package = self.package(id)?;
        let mut deps: Vec<(String, &str)> =
            target.deps.iter().map(|dep| (dep.to.to_string(), &*dep.attr)).collect();
        deps.sort();
        deps.dedup();
        let mut sources: Vec<String> = target
            .sources
            .iter()
            .filter_map(|source| match &source.origin {
                SourceOrigin::File { path, .. } => Some(path.to_string()),
                SourceOrigin::Target(_) => None,
            })
            .collect();
        sources.sort();
        sources.dedup();
        let mut modules: Vec<(&str, Option<&str>)> = self
            .owners
            .of_target(id)
            .iter()
            .map(|provision| {
                let path = provision.path.as_ref().map(crate::source::ProjectPath::as_str);
                (self.owners.name(provision.name), path)
            })
            .collect();
        modules.sort_unstable();
        let file = self.evaluation.file(&target.call.path);
        let line = file.map_or(0, |file| file.lines().line(target.call.span.start));
        Some(json!({
            "label": target.label.to_string(),
            "kind": &*target.kind,
            "build_file": package.build_file.as_str(),
            "line": line,
            "deps": deps.into_iter().map(|(label, attr)| json!({"label": label, "attr": attr})).collect::<Vec<_>>(),
            "srcs": sources,
            "modules": modules.into_iter().map(|(module, path)| json!({"module": module, "path": path})).collect::<Vec<_>>(),
        }))
    }

    /// Gives `out` one object for each module that a source on disk provides, sorted by name and path.
    pub fn export_modules(&self, out: &mut dyn FnMut(Value)) {
        // (module, path) → owners and uses; one file may be several modules, and one module several files.
        let mut modules: BTreeMap<
            (&str, &str),
            (Vec<String>, Vec<(String, Option<String>, &str)>),
        > = BTreeMap::new();
        for id in self.targets.ids() {
            for (provision, unit) in self.units_of(id) {
                let Some(path) = &provision.path else { continue };
                let key = (self.owners.name(provision.name), path.as_str());
                let entry = modules.entry(key).or_default();
                entry.0.push(self.targets.node(id).label.to_string());
                if entry.1.is_empty() {
                    let named = unit.uses.iter().filter(|used| used.via == super::uses::Via::Name);
                    entry.1 = named
                        .map(|used| {
                            let path = used.name.and_then(|name| self.path_of_module(name));
                            (used.wanted.to_string(), path, used.kind.as_str())
                        })
                        .collect();
                }
            }
        }
        for ((module, path), (mut owners, mut imports)) in modules {
            owners.sort();
            owners.dedup();
            imports.sort();
            imports.dedup();
            out(json!({
                "module": module,
                "path": path,
                "owners": owners,
                "imports": imports.into_iter().map(|(module, path, kind)| {
                    json!({"module": module, "path": path, "kind": kind})
                }).collect::<Vec<_>>(),
            }));
        }
    }

    fn path_of_module(&self, name: NameId) -> Option<String> {
        let paths = self.owners.providers(name).filter_map(|provision| provision.path.as_ref());
        paths.map(ToString::to_string).min()
    }
}
