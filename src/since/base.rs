//! What a commit held, as an earlier run was told: while no file comes or goes, what changed since is seen without asking git
//! about every file. Reads through the workspace.

use super::Revision;
use super::kept::{Found, Questions, key, load};
use crate::digest::{Digest, Parts};
use crate::source::ProjectPath;
use crate::workspace::{Question, Workspace, answer};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A state that was committed, seen from a project with the files that it has now.
pub struct Base {
    recorded: Recorded,
    questions: Questions,
}

#[derive(Serialize, Deserialize)]
struct Recorded {
    /// The digest of the questions that its result rests on.
    set: Digest,
    /// Their answers, in the same order.
    answers: Vec<Digest>,
    result: Digest,
    /// Files of the project that git does not track.
    untracked: Vec<ProjectPath>,
    /// Files that were not there; sorted.
    absent: Vec<ProjectPath>,
}

impl Base {
    /// What was recorded of a commit.
    pub fn find(now: &Workspace, commit: &str) -> Option<Self> {
        let recorded: Recorded = now.cache.get(&of_commit(now, commit)?)?;
        let questions: Questions = now.cache.get(&recorded.set)?;
        (questions.len() == recorded.answers.len()).then_some(Self { recorded, questions })
    }

    /// Records what is different from a commit, of which `found` is the result. `untracked` are all files of the project that
    /// git does not track.
    pub fn record(
        now: &Workspace,
        commit: &str,
        revision: &Revision,
        untracked: &[ProjectPath],
        found: &Found,
    ) {
        // Whatever else differs, git has to be asked each time.
        let mut files = revision.files.iter();
        let is_plain = files
            .all(|file| file.from.is_none() && (file.before.is_none() || now.has_file(&file.path)));
        let is_configured_alike = || now.is_configured_alike(&revision.contents());
        if !is_plain || !is_configured_alike().is_ok_and(|alike| alike) {
            return;
        }
        let absent = revision.files.iter().filter(|file| file.before.is_none());
        let mut absent: Vec<ProjectPath> = absent.map(|file| file.path.clone()).collect();
        absent.sort();
        // Where there is another record, git said something else since.
        let Some(key) = of_commit(now, commit) else { return };
        let (set, result) = (found.set, found.result);
        let (answers, untracked) = (found.answers.clone(), untracked.to_vec());
        now.cache.put(key, &Recorded { set, answers, result, untracked, absent });
    }

    /// Files of the project that git does not track; it may have been told to meanwhile.
    pub fn untracked(&self) -> &[ProjectPath] {
        &self.recorded.untracked
    }

    /// Files of the project that were not there, and that git does not ignore; sorted.
    pub fn absent(&self) -> &[ProjectPath] {
        &self.recorded.absent
    }

    /// Files that held something else; `None` if something else than contents differs.
    pub fn changed(&self, now: &Workspace) -> Option<Vec<ProjectPath>> {
        let asked = self.questions.par_iter().zip(&self.recorded.answers);
        let changed =
            asked.filter(|((path, question), then)| answer(&*now.files, path, *question) != **then);
        let of_content = |((path, question), _): (&(ProjectPath, Question), &Digest)| {
            let is_content = *question == Question::Content && now.has_file(path);
            is_content.then(|| path.clone())
        };
        changed.map(of_content).collect()
    }

    /// What there was to find.
    pub fn found(self, now: &Workspace) -> Option<Found> {
        let Recorded { set, result, answers, .. } = self.recorded;
        let report = load(now, &result)?;
        Some(Found { report, set, questions: self.questions, answers, result })
    }
}

fn of_commit(now: &Workspace, commit: &str) -> Option<Digest> {
    Some(Parts::new("commit").add(commit).add_digest(&key(now)?).finish())
}
