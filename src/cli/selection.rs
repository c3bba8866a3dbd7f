//! What to check and what fails: the options of `lint` over the settings. Pure; touches nothing.

use super::args::{Codemod, Lint};
use crate::checks::{Selection, There};
use crate::error::{Error, Result};
use crate::finding::{CheckId, Confidence, Severity};
use crate::workspace::{
    self, CheckSeverity, FailOn, LintPath, MinConfidence, Origin, Pattern, Settings, Workspace,
};
use std::collections::BTreeMap;

/// What the command line and the settings select.
pub(super) fn selection(args: &Lint, workspace: &Workspace) -> Result<Selection> {
    let Lint { patterns, check, skip, min_confidence, .. } = args;
    Asked { patterns, check, skip, min_confidence: *min_confidence }.of(workspace)
}

/// The same for `codemod`.
pub(super) fn of_codemod(args: &Codemod, workspace: &Workspace) -> Result<Selection> {
    let Codemod { patterns, check, skip, .. } = args;
    Asked { patterns, check, skip, min_confidence: None }.of(workspace)
}

/// The same for `tui`.
pub(super) fn of_tui(patterns: &[String], workspace: &Workspace) -> Result<Selection> {
    Asked { patterns, check: &[], skip: &[], min_confidence: None }.of(workspace)
}

/// What the command line says.
struct Asked<'a> {
    patterns: &'a [String],
    check: &'a [CheckId],
    skip: &'a [CheckId],
    min_confidence: Option<Confidence>,
}

impl Asked<'_> {
    fn of(&self, workspace: &Workspace) -> Result<Selection> {
        let settings = &workspace.settings;
        let min_confidence = settings.lint.min_confidence;
        let tables = settings.lint.paths.iter().enumerate();
        Ok(Selection {
            checks: checks(self.check, self.skip, settings)?,
            min_confidence: self.min_confidence.unwrap_or_else(|| confidence(min_confidence)),
            patterns: patterns(self.patterns, workspace)?,
            severity: severities(&settings.lint.severity, "lint.severity", settings)?,
            there: tables
                .map(|(at, table)| self.there(at, table, settings))
                .collect::<Result<_>>()?,
        })
    }

    /// A table brings back no check that the command line leaves out, and a confidence that it names holds everywhere.
    fn there(&self, at: usize, table: &LintPath, settings: &Settings) -> Result<There> {
        let key = |of: &str| format!("lint.path[{at}].{of}");
        let mut checks = named(&table.check, &key("check"), settings)?;
        checks.retain(|check| self.check.is_empty() || self.check.contains(check));
        checks.retain(|check| !self.skip.contains(check));
        let min_confidence = table.min_confidence.filter(|_| self.min_confidence.is_none());
        Ok(There {
            paths: table.paths.clone(),
            checks,
            skip: named(&table.skip, &key("skip"), settings)?,
            min_confidence: min_confidence.map(confidence),
            severity: severities(&table.severity, &key("severity"), settings)?,
        })
    }
}

fn patterns(texts: &[String], workspace: &Workspace) -> Result<Vec<Pattern>> {
    let parse = |text: &String| Pattern::parse(text, &workspace.cells, &workspace.start);
    texts.iter().map(parse).collect()
}

/// The least severity that fails, `None` if nothing does.
pub(super) fn threshold(args: &Lint, settings: &workspace::Lint) -> Option<Severity> {
    match args.fail_on.unwrap_or(settings.fail_on) {
        FailOn::Note => Some(Severity::Note),
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Error => Some(Severity::Error),
        FailOn::Never => None,
    }
}

/// `--check` names what runs, whatever the settings say; `--skip` takes away from either.
fn checks(only: &[CheckId], skip: &[CheckId], settings: &Settings) -> Result<Vec<CheckId>> {
    let mut checks = CheckId::ALL.to_vec();
    let wanted = named(&settings.lint.check, "lint.check", settings)?;
    let unwanted = named(&settings.lint.skip, "lint.skip", settings)?;
    if only.is_empty() {
        checks.retain(|check| wanted.is_empty() || wanted.contains(check));
        checks.retain(|check| !unwanted.contains(check));
    } else {
        checks.retain(|check| only.contains(check));
    }
    checks.retain(|check| !skip.contains(check));
    if checks.is_empty() {
        return Err(Error::new("no check is left to run").hint("see --check, --skip and [lint]"));
    }
    Ok(checks)
}

fn severities(
    written: &BTreeMap<String, CheckSeverity>,
    key: &str,
    settings: &Settings,
) -> Result<BTreeMap<CheckId, Severity>> {
    let entries = written.iter().map(|(name, severity)| {
        let severity = match severity {
            CheckSeverity::Note => Severity::Note,
            CheckSeverity::Warning => Severity::Warning,
            CheckSeverity::Error => Severity::Error,
        };
        Ok((check(name, key, settings)?, severity))
    });
    entries.collect()
}

fn named(names: &[String], key: &str, settings: &Settings) -> Result<Vec<CheckId>> {
    names.iter().map(|name| check(name, key, settings)).collect()
}

/// The check that a setting names.
fn check(name: &str, key: &str, settings: &Settings) -> Result<CheckId> {
    CheckId::parse(name).ok_or_else(|| {
        let rows = settings.origins().into_iter();
        let mut origins = rows.filter(|(of, ..)| of.starts_with(key)).map(|(.., origin)| origin);
        let place = match origins.next() {
            None | Some(Origin::CommandLine) => "--config".to_owned(),
            Some(origin) => origin.to_string(),
        };
        let hint = match CheckId::nearest(name) {
            Some(check) => format!("did you mean `{}`?", check.as_str()),
            None => "`secateur explain` lists the checks".to_owned(),
        };
        Error::new(format!("unknown check `{name}` in `{key}`")).at(place).hint(hint)
    })
}

fn confidence(setting: MinConfidence) -> Confidence {
    match setting {
        MinConfidence::Possible => Confidence::Possible,
        MinConfidence::Likely => Confidence::Likely,
        MinConfidence::Certain => Confidence::Certain,
    }
}
