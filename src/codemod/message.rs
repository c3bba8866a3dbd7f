//! What a batch says about itself: what goes, why, and what shows it. Pure.

use super::patch::Message;
use super::plan::Batch;
use crate::finding::{CheckId, Finding};
use std::collections::BTreeMap;
use std::fmt::Write;

/// At most this many places are quoted for one finding.
const MAX_EVIDENCE: usize = 6;

/// The message of the commit that makes a batch.
pub fn message(batch: &Batch) -> Message {
    let mut body = String::new();
    for finding in batch.findings() {
        entry(finding, &mut body);
    }
    let _ = writeln!(body, "{}.\n", capitalized(&batch.saving.to_string()));
    body.push_str(
        "Each edit was proven by evaluating the build files again: what is named here changes, and\nnothing else.\n",
    );
    Message { subject: subject(batch), body }
}

fn entry(finding: &Finding, body: &mut String) {
    let region = &finding.region;
    let (check, confidence) = (finding.check.as_str(), finding.confidence.as_str());
    let _ = writeln!(body, "{}:{}: {check} ({confidence})", region.path, region.line);
    let _ = writeln!(body, "  {}", finding.message);
    for evidence in finding.evidence.iter().take(MAX_EVIDENCE) {
        let _ = writeln!(body, "  - {}:{}: {}", evidence.path, evidence.line, evidence.text);
    }
    if let Some(more) = finding.evidence.len().checked_sub(MAX_EVIDENCE).filter(|more| *more > 0) {
        let _ = writeln!(body, "  - and {more} more");
    }
    body.push('\n');
}

/// `Remove 3 unused dependencies and 1 unused load (eta_data)`
fn subject(batch: &Batch) -> String {
    let mut verbs: BTreeMap<&str, BTreeMap<(&str, &str), usize>> = BTreeMap::new();
    for finding in batch.findings() {
        let (verb, one, many) = words(finding.check);
        *verbs.entry(verb).or_default().entry((one, many)).or_default() += 1;
    }
    let clauses: Vec<String> = verbs.iter().map(|(verb, counts)| clause(verb, counts)).collect();
    let text = clauses.join(", ");
    format!("{} ({})", capitalized(&text), batch.key)
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn clause(verb: &str, counts: &BTreeMap<(&str, &str), usize>) -> String {
    let part = |((one, many), count): (&(&str, &str), &usize)| {
        format!("{count} {}", if *count == 1 { one } else { many })
    };
    let parts: Vec<String> = counts.iter().map(part).collect();
    match parts.as_slice() {
        [most @ .., last] if !most.is_empty() => {
            format!("{verb} {} and {last}", most.join(", "))
        }
        parts => format!("{verb} {}", parts.concat()),
    }
}

fn words(check: CheckId) -> (&'static str, &'static str, &'static str) {
    match check {
        CheckId::UnusedDep => ("remove", "unused dependency", "unused dependencies"),
        CheckId::DuplicateDep => ("remove", "duplicate dependency", "duplicate dependencies"),
        CheckId::UnusedLoad => ("remove", "unused load", "unused loads"),
        CheckId::StaleKeep => ("remove", "stale comment", "stale comments"),
        CheckId::DeadModule => ("remove", "dead module", "dead modules"),
        CheckId::DeadTarget => ("remove", "dead target", "dead targets"),
        CheckId::MissingSource => ("remove", "missing source", "missing sources"),
        CheckId::UmbrellaDep => ("narrow", "umbrella dependency", "umbrella dependencies"),
        CheckId::MissingDep => ("declare", "missing dependency", "missing dependencies"),
        CheckId::TransitiveDep => ("declare", "transitive dependency", "transitive dependencies"),
        _ => ("fix", "finding", "findings"),
    }
}
