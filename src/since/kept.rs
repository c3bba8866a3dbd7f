//! Whole results of earlier runs: what there is to find in a state of the files. Reads through the workspace.
//!
//! A result holds for every state in which all questions that were asked about files have the same answers. So first the
//! questions are kept that runs over the same tree and settings had, then what came of each set of answers.

use crate::digest::{Digest, Parts};
use crate::finding::{Coverage, Finding, Report};
use crate::graph;
use crate::source::{Problem, ProjectPath};
use crate::workspace::{ObservedFiles, Question, Workspace, answer, of_answers};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Runs over the same tree ask nearly the same questions; more sets of them are not tried.
const MAX_SETS: usize = 4;

pub(super) type Questions = Vec<(ProjectPath, Question)>;

/// What a run found, before anything is selected. The findings have what tells them from others: nothing else is compared.
#[derive(Serialize, Deserialize)]
struct Result<'r> {
    findings: Vec<Finding>,
    coverage: Coverage,
    suppressed: usize,
    problems: Cow<'r, [Problem]>,
}

/// A run whose result will be kept.
pub struct Watch(Arc<ObservedFiles>);

impl Watch {
    /// Begins before the run, which looks at each content once.
    pub fn begin(workspace: &mut Workspace) -> Self {
        Self(workspace.observe())
    }

    /// Keeps what the run found: everything, whatever was asked for. Most runs ask what the one asked that was `found` for
    /// another state.
    pub fn keep(&self, workspace: &Workspace, report: &Report, found: Option<&Found>) {
        let Some(key) = key(workspace) else { return };
        let same = found.and_then(|found| Some((found.set, self.0.answers_to(&found.questions)?)));
        let Some((set, answers)) = same.or_else(|| self.keep_questions(workspace)) else {
            return;
        };
        let cache = &workspace.cache;
        let mut sets: Vec<Digest> = cache.get(&key).unwrap_or_default();
        if sets.first() != Some(&set) {
            sets.retain(|other| *other != set);
            sets.insert(0, set);
            sets.truncate(MAX_SETS);
            cache.put(key, &sets);
        }
        let key = result_key(&key, &set, &answers);
        if !cache.has(&key) {
            let findings = report.findings.par_iter().map(Finding::outline).collect();
            let problems = Cow::Borrowed(&*report.problems);
            let Report { coverage, suppressed, .. } = *report;
            cache.put(key, &Result { findings, coverage, suppressed, problems });
        }
    }

    /// Keeps the questions; gives their digest, and that of their answers.
    fn keep_questions(&self, workspace: &Workspace) -> Option<(Digest, Digest)> {
        let (questions, answers) = self.0.questions()?;
        let set = set_of(&questions);
        if !workspace.cache.has(&set) {
            workspace.cache.put(set, &questions);
        }
        Some((set, answers))
    }
}

/// What an earlier run found, and what it asked.
pub struct Found {
    /// Findings in outline.
    pub report: Report,
    /// The digest of the questions.
    pub(super) set: Digest,
    pub(super) questions: Questions,
    /// In the order of the questions.
    pub(super) answers: Vec<Digest>,
    /// Under which key the report is kept.
    pub(super) result: Digest,
}

/// What a run over a workspace in this state found.
pub fn find(workspace: &Workspace) -> Option<Found> {
    let key = key(workspace)?;
    let sets: Vec<Digest> = workspace.cache.get(&key)?;
    sets.iter().find_map(|set| {
        let questions: Questions = workspace.cache.get(set)?;
        let ask =
            |(path, question): &(ProjectPath, Question)| answer(&*workspace.files, path, *question);
        let answers: Vec<Digest> = questions.par_iter().map(ask).collect();
        let result = result_key(&key, set, &of_answers(&answers));
        Some(Found { report: load(workspace, &result)?, set: *set, questions, answers, result })
    })
}

/// A report, in outline.
pub(super) fn load(workspace: &Workspace, key: &Digest) -> Option<Report> {
    let result: Result<'_> = workspace.cache.get(key)?;
    let Result { findings, coverage, suppressed, problems } = result;
    let problems = problems.into_owned();
    Some(Report { findings, coverage, suppressed, problems, ..Report::default() })
}

/// Of all that a result depends on besides the contents of files.
pub(super) fn key(workspace: &Workspace) -> Option<Digest> {
    // What Buck2 says lies in no file of the project.
    if !workspace.cache.is_on() || workspace.outside.is_some() {
        return None;
    }
    let mut parts = Parts::new("questions");
    for cells in graph::configurations(workspace).ok()? {
        parts.add_digest(&workspace.digest_of_settings(&cells));
    }
    parts.add_digest(&workspace.tree.digest());
    parts.add(format!("{:?}", workspace.problems));
    Some(parts.finish())
}

fn set_of(questions: &Questions) -> Digest {
    let mut parts = Parts::new("set of questions");
    for (path, question) in questions {
        parts.add(path.as_str()).add_number(*question as u64);
    }
    parts.finish()
}

fn result_key(key: &Digest, set: &Digest, answers: &Digest) -> Digest {
    Parts::new("result").add_digest(key).add_digest(set).add_digest(answers).finish()
}
