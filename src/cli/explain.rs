//! `secateur explain`: what a check is about.

use super::args::{Explain, ExplainFormat};
use super::context::Context;
use super::exit::Exit;
use crate::checks;
use crate::error::Result;
use crate::finding::CheckId;
use serde::Serialize;
use std::io::{self, Write};

/// A check as `--format json` gives it.
#[derive(Serialize)]
struct Explanation {
    check: &'static str,
    severity: &'static str,
    summary: &'static str,
    text: String,
}

pub(super) fn run(args: &Explain, context: &mut Context<'_>) -> Result<Exit> {
    let selected = args.check.as_slice();
    context.write(|out| match (args.format, args.check) {
        (ExplainFormat::Text, Some(check)) => {
            writeln!(out, "{}", checks::explain(check).trim_end())
        }
        (ExplainFormat::Text, None) => list(out),
        (ExplainFormat::Json, None) => json(CheckId::ALL, out),
        (ExplainFormat::Json, Some(_)) => json(selected, out),
    })?;
    Ok(Exit::Clean)
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    let width = CheckId::ALL.iter().map(|check| check.as_str().len()).max().unwrap_or(0);
    for check in CheckId::ALL {
        let severity = check.default_severity().as_str();
        writeln!(out, "{:width$}  {severity:7}  {}", check.as_str(), check.summary())?;
    }
    Ok(())
}

fn json(checks: &[CheckId], out: &mut dyn Write) -> io::Result<()> {
    let explanation = |check: &CheckId| Explanation {
        check: check.as_str(),
        severity: check.default_severity().as_str(),
        summary: check.summary(),
        text: checks::explain(*check),
    };
    let explanations: Vec<_> = checks.iter().map(explanation).collect();
    serde_json::to_writer(&mut *out, &explanations)?;
    writeln!(out)
}
