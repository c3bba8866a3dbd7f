//! `secateur baseline`: today's findings, to a file that `lint --baseline` reads.

use super::args::{self, Lint};
use super::context::Context;
use super::exit::Exit;
use super::replace::replace;
use super::selection;
use crate::error::{Error, Result};
use crate::finding::{Baseline, Renewal, Report};
use crate::{checks, graph};
use jiff::civil::Date;
use std::io::ErrorKind;
use std::path::Path;

/// Where the baseline lies below the project root.
const FILE: &str = "secateur-baseline.json";

pub(super) fn run(args: &args::Baseline, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let file = match &args.output {
        Some(file) => context.dir().join(file),
        None => workspace.root.join(FILE),
    };
    let shown = args.output.as_deref().unwrap_or(Path::new(FILE));
    let old = read_if_exists(&file, shown)?.unwrap_or_default();
    let selection = selection::selection(&Lint::default(), &workspace)?;
    let report = context.work(|progress| {
        let graph = graph::build(&workspace, progress)?;
        Ok(checks::run(&workspace, &graph, &selection, progress))
    })?;
    let (new, renewal) = old.renewed(&report, context.today());
    write(&file, shown, &new.render()?)?;
    let summary = summary(&report, renewal, shown);
    context.write(|out| writeln!(out, "{summary}"))?;
    Ok(Exit::Clean)
}

/// The baseline of `--baseline`, and the day on which it counts.
pub(super) fn read(shown: &Path, context: &Context<'_>) -> Result<(Baseline, Date)> {
    let baseline = read_if_exists(&context.dir().join(shown), shown)?.ok_or_else(|| {
        let message = format!("no baseline {}", shown.display());
        Error::new(message).hint("`secateur baseline --output FILE` writes one")
    })?;
    Ok((baseline, context.today()))
}

#[expect(clippy::disallowed_methods, reason = "the baseline lies where the user says")]
fn read_if_exists(file: &Path, shown: &Path) -> Result<Option<Baseline>> {
    let place = shown.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => Baseline::parse(&place, &text).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new("cannot be read").at(place).cause(error)),
    }
}

fn write(file: &Path, shown: &Path, text: &str) -> Result<()> {
    let fail = |error| Error::new(format!("cannot write {}", shown.display())).cause(error);
    // What people wrote into the old one must not be lost half-way.
    replace(file, text.as_bytes()).map_err(fail)
}

/// `wrote 34 findings to x.json: 3 new, 31 kept, 2 gone; 1 has expired and is reported still`
fn summary(report: &Report, renewal: Renewal, shown: &Path) -> String {
    let plural = if report.findings.len() == 1 { "" } else { "s" };
    let Renewal { added, kept, dropped, expired } = renewal;
    let expired = match expired {
        0 => String::new(),
        1 => "; 1 has expired and is reported still".to_owned(),
        number => format!("; {number} have expired and are reported still"),
    };
    let (number, file) = (report.findings.len(), shown.display());
    format!(
        "wrote {number} finding{plural} to {file}: {added} new, {kept} kept, {dropped} gone{expired}"
    )
}
