//! SARIF 2.1.0, which code scanning and editors read. Writes only to the writer it is given.
//!
//! Section numbers are those of <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use super::sources::{Position, Source, Sources};
use super::{SourceText, advice};
use crate::checks;
use crate::finding::{
    CheckId, Confidence, Evidence, FileEdit, Finding, Offer, Region, Report, Severity,
};
use crate::source::{Problem, ProjectPath};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What paths are relative to. Where that is on this machine is nobody's business.
const ROOT: &str = "%SRCROOT%";
/// GitHub refuses files that have more locations in one result.
const MAX_LOCATIONS: usize = 1000;

pub(super) fn render(
    report: &Report,
    source: SourceText<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut sources = Sources::new(source);
    let fingerprints = report.fingerprints();
    let findings = report.findings.iter().zip(&fingerprints).enumerate();
    let results: Vec<Value> = findings
        .map(|(at, (finding, print))| {
            let mut result = result(report, at, finding, print);
            let fix = report.offer(at).and_then(|offer| fix(report, finding, offer, &mut sources));
            result.extend(fix.map(|fix| ("fixes".to_owned(), json!([fix]))));
            result.into()
        })
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": CheckId::ALL.iter().copied().map(rule).collect::<Vec<_>>(),
            }},
            "invocations": [invocation(report)],
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository"}}},
            "results": results,
        }],
    });
    serde_json::to_writer(&mut *out, &log)?;
    writeln!(out)
}

fn rule(check: CheckId) -> Value {
    let text = checks::explain(check);
    json!({
        "id": check.as_str(),
        "name": format!("{check:?}"),
        "shortDescription": {"text": check.summary()},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": check.default_severity().as_str()},
        "properties": {
            "tags": ["maintainability"],
            "problem.severity": match check.default_severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
        },
    })
}

/// How the run went, with all that could not be read (3.20).
fn invocation(report: &Report) -> Value {
    let notification = |problem: &Problem| {
        let region = (problem.line > 0).then(|| json!({"startLine": problem.line}));
        let place = place(report, problem.path.as_str(), region);
        json!({
            "descriptor": {"id": problem.kind.as_str()},
            "level": if problem.costs_targets() { "error" } else { "warning" },
            "message": message(&problem.message),
            "locations": [{"physicalLocation": place}],
        })
    };
    json!({
        "executionSuccessful": report.is_complete(),
        "toolExecutionNotifications": report.problems.iter().map(notification).collect::<Vec<_>>(),
    })
}

fn result(report: &Report, at: usize, finding: &Finding, print: &str) -> Map<String, Value> {
    let text = advice(finding);
    let mut location = Map::new();
    let place = place(report, finding.region.path.as_str(), Some(region(&finding.region)));
    location.insert("physicalLocation".to_owned(), place);
    if let Some(target) = &finding.target {
        let logical = json!([{"fullyQualifiedName": target.to_string(), "kind": "target"}]);
        location.insert("logicalLocations".to_owned(), logical);
    }
    let mut result = object(json!({
        "ruleId": finding.check.as_str(),
        "ruleIndex": CheckId::ALL.iter().position(|check| *check == finding.check),
        "level": finding.severity.as_str(),
        "message": message(&text),
        "locations": [location],
        "partialFingerprints": {"secateur/v1": print},
        "rank": rank(finding.confidence),
        "properties": properties(finding, report.owner(at)),
    }));
    let evidence = finding.evidence.iter().take(MAX_LOCATIONS - 1);
    let evidence: Vec<Value> = evidence.map(|evidence| evidence_place(report, evidence)).collect();
    if finding.check.evidence_is_chain() && !evidence.is_empty() {
        let steps: Vec<Value> = evidence.into_iter().map(|it| json!({"location": it})).collect();
        let flow = json!([{"threadFlows": [{"locations": steps}]}]);
        result.insert("codeFlows".to_owned(), flow);
    } else if !evidence.is_empty() {
        result.insert("relatedLocations".to_owned(), evidence.into());
    }
    result
}

/// What the finding speaks of, where it speaks of it.
fn properties(finding: &Finding, owner: Option<&str>) -> Map<String, Value> {
    let entries = [
        ("confidence", Some(finding.confidence.as_str().to_owned())),
        ("target", finding.target.as_ref().map(ToString::to_string)),
        ("dep", finding.dep.as_ref().map(ToString::to_string)),
        ("module", finding.module.clone()),
        ("owner", owner.map(ToOwned::to_owned)),
    ];
    let entries = entries.into_iter();
    entries.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}

/// From 0 to 100, where 100 is of most interest (3.27.25).
fn rank(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::Certain => 90.0,
        Confidence::Likely => 60.0,
        Confidence::Possible => 30.0,
    }
}

fn evidence_place(report: &Report, evidence: &Evidence) -> Value {
    let region = json!({"startLine": evidence.line.max(1)});
    json!({
        "physicalLocation": place(report, &evidence.path, Some(region)),
        "message": message(&evidence.text),
    })
}

fn place(report: &Report, path: &str, region: Option<Value>) -> Value {
    let mut place = object(json!({"artifactLocation": artifact(report, path)}));
    place.extend(region.map(|region| ("region".to_owned(), region)));
    place.into()
}

fn artifact(report: &Report, path: &str) -> Value {
    json!({"uri": uri(&report.in_repository(path)), "uriBaseId": ROOT})
}

/// A whole line where the region says no more.
fn region(region: &Region) -> Value {
    if region.span.start == region.span.end {
        return json!({"startLine": region.line.max(1)});
    }
    json!({
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    })
}

/// The edits of an offer. A file that goes has no words in SARIF, and half a fix is none.
fn fix(
    report: &Report,
    finding: &Finding,
    offer: &Offer,
    sources: &mut Sources<'_>,
) -> Option<Value> {
    let mut by_file: BTreeMap<&ProjectPath, Vec<Value>> = BTreeMap::new();
    for edit in &offer.edits {
        let FileEdit::Replace { path, start, end, replacement } = edit else { return None };
        let deleted = span(sources.get(path)?, *start, *end);
        let inserted = json!({"deletedRegion": deleted, "insertedContent": {"text": replacement}});
        by_file.entry(path).or_default().push(inserted);
    }
    let changes = by_file.into_iter().map(|(path, replacements)| {
        json!({"artifactLocation": artifact(report, path.as_str()), "replacements": replacements})
    });
    let changes: Vec<Value> = changes.collect();
    let description = finding.hint.as_deref().unwrap_or(finding.check.summary());
    let safety = offer.safety.as_str();
    (!changes.is_empty()).then(|| {
        json!({
            "description": message(description),
            "artifactChanges": changes,
            "properties": {"safety": safety},
        })
    })
}

fn span(source: &Source, start: u32, end: u32) -> Value {
    let Position { line, column, .. } = source.position(start);
    let Position { line: end_line, column: end_column, .. } = source.position(end);
    json!({
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    })
}

/// A path as a relative reference: what RFC 3986 does not call unreserved is encoded, slashes aside.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// A text for people; braces would be placeholders (3.11.5).
fn message(text: &str) -> Value {
    json!({"text": text.replace('{', "{{").replace('}', "}}")})
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("a/b-c.d_e~f/0.py"), "a/b-c.d_e~f/0.py");
        assert_eq!(uri("c++/a b:é%#?.py"), "c%2B%2B/a%20b%3A%C3%A9%25%23%3F.py");
    }
}
