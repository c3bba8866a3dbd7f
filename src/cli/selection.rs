//! What to check and what fails: the options of `lint` over the settings. Pure; touches nothing.

use super::args::{Codemod, Lint};
use crate::checks::Selection;
use crate::error::{Error, Result};
use crate::finding::{CheckId, Confidence, Severity};
use crate::workspace::{
    self, CheckSeverity, FailOn, MinConfidence, Origin, Pattern, Settings, Workspace,
};
use std::collections::BTreeMap;

/// What the command line and the settings select.
pub(super) fn selection(args: &Lint, workspace: &Workspace) -> Result<Selection> {
    let settings = &workspace.settings;
    Ok(Selection {
        checks: checks(&args.check, &args.skip, settings)?,
        min_confidence: args
            .min_confidence
            .unwrap_or_else(|| confidence(settings.lint.min_confidence)),
        patterns: patterns(&args.patterns, workspace)?,
        severity: severities(settings)?,
    })
}

/// The same for `codemod`.
pub(super) fn of_codemod(args: &Codemod, workspace: &Workspace) -> Result<Selection> {
    let settings = &workspace.settings;
    Ok(Selection {
        checks: checks(&args.check, &args.skip, settings)?,
        min_confidence: confidence(settings.lint.min_confidence),
        patterns: patterns(&args.patterns, workspace)?,
        severity: severities(settings)?,
    })
}

/// The same for `tui`.
pub(super) fn of_tui(texts: &[String], workspace: &Workspace) -> Result<Selection> {
    let settings = &workspace.settings;
    Ok(Selection {
        checks: checks(&[], &[], settings)?,
        min_confidence: confidence(settings.lint.min_confidence),
        patterns: patterns(texts, workspace)?,
        severity: severities(settings)?,
    })
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

fn severities(settings: &Settings) -> Result<BTreeMap<CheckId, Severity>> {
    let entries = settings.lint.severity.iter().map(|(name, severity)| {
        let severity = match severity {
            CheckSeverity::Note => Severity::Note,
            CheckSeverity::Warning => Severity::Warning,
            CheckSeverity::Error => Severity::Error,
        };
        Ok((check(name, "lint.severity", settings)?, severity))
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
        let score = |check: &CheckId| strsim::jaro_winkler(name, check.as_str());
        let nearest = CheckId::ALL.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
        let hint = match nearest.filter(|check| score(check) > 0.8) {
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
