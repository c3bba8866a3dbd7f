//! A graph in the DOT language, from the objects of the JSON forms. Writes only to the writer it is given.

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Which objects are drawn: the field that names a node, the one that lists its edges, and the name at an edge's end.
#[derive(Clone, Copy, Debug)]
pub struct Edges {
    /// The node's name: `label` or `module`.
    pub node: &'static str,
    /// Its edges: `deps` or `imports`.
    pub list: &'static str,
    /// What an edge is labelled with: `attr` or `kind`.
    pub label: &'static str,
    /// The commonest label, which is left out.
    pub usual: &'static str,
}

impl Edges {
    /// Targets and their dependencies.
    pub const TARGETS: Self = Self { node: "label", list: "deps", label: "attr", usual: "deps" };
    /// Modules and their imports.
    pub const MODULES: Self =
        Self { node: "module", list: "imports", label: "kind", usual: "runtime" };
}

/// Writes the graph. Ends that are no node themselves, such as modules of the standard library, are left out.
pub fn dot(objects: &[Value], edges: Edges, out: &mut dyn Write) -> io::Result<()> {
    let name = |object: &Value| object.get(edges.node)?.as_str().map(ToOwned::to_owned);
    let nodes: BTreeSet<String> = objects.iter().filter_map(name).collect();
    writeln!(out, "digraph {{\n  rankdir = LR;\n  node [shape = box];")?;
    for node in &nodes {
        writeln!(out, "  {};", quoted(node))?;
    }
    for object in objects {
        let Some(from) = name(object) else { continue };
        let ends = object.get(edges.list).and_then(Value::as_array).into_iter().flatten();
        let ends: BTreeSet<(String, &str)> = ends
            .filter_map(|end| Some((name(end)?, end.get(edges.label)?.as_str()?)))
            .filter(|(to, _)| nodes.contains(to))
            .collect();
        for (to, label) in ends {
            write!(out, "  {} -> {}", quoted(&from), quoted(&to))?;
            if label == edges.usual {
                writeln!(out, ";")?;
            } else {
                writeln!(out, " [label = {}];", quoted(label))?;
            }
        }
    }
    writeln!(out, "}}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
