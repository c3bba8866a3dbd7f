//! Everything that is shown. Pure values; touches nothing.

use super::decisions::{Choice, Decisions};
use super::hunks::DiffLine;
use super::item::Item;
use super::keymap::Keymap;
use super::message::{Page, Preview, Question, Scope, Tab};
use super::rows::{Arrangement, Row, RowId, weight_of};
use super::walk::Walk;
use super::why::Chains;
use crate::graph::Graph;
use crate::source::ProjectPath;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tui_input::Input;

/// The least size at which there is something to see.
pub const LEAST: (u16, u16) = (40, 10);
/// Lines that are not part of a page: header, rule above the footer, footer.
pub const FRAME: u16 = 3;

/// Which side the keys move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The tree of findings.
    #[default]
    Tree,
    /// What is said of the one at hand.
    Side,
}

/// What lies over the page.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// All keys; the first line that is shown.
    Help(usize),
    /// A question with its answer so far, and what is wrong with it.
    Asking(Question, Input, Option<String>),
}

/// How far the analysis is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was read yet.
    #[default]
    Starting,
    /// It reads.
    Running(&'static str, usize, Option<usize>),
    /// Findings are there; fixes are tried, so many of so many so far.
    Trying(usize, usize),
    /// It is over.
    Done,
    /// It was stopped.
    Cancelled,
    /// It could not be done.
    Failed(String),
}

impl Stage {
    /// Whether something goes on that can be stopped.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Starting | Self::Running(..) | Self::Trying(..))
    }
}

/// The page before something is written.
#[derive(Clone, Debug)]
pub struct Review {
    /// What of it.
    pub scope: Scope,
    /// What would be written; nothing while it is put together.
    pub preview: Option<Preview>,
    /// The same as lines.
    pub diff: Vec<DiffLine>,
    /// First line that is shown.
    pub scroll: usize,
    /// What became of the last attempt, a line for each file.
    pub result: Vec<String>,
    /// Files that were written last, until the disk says that they changed.
    pub written: Vec<ProjectPath>,
    /// The batch that was written last, to take it back.
    pub batch: Option<String>,
    /// The command to run after writing.
    pub verify: String,
    /// What it said, and whether it is over and how.
    pub output: Vec<String>,
    /// Whether the command runs.
    pub is_verifying: bool,
}

impl Default for Review {
    fn default() -> Self {
        Self {
            scope: Scope::All,
            preview: None,
            diff: Vec::new(),
            scroll: 0,
            result: Vec::new(),
            written: Vec::new(),
            batch: None,
            verify: String::new(),
            output: Vec::new(),
            is_verifying: false,
        }
    }
}

/// Counts for the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Findings that pass the filter.
    pub shown: usize,
    /// Findings whose fix is to be made.
    pub accepted: usize,
    /// Findings that are right as they are.
    pub rejected: usize,
    /// Pairs of a root and a target that leaves its closure, of what is accepted.
    pub targets: usize,
    /// Bytes that leave closures, of what is accepted.
    pub bytes: u64,
}

/// Everything that is shown.
#[derive(Clone, Debug)]
pub struct Model {
    /// The keys.
    pub keymap: Keymap,
    /// The name of the project.
    pub project: String,
    /// The day it is.
    pub today: Date,
    /// Columns and lines of the terminal.
    pub size: (u16, u16),
    /// What is in front.
    pub page: Page,
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// Fingerprints of the findings that the question is about, whatever comes to hand meanwhile.
    pub asked: Vec<String>,
    /// How far the analysis is.
    pub stage: Stage,
    /// Ticks since the start, for what moves by itself.
    pub ticks: usize,
    /// The findings.
    pub items: Vec<Item>,
    /// Fingerprints of the fixes that are to be tried first.
    pub preferred: BTreeSet<String>,
    /// What was decided.
    pub decisions: Decisions,
    /// How the tree is made.
    pub arrangement: Arrangement,
    /// The filter as it was typed.
    pub filter: String,
    /// The tree.
    pub rows: Vec<Row>,
    /// Counts for the header.
    pub totals: Totals,
    /// The row at hand.
    pub cursor: usize,
    /// The first row that is shown.
    pub top: usize,
    /// Which side the keys move.
    pub focus: Pane,
    /// What is shown of the finding at hand.
    pub tab: Tab,
    /// The first line that is shown of it, counted from where it begins. The source of a finding begins where its place is
    /// in sight, and goes on above.
    pub scroll: isize,
    /// Which chain is shown.
    pub chain: usize,
    /// The chains of the finding at hand, once somebody wants to see them.
    pub chains: Option<Chains>,
    /// Files that were read for the screen.
    pub texts: BTreeMap<ProjectPath, Option<Arc<str>>>,
    /// Everything that was read.
    pub graph: Option<Arc<Graph>>,
    /// Bytes of the sources of each target, in the order of the graph.
    pub bytes: Arc<Vec<u64>>,
    /// The page of the graph.
    pub walk: Walk,
    /// The page before something is written.
    pub review: Review,
    /// Something to say, until the next key.
    pub notice: Option<String>,
    /// Files of which a part could not be read.
    pub problems: usize,
}

impl Model {
    /// The screen before anything is known.
    pub fn new(project: String, today: Date, keymap: Keymap, decisions: Decisions) -> Self {
        Self {
            keymap,
            project,
            today,
            size: (80, 24),
            page: Page::Findings,
            overlay: None,
            asked: Vec::new(),
            stage: Stage::Starting,
            ticks: 0,
            items: Vec::new(),
            preferred: BTreeSet::new(),
            decisions,
            arrangement: Arrangement::default(),
            filter: String::new(),
            rows: Vec::new(),
            totals: Totals::default(),
            cursor: 0,
            top: 0,
            focus: Pane::Tree,
            tab: Tab::Detail,
            scroll: 0,
            chain: 0,
            chains: None,
            texts: BTreeMap::new(),
            graph: None,
            bytes: Arc::default(),
            walk: Walk::default(),
            review: Review::default(),
            notice: None,
            problems: 0,
        }
    }

    /// The row at hand.
    pub fn row(&self) -> Option<&Row> {
        self.rows.get(self.cursor)
    }

    /// The finding at hand, if it is one and not a group.
    pub fn item(&self) -> Option<&Item> {
        let row = self.row().filter(|row| matches!(row.id, RowId::Finding(_)))?;
        self.items.get(*row.items.first()?)
    }

    /// What was decided about a finding.
    pub fn choice(&self, item: &Item) -> Option<&Choice> {
        self.decisions.choice(&item.fingerprint, self.today)
    }

    /// How many lines of a page there are.
    pub fn page_lines(&self) -> usize {
        usize::from(self.size.1.saturating_sub(FRAME)).max(1)
    }

    /// Fingerprints of the findings that are accepted, in the order of reports.
    pub fn accepted(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| matches!(self.choice(item), Some(Choice::Accepted)))
    }

    /// Moves what is said of the finding at hand by some lines, to its first one at most.
    pub fn scroll_by(&mut self, by: i32) {
        let (least, most) = match self.tab {
            Tab::Source => {
                let start = self.first_line_in_sight();
                let above = isize::try_from(start).unwrap_or(isize::MAX);
                let text = self.source().map_or("", |text| text);
                let lines = isize::try_from(text.lines().count()).unwrap_or(isize::MAX);
                (-above, (lines - 1 - above).max(-above))
            }
            _ => (0, isize::MAX),
        };
        self.scroll = self.scroll.saturating_add(by as isize).clamp(least, most);
    }

    /// The file of the finding at hand, if it was read.
    pub fn source(&self) -> Option<&Arc<str>> {
        self.texts.get(&self.item()?.finding.region.path)?.as_ref()
    }

    /// How many lines of the source stand above what is shown of it.
    pub fn source_above(&self) -> usize {
        self.first_line_in_sight().saturating_add_signed(self.scroll)
    }

    /// The same before anything is scrolled: a third of the page shows what leads to the place.
    fn first_line_in_sight(&self) -> usize {
        let line = self.item().map_or(1, |item| item.finding.region.line) as usize;
        line.saturating_sub(1 + self.page_lines() / 3)
    }

    /// Makes the rows again, with the same one at hand if it is still there.
    pub fn refresh(&mut self) {
        let at_hand = self.row().map(|row| row.id.clone());
        self.rows = self.arrangement.rows(&self.items, &self.decisions, self.today);
        let found = at_hand.and_then(|id| self.rows.iter().position(|row| row.id == id));
        self.cursor = found.unwrap_or(self.cursor).min(self.rows.len().saturating_sub(1));
        self.totals = self.count();
        self.keep_in_sight();
    }

    fn count(&self) -> Totals {
        let groups = self.rows.iter().filter(|row| row.depth == 0);
        let shown = groups.map(|row| row.items.len()).sum();
        let mut totals = Totals { shown, ..Totals::default() };
        for item in &self.items {
            match self.choice(item) {
                Some(Choice::Accepted) => totals.accepted += 1,
                Some(Choice::Rejected { .. }) => totals.rejected += 1,
                Some(Choice::Snoozed { .. }) | None => {}
            }
        }
        (totals.targets, totals.bytes) = weight_of(self.accepted());
        totals
    }

    /// Goes to a row and keeps it on the screen.
    pub fn go_to(&mut self, row: usize) {
        let row = row.min(self.rows.len().saturating_sub(1));
        if row != self.cursor {
            (self.scroll, self.chain) = (0, 0);
        }
        self.cursor = row;
        self.keep_in_sight();
    }

    fn keep_in_sight(&mut self) {
        // One line is the heading of the tree.
        let lines = self.page_lines().saturating_sub(1).max(1);
        let most = self.rows.len().saturating_sub(lines);
        let top = self.top.min(self.cursor).min(most);
        self.top = top.max((self.cursor + 1).saturating_sub(lines));
    }
}
