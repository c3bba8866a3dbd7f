//! One mutation: what it does to the files, and what a run must then say.

use super::repository::{Changes, Edit};
use secateur::finding::{CheckId, Finding};
use secateur::label::Label;
use secateur::source::{Place, ProjectPath};
use std::fmt;

/// The ways to mutate a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    InsertDep,
    RemoveDep,
    AddModule,
    AddModuleWithTest,
    AddModuleWithTestOfLivingCode,
    AddLibrary,
    AddLibraryWithUser,
}

impl Way {
    /// What it does, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::InsertDep => "insert a dep that nothing uses",
            Self::RemoveDep => "remove a dep that is imported",
            Self::AddModule => "add a module that nothing imports",
            Self::AddModuleWithTest => "… that only its own test imports",
            Self::AddModuleWithTestOfLivingCode => "… the same, and it imports living code",
            Self::AddLibrary => "add a library that nothing depends on",
            Self::AddLibraryWithUser => "… that one target depends on and does not import",
        }
    }
}

/// A finding, as far as a mutation decides what is in it.
#[derive(Clone, Debug)]
pub struct Sight {
    pub check: CheckId,
    pub target: Option<Label>,
    pub dep: Option<Label>,
    pub module: Option<String>,
    pub path: Option<ProjectPath>,
}

impl Sight {
    /// Anything that a check says about a target.
    pub fn of(check: CheckId, target: &Label) -> Self {
        Self { check, target: Some(target.clone()), dep: None, module: None, path: None }
    }

    /// Anything that a check says about a file.
    pub fn at(check: CheckId, path: &ProjectPath) -> Self {
        Self { check, target: None, dep: None, module: None, path: Some(path.clone()) }
    }

    pub fn matches(&self, finding: &Finding) -> bool {
        fn agrees<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        self.check == finding.check
            && agrees(self.target.as_ref(), finding.target.as_ref())
            && agrees(self.dep.as_ref(), finding.dep.as_ref())
            && agrees(self.module.as_ref(), finding.module.as_ref())
            && self.path.as_ref().is_none_or(|path| *path == finding.region.path)
    }
}

/// A mutation.
#[derive(Debug)]
pub struct Planted {
    pub way: Way,
    pub changes: Changes,
    /// One of these must be found.
    pub wanted: Vec<Sight>,
    /// What is true besides.
    pub implied: Vec<Sight>,
}

impl fmt::Display for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.way.title())?;
        for edit in &self.changes.edits {
            write!(f, " {}:{}..{} {:?}", edit.path, edit.start, edit.end, edit.text)?;
        }
        for sight in &self.wanted {
            write!(f, " [{}", sight.check.as_str())?;
            for label in sight.target.iter().chain(&sight.dep) {
                write!(f, " {label}")?;
            }
            write!(f, " {}]", sight.module.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Puts a label into a list, before another element of it.
pub fn insert_before(text: &str, place: &Place, label: &str) -> Edit {
    let start = place.span.range().start;
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let indent = &text[line..start];
    let is_alone = indent.trim().is_empty();
    let (at, text) = if is_alone {
        (line, format!("{indent}\"{label}\",\n"))
    } else {
        (start, format!("\"{label}\", "))
    };
    Edit { path: place.path.clone(), start: at, end: at, text }
}

/// Takes an element out of a list, with its line if nothing else stands there.
pub fn remove(text: &str, place: &Place) -> Edit {
    let mut range = place.span.range();
    let rest = &text[range.end..];
    if rest.trim_start().starts_with(',') {
        range.end += rest.find(',').unwrap() + 1;
    }
    let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at + 1);
    let behind = text[range.end..end].trim();
    if text[line..range.start].trim().is_empty() && (behind.is_empty() || behind.starts_with('#')) {
        range = line..end;
    }
    let (start, end) = (range.start, range.end);
    Edit { path: place.path.clone(), start, end, text: String::new() }
}
