//! Tests of `pattern`.

use super::super::testing::{Project, path};
use super::*;

fn project() -> Project {
    Project::new(&[
        (".buckconfig", "[cells]\nroot=.\nin=a/in\nout=o\n[cell_aliases]\nnick=out\n"),
        ("a/BUCK", ""),
        ("a/f.py", ""),
        ("a/b/f.py", ""),
        ("ab/f.py", ""),
        ("a/in/f.py", ""),
        ("o/f.py", ""),
    ])
}

/// Which of a few labels and paths the pattern selects.
fn selected(text: &str, cwd: &str) -> String {
    let project = project();
    let workspace = project.open();
    let pattern = Pattern::parse(text, &workspace.cells, &path(cwd)).unwrap();
    let labels =
        ["root//:t", "root//a:t", "root//a:a", "root//a/b:t", "root//ab:t", "in//x:t", "out//:t"];
    let paths = ["a/f.py", "a/b/f.py", "ab/f.py", "a/in/f.py", "o/f.py"];
    let labels =
        labels.into_iter().filter(|l| pattern.matches_label(&Label::parse_full(l).unwrap()));
    let paths = paths.into_iter().filter(|p| pattern.matches_path(&path(p)));
    labels.chain(paths).collect::<Vec<_>>().join(" ")
}

#[test]
fn recursive_patterns_stay_in_their_cell() {
    let all = "root//:t root//a:t root//a:a root//a/b:t root//ab:t a/f.py a/b/f.py ab/f.py";
    assert_eq!(selected("//...", "a/b"), all);
    let below = "root//a:t root//a:a root//a/b:t a/f.py a/b/f.py";
    for text in ["//a/...", "root//a/...", "@root//a/..."] {
        assert_eq!(selected(text, ""), below, "{text}");
    }
    assert_eq!(selected("nick//...", ""), "out//:t o/f.py");
    assert_eq!(selected("//...", "a/in"), "in//x:t a/in/f.py");
}

#[test]
fn packages_and_targets() {
    for text in ["//a:", "//a/:", "//a", "//a/"] {
        assert_eq!(selected(text, ""), "root//a:t root//a:a a/f.py a/b/f.py", "{text}");
    }
    assert_eq!(selected("//a:t", ""), "root//a:t");
    assert_eq!(selected("//a:t[sub][x]", ""), "root//a:t");
    assert_eq!(selected("//:t", ""), "root//:t");
}

#[test]
fn relative_patterns_start_from_the_current_directory() {
    assert_eq!(selected(":t", "a"), "root//a:t");
    assert_eq!(selected("b:t", "a"), "root//a/b:t");
    assert_eq!(selected("...", "a/b"), "root//a/b:t a/b/f.py");
    assert_eq!(selected("b/...", "a"), "root//a/b:t a/b/f.py");
    assert_eq!(selected("../ab/...", "a"), "root//ab:t ab/f.py");
}

#[test]
fn paths_select_files_and_directories_with_all_cells_in_them() {
    let below = "root//a:t root//a:a root//a/b:t in//x:t a/f.py a/b/f.py a/in/f.py";
    assert_eq!(selected("a", ""), below);
    assert_eq!(selected("a/", ""), below);
    assert_eq!(selected(".", "a"), below);
    assert_eq!(selected("f.py", "a"), "a/f.py");
    assert_eq!(selected("a/BUCK", ""), "root//a:t root//a:a");
}

#[test]
fn absolute_paths_are_made_relative() {
    let project = Project::new(&[("a/f.py", "")]);
    let workspace = project.open();
    let parse =
        |path: &Path| Pattern::parse(path.to_str().unwrap(), &workspace.cells, &path_root());
    let pattern = parse(&project.root().join("a/f.py")).unwrap();
    assert!(pattern.matches_path(&path("a/f.py")));
    let error = parse(project.root().parent().unwrap()).unwrap_err();
    assert!(error.to_string().contains("out of the project"), "{error}");
}

fn path_root() -> ProjectPath {
    ProjectPath::root()
}

#[test]
fn a_mounted_cell_is_selected_by_its_packages() {
    let mut project = Project::new(&[("x/BUCK", "")]);
    project.overrides.config = vec!["project.mount=fb//m/n".into()];
    let workspace = project.open();
    let label = Label::parse_full("fb//m/n/x:t").unwrap();
    for text in ["fb//...", "//m/...", "//m/n/...", "//m/n/x:", "x", ".", "x:t", "root//m/n/x:t"] {
        let pattern = Pattern::parse(text, &workspace.cells, &path_root()).unwrap();
        assert!(pattern.matches_label(&label), "{text}");
        assert_eq!(pattern.matches_path(&path("x/BUCK")), !text.contains(":t"), "{text}");
    }
    let pattern = Pattern::parse("//caffe2/...", &workspace.cells, &path_root()).unwrap();
    assert!(!pattern.matches_label(&label) && !pattern.matches_path(&path("x/BUCK")));
}

#[test]
fn inferred_target_names_follow_the_configuration() {
    let project = Project::new(&[(".buckconfig", "[buck2]\ninfer_target_names = true\n")]);
    let pattern = Pattern::parse("//a/b", &project.open().cells, &path_root()).unwrap();
    assert!(pattern.matches_label(&Label::parse_full("root//a/b:b").unwrap()));
    assert!(!pattern.matches_label(&Label::parse_full("root//a/b:t").unwrap()));
}

#[test]
fn mistakes_are_errors_with_hints() {
    let project = Project::new(&[(".buckconfig", "[cells]\nroot=.\nprelude=p\n")]);
    let cells = project.open().cells;
    let error = |text| Pattern::parse(text, &cells, &path_root()).unwrap_err();
    assert_eq!(error("perlude//...").to_string(), "unknown cell `perlude`");
    assert_eq!(error("perlude//...").hint_text(), Some("did you mean `prelude`?"));
    for bad in ["//a/../b:c", "//a//b:c", "nofile", "../x/...", "/nowhere"] {
        assert!(error(bad).hint_text().is_some(), "{bad}");
    }
}
