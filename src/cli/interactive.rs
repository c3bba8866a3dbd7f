//! `secateur codemod --interactive`: each fix shown and asked about. Reads answers from stdin and starts the editor; writes
//! nothing but the questions.

use super::args::Codemod;
use super::codemod::Wish;
use super::context::Context;
use crate::codemod::owners::Codeowners;
use crate::codemod::{self, Filter, Offered, OfferedBatch, Plan};
use crate::error::{Error, Result};
use crate::finding::{Region, Report};
use crate::report::{self, Format, Look, Verbosity};
use crate::workspace::Workspace;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, BufRead};
use std::path::Path;
use std::process::Command;

const HELP: &str = "\
y - make this fix
n - do not make this fix
a - make this fix and all the rest
q - quit: make what was accepted so far, and nothing else
e - open the editor at the finding, then plan again
? - print this help";

/// What the user says to a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    All,
    Quit,
    Edit,
    /// Nobody answers.
    End,
}

/// What was decided, by the fingerprints of findings.
#[derive(Default)]
struct Decisions {
    accepted: BTreeSet<String>,
    rejected: BTreeSet<String>,
    /// How many fixes were accepted, and how many rejected.
    counts: (usize, usize),
    takes_all: bool,
    is_over: bool,
}

/// Asks about each fix, round by round, and plans those that were accepted.
pub(super) fn plan(
    args: &Codemod,
    wish: &Wish,
    quarantined: &BTreeSet<String>,
    codeowners: &Codeowners,
    context: &mut Context<'_>,
) -> Result<Plan> {
    let mut decisions = Decisions::default();
    let mut left_out = None;
    loop {
        let workspace = context.open()?;
        let request = wish.request(args, Filter::Only(&decisions.accepted));
        let plan =
            context.work(|progress| codemod::plan(&workspace, request, codeowners, progress))?;
        let mut contents = BTreeMap::new();
        for change in plan.batches.iter().flat_map(|batch| &batch.changes) {
            contents.insert(change.path.clone(), change.after.clone());
        }
        let workspace = workspace.with_contents(&contents);
        let decided = decisions.accepted.iter().chain(&decisions.rejected).chain(quarantined);
        let decided: BTreeSet<String> = decided.cloned().collect();
        let request = wish.request(args, Filter::LeaveOut(&decided));
        let offers =
            || context.work(|progress| codemod::offered(&workspace, request, codeowners, progress));
        let (batches, count) = if decisions.is_over { (Vec::new(), 0) } else { offers()? };
        let left_out = *left_out.get_or_insert(count);
        if batches.is_empty() {
            let (accepted, rejected) = decisions.counts;
            context.write(|out| {
                for (finding, reason) in &plan.refused {
                    let Region { path, line, .. } = &finding.region;
                    writeln!(out, "not made: {path}:{line}: {}: {reason}", finding.message)?;
                }
                writeln!(out, "accepted {accepted}, rejected {rejected}")
            })?;
            return Ok(Plan { left_out, ..plan });
        }
        decisions.pass(&batches, &workspace, context)?;
    }
}

impl Decisions {
    /// Asks about offers until all are decided, the user quits, or files may have changed.
    fn pass(
        &mut self,
        batches: &[OfferedBatch],
        workspace: &Workspace,
        context: &mut Context<'_>,
    ) -> Result<()> {
        for (number, batch) in batches.iter().enumerate() {
            let heading = format!("batch {} of {}: {}", number + 1, batches.len(), batch.subject);
            if !self.takes_all {
                context.write(|out| writeln!(out, "{heading}\n"))?;
            }
            for (at, offer) in batch.offers.iter().enumerate() {
                if self.is_decided(offer) {
                    continue;
                }
                if self.takes_all {
                    self.accept(offer);
                    continue;
                }
                show(offer, workspace, context)?;
                let prompt = format!("({}/{}) apply? [y,n,a,q,e,?] ", at + 1, batch.offers.len());
                match ask(&prompt, &mut io::stdin().lock(), context)? {
                    Answer::Yes => self.accept(offer),
                    Answer::No => self.reject(offer),
                    Answer::All => {
                        self.takes_all = true;
                        self.accept(offer);
                    }
                    Answer::Edit => {
                        edit(offer, workspace, context)?;
                        return Ok(());
                    }
                    Answer::Quit => {
                        self.is_over = true;
                        return Ok(());
                    }
                    Answer::End => {
                        let line = "\nno more answers: taken as q";
                        context.write(|out| writeln!(out, "{line}"))?;
                        self.is_over = true;
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether it was accepted with another, or needs one that was rejected.
    fn is_decided(&self, offer: &Offered) -> bool {
        offer.fix.fingerprints.iter().all(|one| self.accepted.contains(one))
            || offer.needs.iter().any(|one| self.rejected.contains(one))
    }

    fn accept(&mut self, offer: &Offered) {
        let own = offer.fix.fingerprints.iter();
        self.accepted.extend(own.chain(&offer.needs).cloned());
        self.counts.0 += 1;
    }

    fn reject(&mut self, offer: &Offered) {
        self.rejected.extend(offer.fix.fingerprints.iter().cloned());
        self.counts.1 += 1;
    }
}

/// The findings with their evidence, and the diff.
fn show(offer: &Offered, workspace: &Workspace, context: &mut Context<'_>) -> Result<()> {
    let look = Look { verbosity: Verbosity::Quiet, ..context.look() };
    let report = Report { findings: offer.fix.findings.clone(), ..Report::default() };
    let source =
        |path: &_| workspace.files.read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    context.write(|out| {
        report::render(Format::Text, &report, look, &source, out)?;
        match &offer.changes {
            Ok(changes) => report::diff(changes, look, out)?,
            Err(reason) => writeln!(out, "cannot be shown alone: {reason}")?,
        }
        if !offer.needs.is_empty() {
            writeln!(out, "with what it needs, which is accepted with it")?;
        }
        Ok(())
    })
}

/// Asks until there is an answer.
fn ask(prompt: &str, answers: &mut dyn BufRead, context: &mut Context<'_>) -> Result<Answer> {
    loop {
        context.write_now(|out| write!(out, "{prompt}"))?;
        let mut line = String::new();
        let read = answers.read_line(&mut line);
        read.map_err(|error| Error::new("cannot read the answer").cause(error))?;
        if line.is_empty() {
            return Ok(Answer::End);
        }
        match line.trim() {
            "y" | "yes" => return Ok(Answer::Yes),
            "n" | "no" => return Ok(Answer::No),
            "a" | "all" => return Ok(Answer::All),
            "q" | "quit" => return Ok(Answer::Quit),
            "e" | "edit" => return Ok(Answer::Edit),
            _ => context.write(|out| writeln!(out, "{HELP}"))?,
        }
    }
}

/// Opens the editor where the finding is, and waits.
fn edit(offer: &Offered, workspace: &Workspace, context: &mut Context<'_>) -> Result<()> {
    let Some(finding) = offer.fix.findings.first() else { return Ok(()) };
    let editor = context.editor().to_owned();
    let mut command = editor_at(&editor, finding.region.path.as_str(), finding.region.line);
    let status = command.current_dir(&workspace.root).status();
    let name = editor.to_string_lossy();
    let status =
        status.map_err(|error| Error::new(format!("`{name}` cannot be run")).cause(error))?;
    if !status.success() {
        context.write(|out| writeln!(out, "`{name}` failed: {status}"))?;
    }
    Ok(())
}

/// As git runs editors: the variable is a command for the shell, which may have arguments.
#[expect(clippy::disallowed_methods, reason = "the user's editor")]
pub(super) fn editor_at(editor: &OsStr, path: &str, line: u32) -> Command {
    let mut script = editor.to_owned();
    script.push(" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("sh");
    let program = editor.to_string_lossy().split_whitespace().next().unwrap_or_default().to_owned();
    let program = Path::new(&program).file_name().map(OsStr::to_string_lossy);
    match program.as_deref() {
        Some("code" | "code-insiders" | "codium" | "cursor") => {
            command.args(["--wait", "--goto"]).arg(format!("./{path}:{line}"))
        }
        Some("subl") => command.arg("--wait").arg(format!("./{path}:{line}")),
        _ => command.arg(format!("+{line}")).arg(format!("./{path}")),
    };
    command
}
