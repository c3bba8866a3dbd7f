//! `.buckconfig`: Buck2's configuration language, read line by line. Touches the disk through `files` only.
//!
//! The rules are those of `buck2_common::legacy_configs::parser`. What stops Buck2 is a [`Problem`] here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config_flags::ConfigFlag;
use super::config_references::{Resolved, resolve};
use super::files;
use crate::source::{Problem, ProblemKind, ProjectPath};

/// Section → key → value.
pub(super) type Sections<V> = BTreeMap<String, BTreeMap<String, V>>;

/// The most files that one configuration may be made of; files that include each other twice double at each step.
const MAX_FILES: usize = 1000;
/// Larger files are not read: nobody wrote them.
const MAX_BYTES: usize = 4 << 20;

/// Where keys go that stand before the first section.
const UNSPECIFIED: &str = "__unspecified__";

/// A value as written, before `$(config …)` is replaced.
#[derive(Clone, Debug)]
pub(super) struct RawValue {
    pub(super) text: String,
    /// File and line, or nothing for a value of the command line.
    pub(super) place: Option<(ProjectPath, u32)>,
}

/// The whole configuration of one cell. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct BuckConfig(Arc<Data>);

#[derive(Debug, Default)]
struct Data {
    raw: Sections<RawValue>,
    values: Sections<String>,
    /// The trouble with lines, and the trouble with references.
    problems: [Vec<Problem>; 2],
}

impl BuckConfig {
    /// The value of `section.key`.
    pub fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.0.values.get(section)?.get(key).map(String::as_str)
    }

    /// The value split at commas. As in Buck2 the parts are not trimmed: `A, B` holds `" B"`.
    pub fn get_list(&self, section: &str, key: &str) -> Option<Vec<&str>> {
        Some(self.get(section, key)?.split(',').collect())
    }

    /// The value as Buck2 reads a boolean: `true` or `false`, else nothing.
    pub fn get_bool(&self, section: &str, key: &str) -> Option<bool> {
        self.get(section, key)?.parse().ok()
    }

    /// Whether the section was opened anywhere, even if it is empty.
    pub fn has_section(&self, name: &str) -> bool {
        self.0.values.contains_key(name)
    }

    /// The keys and values of a section, sorted by key.
    pub fn section(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.0.values.get(name).into_iter().flatten();
        entries.map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The names of all sections, sorted.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.0.values.keys().map(String::as_str)
    }

    /// File and line (counted from 1) that gave the value; `None` for an absent value and for one of the command line.
    pub fn place(&self, section: &str, key: &str) -> Option<(&ProjectPath, u32)> {
        let (path, line) = self.0.raw.get(section)?.get(key)?.place.as_ref()?;
        Some((path, *line))
    }

    /// What could not be read or understood.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.0.problems.iter().flatten()
    }

    /// This configuration with values set or unset on top.
    pub(super) fn with_flags<'a>(&self, flags: impl IntoIterator<Item = &'a ConfigFlag>) -> Self {
        let mut raw = self.0.raw.clone();
        for ConfigFlag { section, key, value, .. } in flags {
            let entries = raw.entry(section.clone()).or_default();
            match value {
                Some(text) => {
                    entries.insert(key.clone(), RawValue { text: text.clone(), place: None });
                }
                None => {
                    entries.remove(key);
                }
            }
        }
        let [of_lines, _] = &self.0.problems;
        Self::new(raw, of_lines.clone())
    }

    /// Whether every value is the same.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.0.values == other.0.values
    }

    fn new(raw: Sections<RawValue>, of_lines: Vec<Problem>) -> Self {
        let Resolved { values, problems } = resolve(&raw);
        Self(Arc::new(Data { raw, values, problems: [of_lines, problems] }))
    }
}

/// Contents to be read instead of what is on disk, `None` for files that are gone.
pub(super) type Contents = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// Reads files one over the other; a later value replaces an earlier one.
pub(super) struct ConfigParser<'a> {
    project: &'a Path,
    contents: &'a Contents,
    follow_includes: bool,
    sections: Sections<RawValue>,
    /// The section that keys go to. Buck2 does not reset it around an include, in either direction.
    section: String,
    /// The file being read and those that include it.
    open: Vec<PathBuf>,
    /// How many files were read.
    files: usize,
    problems: Vec<Problem>,
}

impl<'a> ConfigParser<'a> {
    pub(super) fn new(project: &'a Path, contents: &'a Contents, follow_includes: bool) -> Self {
        let section = String::new();
        let (sections, open, files, problems) = Default::default();
        Self { project, contents, follow_includes, sections, section, open, files, problems }
    }

    /// Reads a file on top of what was read before; `false` if there is none.
    pub(super) fn file(&mut self, path: &Path) -> bool {
        self.enter(UNSPECIFIED);
        self.included(path)
    }

    pub(super) fn finish(self) -> BuckConfig {
        BuckConfig::new(self.sections, self.problems)
    }

    fn included(&mut self, path: &Path) -> bool {
        let other = self.contents.get(path);
        let bytes = match other.cloned().map_or_else(|| files::read_if_exists(path), Ok) {
            Ok(None) => return false,
            Ok(Some(bytes)) if bytes.len() > MAX_BYTES => {
                let message = format!("larger than {} MiB; not read", MAX_BYTES >> 20);
                self.problem(path, 0, ProblemKind::Limit, message);
                return true;
            }
            Ok(Some(bytes)) => bytes,
            Err(error) => {
                self.problem(path, 0, ProblemKind::Unreadable, error.to_string());
                return true;
            }
        };
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            self.problem(path, 0, ProblemKind::Unreadable, "not UTF-8");
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        self.files += 1;
        self.open.push(path.to_path_buf());
        for (line, content) in logical_lines(&text) {
            self.line(path, line, &content);
        }
        self.open.pop();
        true
    }

    fn line(&mut self, path: &Path, line: u32, content: &str) {
        if let Some(rest) = content.strip_prefix('[') {
            // Only here a trailing comment is one; in values `#` is text.
            let rest = rest.split_once(" #").map_or(rest, |(before, _)| before);
            match rest.strip_suffix(']') {
                Some(section) => self.enter(section),
                None => self.config_problem(path, line, format!("`{content}` lacks a `]`")),
            }
        } else if let Some((key, value)) = content.split_once('=') {
            self.set(path, line, key.trim(), value.trim());
        } else if let Some((target, optional)) = include_of(content) {
            if self.follow_includes {
                self.include(path, line, target, optional);
            }
        } else {
            let message = format!("`{content}` is no section, no `key = value` and no include");
            self.config_problem(path, line, message);
        }
    }

    fn enter(&mut self, section: &str) {
        section.clone_into(&mut self.section);
        self.sections.entry(section.to_owned()).or_default();
    }

    fn set(&mut self, path: &Path, line: u32, key: &str, value: &str) {
        if key.is_empty() {
            return self.config_problem(path, line, "the key is empty");
        }
        let place = Some((files::shown(self.project, path), line));
        let value = RawValue { text: value.to_owned(), place };
        self.sections.entry(self.section.clone()).or_default().insert(key.to_owned(), value);
    }

    fn include(&mut self, path: &Path, line: u32, target: &str, optional: bool) {
        let dir = path.parent().unwrap_or(self.project);
        let included = normal(&dir.join(target));
        if self.open.contains(&included) {
            return self.config_problem(path, line, format!("`{target}` includes itself"));
        }
        if self.files >= MAX_FILES {
            let message = format!("`{target}` is one of more than {MAX_FILES} files; not read");
            return self.problem(path, line, ProblemKind::Limit, message);
        }
        if !self.included(&included) && !optional {
            self.config_problem(path, line, format!("included file `{target}` does not exist"));
        }
    }

    fn config_problem(&mut self, path: &Path, line: u32, message: impl Into<String>) {
        self.problem(path, line, ProblemKind::Config, message);
    }

    fn problem(&mut self, path: &Path, line: u32, kind: ProblemKind, message: impl Into<String>) {
        let path = files::shown(self.project, path);
        self.problems.push(Problem { path, line, kind, message: message.into() });
    }
}

/// Trimmed lines with continuations joined, numbered by their first line; comments and empty lines are left out after
/// the joining, so that a comment may follow a trailing backslash.
fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        match lines.last_mut() {
            Some((_, previous)) if previous.ends_with('\\') => {
                previous.pop();
                previous.push_str(line);
            }
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines.retain(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']));
    lines
}

/// The path in `<file:path>` or, optional, `<?file:path>`, wherever it stands in the line.
fn include_of(line: &str) -> Option<(&str, bool)> {
    let (at, prefix, optional) = [("<file:", false), ("<?file:", true)]
        .into_iter()
        .filter_map(|(prefix, optional)| Some((line.find(prefix)?, prefix, optional)))
        .min()?;
    let rest = line.get(at + prefix.len()..)?;
    let target = rest.get(..rest.rfind('>')?)?;
    (!target.is_empty()).then_some((target, optional))
}

/// `path` with `.` and `..` resolved by text, as Buck2 does for includes.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
#[path = "buckconfig_tests.rs"]
mod tests;
