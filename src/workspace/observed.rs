//! Files that note what was asked about them, so that a result is known to hold as long as the answers are the same. Touches
//! nothing itself.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::files::{Content, Files};
use crate::digest::{Digest, Parts};
use crate::source::ProjectPath;

/// What was asked about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Question {
    /// Whether it is there.
    Exists,
    /// What it holds.
    Content,
}

/// Files that note what was asked about them. Each content is looked at once: two states of a project are compared over the same
/// contents, even if somebody writes meanwhile.
pub struct ObservedFiles {
    base: Arc<dyn Files>,
    answers: Mutex<Answers>,
}

/// What was answered; `None` if it was answered in two ways.
#[derive(Default)]
struct Answers {
    contents: FxHashMap<ProjectPath, Option<Result<Digest, Digest>>>,
    existence: FxHashMap<ProjectPath, Option<bool>>,
}

impl ObservedFiles {
    /// The same files.
    pub fn new(base: Arc<dyn Files>) -> Self {
        Self { base, answers: Mutex::default() }
    }

    /// What was asked so far, sorted, and a digest of the answers; `None` if files were changed meanwhile.
    pub fn questions(&self) -> Option<(Vec<(ProjectPath, Question)>, Digest)> {
        let mut questions: Vec<(ProjectPath, Question)> = {
            let answers = self.answers();
            let existence = answers.existence.keys().map(|path| (path.clone(), Question::Exists));
            let contents = answers.contents.keys().map(|path| (path.clone(), Question::Content));
            existence.chain(contents).collect()
        };
        questions.sort_unstable();
        let digest = self.answers_to(&questions)?;
        Some((questions, digest))
    }

    /// A digest of the answers to these questions, in their order, if they are just those that were asked so far.
    pub fn answers_to(&self, questions: &[(ProjectPath, Question)]) -> Option<Digest> {
        let answers = self.answers();
        if questions.len() != answers.existence.len() + answers.contents.len() {
            return None;
        }
        let answer = |(path, question): &(ProjectPath, Question)| match question {
            Question::Exists => Some(of_existence((*answers.existence.get(path)?)?)),
            Question::Content => Some(of_content((*answers.contents.get(path)?)?)),
        };
        Some(of_answers(&questions.iter().map(answer).collect::<Option<Vec<Digest>>>()?))
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &ProjectPath, content: Result<Digest, &io::Error>) {
        note(&mut self.answers().contents, path, content.map_err(of_error));
    }
}

/// Notes an answer, unless there was another one before.
fn note<A: Copy + PartialEq>(
    answers: &mut FxHashMap<ProjectPath, Option<A>>,
    path: &ProjectPath,
    answer: A,
) {
    let known = answers.entry(path.clone()).or_insert(Some(answer));
    if *known != Some(answer) {
        *known = None;
    }
}

/// A digest of answers, in the order of their questions.
pub fn of_answers(answers: &[Digest]) -> Digest {
    let mut digest = Parts::new("answers");
    for answer in answers {
        digest.add_digest(answer);
    }
    digest.finish()
}

/// What `files` would answer to a question.
pub fn answer(files: &dyn Files, path: &ProjectPath, question: Question) -> Digest {
    match question {
        Question::Exists => of_existence(files.exists(path)),
        Question::Content => {
            of_content(files.content(path).map(|content| content.digest).map_err(|e| of_error(&e)))
        }
    }
}

fn of_existence(exists: bool) -> Digest {
    Parts::new("exists").add_number(exists.into()).finish()
}

fn of_content(content: Result<Digest, Digest>) -> Digest {
    content.unwrap_or_else(|error| error)
}

fn of_error(error: &io::Error) -> Digest {
    Parts::new("error").add(error.to_string()).finish()
}

impl Files for ObservedFiles {
    fn read(&self, path: &ProjectPath) -> io::Result<Vec<u8>> {
        let bytes = self.base.read(path);
        self.note(path, bytes.as_ref().map(|bytes| Digest::of(bytes)));
        bytes
    }

    fn content(&self, path: &ProjectPath) -> io::Result<Content> {
        let known = self.answers().contents.get(path).copied().flatten();
        if let Some(Ok(digest)) = known {
            return Ok(Content { digest, bytes: None });
        }
        let content = self.base.content(path);
        self.note(path, content.as_ref().map(|content| content.digest));
        content
    }

    fn exists(&self, path: &ProjectPath) -> bool {
        let exists = self.base.exists(path);
        note(&mut self.answers().existence, path, exists);
        exists
    }

    /// No finding depends on how large a file is.
    fn size(&self, path: &ProjectPath) -> io::Result<u64> {
        self.base.size(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{DiskFiles, OverlayFiles};
    use std::collections::BTreeMap;
    use std::fs;

    #[test]
    fn the_same_answers_have_the_same_digest_and_two_to_one_question_have_none() {
        let [a, b] = ["a", "b"].map(ProjectPath::new);
        let files = |text: &str| {
            let disk = Arc::new(crate::workspace::DiskFiles::new("/nonexistent"));
            let contents = BTreeMap::from([(a.clone(), Some(text.as_bytes().to_vec()))]);
            Arc::new(OverlayFiles::new(disk, contents)) as Arc<dyn Files>
        };
        let observed = ObservedFiles::new(files("1"));
        observed.read(&a).unwrap();
        assert!(!observed.exists(&b));
        observed.read(&b).unwrap_err();
        let (questions, digest) = observed.questions().unwrap();
        assert_eq!(questions.len(), 3);
        assert_eq!(observed.answers_to(&questions), Some(digest));
        assert_eq!(observed.answers_to(&questions[1..]), None);
        let other = [&questions[1..], &[(ProjectPath::new("c"), Question::Content)]].concat();
        assert_eq!(observed.answers_to(&other), None);
        let again = |text: &str| {
            let files = files(text);
            let mut all = Parts::new("answers");
            for (path, question) in &questions {
                all.add_digest(&answer(&*files, path, *question));
            }
            all.finish()
        };
        assert_eq!((again("1") == digest, again("2") == digest), (true, false));
        observed.note(&b, Ok(Digest::of(b"2")));
        assert!(observed.questions().is_none());
    }

    #[test]
    fn a_content_is_what_it_was_at_the_first_look() {
        let dir = tempfile::tempdir().unwrap();
        let path = ProjectPath::new("a");
        let observed = ObservedFiles::new(Arc::new(DiskFiles::new(dir.path())));
        fs::write(dir.path().join("a"), "one").unwrap();
        let first = observed.content(&path).unwrap();
        fs::write(dir.path().join("a"), "two").unwrap();
        let second = observed.content(&path).unwrap();
        assert_eq!((first.digest, second.digest), (Digest::of(b"one"), Digest::of(b"one")));
        assert_eq!((first.bytes.as_deref(), second.bytes), (Some(&b"one"[..]), None));
        assert!(observed.questions().is_some());
        // Whoever reads it now sees something else, and nothing rests on both.
        assert_eq!(observed.read(&path).unwrap(), b"two");
        assert!(observed.questions().is_none());
    }
}
