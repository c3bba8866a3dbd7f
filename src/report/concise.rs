//! One finding a line, as compilers and editors know it. Writes only to the writer it is given.

use super::harmless;
use crate::finding::Report;
use std::io::{self, Write};

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        let region = &finding.region;
        let (path, message) = (harmless(&region.path), harmless(&finding.message));
        let (severity, check) = (finding.severity.as_str(), finding.check.as_str());
        writeln!(out, "{path}:{}:{}: {severity}[{check}] {message}", region.line, region.column)?;
    }
    Ok(())
}
