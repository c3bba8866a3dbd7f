//! Small repositories, laid out and run.

use super::*;
use crate::cas::pack::SourceNode;
use crate::progress::Silent;
use crate::workspace::{Environment, Overrides};
use std::fs;
use std::process::Command;

struct Project {
    dir: tempfile::TempDir,
    workspace: Workspace,
    graph: Graph,
}

fn project(files: &[(&str, &str)]) -> Project {
    let dir = tempfile::tempdir().unwrap();
    let common = [(".buckconfig", "[cells]\n  root = .\n"), (".buckroot", "")];
    for (path, text) in common.iter().chain(files) {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let environment = Environment { current_dir: dir.path().to_owned(), ..Environment::default() };
    let workspace = Workspace::open(dir.path(), &environment, &Overrides::default()).unwrap();
    let graph = crate::graph::build(&workspace, &Silent).unwrap();
    Project { dir, workspace, graph }
}

impl Project {
    fn lay(&self, label: &str, options: &Options<'_>) -> Result<Layout> {
        let label = Label::parse_full(label).unwrap();
        let id = self.graph.targets.find(&label).unwrap();
        lay_out(&self.graph, &self.workspace, id, options)
    }

    fn refused(&self, label: &str, options: &Options<'_>) -> String {
        self.lay(label, options).unwrap_err().to_string()
    }
}

fn paths(layout: &Layout) -> Vec<&str> {
    layout.entries.iter().map(|entry| entry.path.as_str()).collect()
}

/// Writes the tree, runs what it starts, and gives what that says.
fn run(layout: &Layout, arguments: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    for entry in &layout.entries {
        let path = dir.path().join(&entry.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match &entry.node {
            SourceNode::File(file) => drop(fs::copy(&file.origin, path).unwrap()),
            SourceNode::Bytes { bytes, is_executable } => {
                use std::os::unix::fs::PermissionsExt;
                fs::write(&path, bytes).unwrap();
                let mode = if *is_executable { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    let command = layout.entry.as_ref().unwrap().command(dir.path(), "python3".as_ref());
    let output = Command::new(&command[0])
        .args(&command[1..])
        .args(arguments)
        .current_dir("/")
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

const BUCK: &str = r#"
python_library(name = "lib", srcs = ["lib.py"], resources = ["data.txt"], type_stubs = ["lib.pyi"])
python_library(name = "moved", srcs = {"deep/er.py": "er.py"}, base_module = "elsewhere")
python_binary(name = "main", main_module = "app.main", deps = [":mainlib"])
python_library(name = "mainlib", srcs = ["main.py"], deps = [":lib", ":moved"])
python_binary(name = "fn", main_function = "app.main.run", deps = [":mainlib"])
python_binary(name = "file", main = "main.py", deps = [":lib", ":moved"])
python_test(name = "test", srcs = ["test_it.py"], deps = [":lib"])
"#;
const MAIN: &str = "import sys, os, app.lib, elsewhere.deep.er\ndef run():\n    print(app.lib.read(), elsewhere.deep.er.X, *sys.argv[1:])\nif __name__ == '__main__': run()\n";

fn sample() -> Project {
    project(&[
        ("app/BUCK", BUCK),
        ("app/main.py", MAIN),
        (
            "app/lib.py",
            "import os\ndef read(): return open(os.path.join(os.path.dirname(__file__), 'data.txt')).read()\n",
        ),
        ("app/lib.pyi", ""),
        ("app/data.txt", "data"),
        ("app/er.py", "X = 7\n"),
        (
            "app/test_it.py",
            "import unittest, app.lib\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(app.lib.read(), 'data')\n",
        ),
    ])
}

#[test]
fn a_program_is_laid_out_as_its_rules_say_and_runs() {
    let project = sample();
    let layout = project.lay("root//app:main", &Options::default()).unwrap();
    let expected = [
        "app/__init__.py",
        "app/data.txt",
        "app/lib.py",
        "app/main.py",
        "elsewhere/__init__.py",
        "elsewhere/deep/__init__.py",
        "elsewhere/deep/er.py",
        "main",
    ];
    assert_eq!(paths(&layout), expected);
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "python3 is missing");
        return;
    }
    for target in ["main", "fn", "file"] {
        let layout = project.lay(&format!("root//app:{target}"), &Options::default()).unwrap();
        assert_eq!(run(&layout, &["a b"]), "data 7 a b\n", "{target}");
    }
    let test = run(&project.lay("root//app:test", &Options::default()).unwrap(), &[]);
    assert!(test.contains("Ran 1 test") && test.contains("OK"), "{test}");
    let library = project.lay("root//app:lib", &Options::default()).unwrap();
    assert_eq!((library.entry, library.entries.len()), (None, 3));
}

#[test]
fn the_script_gives_way_and_names_its_interpreter() {
    let text = "python_library(name = \"l\", srcs = [\"app.py\"])\npython_binary(name = \"app\", main_module = \"app.app\", deps = [\":l\"])\n";
    let project = project(&[("app/BUCK", text), ("app/app.py", "")]);
    let options = Options { python: Some("/opt/python/bin/python3"), ..Options::default() };
    let layout = project.lay("root//app:app", &options).unwrap();
    assert_eq!(paths(&layout), ["app.run", "app/__init__.py", "app/app.py"]);
    let SourceNode::Bytes { bytes, is_executable: true } = &layout.entries[0].node else {
        panic!()
    };
    assert!(bytes.starts_with(b"#!/opt/python/bin/python3\n"));
}

#[test]
fn two_files_for_one_path_name_both_owners() {
    let text = "python_library(name = \"a\", srcs = {\"x.py\": \"a.py\"})\npython_library(name = \"b\", srcs = {\"x.py\": \"b.py\"})\npython_library(name = \"same\", srcs = {\"x.py\": \"a.py\"})\npython_binary(name = \"m\", main_module = \"p.x\", deps = [\":a\", \":b\"])\npython_binary(name = \"n\", main_module = \"p.x\", deps = [\":a\", \":same\"])\n";
    let project = project(&[("p/BUCK", text), ("p/a.py", ""), ("p/b.py", "")]);
    let error = project.refused("root//p:m", &Options::default());
    assert!(error.contains("p/x.py of root//p:a, and p/x.py of root//p:b"), "{error}");
    assert!(project.lay("root//p:n", &Options::default()).is_ok());
}

const PARTS: &str = r#"
genrule(name = "gen", out = "made.py", cmd = "x")
cxx_python_extension(name = "native", srcs = ["n.cpp"])
cxx_library(name = "shared", srcs = ["s.cpp"])
prebuilt_python_library(name = "wheel", binary_src = "w-1.0-py3-none-any.whl")
python_library(name = "l", srcs = ["l.py", ":gen", "gone.py"], deps = [":native", ":shared", ":wheel", "//third-party/pypi/numpy:numpy"])
python_binary(name = "m", main_module = "p.l", deps = [":l"])
"#;

fn write_wheel(path: &Path) {
    use std::io::Write;
    let mut wheel = zip::ZipWriter::new(fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("w/__init__.py", "X = 1\n"),
        ("w-1.0.data/purelib/extra.py", ""),
        ("w-1.0.data/scripts/tool", ""),
    ] {
        wheel.start_file(name, options).unwrap();
        wheel.write_all(text.as_bytes()).unwrap();
    }
    wheel.finish().unwrap();
}

#[test]
fn what_is_missing_is_named_and_taken_from_where_it_was_built() {
    let files = [
        ("p/BUCK", PARTS),
        ("p/l.py", ""),
        ("p/n.cpp", ""),
        ("p/s.cpp", ""),
        ("third-party/pypi/numpy/x", ""),
    ];
    let project = project(&files);
    let error = project.refused("root//p:m", &Options::default());
    for part in [
        "root//p:m: parts are missing",
        "p/made.py (made by root//p:gen)",
        "p/native.so (made by root//p:native)",
        "root//p:shared (a native library)",
        "p/w-1.0-py3-none-any.whl (the wheel of root//p:wheel)",
        "root//third-party/pypi/numpy:numpy (not in this repository)",
        "p/gone.py (a source of root//p:l)",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let root = project.dir.path();
    let out = root.join("out");
    for path in ["p/gen", "p/native", "p/shared/libshared.so"] {
        fs::create_dir_all(out.join(path).parent().unwrap()).unwrap();
        fs::write(out.join(path), "built").unwrap();
    }
    fs::write(root.join("p/gone.py"), "").unwrap();
    write_wheel(&root.join("p/w-1.0-py3-none-any.whl"));
    let environment = Environment { current_dir: root.to_owned(), ..Environment::default() };
    let workspace = Workspace::open(root, &environment, &Overrides::default()).unwrap();
    let graph = crate::graph::build(&workspace, &Silent).unwrap();
    let project = Project { workspace, graph, ..project };
    let external = ["NumPy".to_owned()];
    let options = Options { out: Some(&out), external: &external, ..Options::default() };
    let layout = project.lay("root//p:m", &options).unwrap();
    let expected = [
        "extra.py",
        "m",
        "p/__init__.py",
        "p/gone.py",
        "p/l.py",
        "p/made.py",
        "p/native.so",
        "runtime/lib/libshared.so",
        "w/__init__.py",
    ];
    assert_eq!(paths(&layout), expected);
    assert_eq!(
        layout.external.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["root//third-party/pypi/numpy:numpy"]
    );
}

#[test]
fn programs_of_the_samples_are_whole_or_say_what_is_missing() {
    for (sample, expected) in [("ml-monorepo", 12), ("fbcode-export", 3)] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-repos").join(sample);
        let environment = Environment { current_dir: root.clone(), ..Environment::default() };
        let workspace = Workspace::open(&root, &environment, &Overrides::default()).unwrap();
        let graph = crate::graph::build(&workspace, &Silent).unwrap();
        let programs = graph.targets.ids().filter(|id| {
            let kind = graph.targets.node(*id).kind;
            matches!(kind, Kind::PythonBinary | Kind::PythonTest)
        });
        let external = ["numpy", "pillow", "torch"].map(str::to_owned);
        let options = Options { external: &external, ..Options::default() };
        let mut whole = 0;
        for id in programs {
            match lay_out(&graph, &workspace, id, &options) {
                Ok(layout) => {
                    whole += 1;
                    assert!(layout.entry.is_some());
                }
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.contains("parts are missing"), "{said}");
                }
            }
        }
        assert!(whole >= expected, "{sample}: {whole}");
    }
}
