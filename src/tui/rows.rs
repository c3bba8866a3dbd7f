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

impl Arrangement {
    /// The rows, from top to bottom.
    pub fn rows(&self, items: &[Item], decisions: &Decisions, today: Date) -> Vec<Row> {
        let choice = |item: &Item| decisions.choice(&item.fingerprint, today);
        let mut top = Group::default();
        for at in self.filter.apply(items, |item| decisions.choice(&item.fingerprint, today)) {
            let mut group = &mut top;
            for name in self.grouping.path(&items[at]) {
                group.items.push(at);
                group = group.groups.entry(name).or_default();
            }
            group.items.push(at);
        }
        let marks: Vec<Mark> = items.iter().map(|item| Mark::of(choice(item))).collect();
        let mut rows = Vec::new();
        let mut path = Vec::new();
        self.add(&top, items, &marks, &mut path, &mut rows);
        rows
    }

    fn add(
        &self,
        group: &Group,
        items: &[Item],
        marks: &[Mark],
        path: &mut Vec<String>,
        rows: &mut Vec<Row>,
    ) {
        let saving = |group: &Group| group.items.iter().map(|at| items[*at].weight().0).sum();
        let surest =
            |group: &Group| group.items.iter().map(|at| items[*at].finding.confidence).max();
        let mut groups: Vec<(&String, &Group)> = group.groups.iter().collect();
        match self.sort {
            Sort::Saving => groups.sort_by_key(|(_, group)| Reverse::<usize>(saving(group))),
            Sort::Confidence => groups.sort_by_key(|(_, group)| Reverse(surest(group))),
            Sort::Package | Sort::Check => {}
        }
        for (name, inner) in groups {
            path.push(name.clone());
            let folded = self.folded.contains(path);
            let mark = inner.items.iter().map(|at| marks[*at]).reduce(Mark::and);
            rows.push(Row {
                id: RowId::Group(path.clone()),
                depth: path.len() - 1,
                text: short(name, path),
                mark: mark.unwrap_or(Mark::Open),
                folded,
                items: inner.items.clone(),
                saving: saving(inner),
            });
            if !folded {
                self.add(inner, items, marks, path, rows);
            }
            path.pop();
        }
        if group.groups.is_empty() {
            let mut own = group.items.clone();
            match self.sort {
                Sort::Saving => own.sort_by_key(|at| Reverse(items[*at].weight())),
                Sort::Confidence => own.sort_by_key(|at| Reverse(items[*at].finding.confidence)),
                Sort::Check => own.sort_by_key(|at| items[*at].finding.check),
                Sort::Package => {}
            }
            rows.extend(own.into_iter().map(|at| Row {
                id: RowId::Finding(items[at].fingerprint.clone()),
                depth: path.len(),
                text: items[at].subject(),
                mark: marks[at],
                folded: false,
                items: vec![at],
                saving: items[at].weight().0,
            }));
        }
    }
}

/// What a group adds to the name of the one around it: `:name` in its package.
fn short(name: &str, path: &[String]) -> String {
    let around = path.len().checked_sub(2).and_then(|at| path.get(at));
    let rest = around.and_then(|around| name.strip_prefix(around.as_str()));
    rest.filter(|rest| rest.starts_with(':')).unwrap_or(name).to_owned()
}
