//! The formats of `lint` against the schemas of those who read them, and where reports go.

use crate::support::{Project, repository, secateur, secateur_in};
use jsonschema::{Draft, Validator};
use secateur::cli::{Exit, Surroundings};
use secateur::workspace::Environment;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const SAMPLES: [&str; 2] = ["sample-repos/ml-monorepo", "sample-repos/fbcode-export"];

/// A dependency too many, in a file that ends lines as Windows does and has more bytes than characters.
const SPARE: &str = "
//- secateur.toml
[roots]
targets = [\"//app:é\"]
//- app/BUCK
oncall(\"app_team\")
python_library(
    name = \"é\",
    srcs = [\"main.py\"],
    deps = [\":a\", \"//é:x\"],
)
python_library(name = \"a\", srcs = [\"a.py\"])
//- app/main.py
import app.a
//- app/a.py
A = 1
//- é/BUCK
python_library(name = \"x\", srcs = [\"x.py\"], visibility = [\"PUBLIC\"])
python_binary(name = \"run\", main = \"x.py\", deps = [\":x\"])
//- é/x.py
X = 1
";

fn schema(path: &str, draft: Draft) -> Validator {
    let text = fs::read_to_string(repository().join(path)).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::options().with_draft(draft).should_validate_formats(true).build(&schema).unwrap()
}

fn assert_valid(validator: &Validator, value: &Value) {
    let errors = validator.iter_errors(value);
    let errors: Vec<String> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
}

fn report(dir: &Path, format: &str) -> Value {
    let outcome = secateur(dir, &format!("lint --edits all --format {format}"));
    serde_json::from_str(&outcome.out).unwrap()
}

/// What stands at a path, in all objects and lists below it.
fn all<'v>(value: &'v Value, path: &[&str]) -> Vec<&'v Value> {
    let Some((first, rest)) = path.split_first() else { return vec![value] };
    let next: Vec<&Value> = match &value[first] {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    };
    next.into_iter().flat_map(|value| all(value, rest)).collect()
}

#[test]
fn sarif_is_what_its_standard_says() {
    let validator = schema("tests/schemas/sarif-schema-2.1.0.json", Draft::Draft4);
    for sample in SAMPLES {
        let log = report(&repository().join(sample), "sarif");
        assert_valid(&validator, &log);
        assert!(all(&log, &["runs", "results", "fixes"]).len() > 3, "{sample}");
        assert!(!all(&log, &["runs", "results", "codeFlows"]).is_empty(), "{sample}");
        let rules = all(&log, &["runs", "tool", "driver", "rules", "id"]);
        for result in all(&log, &["runs", "results"]) {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(&result["ruleId"], rules[index]);
        }
    }
    assert_valid(&validator, &report(&Project::new("").path(""), "sarif"));
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0"})), "it takes anything");
}

#[test]
fn rdjson_is_what_reviewdog_takes() {
    let validator = schema("tests/schemas/rdf-diagnostic-result.schema.json", Draft::Draft4);
    for sample in SAMPLES {
        let result = report(&repository().join(sample), "rdjson");
        assert_valid(&validator, &result);
        assert!(all(&result, &["diagnostics", "suggestions"]).len() > 3, "{sample}");
    }
    let wrong = serde_json::json!({"diagnostics": [{"severity": "warning"}]});
    assert!(!validator.is_valid(&wrong), "it takes anything");
}

#[test]
fn lines_have_the_published_form() {
    let validator = schema("docs/schema/finding.schema.json", Draft::Draft202012);
    for sample in SAMPLES {
        let outcome = secateur(&repository().join(sample), "lint --edits all --format jsonl");
        for line in outcome.out.lines() {
            assert_valid(&validator, &serde_json::from_str(line).unwrap());
        }
        assert!(outcome.out.lines().count() > 3, "{sample}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"schema_version": 1})), "it takes anything");
}

#[test]
fn fingerprints_of_code_quality_are_unique() {
    for sample in SAMPLES {
        let issues = report(&repository().join(sample), "gitlab");
        let issues = issues.as_array().unwrap();
        let prints: BTreeSet<_> = issues.iter().map(|it| it["fingerprint"].as_str()).collect();
        assert_eq!(prints.len(), issues.len());
        assert!(issues.iter().all(|it| it["location"]["lines"]["begin"].as_u64().unwrap() > 0));
    }
}

/// The byte at a line and column, which count from 1; columns are characters, or bytes.
fn offset(text: &str, place: (&Value, &Value), in_bytes: bool) -> usize {
    let [line, column] = [place.0, place.1].map(|number| number.as_u64().unwrap() as usize);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    if in_bytes {
        return start + column - 1;
    }
    start + text[start..].chars().take(column - 1).map(char::len_utf8).sum::<usize>()
}

#[test]
fn all_formats_offer_the_same_edit() {
    for newline in ["\n", "\r\n"] {
        let project = Project::new(SPARE);
        let path = project.path("app/BUCK");
        let text = format!("\u{feff}{}", fs::read_to_string(&path).unwrap().replace('\n', newline));
        fs::write(&path, &text).unwrap();
        let fixed = text.replace(", \"//é:x\"", "");
        let json = report(&project.path(""), "json");
        let edit = &json["findings"][0]["fix"]["edits"][0];
        let (start, end) = (edit["start"].as_u64().unwrap(), edit["end"].as_u64().unwrap());
        let mut by_bytes = text.clone();
        by_bytes.replace_range(start as usize..end as usize, edit["replacement"].as_str().unwrap());
        assert_eq!(by_bytes, fixed);

        let sarif = report(&project.path(""), "sarif");
        let change = &sarif["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0];
        let change = &change["replacements"][0];
        let region = &change["deletedRegion"];
        // The byte order mark is no character of the text.
        let mut marked = text.trim_start_matches('\u{feff}').to_owned();
        let start = offset(&marked, (&region["startLine"], &region["startColumn"]), false);
        let end = offset(&marked, (&region["endLine"], &region["endColumn"]), false);
        marked.replace_range(start..end, change["insertedContent"]["text"].as_str().unwrap());
        assert_eq!(format!("\u{feff}{marked}"), fixed);

        let rdjson = report(&project.path(""), "rdjson");
        let suggestion = &rdjson["diagnostics"][0]["suggestions"][0];
        let (from, to) = (&suggestion["range"]["start"], &suggestion["range"]["end"]);
        let mut suggested = text.clone();
        let start = offset(&text, (&from["line"], &from["column"]), true);
        let end = offset(&text, (&to["line"], &to["column"]), true);
        suggested.replace_range(start..end, suggestion["text"].as_str().unwrap());
        assert_eq!(suggested, fixed);
    }
}

#[test]
fn paths_are_those_of_the_repository_and_owners_are_named() {
    let repository = tempfile::tempdir().unwrap();
    fs::create_dir(repository.path().join(".git")).unwrap();
    fs::rename(Project::new(SPARE).path(""), repository.path().join("sub")).unwrap();
    for (format, expected) in [
        ("json", "\"path\":\"app/BUCK\""),
        ("json", "\"owner\":\"app_team\""),
        ("jsonl", "\"owner\":\"app_team\""),
        ("sarif", "\"uri\":\"sub/app/BUCK\",\"uriBaseId\":\"%SRCROOT%\""),
        ("sarif", "\"owner\":\"app_team\""),
        ("github", ",file=sub/app/BUCK,line=5,"),
        ("github", "%0Aowner: app_team\n"),
        ("rdjson", "\"path\":\"sub/app/BUCK\""),
        ("gitlab", "\"path\":\"sub/app/BUCK\""),
        ("junit", "file=\"sub/app/BUCK\" line=\"5\""),
        ("junit", "owner: app_team<"),
        ("markdown", "`sub/app/BUCK:5` (certain, owner `app_team`)"),
    ] {
        let outcome = secateur(&repository.path().join("sub"), &format!("lint --format {format}"));
        assert_eq!(outcome.exit, Exit::Findings);
        assert!(outcome.out.contains(expected), "{format}: {}", outcome.out);
    }
}

/// Runs with a file that takes the summary of a step.
fn in_github(project: &Project, summary: &str, args: &str) -> (Exit, String) {
    let environment = Environment { current_dir: project.path(""), ..Environment::default() };
    let step_summary = Some(project.path(summary));
    let surroundings = Surroundings { environment, step_summary, ..Surroundings::default() };
    let outcome = secateur_in(&surroundings, args);
    (outcome.exit, outcome.err)
}

#[test]
fn the_summary_of_a_github_step_is_added_to_and_stays_within_its_limit() {
    let project = Project::new(SPARE);
    project.add("summary.md", "before\n");
    in_github(&project, "summary.md", "lint");
    assert_eq!(fs::read_to_string(project.path("summary.md")).unwrap(), "before\n");
    in_github(&project, "summary.md", "lint --format github");
    let summary = fs::read_to_string(project.path("summary.md")).unwrap();
    let text = project.secateur("lint --format markdown").out;
    assert_eq!(summary, format!("before\n{text}"));
    in_github(&project, "summary.md", "lint --output github:log");
    assert_eq!(fs::read_to_string(project.path("summary.md")).unwrap(), summary + &text);

    for taken in [(1 << 20) - 300, (1 << 20) - 10, 1 << 21] {
        project.add("summary.md", &"x".repeat(taken));
        assert_eq!(in_github(&project, "summary.md", "lint --format github").0, Exit::Findings);
        let length = fs::metadata(project.path("summary.md")).unwrap().len() as usize;
        assert!(length <= taken.max(1 << 20), "{taken}: {length}");
    }

    let (exit, err) = in_github(&project, "no/such.md", "lint --format github");
    assert_eq!(exit, Exit::Failed);
    assert!(err.contains("/no/such.md: ") && err.contains("hint: GITHUB_STEP_SUMMARY"), "{err}");
}

#[test]
fn several_files_are_written_and_one_that_cannot_be_keeps_none_from_it() {
    let project = Project::new(SPARE);
    let formats = "text concise json jsonl sarif github rdjson gitlab junit markdown";
    let outputs = formats.split(' ').map(|format| format!(" --output {format}:out.{format}"));
    let args = format!("lint --output json:no/a --output sarif:app{}", outputs.collect::<String>());
    let outcome = project.secateur(&args);
    assert_eq!(outcome.exit, Exit::Failed);
    assert_eq!(outcome.out, project.secateur("lint").out, "stdout comes first");
    for part in ["error: cannot write no/a: ", "; cannot write app: ", "\nhint: --output needs "] {
        assert!(outcome.err.contains(part), "{}", outcome.err);
    }
    for format in formats.split(' ') {
        let written = fs::read_to_string(project.path(&format!("out.{format}"))).unwrap();
        assert_eq!(written, project.secateur(&format!("lint --format {format}")).out);
    }
}
