//! The exit code of `lint`, and why it is what it is. Pure, but for the writer of messages it is given.

use super::args::Lint;
use super::context::Context;
use super::exit::Exit;
use super::selection;
use crate::finding::{Report, Severity};
use crate::source::Problem;
use crate::workspace::Workspace;

/// How the run ends; `--explain-exit` says why.
pub(super) fn verdict(
    args: &Lint,
    report: &Report,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Exit {
    let threshold = selection::threshold(args, &workspace.settings.lint);
    let exit = exit(args, report, threshold);
    if args.explain_exit {
        // Where nobody hears of it, the exit code is all there is.
        writeln!(context.err, "{}", explain(args, report, threshold, exit)).ok();
    }
    exit
}

fn exit(args: &Lint, report: &Report, threshold: Option<Severity>) -> Exit {
    if args.exit_zero { Exit::Clean } else { judged(args, report, threshold) }
}

/// Without `--exit-zero`.
fn judged(args: &Lint, report: &Report, threshold: Option<Severity>) -> Exit {
    if failing(report, threshold) > 0 {
        Exit::Findings
    } else if !args.allow_incomplete && !report.is_complete() {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

fn failing(report: &Report, threshold: Option<Severity>) -> usize {
    let fails = |severity| threshold.is_some_and(|threshold| severity >= threshold);
    report.findings.iter().filter(|finding| fails(finding.severity)).count()
}

/// One line that says why, and one that says what would change it.
fn explain(args: &Lint, report: &Report, threshold: Option<Severity>, exit: Exit) -> String {
    let code = exit.code();
    let found = found(args, report, threshold);
    let why = match judged(args, report, threshold) {
        Exit::Findings => found,
        _ if report.is_complete() => format!("{found}, and everything was read"),
        Exit::Incomplete => format!("{found}, but {}", unread(report)),
        _ => format!("{found}; {}, which --allow-incomplete allows", unread(report)),
    };
    let otherwise = judged(args, report, threshold).code();
    let (why, change) = match exit {
        Exit::Findings => (
            why,
            "to exit with 0: fix or keep them, write a baseline, raise --fail-on, or give --exit-zero",
        ),
        Exit::Incomplete => (
            why,
            "to exit with 0: repair what could not be read (-v lists it), or give --allow-incomplete",
        ),
        _ if code != otherwise => {
            let why = format!("--exit-zero is given; else it would be {otherwise}: {why}");
            return format!("exit code {code}: {why}");
        }
        _ => return format!("exit code {code}: {why}"),
    };
    format!("exit code {code}: {why}\n{change}")
}

/// `28 of 32 findings are at or above --fail-on warning`
fn found(args: &Lint, report: &Report, threshold: Option<Severity>) -> String {
    let total = report.findings.len();
    let plural = if total == 1 { "" } else { "s" };
    let Some(threshold) = threshold else {
        return format!("{total} finding{plural}, none of which fails with fail-on = never");
    };
    let option = match args.fail_on {
        Some(_) => format!("--fail-on {}", threshold.as_str()),
        None => format!("fail-on = {}", threshold.as_str()),
    };
    match (failing(report, Some(threshold)), total) {
        (0, 0) => "no findings".to_owned(),
        (0, _) => format!("none of {total} finding{plural} is at or above {option}"),
        (1, _) => format!("1 of {total} finding{plural} is at or above {option}"),
        (number, _) => format!("{number} of {total} findings are at or above {option}"),
    }
}

/// `2 problems cost targets or imports, first a/BUCK:3: unexpected token`
fn unread(report: &Report) -> String {
    let mut problems = report.problems.iter().filter(|problem| problem.costs_targets());
    let Some(Problem { path, line, message, .. }) = problems.next() else {
        return "part of the repository could not be read".to_owned();
    };
    let message = message.replace(char::is_control, " ");
    let path = path.as_str().replace(char::is_control, " ");
    let place = if *line == 0 { path } else { format!("{path}:{line}") };
    let more = match problems.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("part of the repository could not be read: {place}: {message}{more}")
}
