//! Tests of `buckconfig`, on files in a temporary directory.

use super::*;
use std::fs;

fn parse_with(files: &[(&str, &str)], follow_includes: bool) -> BuckConfig {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let contents = Contents::new();
    let mut parser = ConfigParser::new(dir.path(), &contents, follow_includes);
    assert!(parser.file(&dir.path().join(files[0].0)));
    parser.finish()
}

fn parse(text: &str) -> BuckConfig {
    parse_with(&[(".buckconfig", text)], true)
}

fn messages(config: &BuckConfig) -> Vec<String> {
    config.problems().map(|p| format!("{}:{}: {}", p.path, p.line, p.message)).collect()
}

#[test]
fn comments_end_sections_but_not_values() {
    let config = parse("# c\n; c\n[s] # @oss-enable\n  k = v # kept \n  l=a=b\n");
    assert_eq!(config.get("s", "k"), Some("v # kept"));
    assert_eq!(config.get("s", "l"), Some("a=b"));
    assert_eq!(messages(&config), [""; 0]);
}

#[test]
fn lines_join_without_separator_and_before_comments_are_dropped() {
    let config = parse("[s]\nk = a,\\\n   b, \\\n  # c\nl = x \\\n\n m = y\n");
    assert_eq!(config.get("s", "k"), Some("a,b, # c"));
    assert_eq!(config.get("s", "l"), Some("x"));
    assert_eq!(config.get("s", "m"), Some("y"));
    assert_eq!(config.place("s", "m").unwrap().1, 7);
}

#[test]
fn sections_repeat_the_last_value_wins_and_loose_keys_have_a_section() {
    let config = parse("k = 0\n[a]\nk = 1\n[b]\n[a]\nk = 2\n");
    assert_eq!(config.get("a", "k"), Some("2"));
    assert_eq!(config.get("__unspecified__", "k"), Some("0"));
    assert!(config.has_section("b") && !config.has_section("c"));
}

#[test]
fn lists_are_not_trimmed() {
    let config = parse("[b]\nname = TARGETS, BUCK\n");
    assert_eq!(config.get_list("b", "name"), Some(vec!["TARGETS", " BUCK"]));
}

#[test]
fn bad_lines_are_problems_and_the_rest_is_read() {
    let config = parse("[a\nwhat\n= v\n[b]\nk = v\n");
    assert_eq!(config.get("b", "k"), Some("v"));
    assert_eq!(
        messages(&config),
        [
            ".buckconfig:1: `[a` lacks a `]`",
            ".buckconfig:2: `what` is no section, no `key = value` and no include",
            ".buckconfig:3: the key is empty",
        ]
    );
}

#[test]
fn includes_share_the_current_section_in_both_directions() {
    let files = [
        ("c/main", "[s]\n<file:../d/inc>\nafter = 1\n<?file:none>\n<file:missing>\n"),
        ("d/inc", "inside = 2\n[t]\n"),
    ];
    let config = parse_with(&files, true);
    assert_eq!(config.get("s", "inside"), Some("2"));
    assert_eq!(config.get("t", "after"), Some("1"));
    assert_eq!(messages(&config), ["c/main:5: included file `missing` does not exist"]);
    assert_eq!(config.place("s", "inside"), Some((&ProjectPath::new("d/inc"), 1)));

    let unfollowed = parse_with(&files, false);
    assert_eq!(unfollowed.get("s", "after"), Some("1"));
    assert!(!unfollowed.has_section("t"));
}

#[test]
fn an_include_whose_path_holds_an_equals_sign_is_a_key() {
    let config = parse("[s]\n<file:a=b>\n");
    assert_eq!(config.get("s", "<file:a"), Some("b>"));
}

#[test]
fn an_include_cycle_is_a_problem() {
    let config = parse_with(&[("a", "<file:b>\n[s]\nk=1\n"), ("b", "<file:./a>\n")], true);
    assert_eq!(config.get("s", "k"), Some("1"));
    assert_eq!(messages(&config), ["b:1: `./a` includes itself"]);
}

#[test]
fn references_resolve_after_merging_and_missing_ones_are_empty() {
    let config =
        parse("[s]\na = <$(config s.b)$(config no.ne)>\nb = $(config t.c.d)!\n[t]\nc.d = 1");
    assert_eq!(config.get("s", "a"), Some("<1!>"));
    assert_eq!(messages(&config), [""; 0]);
}

#[test]
fn reference_cycles_and_bad_references_are_problems() {
    let config = parse("[s]\na = $(config s.b)\nb = $(config s.a)\nc = $(config x)y\n");
    assert_eq!(config.get("s", "c"), Some("y"));
    assert_eq!(
        messages(&config),
        [
            ".buckconfig:2: `s.a` refers to itself",
            ".buckconfig:4: `$(config x)`: it has no `.` between section and key",
        ]
    );
}

#[test]
fn references_that_double_are_stopped() {
    let mut text = String::from("[s]\nk0 = xxxxxxxx\n");
    for n in 1..64 {
        let m = n - 1;
        let line = format!("k{n} = $(config s.k{m})$(config s.k{m})\n");
        text.push_str(&line);
    }
    assert!(messages(&parse(&text)).iter().any(|m| m.contains("bytes after its references")));
}

#[test]
fn flags_set_unset_and_take_part_in_references() {
    let config = parse("[s]\na = $(config s.b)\nb = 1\nc = 2\n");
    let flags = ["s.b=9", "s.c=", "n.k=v"].map(|flag| ConfigFlag::parse(flag).unwrap());
    let config = config.with_flags(&flags);
    assert_eq!(config.get("s", "a"), Some("9"));
    assert_eq!(config.get("s", "c"), None);
    assert_eq!(config.get("n", "k"), Some("v"));
}

#[test]
fn a_directory_where_a_file_should_be_is_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(".buckconfig")).unwrap();
    let contents = Contents::new();
    let mut parser = ConfigParser::new(dir.path(), &contents, true);
    assert!(parser.file(&dir.path().join(".buckconfig")));
    let config = parser.finish();
    assert_eq!(config.problems().next().unwrap().kind, ProblemKind::Unreadable);
}
