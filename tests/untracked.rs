//! `lint --since` and what git does not track: new, unless git ignores it. Repositories of git are made here.

use crate::since::Repository;

/// Few are asked for by their names, many all at once.
#[test]
fn files_that_git_does_not_track_are_new_unless_it_ignores_them() {
    let repository = Repository::new(
        "//- .buckconfig\n//- .gitignore\nmade_*\n\
         //- app/BUCK\npython_library(name = \"app\", srcs = [\"a.py\"])\n//- app/a.py\nimport os\n",
    );
    repository.0.add("app/made_1.py", "import os\n");
    assert_eq!(repository.new_since("HEAD"), [""; 0]);
    let mut new = Vec::new();
    for count in [2, 130] {
        while new.len() < count {
            let path = format!("app/new[{:03}]*.py", new.len());
            repository.0.add(&path, "import os\n");
            new.push(format!("unowned-source {path}"));
        }
        assert_eq!(repository.new_since("HEAD"), new);
    }
}
