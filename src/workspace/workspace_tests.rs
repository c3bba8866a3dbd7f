//! Tests of a whole opened project: cells, aliases, configuration files, mount, views, settings.

use super::testing::{Project, packages, path, problems};
use super::*;
use crate::label::PackageId;

fn alias(workspace: &Workspace, from: &str, alias: &str) -> Option<String> {
    workspace.cells.resolve_alias(from, alias).map(|name| name.to_string())
}

fn value(workspace: &Workspace, cell: &str, section: &str, key: &str) -> Option<String> {
    workspace.cells.get(cell).unwrap().config.get(section, key).map(str::to_owned)
}

#[test]
fn an_empty_buckconfig_is_one_cell_named_root() {
    let workspace = Project::new(&[("BUCK", ""), ("a/BUCK.v2", ""), ("a/BUCK", "")]).open();
    assert_eq!(&*workspace.cells.root().name, "root");
    assert_eq!(packages(&workspace), ["root//", "root//a"]);
    assert_eq!(workspace.tree.packages()[1].build_file, path("a/BUCK.v2"));
    assert_eq!(workspace.cells.prelude(), None);
    assert_eq!(problems(&workspace), [""; 0]);
}

#[test]
fn cells_come_from_cells_or_else_repositories_and_one_directory_is_one_cell() {
    let text = "[cells]\nroot = .\nb = ./x/\na = x\n[repositories]\nold = y\n";
    let workspace = Project::new(&[(".buckconfig", text)]).open();
    let names: Vec<_> = workspace.cells.iter().map(|cell| cell.name.to_string()).collect();
    assert_eq!(names, ["a", "root"]);
    assert_eq!(alias(&workspace, "root", "b").as_deref(), Some("a"));
    assert_eq!(alias(&workspace, "root", "old"), None);
}

#[test]
fn cells_in_included_files_do_not_count_but_those_in_folders_and_local_files_do() {
    let workspace = Project::new(&[
        (".buckconfig", "<file:inc>\n[cells]\nroot = .\n"),
        ("inc", "[cells]\nincluded = i\n[v]\nk = 1\n"),
        (".buckconfig.d/a/b", "[cells]\nfolder = f\n"),
        (".buckconfig.local", "[cells]\nlocal = l\n"),
    ]);
    let workspace = workspace.open();
    let names: Vec<_> = workspace.cells.iter().map(|cell| cell.name.to_string()).collect();
    assert_eq!(names, ["folder", "local", "root"]);
    assert_eq!(value(&workspace, "root", "v", "k").as_deref(), Some("1"));
}

#[test]
fn aliases_chain_in_any_order_and_cells_add_their_own() {
    let workspace = Project::new(&[
        (
            ".buckconfig",
            "[cells]\nroot = .\nc = c\n[cell_aliases]\na = b\nb = c\nc = root\nlost = nowhere\n",
        ),
        ("c/.buckconfig", "[repository_aliases]\nb = root\nown = c\n"),
    ])
    .open();
    assert_eq!(alias(&workspace, "root", "a").as_deref(), Some("c"));
    assert_eq!(alias(&workspace, "c", "a").as_deref(), Some("c"));
    assert_eq!(alias(&workspace, "c", "b").as_deref(), Some("root"));
    assert_eq!(alias(&workspace, "c", "own").as_deref(), Some("c"));
    assert_eq!(alias(&workspace, "root", "own"), None);
    assert_eq!(alias(&workspace, "c", "").as_deref(), Some("c"));
    assert_eq!(
        problems(&workspace),
        [
            ".buckconfig:7: `c` is a cell already, not an alias",
            ".buckconfig:8: alias `lost`: there is no cell `nowhere`",
        ]
    );
}

#[test]
fn mistakes_in_cells_are_problems_and_a_root_cell_is_made_up() {
    let text = "[cells]\nout = ../x\nroot = r\n[external_cells]\nroot = cvs\nwho = git\n";
    let workspace = Project::new(&[(".buckconfig", text), ("BUCK", "")]).open();
    assert_eq!(packages(&workspace), ["project//"]);
    assert_eq!(
        problems(&workspace),
        [
            ".buckconfig:2: cell `out`: `../x` is no path within the project",
            ".buckconfig:2: no cell at the project root: [cells] has no entry for `.`",
            ".buckconfig:5: `cvs` is none of `bundled`, `git`, `disabled`",
            ".buckconfig:6: there is no cell `who`",
        ]
    );
}

#[test]
fn configuration_files_win_in_order_and_cells_do_not_inherit() {
    let all = "[s]\na = {}\nb = {}\nc = {}\nd = {}\ne = {}\n";
    let project = Project::new(&[
        ("../etc/buckconfig.d/x", &all.replace("{}", "etc.d")),
        ("../etc/buckconfig", "[s]\nb = etc\n"),
        ("../home/.buckconfig.d/x", "[s]\nc = home.d\n"),
        ("../home/.buckconfig.local", "[s]\nd = home\n"),
        (".buckconfig.d/x", "[s]\ne = d\nf = d\ng = d\nh = d\n"),
        (".buckconfig", "[cells]\nroot = .\nc = c\n[s]\nf = own\ng = own\nh = own\n"),
        (".buckconfig.local", "[s]\ng = local\nh = local\n"),
        ("extra", "[s]\nh = extra\ni = extra\n"),
        ("c/.buckconfig", "[s]\nown = c\n"),
    ]);
    let mut project = project;
    let base = project.root().parent().unwrap().to_path_buf();
    project.environment.home = Some(base.join("home"));
    project.environment.system_config_dir = Some(base.join("etc"));
    project.overrides.config_files = vec!["extra".into()];
    project.overrides.buckconfig = vec!["s.i=flag".into(), "c//s.j=only".into(), "s.a=".into()];
    let workspace = project.open();
    let of_root: Vec<_> = workspace.cells.root().config.section("s").collect();
    assert_eq!(
        of_root,
        [
            ("b", "etc"),
            ("c", "home.d"),
            ("d", "home"),
            ("e", "d"),
            ("f", "own"),
            ("g", "local"),
            ("h", "extra"),
            ("i", "flag"),
        ]
    );
    assert_eq!(value(&workspace, "c", "s", "f"), None);
    assert_eq!(value(&workspace, "c", "s", "d").as_deref(), Some("home"));
    assert_eq!(value(&workspace, "c", "s", "j").as_deref(), Some("only"));
}

#[test]
fn bad_options_are_errors() {
    let mut project = Project::new(&[]);
    for bad in ["x", "cells.a=b", "nocell//a.b=c"] {
        project.overrides.buckconfig = vec![bad.into()];
        assert!(project.try_open().is_err(), "{bad}");
    }
    project.overrides = Overrides { config_files: vec!["none".into()], ..Overrides::default() };
    assert!(project.try_open().err().unwrap().to_string().contains("no configuration file none"));
}

#[test]
fn build_file_names_follow_each_cells_configuration() {
    let workspace = Project::new(&[
        (".buckconfig", "[cells]\nroot=.\na=a\nb=b\n[buildfile]\nname_v2=T,B\nname=X\n"),
        ("a/.buckconfig", "[buildfile]\nname = TARGETS\nextra_for_test = T.test\n"),
    ])
    .open();
    let names = |cell| workspace.cells.get(cell).unwrap().build_file_names.join(" ");
    assert_eq!(names("root"), "T B");
    assert_eq!(names("a"), "TARGETS.v2 TARGETS T.test");
    assert_eq!(names("b"), "BUCK.v2 BUCK");
}

#[test]
fn nested_cells_own_their_files_even_where_the_outer_cell_ignores_them() {
    let workspace = Project::new(&[
        (
            ".buckconfig",
            "[cells]\nroot = .\nin = third-party/in\n[project]\nignore = third-party\n",
        ),
        ("BUCK", ""),
        ("third-party/BUCK", ""),
        ("third-party/in/x/BUCK", ""),
        ("third-party/in/buck-out/BUCK", ""),
        ("buck-out/BUCK", ""),
    ])
    .open();
    assert_eq!(packages(&workspace), ["in//buck-out", "in//x", "root//"]);
    assert_eq!(&*workspace.cells.cell_of(&path("third-party/in/x/f")).name, "in");
    assert_eq!(workspace.cells.package_of_dir(&path("third-party/in/x")).to_string(), "in//x");
}

#[test]
fn external_cells_are_not_on_disk() {
    let text = "[cells]\nroot=.\nprelude=prelude\n[external_cells]\nprelude = bundled\n";
    let files = [("prelude/BUCK", ""), ("prelude/prelude.bzl", ""), (".buckconfig", text)];
    // A copy that lies at the cell's path is read in place of the one in Buck2's binary.
    assert!(Project::new(&files).open().cells.prelude().unwrap().1);
    let files = [files[0], ("prelude/rules.bzl", ""), files[2]];
    let workspace = Project::new(&files).open();
    let prelude = workspace.cells.prelude().unwrap();
    assert_eq!((&*prelude.0, prelude.1), ("prelude", false));
    assert_eq!(workspace.cells.dir_of_package(&PackageId::new("prelude", "x")), None);
    assert_eq!(packages(&workspace), [""; 0]);

    let files = [
        files[0],
        ("prelude/prelude.bzl", ""),
        (".buckconfig", &text.replace("bundled", "disabled")),
    ];
    let workspace = Project::new(&files).open();
    assert!(workspace.cells.prelude().unwrap().1);
    assert_eq!(packages(&workspace), ["prelude//"]);
}

#[test]
fn a_mount_renames_the_root_cell_and_prefixes_its_packages() {
    let mut project = Project::new(&[
        (".buckconfig", "[cells]\nroot=.\nshim=shim\n[cell_aliases]\nfbcode=shim\nmain=root\n"),
        ("shim/.buckconfig", "[cell_aliases]\nfbcode = shim\n"),
        ("BUCK", ""),
        ("x/BUCK", ""),
        ("shim/y/BUCK", ""),
    ]);
    project.overrides.config = vec!["project.mount=fbcode//executorch".into()];
    let workspace = project.open();
    assert_eq!(packages(&workspace), ["fbcode//executorch", "fbcode//executorch/x", "shim//y"]);
    for name in ["fbcode", "root", "main"] {
        assert_eq!(alias(&workspace, "shim", name).as_deref(), Some("fbcode"), "{name}");
    }
    let dir = |package| workspace.cells.dir_of_package(&PackageId::new("fbcode", package));
    assert_eq!(dir("executorch"), Some(ProjectPath::root()));
    assert_eq!(dir("executorch/x"), Some(path("x")));
    assert_eq!(dir("executorchx"), None);
    assert_eq!(dir("caffe2"), None);
    assert_eq!(alias(&workspace, "root", "x"), None);

    project.overrides.config = vec!["project.mount=shim//x".into()];
    assert!(project.try_open().is_err());
}

#[test]
fn a_view_lays_configuration_over_the_cells() {
    let project = Project::new(&[
        (".buckconfig", "[cells]\nroot=.\nc=c\n[a]\nb=$(config x.y)\n"),
        (
            "secateur.toml",
            "[[view]]\nname = 'gpu'\nconfig = { 'x.y' = '1', 'c//x.z' = '2' }\n\
             [[view]]\nname = 'bad'\nconfig = { 'nocell//x.y' = '1' }\n",
        ),
    ]);
    let workspace = project.open();
    let cells = workspace.with_view(&workspace.settings.views[0]).unwrap();
    assert_eq!(cells.root().config.get("a", "b"), Some("1"));
    assert_eq!(cells.root().config.get("x", "z"), None);
    assert_eq!(cells.get("c").unwrap().config.get("x", "z"), Some("2"));
    assert_eq!(workspace.cells.root().config.get("a", "b"), Some(""));
    let error = workspace.with_view(&workspace.settings.views[1]).unwrap_err();
    assert_eq!(error.to_string(), "secateur.toml:4: view `bad`: unknown cell `nocell`");
}

#[test]
fn the_nearest_settings_file_counts() {
    let mut project = Project::new(&[
        ("secateur.toml", "[limits]\nstack = 1\n"),
        ("a/secateur.toml", "[limits]\nstack = 2\n"),
        ("a/b/f", ""),
    ]);
    project.environment.current_dir = project.root().join("a/b");
    let workspace = project.open();
    assert_eq!(workspace.settings.limits.stack, 2);
    assert_eq!(workspace.settings.file, Some(path("a/secateur.toml")));
    assert_eq!(workspace.start, path("a/b"));
    project.write("a/secateur.toml", "[limits]\nstak = 2\n");
    let error = project.try_open().err().unwrap();
    assert_eq!(error.to_string(), "a/secateur.toml:2: unknown key `limits.stak`");
    assert_eq!(error.hint_text(), Some("did you mean `stack`?"));
}

#[test]
fn a_bazel_workspace_has_one_cell_and_its_own_build_files() {
    let project = Project::new(&[("MODULE.bazel", ""), ("a/BUILD", ""), ("a/BUILD.bazel", "")]);
    std::fs::remove_file(project.root().join(".buckconfig")).unwrap();
    let workspace = project.open();
    assert_eq!(packages(&workspace), ["//a"]);
    assert_eq!(workspace.tree.packages()[0].build_file, path("a/BUILD.bazel"));
    assert!(workspace.cells.is_bazel());
}

#[test]
fn the_dialect_can_be_set() {
    let settings = "[project]\ndialect = \"bazel\"\n";
    let project = Project::new(&[("secateur.toml", settings), ("a/BUILD", ""), ("a/BUCK", "")]);
    let workspace = project.open();
    assert_eq!(packages(&workspace), ["//a"]);
    assert_eq!(workspace.tree.packages()[0].build_file, path("a/BUILD"));
    project.write("secateur.toml", "[project]\ndialect = \"pants\"\n");
    assert!(project.try_open().err().unwrap().to_string().contains("dialect"));
}

#[test]
fn excluded_files_stay_visible() {
    let project = Project::new(&[
        ("secateur.toml", "[project]\nexclude = ['gen/**']\nbuild-files = ['PKG']\n"),
        ("gen/PKG", ""),
    ]);
    let workspace = project.open();
    assert!(workspace.is_excluded(&path("gen/PKG")) && workspace.tree.is_file(&path("gen/PKG")));
    assert_eq!(packages(&workspace), ["root//gen"]);
}
