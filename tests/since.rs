//! `lint --since`: what a change introduces is reported alone, whatever was there before. Repositories of git are made here.

use crate::support::{Outcome, Project, files_below, repository};
use secateur::cli::Exit;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const SAMPLE: &str = "sample-repos/ml-monorepo";

/// A copy of a sample in a repository with one commit.
pub struct Repository(pub Project);

impl Repository {
    fn of_sample() -> Self {
        let project = Project::new("");
        for file in files_below(SAMPLE) {
            let to = project.path(file.strip_prefix(&format!("{SAMPLE}/")).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(repository().join(file), to).unwrap();
        }
        Self(project).committed()
    }

    pub fn new(text: &str) -> Self {
        Self(Project::new(text)).committed()
    }

    fn committed(self) -> Self {
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self.commit();
        self
    }

    pub fn git(&self, args: &[&str]) {
        git(&self.0.path(""), args);
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=x", "--allow-empty"]);
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path(path)).unwrap()
    }

    /// Replaces a text that is there.
    fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from}");
        self.0.add(path, &text.replacen(from, to, 1));
    }

    fn lint(&self, args: &str) -> Value {
        let Outcome { exit, out, err } = self.0.secateur(&format!("lint --format json {args}"));
        assert!(matches!(exit, Exit::Clean | Exit::Findings | Exit::Incomplete), "{err}");
        serde_json::from_str(&out).unwrap()
    }

    pub fn prints(&self, args: &str) -> BTreeSet<String> {
        findings(&self.lint(args)).map(|it| it["fingerprint"].as_str().unwrap().into()).collect()
    }

    /// Check and target, or path, of what is new.
    pub fn new_since(&self, revision: &str) -> Vec<String> {
        let report = self.lint(&format!("--since {revision}"));
        let name = |it: &Value| {
            let subject = it["target"].as_str().or_else(|| it["path"].as_str()).unwrap();
            format!("{} {subject}", it["check"].as_str().unwrap())
        };
        findings(&report).map(name).collect()
    }
}

pub fn git(dir: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args);
    // What this machine says about git must not matter.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub fn findings(report: &Value) -> impl Iterator<Item = &Value> {
    report["findings"].as_array().unwrap().iter()
}

type Change = (&'static str, fn(&Repository), &'static [&'static str]);

/// Changes of the sample, with what they introduce.
const CHANGES: &[Change] = &[
    (
        "a dependency is no longer used",
        |it| it.replace("eta/models/linear.py", "from eta.kernels import device\n", ""),
        &["unused-dep root//eta/models:linear"],
    ),
    (
        "a dependency too many",
        |it| {
            it.replace("eta/models/BUCK", "        \":base\",\n        \"//eta/data:schema\",", "        \":base\",\n        \"//eta/kernels:device\",\n        \"//eta/data:schema\",");
        },
        &["unused-dep root//eta/models:tree"],
    ),
    (
        "a dependency twice",
        |it| {
            it.replace(
                "eta/data/BUCK",
                "        \":schema\",\n",
                "        \":schema\",\n        \":schema\",\n",
            );
        },
        &["duplicate-dep root//eta/data:readers"],
    ),
    (
        "one more of what was there before",
        |it| {
            let dep = "        \"//third-party/pypi/acme-geo:acme-geo\",\n";
            it.replace("eta/models/BUCK", dep, &dep.repeat(2));
        },
        &["duplicate-dep root//eta/models:mlp", "unused-dep root//eta/models:mlp"],
    ),
    (
        "a label that leads nowhere",
        |it| {
            it.replace(
                "eta/data/BUCK",
                "        \":schema\",\n",
                "        \":schema\",\n        \"//no/such:thing\",\n",
            );
        },
        &["broken-label root//eta/data:readers"],
    ),
    (
        "a source that is not there",
        |it| {
            it.replace(
                "eta/data/BUCK",
                "\"readers/base.py\",",
                "\"readers/base.py\",\n        \"readers/base2.py\",",
            );
        },
        &["missing-source root//eta/data:readers"],
    ),
    (
        "a file that no target has, not even staged",
        |it| it.0.add("eta/models/orphan.py", "X = 1\n"),
        &["unowned-source eta/models/orphan.py"],
    ),
    (
        "an import of nothing",
        |it| {
            it.0.add(
                "eta/models/mlp.py",
                &(it.read("eta/models/mlp.py") + "\nimport eta.models.nowhere\n"),
            );
        },
        &["unresolved-import root//eta/models:mlp"],
    ),
    (
        "a load that nothing uses",
        |it| {
            it.replace(
                "eta/models/BUCK",
                "load(\"//build_defs:model_card.bzl\", \"model_card\")",
                "load(\"//build_defs:model_card.bzl\", \"model_card\", card = \"model_card\")",
            );
        },
        &["unused-load eta/models/BUCK"],
    ),
    (
        "lines that move",
        |it| {
            it.0.add(
                "eta/models/mlp.py",
                &("# Moved.\n\n".to_owned() + &it.read("eta/models/mlp.py")),
            );
        },
        &[],
    ),
    (
        "another body",
        |it| {
            it.0.add(
                "eta/models/solver.py",
                &(it.read("eta/models/solver.py") + "\n\ndef more(x):\n    return x + 1\n"),
            );
        },
        &[],
    ),
    (
        "a comment in a build file",
        |it| it.replace("eta/models/BUCK", "oncall(", "# Ours.\noncall("),
        &[],
    ),
    (
        "another order",
        |it| {
            it.replace(
                "eta/models/BUCK",
                "        \":base\",\n        \":linear\",\n",
                "        \":linear\",\n        \":base\",\n",
            );
        },
        &[],
    ),
    (
        "a finding less",
        |it| {
            it.replace(
                "eta/models/BUCK",
                "        \"//third-party/pypi/acme-geo:acme-geo\",\n",
                "",
            );
        },
        &[],
    ),
    ("a document", |it| it.0.add("eta/models/NOTES.md", "Nothing.\n"), &[]),
    (
        "a file under another name",
        |it| {
            it.git(&["mv", "eta/data/readers/base.py", "eta/data/readers/basis.py"]);
            it.replace("eta/data/BUCK", "readers/base.py", "readers/basis.py");
            for user in files_below(&format!("{SAMPLE}/eta/data")) {
                let user = user.strip_prefix(&format!("{SAMPLE}/")).unwrap();
                if user.ends_with(".py") && it.0.path(user).exists() {
                    let text = it.read(user).replace("readers.base ", "readers.basis ");
                    let text = text.replace("from .base ", "from .basis ");
                    it.0.add(user, &text.replace("import base", "import basis as base"));
                }
            }
        },
        &[],
    ),
    ("nothing", |_| (), &[]),
];

#[test]
fn what_a_change_introduces_is_reported_alone() {
    let repository = Repository::of_sample();
    let before = repository.prints("");
    for (what, change, expected) in CHANGES {
        change(&repository);
        assert_eq!(repository.new_since("HEAD"), *expected, "{what}");
        // The same as two whole runs say, where nothing is renamed.
        if !what.contains("name") {
            let whole = repository.lint("");
            let now = repository.prints("");
            let new: BTreeSet<String> = now.difference(&before).cloned().collect();
            let report = repository.lint("--since HEAD");
            // All that there is to say of it.
            let is_new = |it: &&Value| new.contains(it["fingerprint"].as_str().unwrap());
            let expected: Vec<&Value> = findings(&whole).filter(is_new).collect();
            assert_eq!(findings(&report).collect::<Vec<_>>(), expected, "{what}");
            let since = &report["since"];
            if !since["unchanged"].is_null() {
                assert_eq!(since["fixed"], before.difference(&now).count(), "{what}");
                assert_eq!(since["unchanged"], before.intersection(&now).count(), "{what}");
            }
        }
        repository.git(&["reset", "--quiet", "--hard"]);
        repository.git(&["clean", "--quiet", "-fd"]);
    }
}

pub const SMALL: &str = "
//- lib/BUCK
python_library(name = \"lib\", srcs = [\"lib.py\", \"more.py\"], visibility = [\"PUBLIC\"])
//- lib/lib.py
//- lib/more.py
//- app/BUCK
python_binary(name = \"app\", main = \"main.py\", deps = [\"//lib:lib\"])
//- app/main.py
import lib.lib
import lib.more
//- user/BUCK
python_binary(name = \"user\", main = \"main.py\", deps = [\"//lib:lib\"])
//- user/main.py
import lib.lib
import lib.more
//- old/BUCK
python_binary(name = \"old\", main = \"main.py\", deps = [\"//lib:lib\"])
//- old/main.py
import os
";

#[test]
fn configuration_is_that_of_each_side() {
    let repository = Repository::new(SMALL);
    repository.0.add("old/BUCK", "python_binary(name = \"old\", main = \"main.py\", deps = [\"//lib:lib\"] if read_config(\"old\", \"lib\") else [])\n");
    repository.0.add(".buckconfig", "<?file:more.bcfg>\n");
    repository.commit();
    assert_eq!(repository.new_since("HEAD"), [""; 0]);
    repository.0.add("more.bcfg", "[old]\nlib = yes\n");
    assert_eq!(repository.new_since("HEAD"), ["unused-dep root//old:old"]);
    repository.commit();
    repository.0.add("more.bcfg", "");
    assert_eq!(repository.lint("--since HEAD")["since"]["fixed"], 1);
    repository.0.add("more.bcfg", "# Why.\n[old]\nlib = yes\n");
    assert_eq!(repository.lint("--since HEAD")["since"]["unchanged"], Value::Null);
}

#[test]
fn a_package_that_moves_takes_its_findings_along() {
    let repository = Repository::new(SMALL);
    repository.git(&["mv", "old", "moved"]);
    assert_eq!(repository.new_since("HEAD"), [""; 0]);
    let since = &repository.lint("--since HEAD")["since"];
    assert_eq!((&since["fixed"], &since["unchanged"]), (&0.into(), &1.into()));
    repository.replace("app/main.py", "import lib.lib\nimport lib.more", "");
    assert_eq!(repository.new_since("HEAD"), ["unused-dep root//app:app"]);
}

#[test]
fn only_what_is_asked_for_counts() {
    let repository = Repository::new(SMALL);
    repository.0.add("CODEOWNERS", "/app/ @app\n/old/ @old\n");
    repository.0.add(
        "spare/BUCK",
        "python_binary(name = \"spare\", main = \"main.py\", deps = [\"//lib:lib\"])\n",
    );
    repository.0.add("spare/main.py", "import os\n");
    repository.commit();
    repository.0.add("old/main.py", "import lib.lib\n");
    repository.replace("app/main.py", "import lib.lib\nimport lib.more", "");
    let counts = |args: &str| {
        let since = repository.lint(&format!("--since HEAD {args}"))["since"].clone();
        ["new", "fixed", "unchanged"].map(|key| since[key].as_u64().unwrap())
    };
    assert_eq!(counts(""), [1, 1, 1]);
    assert_eq!(counts("--owner @app"), [1, 0, 0]);
    assert_eq!(counts("--owner @old"), [0, 1, 0]);
    assert_eq!(counts("--owner none"), [0, 0, 1]);
    assert_eq!(counts("//app/..."), [1, 0, 0]);
    assert_eq!(counts("//old/..."), [0, 1, 0]);
    let table =
        |path: &str| format!("--config lint.path=[{{paths=[\"{path}\"],skip=[\"unused-dep\"]}}]");
    assert_eq!(counts(&table("old/**")), [1, 0, 1]);
    assert_eq!(counts(&table("*/**")), [0, 0, 0]);
}

#[test]
fn a_branch_is_compared_with_where_it_began() {
    let repository = Repository::new(SMALL);
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.replace("app/main.py", "import lib.lib\nimport lib.more", "");
    repository.commit();
    repository.git(&["checkout", "--quiet", "main"]);
    // Meanwhile somebody settled what was there.
    repository.0.add("old/BUCK", "python_binary(name = \"old\", main = \"main.py\")\n");
    repository.commit();
    repository.git(&["checkout", "--quiet", "topic"]);
    let (app, old) = ("unused-dep root//app:app", "unused-dep root//old:old");
    assert_eq!(repository.new_since("main..."), [app]);
    assert_eq!(repository.new_since("main"), [app, old]);
    assert_eq!(repository.new_since("HEAD"), [""; 0]);
}

#[test]
fn a_project_below_its_repository_and_strange_names() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("sub dir");
    fs::create_dir_all(dir.join("app")).unwrap();
    fs::write(outer.path().join("other.py"), "import app\n").unwrap();
    fs::write(dir.join(".buckconfig"), "").unwrap();
    fs::write(dir.join("app/BUCK"), "python_binary(name = \"app\", main = \"a\u{e9} b.py\")\n")
        .unwrap();
    fs::write(dir.join("app/a\u{e9} b.py"), "import os\n").unwrap();
    git(outer.path(), &["init", "--quiet"]);
    git(outer.path(), &["add", "--all"]);
    git(outer.path(), &["commit", "--quiet", "--message=x"]);
    fs::write(dir.join("app/a\u{e9} b.py"), "import os\nimport app.none\n").unwrap();
    let outcome = crate::support::secateur(&dir, "lint --since HEAD --format concise");
    assert!(outcome.out.starts_with("app/a\u{e9} b.py:2:1: "), "{}{}", outcome.out, outcome.err);
    assert_eq!(outcome.out.lines().count(), 1);
}

#[test]
fn what_could_not_be_read_before_fails_nobody() {
    let repository = Repository::new(&(SMALL.to_owned() + "//- broken/BUCK\npython_library(\n"));
    repository.0.add("lib/new.py", "");
    repository.replace("lib/BUCK", "\"more.py\"", "\"more.py\", \"new.py\"");
    let outcome = repository.0.secateur("lint --since HEAD --fail-on error");
    assert_eq!(outcome.exit, Exit::Clean, "{}{}", outcome.out, outcome.err);
    repository.0.add("worse/BUCK", "python_library(\n");
    let outcome = repository.0.secateur("lint --since HEAD --fail-on error");
    assert_eq!(outcome.exit, Exit::Incomplete, "{}{}", outcome.out, outcome.err);
}

#[test]
fn a_revision_that_is_not_there_says_how_to_get_it() {
    let repository = Repository::new(SMALL);
    let outcome = repository.0.secateur("lint --since nowhere");
    assert_eq!(outcome.exit.code(), 2);
    assert!(outcome.err.starts_with("error: no revision `nowhere`"), "{}", outcome.err);
    assert!(outcome.err.contains("git fetch origin"), "{}", outcome.err);
    repository.commit();
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", repository.0.path("").display());
    git(clone.path(), &["clone", "--quiet", "--depth=1", &from, "."]);
    let outcome = crate::support::secateur(clone.path(), "lint --since HEAD~1");
    assert_eq!(outcome.exit.code(), 2);
    assert!(outcome.err.contains("this clone is shallow"), "{}", outcome.err);
    let outcome = Project::new(SMALL).secateur("lint --since HEAD");
    assert_eq!(outcome.exit.code(), 2);
    assert!(outcome.err.contains("--changed-files"), "{}", outcome.err);
}

#[test]
fn a_list_of_files_limits_findings_to_them() {
    let project = Project::new(SMALL);
    project.replace_app();
    let concise = |list: &str| {
        project.add("list", list);
        let outcome = project.secateur("lint --changed-files list --format concise");
        outcome
            .out
            .lines()
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(concise("app/main.py\n"), ["app/BUCK"], "its sources are the evidence");
    assert_eq!(concise("./old/BUCK\r\n"), ["old/BUCK"]);
    assert_eq!(concise(&format!("{}\n", project.path("old/BUCK").display())), ["old/BUCK"]);
    assert_eq!(concise("README.md\n/elsewhere/BUCK\n"), [""; 0]);
    let outcome = project.secateur("lint --changed-files nowhere");
    assert_eq!(outcome.exit.code(), 2);
}

impl Project {
    fn replace_app(&self) {
        self.add("app/main.py", "import os\n");
    }
}

/// What `docs/ci.md` tells to do, in its order.
#[test]
fn baseline_since_and_comments_go_together() {
    let repository = Repository::new(SMALL);
    assert_eq!(repository.0.secateur("lint").exit, Exit::Findings);
    assert_eq!(repository.0.secateur("baseline").exit, Exit::Clean);
    repository.commit();
    let baseline = "lint --baseline secateur-baseline.json";
    assert_eq!(repository.0.secateur(baseline).exit, Exit::Clean);
    // A change brings one finding, which the baseline does not have.
    repository.replace("app/main.py", "import lib.lib\nimport lib.more", "");
    assert_eq!(repository.0.secateur(baseline).exit, Exit::Findings);
    let both = "--baseline secateur-baseline.json --since HEAD";
    let report = repository.lint(both);
    assert_eq!(findings(&report).count(), 1);
    assert_eq!(report["since"]["new"], 1);
    assert_eq!(report["since"]["fixed"], 0, "what the baseline leaves out is not fixed");
    assert_eq!(report["baseline"]["known"], 1);
    // A comment keeps it, with a reason.
    repository.replace(
        "app/BUCK",
        "deps = [\"//lib:lib\"]",
        "deps = [\n    \"//lib:lib\",  # secateur: keep[unused-dep] loaded by name\n]",
    );
    let outcome = repository.0.secateur(&format!("lint {both}"));
    assert_eq!(outcome.exit, Exit::Clean, "{}", outcome.out);
    repository.commit();
    // Used again, the comment is stale, and that is new.
    repository.0.add("app/main.py", "import lib.lib\n");
    let report = repository.lint(both);
    let checks: Vec<&str> = findings(&report).map(|it| it["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["stale-keep"]);
}
