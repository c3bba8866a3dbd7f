//! The findings as rows of a tree: grouped, sorted, filtered, folded. Pure.

use super::decisions::{Choice, Decisions};
use super::filter::Filter;
use super::item::Item;
use jiff::civil::Date;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What findings are put together by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// The package, and within it the target.
    #[default]
    Package,
    /// Who answers for it, and within that the target.
    Owner,
    /// The target.
    Target,
    /// The check, and within it the package.
    Check,
}

impl Grouping {
    /// The next one in turn.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Package => Self::Owner,
            Self::Owner => Self::Target,
            Self::Target => Self::Check,
            Self::Check => Self::Package,
        }
    }

    /// The name on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Owner => "owner",
            Self::Target => "target",
            Self::Check => "check",
        }
    }

    fn path(self, item: &Item) -> Vec<String> {
        match self {
            Self::Package => vec![item.package.clone(), item.target()],
            Self::Owner => vec![item.owner.clone(), item.target()],
            Self::Target => vec![item.target()],
            Self::Check => vec![item.finding.check.as_str().to_owned(), item.package.clone()],
        }
    }
}

/// In which order findings stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// What saves most comes first.
    #[default]
    Saving,
    /// What is most certain comes first.
    Confidence,
    /// By package and place.
    Package,
    /// By check.
    Check,
}

impl Sort {
    /// The next one in turn.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Saving => Self::Confidence,
            Self::Confidence => Self::Package,
            Self::Package => Self::Check,
            Self::Check => Self::Saving,
        }
    }

    /// The name on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Saving => "saving",
            Self::Confidence => "confidence",
            Self::Package => "place",
            Self::Check => "check",
        }
    }
}

/// What a row stands for; the same before and after findings are read anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowId {
    /// A group, by the names from the outermost to its own.
    Group(Vec<String>),
    /// A finding, by its fingerprint.
    Finding(String),
}

/// How much of a group was decided, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing is decided.
    Open,
    /// All is accepted.
    Accepted,
    /// All is rejected.
    Rejected,
    /// All is put off.
    Snoozed,
    /// Some of it is decided, or in different ways.
    Partly,
}

impl Mark {
    fn of(choice: Option<&Choice>) -> Self {
        match choice {
            None => Self::Open,
            Some(Choice::Accepted) => Self::Accepted,
            Some(Choice::Rejected { .. }) => Self::Rejected,
            Some(Choice::Snoozed { .. }) => Self::Snoozed,
        }
    }

    fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Partly }
    }

    /// The sign on the screen; never by colour alone.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "[ ]",
            Self::Accepted => "[x]",
            Self::Rejected => "[-]",
            Self::Snoozed => "[z]",
            Self::Partly => "[~]",
        }
    }
}

/// One line of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it stands for.
    pub id: RowId,
    /// How deep it is.
    pub depth: usize,
    /// The groups that it stands for too, or whose finding it is where no group says so.
    pub lead: String,
    /// What it says.
    pub text: String,
    /// What was decided.
    pub mark: Mark,
    /// Whether what is below it is hidden.
    pub folded: bool,
    /// Positions of the findings at or below it.
    pub items: Vec<usize>,
    /// Targets that would leave closures, summed.
    pub saving: usize,
}

/// How the tree is made.
#[derive(Clone, Debug, Default)]
pub struct Arrangement {
    /// What findings are put together by.
    pub grouping: Grouping,
    /// In which order they stand.
    pub sort: Sort,
    /// Which are shown.
    pub filter: Filter,
    /// Groups whose inside is hidden.
    pub folded: BTreeSet<Vec<String>>,
}

#[derive(Default)]
struct Group {
    items: Vec<usize>,
    groups: BTreeMap<String, Self>,
}

impl Group {
    /// The one group in it, if there is nothing else.
    fn only(&self) -> Option<(&String, &Self)> {
        self.groups.first_key_value().filter(|_| self.groups.len() == 1)
    }

    fn saving(&self, items: &[Item]) -> usize {
        weight_of(self.items.iter().filter_map(|at| items.get(*at))).0
    }
}

/// What some findings save together; what one edit saves counts once.
pub fn weight_of<'i>(items: impl IntoIterator<Item = &'i Item>) -> (usize, u64) {
    let mut edits = BTreeSet::new();
    let counted = items.into_iter().filter(|item| item.edit.is_none_or(|edit| edits.insert(edit)));
    counted.map(Item::weight).fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1))
}

impl Arrangement {
    /// The rows, from top to bottom.
    pub fn rows(&self, items: &[Item], decisions: &Decisions, today: Date) -> Vec<Row> {
        let choice = |item: &Item| decisions.choice(&item.fingerprint, today);
        let mut top = Group::default();
        for at in self.filter.apply(items, choice) {
            let mut group = &mut top;
            for name in self.grouping.path(&items[at]) {
                group.items.push(at);
                group = group.groups.entry(name).or_default();
            }
            group.items.push(at);
        }
        let marks = items.iter().map(|item| Mark::of(choice(item))).collect();
        let path = Vec::new();
        let mut tree = Tree { arrangement: self, items, marks, path, rows: Vec::new() };
        tree.inside(&top, 0);
        tree.rows
    }
}

/// The rows made so far.
struct Tree<'a> {
    arrangement: &'a Arrangement,
    items: &'a [Item],
    marks: Vec<Mark>,
    /// Names of the groups around what is added.
    path: Vec<String>,
    rows: Vec<Row>,
}

impl Tree<'_> {
    fn inside(&mut self, group: &Group, depth: usize) {
        let items = self.items;
        let surest =
            |group: &Group| group.items.iter().map(|at| items[*at].finding.confidence).max();
        let mut groups: Vec<(&String, &Group)> = group.groups.iter().collect();
        match self.arrangement.sort {
            Sort::Saving => groups.sort_by_key(|(_, group)| Reverse(group.saving(items))),
            Sort::Confidence => groups.sort_by_key(|(_, group)| Reverse(surest(group))),
            Sort::Package | Sort::Check => {}
        }
        for (name, inner) in groups {
            self.path.push(name.clone());
            self.group(short(name, &self.path), inner, depth);
            self.path.pop();
        }
        if group.groups.is_empty() {
            self.findings(group, depth);
        }
    }

    /// A group with one thing in it is one row with it, unless it is what all are put together by.
    fn group(&mut self, text: String, group: &Group, depth: usize) {
        let is_joined =
            depth > 0 || matches!(self.arrangement.grouping, Grouping::Package | Grouping::Target);
        match (group.only(), group.items.as_slice()) {
            (Some((name, inner)), _) if is_joined => {
                self.path.push(name.clone());
                let more = short(name, &self.path);
                let space = if more.starts_with(':') { "" } else { " " };
                self.group(format!("{text}{space}{more}"), inner, depth);
                self.path.pop();
            }
            (None, [at]) if is_joined && group.groups.is_empty() => {
                let lead = match self.lead(*at) {
                    own if own.is_empty() || own.starts_with(':') => text + &own,
                    own => format!("{text} {own}"),
                };
                self.finding(*at, lead, depth);
            }
            _ => {
                let folded = self.arrangement.folded.contains(&self.path);
                let mark = group.items.iter().map(|at| self.marks[*at]).reduce(Mark::and);
                self.rows.push(Row {
                    id: RowId::Group(self.path.clone()),
                    depth,
                    lead: String::new(),
                    text,
                    mark: mark.unwrap_or(Mark::Open),
                    folded,
                    items: group.items.clone(),
                    saving: group.saving(self.items),
                });
                if !folded {
                    self.inside(group, depth + 1);
                }
            }
        }
    }

    fn findings(&mut self, group: &Group, depth: usize) {
        let items = self.items;
        let mut own = group.items.clone();
        match self.arrangement.sort {
            Sort::Saving => own.sort_by_key(|at| Reverse(items[*at].weight())),
            Sort::Confidence => own.sort_by_key(|at| Reverse(items[*at].finding.confidence)),
            Sort::Check => own.sort_by_key(|at| items[*at].finding.check),
            Sort::Package => {}
        }
        own.into_iter().for_each(|at| self.finding(at, self.lead(at), depth));
    }

    /// Whose finding it is, where no group says so.
    fn lead(&self, at: usize) -> String {
        let item = &self.items[at];
        match self.arrangement.grouping {
            Grouping::Package | Grouping::Owner | Grouping::Target => String::new(),
            Grouping::Check => short(&item.target(), &[item.package.clone(), item.target()]),
        }
    }

    fn finding(&mut self, at: usize, lead: String, depth: usize) {
        let item = &self.items[at];
        self.rows.push(Row {
            id: RowId::Finding(item.fingerprint.clone()),
            depth,
            lead,
            text: item.subject(),
            mark: self.marks[at],
            folded: false,
            items: vec![at],
            saving: item.weight().0,
        });
    }
}

/// What a group adds to the name of the one around it: `:name` in its package, the name of a file there.
fn short(name: &str, path: &[String]) -> String {
    let Some(around) = path.len().checked_sub(2).and_then(|at| path.get(at)) else {
        return name.to_owned();
    };
    let target = name.strip_prefix(around.as_str()).filter(|rest| rest.starts_with(':'));
    let dir = around.split_once("//").map_or("", |(_, dir)| dir);
    let is_file = !dir.is_empty() && !name.contains("//");
    let file = is_file.then(|| name.split_once(dir)?.1.strip_prefix('/')).flatten();
    target.or(file).unwrap_or(name).to_owned()
}
