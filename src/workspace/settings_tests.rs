//! Tests of `settings_read`, `settings_schema` and `settings_values`.

use super::super::settings::{
    CheckSeverity, FailOn, KeepReason, MinConfidence, Mount, Preset, SrcsOrder,
};
use super::*;
use crate::workspace::Origin;

fn read(text: &str, overrides: &[&str]) -> Result<Settings> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    Settings::read(Some((&ProjectPath::new("secateur.toml"), text)), &overrides)
}

/// Message and hint of the error.
fn error(text: &str, overrides: &[&str]) -> (String, String) {
    let error = read(text, overrides).unwrap_err();
    (error.to_string(), error.hint_text().unwrap_or_default().to_owned())
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let settings = read("", &[]).unwrap();
    assert!(settings.python.notebooks && !settings.python.doctests && !settings.roots.public);
    assert_eq!((settings.python.version.major, settings.python.version.minor), (3, 12));
    assert_eq!(settings.roots.files.patterns().len(), 14);
    assert!(settings.roots.files.matches(&ProjectPath::new(".github/workflows/ci.yml")));
    assert_eq!(settings.lint.min_confidence, MinConfidence::Possible);
    assert_eq!(settings.lint.fail_on, FailOn::Warning);
    assert_eq!((settings.limits.ticks, settings.limits.heap_mib), (50_000_000, 1024));
    assert!(settings.origins().iter().all(|(_, _, origin)| **origin == Origin::Default));
}

const FULL: &str = r#"
[project]
preset = "fbcode"
mount = "fbcode//executorch"
exclude = ["third_party/**"]
cache = false
build-files = ["BUILD"]
[python]
notebooks = false
doctests = true
version = "3.13"
ignore-modules = ["foo.*"]
source-roots = ["src"]
[roots]
targets = ["//app/..."]
modules = ["pkg.entry"]
kinds = ["deployable"]
public = true
files = ["ci/**"]
[third-party]
labels = ["//pypi/{dist}:{dist}"]
[third-party.modules]
"opencv-python" = ["cv2"]
[third-party.targets]
"//caffe2:torch" = ["torch", "caffe2"]
[macros."@cell//path:file.bzl"]
lib = "python_library"
runtime = "namespace"
noise = "ignore"
full = { kind = "python_library", srcs = "source-to-destination", deps = ["d"], sources = ["main_src"], modules = ["{base}.t"] }
[rules.my_rule]
kind = "python_binary"
[rules]
other = "ignore"
[[view]]
name = "gpu"
config = { "cuda.enabled" = "true" }
[lint]
check = ["unused-dep"]
skip = ["dead-target"]
min-confidence = "certain"
fail-on = "never"
keep-reason = "optional"
[lint.severity]
unused-dep = "error"
[[lint.path]]
paths = ["third-party/**"]
check = ["dead-target"]
skip = ["unowned-source"]
min-confidence = "likely"
severity = { dead-module = "note" }
[limits]
ticks = 1_000
heap-mib = 1
stack = 2
[tui.keys]
accept = ["ctrl-y"]
"#;

#[test]
fn every_documented_key_is_read() {
    let settings = read(FULL, &[]).unwrap();
    assert_eq!(settings.project.preset, Some(Preset::Fbcode));
    let mount = Mount { cell: "fbcode".into(), prefix: "executorch".into() };
    assert_eq!(settings.project.mount, Some(mount));
    assert_eq!(settings.third_party.modules["opencv-python"], ["cv2"]);
    let macros = &settings.macros["@cell//path:file.bzl"];
    assert_eq!(macros["runtime"], Macro::Namespace);
    assert_eq!(macros["noise"], Macro::Ignore);
    let Macro::Rule(full) = &macros["full"] else { panic!() };
    assert_eq!(full.srcs, Some(SrcsOrder::SourceToDestination));
    assert_eq!(
        (full.kind.as_str(), &*full.deps[0], &*full.modules[0]),
        ("python_library", "d", "{base}.t")
    );
    let Macro::Rule(lib) = &macros["lib"] else { panic!() };
    assert_eq!((lib.kind.as_str(), lib.srcs), ("python_library", None));
    assert!(
        matches!(&settings.rules["my_rule"], Macro::Rule(rule) if rule.kind == "python_binary")
    );
    assert_eq!(settings.views[0].config["cuda.enabled"], "true");
    assert_eq!(settings.lint.severity["unused-dep"], CheckSeverity::Error);
    assert_eq!(settings.lint.keep_reason, KeepReason::Optional);
    let [there] = &*settings.lint.paths else { panic!() };
    assert!(there.paths.matches(&ProjectPath::new("third-party/a/BUCK")));
    assert_eq!((&*there.check[0], &*there.skip[0]), ("dead-target", "unowned-source"));
    assert_eq!(there.min_confidence, Some(MinConfidence::Likely));
    assert_eq!(there.severity["dead-module"], CheckSeverity::Note);
    assert_eq!(settings.limits.ticks, 1000);
    assert_eq!(settings.tui.keys["accept"], ["ctrl-y"]);
    let rows = settings.origins();
    assert!(rows.is_sorted_by_key(|(key, ..)| *key));
    let is_set = |key: &str| !key.starts_with("rules.my_rule.");
    let unread = rows.iter().find(|row| is_set(row.0) && *row.2 == Origin::Default);
    assert_eq!(unread, None);
}

#[test]
fn origins_name_the_line_the_option_or_the_default() {
    let mut settings = read("[lint]\nfail-on = \"error\"\n", &["limits.stack=7"]).unwrap();
    settings.note_preset("third-party.labels", "[\"x\"]");
    settings.note_preset("lint.fail-on", "\"note\"");
    settings.note_preset("macros.x", "\"ignore\"");
    let rows = settings.origins();
    let row = |key| {
        let (_, value, origin) = rows.iter().find(|row| row.0 == key).unwrap();
        format!("{value} {origin}")
    };
    assert_eq!(row("lint.fail-on"), "\"error\" secateur.toml:2");
    assert_eq!(row("limits.stack"), "7 command line");
    assert_eq!(row("lint.check"), "[] default");
    assert_eq!(row("lint.keep-reason"), "\"required\" default");
    assert_eq!(row("third-party.labels"), "[\"x\"] preset");
    assert_eq!(row("macros.x"), "\"ignore\" preset");
    assert!(rows.is_sorted_by_key(|(key, ..)| *key));
}

#[test]
fn unknown_keys_are_errors_with_a_suggestion_or_the_valid_keys() {
    let case = |text: &str, message: &str, hint: &str| {
        let (found, with) = error(text, &[]);
        assert_eq!((found.as_str(), with.as_str()), (message, hint), "{text}");
    };
    case("\n[pyhton]\n", "secateur.toml:2: unknown key `pyhton`", "did you mean `python`?");
    case(
        "[lint]\nfail_on = 'error'",
        "secateur.toml:2: unknown key `lint.fail_on`",
        "did you mean `fail-on`?",
    );
    case(
        "limits = { zzz = 1 }",
        "secateur.toml:1: unknown key `limits.zzz`",
        "valid keys: `ticks`, `heap-mib`, `stack`",
    );
    case(
        "[macros.'@a//b:c.bzl']\nx = { kind = 'k', dep = [] }",
        "secateur.toml:2: unknown key `macros.\"@a//b:c.bzl\".x.dep`",
        "did you mean `deps`?",
    );
    case(
        "[[view]]\nname = 'a'\n[[view]]\nnam = 'b'",
        "secateur.toml:4: unknown key `view[1].nam`",
        "did you mean `name`?",
    );
    case(
        "[[lint.path]]\npaths = ['a']\nskipp = []",
        "secateur.toml:3: unknown key `lint.path[0].skipp`",
        "did you mean `skip`?",
    );
    case(
        "[lint]\nkeep-reason = 'requird'",
        "secateur.toml:2: `lint.keep-reason` cannot be \"requird\"",
        "did you mean `required`?",
    );
    case(
        "[[lint.path]]\nskip = ['unused-dep']",
        "secateur.toml:1: `lint.path[0]` names no `paths`",
        "for example paths = [\"third-party/**\"]",
    );
}

#[test]
fn wrong_types_and_values_are_errors_with_their_place() {
    let cases = [
        ("[python]\nnotebooks = 'yes'", "2: `python.notebooks` takes true or false, not a string"),
        ("[lint]\ncheck = 'x'", "2: `lint.check` takes an array, not a string"),
        ("[lint]\ncheck = [\n1]", "3: `lint.check` takes a string, not a number"),
        ("lint = 1", "1: `lint` takes a table, not a number"),
        (
            "[lint.path]\npaths = ['a']",
            "1: `lint.path` takes an array of tables, written [[lint.path]], not a table",
        ),
        ("[limits]\nstack = 0", "2: `limits.stack` takes a number above 0, not 0"),
        ("[limits]\nstack = 1.5", "2: `limits.stack` takes a number, not a float"),
        ("[lint]\nfail-on = 'eror'", "2: `lint.fail-on` cannot be \"eror\""),
        ("[project]\nmount = 'x'", "2: `project.mount` takes \"cell//prefix\", not \"x\""),
        (
            "[python]\nversion = '2.7'",
            "2: `python.version` takes a version such as \"3.12\", not \"2.7\"",
        ),
        ("[lint.severity]\nx = 'never'", "2: `lint.severity` cannot be \"never\""),
        ("[rules.x]\nsrcs = 'auto'", "1: `rules.x` lacks a `kind`"),
        ("[[view]]\nconfig = {}", "1: `view[0]` needs a `name` of its own"),
        ("view = 1", "1: `view` takes an array of tables, written [[view]], not a number"),
        (
            "[[view]]\nname = 'a'\nconfig = { x = '1' }",
            "1: `view[0].config`: it has no `.` between section and key",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text, &[]).0, format!("secateur.toml:{expected}"), "{text}");
    }
    assert_eq!(error("[lint]\nfail-on = 'eror'", &[]).1, "did you mean `error`?");
    assert!(
        error("[project]\nexclude = ['a[']", &[])
            .0
            .starts_with("secateur.toml:2: `project.exclude`")
    );
    assert!(error("[lint]\nx = = 1", &[]).0.starts_with("secateur.toml:2: "));
}

#[test]
fn options_are_toml_or_bare_strings_and_lie_over_the_file() {
    let overrides = [
        "lint.fail-on=error",
        "lint.skip=[\"a\", \"b\"]",
        "python.notebooks=false",
        "project.mount=fbcode//x",
        "python.version=3.11",
    ];
    let (last, first) = overrides.split_last().unwrap();
    let settings = read("[lint]\nfail-on = 'note'\ncheck = ['c']\n", first).unwrap();
    assert_eq!(settings.lint.fail_on, FailOn::Error);
    assert_eq!(settings.lint.skip, ["a", "b"]);
    assert_eq!(settings.lint.check, ["c"]);
    assert!(!settings.python.notebooks);
    assert_eq!(settings.project.mount.unwrap().cell, "fbcode");
    assert_eq!(read("", &[last]).unwrap().python.version.minor, 11);
    assert_eq!(error("", &["lint.fail-onn=error"]).0, "--config: unknown key `lint.fail-onn`");
    for bad in ["lint", "=x", "lint.a b=c", "lint.fail-on=\"error\"\n[limits]\nstack=1"] {
        assert!(error("", &[bad]).0.starts_with("bad option --config"), "{bad}");
    }
}
