//! Tests of `globs`; the tables are those of Buck2's own tests.

use super::super::testing::Project;
use super::*;

fn try_in(project: &Project, include: &[&str], exclude: &[&str]) -> Result<Vec<String>, String> {
    let workspace = project.open();
    glob(&workspace.tree, &workspace.tree.packages()[0], include, exclude)
}

/// Globs in a package `p` with these files.
fn globbed(files: &[&str], include: &[&str], exclude: &[&str]) -> Vec<String> {
    let files: Vec<String> = files.iter().map(|file| format!("p/{file}")).collect();
    let mut entries: Vec<(&str, &str)> = files.iter().map(|file| (&**file, "")).collect();
    entries.push(("p/BUCK", ""));
    try_in(&Project::new(&entries), include, exclude).unwrap()
}

#[test]
fn stars_stay_within_directories_and_results_are_sorted() {
    let files = [
        "abcxyz",
        "abcsomething",
        "1/2/3.txt",
        "dir/other/more/some.java",
        "xyz",
        "abc/something",
        "1/2.txt",
        "1/2/3/4.txt",
        "excluded/subdir/some.java",
        "excluded/some.java",
    ];
    assert_eq!(
        globbed(&files, &["abc*", "**/*.java", "*/*/*.txt"], &["excluded/**/*"]),
        ["1/2/3.txt", "abcsomething", "abcxyz", "dir/other/more/some.java"]
    );
}

#[test]
fn leading_dots_are_literal() {
    let cases: [(&str, &[&str]); 9] = [
        (".*", &[".a"]),
        ("*", &["BUCK", "a"]),
        (".d/*", &[".d/e"]),
        (".d/.*", &[".d/.e"]),
        ("*/.*", &["b/.c"]),
        ("*/*", &["b/c"]),
        (".*/.*", &[".d/.e"]),
        (".*/*", &[".d/e"]),
        ("**", &["BUCK", "a", "b/c"]),
    ];
    for (pattern, expected) in cases {
        let files = ["a", ".a", "b/c", "b/.c", ".d/e", ".d/.e"];
        assert_eq!(globbed(&files, &[pattern], &[]), expected, "{pattern}");
    }
}

#[test]
fn only_a_star_makes_a_pattern_and_case_counts_only_in_names() {
    let files = ["a/b", "a/c", "ab", "X.PY"];
    assert_eq!(globbed(&files, &["a/[bc]", "a?"], &[]), [""; 0]);
    assert_eq!(globbed(&files, &["*/[bc]"], &[]), ["a/b", "a/c"]);
    assert_eq!(globbed(&files, &["a/b", "x.py"], &[]), ["a/b"]);
    assert_eq!(globbed(&files, &["*.py"], &[]), ["X.PY"]);
    assert_eq!(globbed(&files, &["**"], &["A/?", "BUCK"]), ["X.PY", "ab"]);
}

#[test]
fn large_packages_heed_the_case_of_the_common_prefix() {
    let files: Vec<String> = (0..120).map(|n| format!("Src/f{n:03}.py")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(globbed(&files, &["src/*.py"], &[]).len(), 0);
    assert_eq!(globbed(&files, &["Src/*.PY"], &[]).len(), 120);
    assert_eq!(globbed(&files[..50], &["src/*.py"], &[]).len(), 50);
}

#[test]
fn bad_patterns_are_errors() {
    let project = Project::new(&[("BUCK", "")]);
    let everywhere =
        ["a**", "**a", ".**", "/*", "../*", "a/../*", "*/../b", "a/*//b", "a//**", "a/*/", "*/./b"];
    for bad in everywhere {
        assert!(try_in(&project, &[bad], &[]).is_err(), "{bad}");
        assert!(try_in(&project, &["*"], &[bad]).is_err(), "exclude {bad}");
    }
    for bad in ["/a", "a/", ".", "..", "./a", "a/./b", "a/.", "//"] {
        assert!(try_in(&project, &[bad], &[]).is_err(), "{bad}");
    }
    let error = try_in(&project, &["a/"], &[]).unwrap_err();
    assert_eq!(error, "glob `a/` ends with `/`, so it cannot match anything");
    assert_eq!(try_in(&project, &[], &[]), Ok(vec![]));
}

#[test]
fn only_owned_files_are_listed_and_a_linked_directory_is_one_entry() {
    let project = Project::new(&[
        (".buckconfig", "[cells]\nroot = .\nzc = c\n[project]\nignore = gen\n"),
        ("BUCK", ""),
        ("a/x.py", ""),
        ("sub/BUCK", ""),
        ("sub/x.py", ""),
        ("sub/deep/x.py", ""),
        ("gen/x.py", ""),
        ("c/x.py", ""),
    ]);
    project.link("linked", "a");
    assert_eq!(try_in(&project, &["**/*"], &[]).unwrap(), ["BUCK", "a/x.py", "linked"]);
    assert_eq!(try_in(&project, &["**/*.py"], &[]).unwrap(), ["a/x.py"]);
}

#[test]
fn the_common_prefix_is_that_of_buck2() {
    let cases: [(&[&str], &str); 9] = [
        (&["a/1", "a/2"], "a/"),
        (&["a/1", "b/1"], ""),
        (&["a/**/*.h", "a/**/*.c"], "a/"),
        (&["a/in/*.h", "a/**/*.c"], "a/"),
        (&["a/foo", "a/?"], "a/"),
        (&["f/[ab]/*", "f/[abc]/*"], "f/"),
        (&["\u{0306}", "\u{0307}"], ""),
        (&["abc", "ab"], "ab"),
        (&[], ""),
    ];
    for (patterns, expected) in cases {
        assert_eq!(common_prefix(patterns), expected, "{patterns:?}");
    }
}
