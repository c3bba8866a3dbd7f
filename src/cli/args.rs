//! What the user typed, as clap reads it; help, manual and completions come from here. Pure; touches nothing.

use super::caf::args::Caf;
use super::exit::Exit;
use super::surroundings::Color;
use crate::finding::{CheckId, Confidence};
use crate::report::Format;
use crate::workspace::FailOn;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const GLOBAL: &str = "Global options";

/// Finds and proves the dependencies, modules and targets that a Buck2 Python repository does not need.
#[derive(Debug, Parser)]
#[command(name = "secateur", version, max_term_width = 100, after_help = Exit::TABLE)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = GLOBAL)]
pub struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', global = true, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Set a key of secateur.toml, as in --config lint.fail-on=error
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(super) config: Vec<String>,
    /// Set a value of .buckconfig; a cell may go before it, as in cell//section.key=value
    #[arg(short = 'c', global = true, value_name = "SECTION.KEY=VALUE")]
    pub(super) buckconfig: Vec<String>,
    /// Read a file over each cell's .buckconfig
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config_file: Vec<PathBuf>,
    /// Take the targets from a file that `buck2 targets --json` printed; `buck2` for a file runs it
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) graph_from: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help = "Colour the results; auto honours NO_COLOR and CLICOLOR_FORCE"
    )]
    pub(super) color: Color,
    /// Use N threads instead of one for each core
    #[arg(short = 'j', long = "jobs", global = true, value_name = "N")]
    pub(super) jobs: Option<std::num::NonZeroUsize>,
    /// Neither read nor write what is kept between runs
    #[arg(long, global = true)]
    pub(super) no_cache: bool,
    /// Show the findings alone: no progress, no summary
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// List each problem with its place
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Report what the repository does not need, and what it lacks
    #[command(after_help = Exit::TABLE)]
    Lint(Lint),
    /// Write today's findings to a file, so that lint reports only new ones
    Baseline(Baseline),
    /// Make batches of fixes: patches by owner, or a script for buildozer
    Codemod(Codemod),
    /// Show who needs a target or module, or the shortest chain from one to another
    Why(Why),
    /// Rank dependencies by what they alone hold in the closures of programs and tests
    Cost(Cost),
    /// Explore, triage, preview and apply in the terminal
    Tui(Tui),
    /// Print the graph of targets or modules
    Graph(Graph),
    /// Check the set-up, and compare our reading of the build files with Buck2's
    #[command(after_help = DOCTOR_EXITS)]
    Doctor(Doctor),
    /// Leave findings as they are, with a comment that says why
    Keep(Keep),
    /// Take back a batch of changes, or complete one that was interrupted
    Undo(Undo),
    /// Ship executables as bundles: only what changed is packed, sent and fetched
    Caf(Box<Caf>),
    /// Describe a check, or list all checks
    Explain(Explain),
    /// Print the settings in effect
    Config(Config),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual page of the program or of a command
    Man(Man),
}

/// `lint`
#[derive(Debug, Default, Args)]
pub struct Lint {
    /// What to report on: //pkg/..., //pkg:, //pkg:name, cell//..., or a path [default: everything]
    #[arg(value_name = "PATTERN")]
    pub(super) patterns: Vec<String>,
    /// Run only this check; `secateur explain` lists them
    #[arg(long, value_name = "CHECK", value_delimiter = ',', hide_possible_values = true)]
    pub(super) check: Vec<CheckId>,
    /// Leave this check out
    #[arg(long, value_name = "CHECK", value_delimiter = ',', hide_possible_values = true)]
    pub(super) skip: Vec<CheckId>,
    /// Report only what this oncall or code owner answers for; none stands for what has no owner
    #[arg(long, value_name = "NAME", conflicts_with_all = ["fix", "diff"])]
    pub(super) owner: Vec<String>,
    /// Report findings of at least this confidence [default: lint.min-confidence, else possible]
    #[arg(long, value_name = "CONFIDENCE")]
    pub(super) min_confidence: Option<Confidence>,
    /// Exit with 1 on findings of at least this severity [default: lint.fail-on, else warning]
    #[arg(long, value_name = "SEVERITY")]
    pub(super) fail_on: Option<FailOn>,
    /// Exit with 0 instead of 3 if part of the repository could not be read
    #[arg(long)]
    pub(super) allow_incomplete: bool,
    /// Exit with 0 whatever is found
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// Say on stderr why the exit code is what it is, and what would change it
    #[arg(long)]
    pub(super) explain_exit: bool,
    /// Leave out the findings that this file has, which `secateur baseline` writes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "diff"])]
    pub(super) baseline: Option<PathBuf>,
    /// Report only what came since a revision of git or Sapling; REV... stands for its merge base with HEAD
    ///
    /// The work tree, with what is not committed, is compared with REV, of which nothing is checked out. Findings that
    /// were there under another name, because a file or package moved, are not new.
    #[arg(long, value_name = "REV", conflicts_with_all = ["fix", "diff", "changed_files"])]
    pub(super) since: Option<String>,
    /// Report only findings that touch one of the files listed in FILE, one a line, - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "diff"])]
    pub(super) changed_files: Option<PathBuf>,
    /// Make the safe fixes, or all; `secateur undo` takes them back
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "safe")]
    pub(super) fix: Option<Fixes>,
    /// Which fixes to prove and to put into json, jsonl, sarif and rdjson reports
    #[arg(long, value_name = "WHICH", default_value = "safe")]
    pub(super) edits: Edits,
    /// Show the fixes as a diff and make none; with --fix=all, unsafe ones too
    #[arg(long)]
    pub(super) diff: bool,
    /// How to print the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,
    /// Write the report to a file as well, as in --output json:findings.json
    #[arg(long, value_name = "FORMAT:FILE", value_parser = parse_output)]
    pub(super) output: Vec<Output>,
}

/// `codemod`
#[derive(Debug, Args)]
pub struct Codemod {
    /// What to fix: //pkg/..., //pkg:, //pkg:name, cell//..., or a path [default: everything]
    #[arg(value_name = "PATTERN")]
    pub(super) patterns: Vec<String>,
    /// Fix only findings of this check
    #[arg(long, value_name = "CHECK", value_delimiter = ',', hide_possible_values = true)]
    pub(super) check: Vec<CheckId>,
    /// Leave the findings of this check alone
    #[arg(long, value_name = "CHECK", value_delimiter = ',', hide_possible_values = true)]
    pub(super) skip: Vec<CheckId>,
    /// Fix only what this oncall or code owner answers for; none stands for what has no owner
    #[arg(long, value_name = "NAME")]
    pub(super) owner: Vec<String>,
    /// Which fixes to make
    #[arg(long, value_name = "WHICH", default_value = "safe")]
    pub(super) fix: Fixes,
    /// What the fixes of a batch have in common
    #[arg(long, value_name = "WHAT", default_value = "owner")]
    pub(super) by: GroupBy,
    /// The most files in one batch
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) max_files: usize,
    /// Write numbered patches that `git am` takes into a directory
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Write a script for `buildozer -f`
    #[arg(long, value_name = "FILE")]
    pub(super) buildozer: Option<PathBuf>,
    /// Write the batches to the work tree; `secateur undo` takes them back one by one
    #[arg(long)]
    pub(super) apply: bool,
    /// Show each fix and ask whether to make it; implies --apply unless --out or --buildozer is given
    #[arg(long, conflicts_with_all = ["verify", "json"])]
    pub(super) interactive: bool,
    /// Run CMD after each batch, and take out again the fixes that it fails with; implies --apply
    ///
    /// CMD is run by `sh` in the project root. It is first run on the tree as it is, then on each batch; where it
    /// fails, halves of the batch are tried until the guilty fixes are known. They are put into
    /// .secateur/quarantine.json, which later runs leave out. In CMD, {targets} becomes the labels that a batch
    /// changes, {rdeps} those and all that depend on them, {tests} the tests among these. A run that was interrupted
    /// goes on where it was when the same command is given again.
    #[arg(long, value_name = "CMD", conflicts_with_all = ["out", "buildozer"])]
    pub(super) verify: Option<String>,
    /// Stop CMD after so many seconds, and take it as failed
    #[arg(long, value_name = "SECONDS", requires = "verify")]
    pub(super) timeout: Option<std::num::NonZeroU64>,
    /// Go on though files that --verify would change have changes that are not committed
    #[arg(long, requires = "verify")]
    pub(super) allow_dirty: bool,
    /// Make the fixes, too, that --verify has put into quarantine
    #[arg(long)]
    pub(super) retry_quarantined: bool,
    /// Print the plan, and what became of it, as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What the fixes of a batch have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GroupBy {
    /// `oncall()`, else CODEOWNERS
    Owner,
    /// The package
    Package,
    /// The target
    Target,
}

impl From<GroupBy> for crate::codemod::By {
    fn from(by: GroupBy) -> Self {
        match by {
            GroupBy::Owner => Self::Owner,
            GroupBy::Package => Self::Package,
            GroupBy::Target => Self::Target,
        }
    }
}

/// Which fixes to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Fixes {
    /// Those that nobody has to look at
    Safe,
    /// Those, too, that rest on something that could not be told, or delete files and targets
    All,
}

/// Which fixes come with a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Edits {
    /// None
    None,
    /// Safe ones
    #[default]
    Safe,
    /// All
    All,
}

/// A file that takes the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) file: PathBuf,
}

fn parse_output(text: &str) -> Result<Output, String> {
    let (format, file) =
        text.split_once(':').ok_or("write FORMAT:FILE, as in json:findings.json")?;
    let names = || Format::ALL.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", ");
    let known = Format::ALL.iter().copied().find(|known| known.as_str() == format);
    let format = known.ok_or_else(|| format!("no format `{format}`; there are {}", names()))?;
    if file.is_empty() {
        return Err("the file's name is missing".to_owned());
    }
    Ok(Output { format, file: PathBuf::from(file) })
}

/// `baseline`
#[derive(Debug, Args)]
pub struct Baseline {
    /// The file [default: secateur-baseline.json in the project root]
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// `why`
#[derive(Debug, Args)]
pub struct Why {
    /// A target or a module
    pub(super) from: String,
    /// Where the chain leads [default: show who needs FROM]
    pub(super) to: Option<String>,
}

/// `cost`
#[derive(Debug, Args)]
pub struct Cost {
    /// Whose dependencies to price: //pkg/..., //pkg:, //pkg:name, cell//..., or a path [default: everything]
    #[arg(value_name = "PATTERN")]
    pub(super) patterns: Vec<String>,
    /// Show the N dearest dependencies, 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) top: usize,
    /// Count rebuilds over the last N commits of `git log`, 0 for none
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(super) commits: usize,
    /// How to print the prices
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: CostFormat,
}

/// The formats of `cost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CostFormat {
    /// A table
    Text,
    /// One JSON object
    Json,
}

/// `graph`
#[derive(Debug, Args)]
pub struct Graph {
    /// What the nodes are
    #[arg(long, value_name = "NODES", default_value = "targets")]
    pub(super) of: Nodes,
    /// How to print the graph
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    pub(super) format: GraphFormat,
}

/// The nodes of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Nodes {
    /// Targets and their dependencies
    Targets,
    /// Python modules and their imports
    Modules,
}

/// The formats of `graph`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GraphFormat {
    /// One JSON object a line
    Jsonl,
    /// One JSON array
    Json,
    /// Graphviz
    Dot,
}

const DOCTOR_EXITS: &str = "\
Exit codes:
  0    everything was read, and Buck2 says the same if it was asked
  1    Buck2 says something else
  2    could not run: usage, configuration, input or output
  3    part of the repository could not be read, and Buck2 says nothing else";

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// How to print the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: DoctorFormat,
}

/// The formats of `doctor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DoctorFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// `keep`
#[derive(Debug, Args)]
pub struct Keep {
    /// The fingerprints of the findings, or what they begin with; `secateur lint --format json` shows them
    #[arg(value_name = "FINGERPRINT", required = true)]
    pub(super) fingerprints: Vec<String>,
    /// Why they stay as they are
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
    /// Show the comments as a diff, and write none
    #[arg(long)]
    pub(super) diff: bool,
}

/// `undo`
#[derive(Debug, Args)]
pub struct Undo {
    /// The number of the batch [default: the last that was not undone]
    #[arg(conflicts_with_all = ["list", "finish"])]
    pub(super) batch: Option<String>,
    /// List the batches, and change nothing
    #[arg(long, conflicts_with = "finish")]
    pub(super) list: bool,
    /// Complete the batch that was interrupted, instead of taking it back
    #[arg(long)]
    pub(super) finish: bool,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: UndoFormat,
}

/// The formats of `undo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum UndoFormat {
    /// One line a batch
    Text,
    /// One JSON object
    Json,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// The check [default: list all]
    #[arg(hide_possible_values = true)]
    pub(super) check: Option<CheckId>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: ExplainFormat,
}

/// The formats of `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExplainFormat {
    /// Markdown
    Text,
    /// One JSON array
    Json,
}

/// `config`
#[derive(Debug, Args)]
pub struct Config {
    /// Say where each value comes from
    #[arg(long)]
    pub(super) show_origin: bool,
}

/// `completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
pub struct Man {
    /// A command [default: the program]
    pub(super) command: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn outputs_are_a_format_and_a_file() {
        let json = Output { format: Format::Json, file: "a:b".into() };
        assert_eq!(parse_output("json:a:b"), Ok(json));
        for bad in ["json", "json:", "jsn:x", ":x"] {
            assert!(parse_output(bad).is_err(), "{bad}");
        }
    }
}

/// Options of `tui`.
#[derive(Debug, Default, Args)]
pub(super) struct Tui {
    /// Show these alone: //pkg:name, //pkg:, //pkg/..., cell//..., or a path
    #[arg(value_name = "PATTERN")]
    pub(super) patterns: Vec<String>,
}
