//! Markdown for comments on a change and for the summary of a job. Writes only to the writer it is given.
//!
//! It is a list and no table, because no text can break a list; names go into spans of code, where they ping nobody.

use super::{by_package, count, harmless, heading, summary};
use crate::finding::{Finding, Report};
use crate::label::PackageId;
use std::fmt::Write as _;
use std::io::{self, Write};

/// GitHub takes comments of 65 536 characters; bytes are never fewer.
const COMMENT: usize = 65_536;
/// Room for what is said of findings that are left out.
const END: usize = 256;
/// Lists that are longer are folded.
const UNFOLDED: usize = 20;

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(job_summary(report, COMMENT).as_bytes())
}

/// The report as Markdown of at most so many bytes, if there is room for its head; it says how many findings are left out.
pub fn job_summary(report: &Report, room: usize) -> String {
    let mut text = head(report);
    let mut left_out = 0;
    for (package, findings) in by_package(report) {
        let (start, end) = (start(report, package, findings.len()), "\n</details>\n");
        let mut items = String::new();
        for (at, finding) in findings {
            let item = item(report, finding, report.owner(at));
            let length = text.len() + start.len() + items.len() + item.len() + end.len();
            // What comes after the first that has no room is left out, too: the order means something.
            if left_out > 0 || length + END > room {
                left_out += 1;
            } else {
                items += &item;
            }
        }
        if !items.is_empty() {
            text.extend([&start, &items, end]);
        }
    }
    if left_out > 0 {
        let others = count(left_out, "other finding");
        let _ = writeln!(text, "\n… and {others}: there is no room for more");
    }
    text
}

fn head(report: &Report) -> String {
    let baseline = report.baseline.as_ref().map(summary::baseline);
    let unread = "**Part of the repository could not be read.**".to_owned();
    let unread = (!report.is_complete()).then_some(unread);
    let parts = ["## secateur".to_owned(), summary::findings(report)].into_iter();
    let parts = parts.chain(baseline).chain([summary::coverage(report.coverage)]).chain(unread);
    parts.collect::<Vec<_>>().join("\n\n") + "\n"
}

fn start(report: &Report, package: Option<&PackageId>, number: usize) -> String {
    let open = if report.findings.len() <= UNFOLDED { " open" } else { "" };
    let (name, number) = (html(&harmless(heading(package))), count(number, "finding"));
    format!("\n<details{open}>\n<summary><code>{name}</code>: {number}</summary>\n\n")
}

fn item(report: &Report, finding: &Finding, owner: Option<&str>) -> String {
    let (severity, check) = (finding.severity.as_str(), finding.check.as_str());
    let path = report.in_repository(finding.region.path.as_str());
    let place = code(&format!("{path}:{}", finding.region.line));
    let confidence = finding.confidence.as_str();
    let owner = owner.map(|owner| format!(", owner {}", code(owner))).unwrap_or_default();
    let hint = finding.hint.as_ref().map(|hint| format!("; {}", inline(hint)));
    let (message, hint) = (inline(&finding.message), hint.unwrap_or_default());
    format!("- **{severity}** {check}: {message}\n  {place} ({confidence}{owner}){hint}\n")
}

/// A sentence of ours: what stands between its backticks is code, the rest means nothing to Markdown.
fn inline(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // A name with a backtick in it.
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let part = |(at, part): (usize, &&str)| match (at % 2, part.is_empty()) {
        (_, true) => String::new(),
        (0, false) => plain(part),
        (_, false) => code(part),
    };
    parts.iter().enumerate().map(part).collect()
}

fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in harmless(text).chars() {
        if "\\`*_[]<>&~#|$!@".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// A span of code, whatever it holds (<https://spec.commonmark.org/0.31.2/#code-spans>).
pub(super) fn code(text: &str) -> String {
    let text = harmless(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_out_of_nothing() {
        assert_eq!(inline("`//a:b|c` and *x* @all"), r"`//a:b|c` and \*x\* \@all");
        assert_eq!(inline("odd ` <b>"), r"odd \` \<b\>");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a\n"), "`` `a  ``");
        assert_eq!(html("<x>&"), "&lt;x&gt;&amp;");
    }
}
