//! Findings that were there before: written to a file for people to read, and left out of reports by their fingerprints.
//! Pure values; touches nothing.

use super::{Confidence, Finding, Report};
use crate::error::{Error, Result};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Rises when an older program could misread the file.
const SCHEMA_VERSION: u32 = 1;

/// The findings of some day, of which `lint` is to say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Sorted by what they speak of.
    entries: Vec<Entry>,
}

/// A finding as the file has it. Only `fingerprint` and `expires` decide; the rest is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file that the finding was in, relative to the project root.
    pub path: String,
    /// The name of the check.
    pub check: String,
    /// The target to edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The other end, where the check speaks of a dependency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dep: Option<String>,
    /// The dotted name, where the check speaks of a module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// How sure the finding was.
    pub confidence: Confidence,
    /// What stays the same when lines move, see [`Report::fingerprints`].
    pub fingerprint: String,
    /// Why the finding may stay. Written by people, as are the following.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The last day on which the entry silences the finding, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<E> {
    schema_version: u32,
    findings: E,
}

/// What leaving out the findings of a baseline came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baselined {
    /// Findings left out.
    pub known: usize,
    /// Findings that stand because their entry has expired.
    pub expired: usize,
    /// Entries whose finding is no longer there; sorted.
    pub gone: Vec<Entry>,
}

/// How a baseline differs from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Entries that were not there before.
    pub added: usize,
    /// Entries that were there before.
    pub kept: usize,
    /// Entries that are not there any more.
    pub dropped: usize,
    /// Entries that have expired, and so silence nothing.
    pub expired: usize,
}

impl Entry {
    fn new(finding: &Finding, fingerprint: String) -> Self {
        Self {
            path: finding.region.path.to_string(),
            check: finding.check.as_str().to_owned(),
            target: finding.target.as_ref().map(ToString::to_string),
            dep: finding.dep.as_ref().map(ToString::to_string),
            module: finding.module.clone(),
            confidence: finding.confidence,
            fingerprint,
            reason: None,
            author: None,
            expires: None,
        }
    }

    fn has_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

impl Baseline {
    /// Reads the text of a baseline; `place` is what messages call the file.
    ///
    /// Fails on anything that this program would not write, with its line.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let malformed = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            // The library names the place at the end, and we at the beginning.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Error::new(format!("not a baseline: {message}"))
                .at(format!("{place}:{line}:{column}"))
                .hint("correct the line, or remove the file and write it anew with `secateur baseline`")
        };
        let file: File<Vec<Entry>> = serde_json::from_str(text).map_err(malformed)?;
        if file.schema_version != SCHEMA_VERSION {
            let version = file.schema_version;
            let message =
                format!("the baseline has schema version {version}, not {SCHEMA_VERSION}");
            return Err(Error::new(message).at(place).hint("use the secateur that wrote it"));
        }
        Ok(Self::of_entries(file.findings))
    }

    fn of_entries(mut entries: Vec<Entry>) -> Self {
        entries.sort();
        Self { entries }
    }

    /// The text of the file: a field a line, so that version control shows and merges one entry at a time.
    pub fn render(&self) -> Result<String> {
        let file = File { schema_version: SCHEMA_VERSION, findings: &self.entries };
        let text = serde_json::to_string_pretty(&file);
        let text =
            text.map_err(|error| Error::new(format!("cannot write the baseline: {error}")))?;
        Ok(text + "\n")
    }

    /// The baseline of the report's findings. Those that were in this one keep what people wrote to them.
    pub fn renewed(&self, report: &Report, today: Date) -> (Self, Renewal) {
        let mut old: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in &self.entries {
            old.insert(&entry.fingerprint, entry);
        }
        let mut renewal = Renewal { dropped: old.len(), ..Renewal::default() };
        let findings = report.findings.iter().zip(report.fingerprints());
        let entries = findings.map(|(finding, fingerprint)| {
            let mut entry = Entry::new(finding, fingerprint);
            let Some(old) = old.get(entry.fingerprint.as_str()) else {
                renewal.added += 1;
                return entry;
            };
            entry.reason.clone_from(&old.reason);
            entry.author.clone_from(&old.author);
            entry.expires = old.expires;
            renewal.kept += 1;
            renewal.dropped -= 1;
            renewal.expired += usize::from(entry.has_expired(today));
            entry
        });
        (Self::of_entries(entries.collect()), renewal)
    }
}

impl Report {
    /// Leaves out the findings of a baseline. `is_asked` says whether a finding as in an entry would be in the report if
    /// it were there still; other entries are not called gone.
    pub fn leave_out(
        &mut self,
        baseline: &Baseline,
        today: Date,
        is_asked: &dyn Fn(&Entry) -> bool,
    ) {
        let (expired, valid): (Vec<&Entry>, Vec<&Entry>) =
            baseline.entries.iter().partition(|entry| entry.has_expired(today));
        let prints = |entries: &[&Entry]| -> BTreeSet<String> {
            entries.iter().map(|entry| entry.fingerprint.clone()).collect()
        };
        let (valid, expired) = (prints(&valid), prints(&expired));
        let fingerprints = self.fingerprints();
        let found: BTreeSet<&String> = fingerprints.iter().collect();
        let gone = baseline.entries.iter();
        let gone = gone.filter(|entry| !found.contains(&entry.fingerprint) && is_asked(entry));
        let mut baselined = Baselined { gone: gone.cloned().collect(), ..Baselined::default() };
        self.retain(|_, fingerprint| {
            let is_known = valid.contains(fingerprint);
            baselined.known += usize::from(is_known);
            baselined.expired += usize::from(expired.contains(fingerprint));
            !is_known
        });
        self.baseline = Some(baselined);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CheckId, Region};
    use super::*;
    use crate::source::ProjectPath;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 5, 17);

    fn finding(module: &str, line: u32) -> Finding {
        let region = Region::line(ProjectPath::new("a/BUCK"), line);
        let confidence = Confidence::Certain;
        let mut finding = Finding::new(CheckId::DeadModule, confidence, region, module.into());
        finding.module = Some(module.to_owned());
        finding
    }

    fn report(findings: &[Finding]) -> Report {
        Report { findings: findings.to_vec(), ..Report::default() }
    }

    fn baseline_of(findings: &[Finding]) -> Baseline {
        Baseline::default().renewed(&report(findings), TODAY).0
    }

    fn left_out(findings: &[Finding], baseline: &Baseline) -> (Vec<String>, Baselined) {
        let mut report = report(findings);
        report.leave_out(baseline, TODAY, &|_| true);
        let left = report.findings.iter().map(|finding| finding.module.clone().unwrap());
        (left.collect(), report.baseline.clone().unwrap())
    }

    #[test]
    fn the_file_is_read_as_it_was_written() {
        let baseline = baseline_of(&[finding("b", 9), finding("a", 10)]);
        let text = baseline.render().unwrap();
        insta::assert_snapshot!(text, @r#"
        {
          "schema_version": 1,
          "findings": [
            {
              "path": "a/BUCK",
              "check": "dead-module",
              "module": "a",
              "confidence": "certain",
              "fingerprint": "ac9c118a8f01e47a"
            },
            {
              "path": "a/BUCK",
              "check": "dead-module",
              "module": "b",
              "confidence": "certain",
              "fingerprint": "1f351f0f7f85460b"
            }
          ]
        }
        "#);
        assert_eq!(Baseline::parse("x", &text).unwrap(), baseline);
    }

    #[test]
    fn findings_that_moved_are_known_and_new_ones_are_not() {
        let baseline = baseline_of(&[finding("a", 1), finding("b", 2)]);
        let (left, baselined) = left_out(&[finding("c", 1), finding("a", 70)], &baseline);
        assert_eq!(left, ["c"]);
        assert_eq!((baselined.known, baselined.expired), (1, 0));
        assert_eq!(baselined.gone[0].module.as_deref(), Some("b"));
    }

    #[test]
    fn one_more_of_equal_findings_is_new_and_keeps_its_fingerprint() {
        let both = [finding("a", 1), finding("a", 5)];
        let mut report = report(&both);
        let all = report.fingerprints();
        report.leave_out(&baseline_of(&both[..1]), TODAY, &|_| true);
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.fingerprints(), all[1..]);
    }

    #[test]
    fn an_entry_silences_through_its_last_day() {
        for (expires, expected) in [(date(2026, 5, 17), 0), (date(2026, 5, 16), 1)] {
            let mut baseline = baseline_of(&[finding("a", 1)]);
            baseline.entries[0].expires = Some(expires);
            let (left, baselined) = left_out(&[finding("a", 1)], &baseline);
            assert_eq!(
                (left.len(), baselined.expired, baselined.known),
                (expected, expected, 1 - expected)
            );
        }
    }

    #[test]
    fn what_people_wrote_is_kept() {
        let mut old = baseline_of(&[finding("a", 1), finding("b", 1)]);
        old.entries[0].reason = Some("later".into());
        old.entries[0].author = Some("me".into());
        old.entries[0].expires = Some(date(2026, 1, 1));
        let now = report(&[finding("a", 3), finding("c", 1)]);
        let (new, renewal) = old.renewed(&now, TODAY);
        assert_eq!(new.entries[0], old.entries[0]);
        assert_eq!(renewal, Renewal { added: 1, kept: 1, dropped: 1, expired: 1 });
    }

    #[test]
    fn malformed_files_are_refused_with_their_place() {
        for (text, expected) in [
            ("", "b.json:1:0: not a baseline: EOF while parsing a value"),
            (
                "{\n\"schema_version\": 1,\n\"findings\": [{\"pth\": 1}]}",
                "b.json:3:19: not a baseline: unknown field `pth`",
            ),
            (
                "{\"schema_version\": 2, \"findings\": []}",
                "b.json: the baseline has schema version 2, not 1",
            ),
            ("<<<<<<< ours\n", "b.json:1:1: not a baseline: expected value"),
        ] {
            let error = Baseline::parse("b.json", text).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
            assert!(error.hint_text().is_some());
        }
        let text = baseline_of(&[finding("a", 1)]).render().unwrap();
        let text = text.replace("\"fingerprint\"", "\"expires\": \"2026-13-01\",\n\"fingerprint\"");
        let error = Baseline::parse("b.json", &text).unwrap_err().to_string();
        assert!(error.starts_with("b.json:9:"), "{error}");
    }
}
