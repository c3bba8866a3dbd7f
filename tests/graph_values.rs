//! What is no output of Buck2, and attributes as Buck2 could print them, at random: every branch of every `select` counts.

use crate::support::{Project, repository};
use proptest::prelude::*;
use secateur::buck;
use secateur::graph::{self, Graph};
use secateur::progress::Silent;
use secateur::workspace::{Environment, Outside, Overrides, Recording, Workspace};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

const LABELS: [&str; 4] = ["root//:a", "root//:b", "root//x:c", "other//y:d"];

/// The graph of a project with one target, about which Buck2 says this.
fn graph_of(attrs: &Value) -> Graph {
    let project = Project::new(
        "//- BUCK\npython_library(name = \"t\", srcs = [\"t.py\"], deps = [\":a\"])\n//- t.py\n",
    );
    let root = project.path("");
    let environment = Environment { current_dir: root.clone(), ..Environment::default() };
    let mut workspace = Workspace::open(&root, &environment, &Overrides::default()).unwrap();
    let mut target = json!({"name": "t", "buck.package": "root//", "visibility": []});
    target.as_object_mut().unwrap().extend(attrs.as_object().unwrap().clone());
    let recording = Recording::read(target.to_string().as_bytes(), "f", &workspace.cells).unwrap();
    let evaluation = buck::evaluate(&workspace, &workspace.cells, &Silent).unwrap();
    let differences = evaluation.compare(&recording, &workspace);
    workspace.outside = Some(Arc::new(Outside { recording, differences }));
    graph::build(&workspace, &Silent).unwrap()
}

fn deps(graph: &Graph) -> BTreeSet<String> {
    let targets = graph.targets.ids().filter_map(|id| graph.definition(id));
    targets.flat_map(|target| &target.deps).map(|dep| dep.to.to_string()).collect()
}

/// Lists of labels under any nesting of `select` and `+`, and what is in them.
fn selects() -> impl Strategy<Value = (Value, BTreeSet<String>)> {
    let list = proptest::collection::btree_set(0..LABELS.len(), 0..3).prop_map(|picked| {
        let labels: BTreeSet<String> = picked.into_iter().map(|at| LABELS[at].to_owned()).collect();
        (json!(labels), labels)
    });
    list.prop_recursive(4, 24, 3, |inner| {
        let union = |parts: &[(Value, BTreeSet<String>)]| {
            parts.iter().flat_map(|(_, labels)| labels.clone()).collect::<BTreeSet<_>>()
        };
        let parts = proptest::collection::vec(inner, 1..4);
        (parts, any::<bool>()).prop_map(move |(parts, is_select)| {
            let labels = union(&parts);
            let values = parts.into_iter().map(|(value, _)| value);
            let value = if is_select {
                let keys = (0..).map(|at| format!("config//os:{at}"));
                let entries: serde_json::Map<String, Value> = keys.zip(values).collect();
                json!({"__type": "selector", "entries": entries})
            } else {
                json!({"__type": "concat", "items": values.collect::<Vec<_>>()})
            };
            (value, labels)
        })
    })
}

/// Any JSON, with the words of Buck2 among its strings.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("__type"),
        Just("selector"),
        Just("concat"),
        Just("entries"),
        Just("items"),
        Just("root//:a"),
        Just("root//t.py"),
        Just("$(location root//:a"),
        Just("../.."),
        Just(""),
        Just("a//b (c"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..4).prop_map(|entries| {
                entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

fn read(bytes: &[u8]) -> Result<Recording, String> {
    let root = repository().join("tests/buck2/repo");
    let environment = Environment { current_dir: root.clone(), ..Environment::default() };
    let workspace = Workspace::open(&root, &environment, &Overrides::default()).unwrap();
    Recording::read(bytes, "f", &workspace.cells).map_err(|error| error.to_string())
}

#[test]
fn bad_input_is_refused_where_it_is_bad() {
    let deep = "[".repeat(100_000);
    for (text, expected) in [
        ("", "f: there are no targets in it"),
        ("[]", "f: there are no targets in it"),
        ("[\n{\"name\":\"a\",", "f:2: it ends in the middle of a value"),
        ("{}\n", "f:1: an object without `name`, and so no target"),
        ("\n\n3", "f:3: a number where a target should be"),
        ("[\"root//a:b\"]", "f:1: a string where a target should be"),
        ("root//a:b\n", "f:1: no JSON: expected value"),
        (&*deep, "f:1: no JSON: recursion limit exceeded"),
        ("\n{\"name\":\"a\"}", "f:2: a target or error without `buck.package`"),
        ("{\"name\":1,\"buck.package\":\"a//b\"}", "f:1: `name` is a number, and no string"),
        ("{\"name\":\"a\",\"buck.package\":\"b\"}", "f:1: `b` is no package"),
        (
            "{\"name\":\"a\",\"buck.package\":\"a//b\",\"buck.deps\":3}",
            "f:1: a//b:a: `buck.deps` is a number, and no list",
        ),
        (
            "{\"name\":\"a\",\"buck.package\":\"a//b\",\"buck.deps\":[null]}",
            "f:1: a//b:a: `buck.deps` is null, and no string",
        ),
        (
            "{\"name\":\"a\",\"buck.package\":\"a//b\",\"buck.deps\":[\"x\"]}",
            "f:1: a//b:a: `x` is no label",
        ),
        (
            "{\"name\":\"a\",\"buck.package\":\"a//b\",\"buck.type\":[]}",
            "f:1: a//b:a: `buck.type` is an array, and no string",
        ),
        ("{\"buck.error\":\"x\"}", "f:1: a target or error without `buck.package`"),
    ] {
        assert_eq!(read(text.as_bytes()).unwrap_err(), expected, "{text:.40}");
    }
    assert!(read(b"{\"name\":\"\xff\"}").unwrap_err().starts_with("f:1: no JSON"));
}

#[test]
fn a_file_that_is_cut_is_never_read_as_a_smaller_graph() {
    for name in ["targets.json", "cquery.json"] {
        let whole = fs::read(repository().join("tests/buck2").join(name)).unwrap();
        let end = whole.trim_ascii_end().len();
        for length in (0..end).step_by(97).chain(end - 3..end) {
            assert!(read(&whole[..length]).is_err(), "{name} cut at {length}");
        }
        assert!(read(&whole).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dependencies_are_those_of_all_branches((value, labels) in selects()) {
        prop_assert_eq!(deps(&graph_of(&json!({"deps": value, "srcs": ["root//t.py"]}))), labels);
    }

    #[test]
    fn no_value_stops_the_program(deps in anything(), srcs in anything(), base in anything()) {
        graph_of(&json!({"deps": deps, "srcs": srcs, "base_module": base, "buck.deps": LABELS}));
    }
}
