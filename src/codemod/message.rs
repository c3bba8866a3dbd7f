//! What a batch says about itself: what goes, why, and what shows it. Pure.

use super::patch::Message;
use super::plan::Batch;
use crate::finding::{CheckId, Finding};
use std::collections::BTreeMap;
use std::fmt::Write;

/// At most this many places are quoted for one finding.
const MAX_EVIDENCE: usize = 6;

/// The message of the commit that makes a batch; `saving` is a line on what it saves.
pub fn message(batch: &Batch, saving: Option<&str>) -> Message {
    let mut body = String::new();
    for finding in batch.findings() {
        entry(finding, &mut body);
    }
    if let Some(saving) = saving {
        let _ = writeln!(body, "{saving}.\n");
    }
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
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for finding in batch.findings() {
        *counts.entry(words(finding.check)).or_default() += 1;
    }
    let verb = counts.keys().next().map_or("Change", |(verb, ..)| *verb);
    let parts: Vec<String> = counts
        .iter()
        .map(|((_, one, many), count)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    let what = match parts.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    };
    format!("{verb} {what} ({})", batch.key)
}

fn words(check: CheckId) -> (&'static str, &'static str, &'static str) {
    match check {
        CheckId::UnusedDep => ("Remove", "unused dependency", "unused dependencies"),
        CheckId::DuplicateDep => ("Remove", "duplicate dependency", "duplicate dependencies"),
        CheckId::UnusedLoad => ("Remove", "unused load", "unused loads"),
        CheckId::StaleKeep => ("Remove", "stale comment", "stale comments"),
        CheckId::DeadModule => ("Remove", "dead module", "dead modules"),
        CheckId::DeadTarget => ("Remove", "dead target", "dead targets"),
        CheckId::MissingSource => ("Remove", "missing source", "missing sources"),
        CheckId::UmbrellaDep => ("Narrow", "umbrella dependency", "umbrella dependencies"),
        CheckId::MissingDep => ("Declare", "missing dependency", "missing dependencies"),
        CheckId::TransitiveDep => ("Declare", "transitive dependency", "transitive dependencies"),
        _ => ("Fix", "finding", "findings"),
    }
}
