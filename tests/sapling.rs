//! `lint --since` where Sapling keeps the project: a script stands for it.

use crate::since::{Repository, SMALL, findings};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// Answers like Sapling, from the repository of git that lies beside.
const SAPLING: &str = "#!/bin/sh
case \"$1\" in
log) git rev-parse --verify --quiet \"$3^{commit}\" || { echo \"abort: unknown revision '$3'\" >&2; exit 255; } ;;
status) printf 'M app/main.py\\0A moved/BUCK\\0  old/BUCK\\0A moved/main.py\\0  old/main.py\\0R old/BUCK\\0R old/main.py\\0? lib/new.py\\0' ;;
cat) git show \"$3:./$5\" ;;
esac
";

#[test]
fn sapling_is_asked_where_it_keeps_the_project() {
    use std::os::unix::fs::PermissionsExt;
    let repository = Repository::new(SMALL);
    repository.git(&["mv", "old", "moved"]);
    repository.0.add("app/main.py", "import os\n");
    repository.0.add("lib/new.py", "");
    let expected = repository.prints("--since HEAD");
    assert_eq!(expected.len(), 2);
    fs::create_dir(repository.0.path(".sl")).unwrap();
    repository.0.add("bin/sl", SAPLING);
    fs::set_permissions(repository.0.path("bin/sl"), fs::Permissions::from_mode(0o755)).unwrap();
    let run = |revision: &str| {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_secateur"));
        command.args(["lint", "--format=json", "--since", revision]);
        command.env("XDG_CACHE_HOME", crate::support::cache_home());
        command.env("PATH", format!("{}:{path}", repository.0.path("bin").display()));
        command.current_dir(repository.0.path("")).output().unwrap()
    };
    let report: Value = serde_json::from_slice(&run("HEAD").stdout).unwrap();
    let prints = findings(&report).map(|it| it["fingerprint"].as_str().unwrap().to_owned());
    assert_eq!(prints.collect::<BTreeSet<_>>(), expected);
    let output = run("nowhere");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no revision `nowhere`") && said.contains("sl pull"), "{said}");
}
