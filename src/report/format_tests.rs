//! Tests of the formats for machines and reviewers: a snapshot of each, and names that would break out of it.

use super::tests::{BUILD_FILE, rendered, report, unused};
use super::*;
use crate::finding::{
    CheckId, Evidence, FileEdit, Finding, Offer, Region, Report, Safety, Saving, Severity,
};
use crate::label::Label;
use crate::source::ProjectPath;
use serde_json::Value;

/// What breaks escapes: of workflow commands, URIs, XML, Markdown, JSON, lines.
const NASTY: &str = "a b/{0}%,x:é|<i>&\"'`]]>\r\n\u{1b}[31m[z](y).py";

fn nasty() -> Finding {
    let path = ProjectPath::new(NASTY);
    Finding {
        check: CheckId::TransitiveDep,
        severity: Severity::Error,
        target: Label::parse_full("root//app|<x>:app"),
        region: Region { path, ..Region::line(ProjectPath::root(), 7) },
        message: format!("`{NASTY}` is @all *wrong*"),
        evidence: vec![
            Evidence { path: NASTY.into(), line: 3, text: format!("`{NASTY}`") },
            Evidence { path: "b.py".into(), line: 0, text: "leads on".into() },
        ],
        ..unused()
    }
}

/// Takes the line of `unused` away, in a file with a comma, too.
fn offer() -> Offer {
    let start = BUILD_FILE.find("\t\"//é").unwrap() as u32;
    let path = ProjectPath::new("app/BUCK");
    let end = start + "\t\"//é:old\",\n".len() as u32;
    let edits = vec![FileEdit::Replace { path, start, end, replacement: String::new() }];
    Offer { safety: Safety::Safe, edits, saving: Saving::default() }
}

/// The report of the other tests and a nasty finding, from a project inside of its repository.
fn whole() -> Report {
    let mut report = report();
    report.findings.push(nasty());
    report.offers = vec![None, None, Some(offer()), None];
    report.owners = vec![None, None, Some("team".into()), Some("@org/a`b".into())];
    report.prefix = "sub dir/".into();
    report
}

fn plain(format: Format, report: &Report) -> String {
    rendered(format, report, Look::default())
}

#[test]
fn jsonl() {
    insta::assert_snapshot!(plain(Format::Jsonl, &whole()));
}

#[test]
fn a_line_of_jsonl_is_the_finding_of_json() {
    let report = whole();
    let json: Value = serde_json::from_str(&plain(Format::Json, &report)).unwrap();
    for (at, line) in plain(Format::Jsonl, &report).lines().enumerate() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line.as_object_mut().unwrap().remove("schema_version"), Some(1.into()));
        assert_eq!(line, json["findings"][at]);
    }
}

#[test]
fn sarif() {
    let mut log: Value = serde_json::from_str(&plain(Format::Sarif, &whole())).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap();
    for (rule, check) in rules.iter().zip(CheckId::ALL) {
        assert_eq!(rule["id"], check.as_str());
        assert_eq!(rule["help"]["markdown"], crate::checks::explain(*check));
    }
    rules.truncate(1);
    rules[0].as_object_mut().unwrap().remove("help");
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).unwrap());
}

#[test]
fn github() {
    insta::assert_snapshot!(plain(Format::Github, &whole()));
}

#[test]
fn nasty_names_stay_inside_of_workflow_commands() {
    let report = Report { findings: vec![nasty()], ..Report::default() };
    let expected = concat!(
        "::error title=secateur%3A transitive-dep,",
        "file=a b/{0}%25%2Cx%3Aé|<i>&\"'`]]>%0D%0A\u{1b}[31m[z](y).py,",
        "line=7,endLine=7::",
        "`a b/{0}%25,x:é|<i>&\"'`]]>␍ ␛[31m[z](y).py` is @all *wrong* (certain)%0A",
        "a b/{0}%25,x:é|<i>&\"'`]]>␍ ␛[31m[z](y).py:3: `a b/{0}%25,x:é|<i>&\"'`]]>␍ ␛[31m[z](y).py`%0A",
        "b.py:0: leads on%0A",
        "help: remove it\n",
    );
    assert_eq!(plain(Format::Github, &report), expected);
}

/// As many findings of each severity.
fn many(errors: usize, warnings: usize, notes: usize) -> Report {
    let of = |severity, number| (0..number).map(move |_| Finding { severity, ..unused() });
    let findings = of(Severity::Note, notes).chain(of(Severity::Warning, warnings));
    Report { findings: findings.chain(of(Severity::Error, errors)).collect(), ..Report::default() }
}

#[test]
fn github_is_told_what_matters_most_and_how_much_is_left_out() {
    for (errors, warnings, notes, left_out) in [
        (10, 10, 10, None),
        (0, 0, 11, Some("::notice title=secateur::2 of 11 findings ")),
        (11, 0, 9, Some("::notice title=secateur::1 of 20 findings ")),
        (11, 0, 10, Some("::notice title=secateur::2 of 21 findings ")),
        (1, 14, 0, Some("::notice title=secateur::4 of 15 findings ")),
    ] {
        let text = plain(Format::Github, &many(errors, warnings, notes));
        let found = text.lines().find(|line| line.contains("title=secateur::"));
        let begin = found.map(|line| &line[..line.len().min(42)]);
        assert_eq!(begin.map(str::len), left_out.map(str::len), "{found:?}");
        assert_eq!(begin, left_out);
        let kinds: Vec<&str> =
            text.lines().filter_map(|line| line[2..].split(' ').next()).collect();
        let own = usize::from(left_out.is_some());
        assert_eq!(kinds.len(), errors + warnings + notes + own);
        let order = ["error", "warning", "notice"];
        let rank = |kind: &&str| order.iter().position(|known| known == kind);
        assert!(kinds[own..].iter().is_sorted_by_key(rank), "{kinds:?}");
    }
    let mut report = many(0, 10, 0);
    report.coverage.packages_failed = 1;
    let text = plain(Format::Github, &report);
    assert!(text.contains("1 of 10 findings "), "{text}");
    assert!(text.contains("::warning title=secateur::part of the repository"), "{text}");
}

#[test]
fn rdjson() {
    let value: Value = serde_json::from_str(&plain(Format::Rdjson, &whole())).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

/// The suggestions of `unused` with these edits of `app/BUCK`.
fn suggestions(edits: &[(&str, &str)], more: Option<FileEdit>) -> Value {
    let edit = |(gone, come): &(&str, &str)| {
        let start = BUILD_FILE.find(gone).unwrap();
        let (start, end) = (start as u32, (start + gone.len()) as u32);
        let path = ProjectPath::new("app/BUCK");
        FileEdit::Replace { path, start, end, replacement: (*come).to_owned() }
    };
    let edits = edits.iter().map(edit).chain(more).collect();
    let offers = vec![Some(Offer { edits, ..offer() })];
    let report = Report { findings: vec![unused()], offers, ..Report::default() };
    let text = plain(Format::Rdjson, &report);
    serde_json::from_str::<Value>(&text).unwrap()["diagnostics"][0]["suggestions"].take()
}

#[test]
fn a_suggestion_is_the_whole_fix_or_none() {
    let place = |line, column| serde_json::json!({"line": line, "column": column});
    let one = |start, end, text| serde_json::json!([{"range": {"start": start, "end": end}, "text": text}]);
    let line = |line| serde_json::json!({"line": line});
    // Within a line; columns count bytes.
    assert_eq!(suggestions(&[(":old", ":é")], None), one(place(4, 7), place(4, 11), ":é"));
    // Two edits are one suggestion with what stands between them.
    let edits = [("app", "é"), ("//é", "//x")];
    let text = "é\",\n    deps = [\n\t\"//x";
    assert_eq!(suggestions(&edits, None), one(place(2, 13), place(4, 7), text));
    // Whole lines.
    let edits = [("    deps = [\n\t\"//é:old\",\n    ],\n", "    deps = [],\n")];
    assert_eq!(suggestions(&edits, None), one(line(3), line(5), "    deps = [],"));
    // An empty line is no removed line.
    let edits = [("\t\"//é:old\",\n", "\n")];
    assert_eq!(suggestions(&edits, None), one(place(4, 1), place(5, 1), "\n"));
    // Other files.
    let delete = FileEdit::Delete { path: ProjectPath::new("app/main.py") };
    assert_eq!(suggestions(&[(":old", "")], Some(delete)), Value::Null);
}

#[test]
fn gitlab() {
    let value: Value = serde_json::from_str(&plain(Format::Gitlab, &whole())).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn junit() {
    insta::assert_snapshot!(plain(Format::Junit, &whole()));
}

#[test]
fn a_clean_report_is_a_passing_test() {
    insta::assert_snapshot!(plain(Format::Junit, &Report::default()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="secateur" tests="1" failures="0" errors="0">
      <testsuite name="secateur" tests="1" failures="0" errors="0">
        <testcase classname="secateur" name="everything was read"/>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn markdown() {
    insta::assert_snapshot!(plain(Format::Markdown, &whole()));
}

#[test]
fn markdown_ends_where_the_room_does_and_says_so() {
    let report = many(0, 1000, 0);
    let comment = plain(Format::Markdown, &report);
    assert!(comment.len() <= 65_536 && comment.len() > 60_000, "{}", comment.len());
    let shown = comment.lines().filter(|line| line.starts_with("- **")).count();
    let end =
        format!("</details>\n\n… and {} other findings: there is no room for more\n", 1000 - shown);
    assert!(comment.ends_with(&end) && !comment.contains("<details open>"), "{comment}");
    assert_eq!(job_summary(&report, 1 << 20).matches("\n- **").count(), 1000);
    assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
}

#[test]
fn clean_reports_are_short() {
    let report = Report::default();
    assert_eq!(plain(Format::Github, &report), "");
    assert_eq!(plain(Format::Jsonl, &report), "");
    assert_eq!(plain(Format::Gitlab, &report), "[]\n");
    assert_eq!(
        plain(Format::Rdjson, &report),
        "{\"source\":{\"name\":\"secateur\"},\"diagnostics\":[]}\n"
    );
    let expected = "## secateur\n\nno findings\n\nread 0 build files, 0 Python files, 0 targets\n";
    assert_eq!(plain(Format::Markdown, &report), expected);
}
