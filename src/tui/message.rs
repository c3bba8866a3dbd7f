//! Everything that can happen: what the user wants, and what comes back from outside. Pure values; touches nothing.

use super::item::{Item, Proof};
use crate::edits::FileChange;
use crate::finding::Saving;
use crate::graph::Graph;
use crate::source::ProjectPath;
use std::collections::BTreeMap;
use std::sync::Arc;
use tui_input::InputRequest;

/// A page of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Findings, with the one at hand on the right.
    Findings,
    /// The graph around one target.
    Graph,
    /// What was accepted, as one diff, before it is written.
    Review,
}

/// What is shown of the finding at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// The place, the evidence, how sure it is.
    #[default]
    Detail,
    /// The proven edit.
    Diff,
    /// Who needs it, and the evidence.
    Why,
    /// The file.
    Source,
}

impl Tab {
    /// All of them, from left to right.
    pub const ALL: [Self; 4] = [Self::Detail, Self::Diff, Self::Why, Self::Source];

    /// The name on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detail => "Detail",
            Self::Diff => "Diff",
            Self::Why => "Why",
            Self::Source => "Source",
        }
    }
}

/// What a line of text is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which findings to show.
    Filter,
    /// Why the findings at hand are right as they are.
    Reason,
    /// Until when, or for how many days, they are put off.
    Snooze,
    /// A remark.
    Note,
    /// Where the graph is to go.
    Jump,
    /// The command that shows whether what was applied is right.
    Verify,
    /// The directory that patches go to.
    Export,
}

/// What is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that is accepted.
    All,
    /// What one owner answers for.
    Owner(String),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Message {
    // What the user wants.
    /// To leave; asks first where something would be lost.
    Quit,
    /// To leave what is in front: a question, help, a page, the analysis.
    Cancel,
    /// To go on with what is in front.
    Confirm,
    /// To move in what has the focus, by lines.
    Move(i32),
    /// To move by pages.
    Page(i32),
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// To open a group, or go into what is at hand.
    Open,
    /// To close a group, or go out of it.
    Close,
    /// To scroll the right side, by lines.
    Scroll(i32),
    /// To change what has the focus, the tree or the right side.
    Focus,
    /// To accept the findings at hand, or take that back.
    Accept,
    /// To accept all safe fixes of the group at hand.
    AcceptSafe,
    /// To be asked something.
    Ask(Question),
    /// To edit the answer.
    Input(InputRequest),
    /// To take the last decision back.
    Undo,
    /// To make it again.
    Redo,
    /// To see findings put together by something else.
    Group,
    /// To see them in another order.
    Sort,
    /// To see another side of the finding at hand.
    Show(Tab),
    /// The next or previous side.
    Turn(i32),
    /// The next or previous chain.
    Chain(i32),
    /// To see a page.
    Visit(Page),
    /// To see all keys.
    Help,
    /// To edit the place at hand.
    Edit,
    /// To have everything read again.
    Reanalyse,
    /// To write what is accepted.
    Apply,
    /// To choose what is applied.
    Scope(i32),
    /// To take back what was applied last.
    TakeBack,
    /// To put a mark on the target at hand, for the path between two.
    Mark,
    /// To change between dependencies and users.
    Side,
    /// To change between targets and modules.
    Layer,
    /// To go to the finding that speaks of the edge at hand.
    ToFinding,
    /// To click.
    Click {
        /// From the left.
        column: u16,
        /// From the top.
        row: u16,
    },

    // What comes from outside.
    /// The terminal has another size.
    Resize(u16, u16),
    /// Some time went by.
    Tick,
    /// The analysis is here.
    Progress {
        /// What is done.
        stage: &'static str,
        /// Steps made.
        done: usize,
        /// Of how many.
        total: Option<usize>,
    },
    /// The analysis is over.
    Analysed(Box<Analysis>),
    /// What each fix saves alone, by fingerprint.
    Priced(BTreeMap<String, Saving>),
    /// Some fixes were tried.
    Tried(Vec<(String, Proof)>),
    /// All fixes were tried.
    Settled,
    /// The analysis failed.
    Failed(String),
    /// A file that was asked for.
    Text(ProjectPath, Option<Arc<str>>),
    /// What was accepted, put together.
    Preview(Box<Preview>),
    /// What was to be applied was, or was not.
    Applied(Box<Outcome>),
    /// What was applied was taken back, or was not; in words.
    TakenBack(Result<String, String>),
    /// A line of the verify command's output.
    Output(String),
    /// The verify command ended.
    Verified(Result<(), String>),
    /// Something to say.
    Notice(String),
    /// Files changed on disk.
    Changed(Vec<ProjectPath>),
}

/// What an analysis found.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The findings, in the order of reports.
    pub items: Vec<Item>,
    /// Everything that was read.
    pub graph: Option<Arc<Graph>>,
    /// Bytes of the sources of each target, in the order of the graph.
    pub bytes: Arc<Vec<u64>>,
    /// Files of which a part could not be read.
    pub problems: usize,
}

/// What would be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The findings it settles, by fingerprint.
    pub settles: Vec<String>,
    /// What becomes of the files.
    pub changes: Vec<FileChange>,
    /// Findings that have to be done by hand, by fingerprint, and why.
    pub refused: Vec<(String, String)>,
    /// How many findings by owner.
    pub owners: BTreeMap<String, usize>,
}

/// What became of an attempt to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was written.
    Written {
        /// The name of the batch, to take it back.
        batch: String,
        /// The files.
        files: Vec<ProjectPath>,
        /// The findings that are settled, by fingerprint.
        settles: Vec<String>,
    },
    /// Nothing was written; what stands in the way, by file.
    Refused(Vec<(String, String)>),
}
