//! Files that note what was asked about them, so that a result is known to hold as long as the answers are the same. Touches
//! nothing itself.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Questions, and a digest of each answer; `None` if it was answered in two ways.
type Answers = BTreeMap<(ProjectPath, Question), Option<Digest>>;

/// Files that note what was asked about them.
pub struct ObservedFiles {
    base: Arc<dyn Files>,
    answers: Mutex<Answers>,
}

impl ObservedFiles {
    /// The same files.
    pub fn new(base: Arc<dyn Files>) -> Self {
        Self { base, answers: Mutex::default() }
    }

    /// What was asked so far, and a digest of the answers; `None` if files were changed meanwhile.
    pub fn questions(&self) -> Option<(Vec<(ProjectPath, Question)>, Digest)> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Parts::new("answers");
        for answer in answers.values() {
            all.add_digest(answer.as_ref()?);
        }
        Some((answers.keys().cloned().collect(), all.finish()))
    }

    fn note(&self, path: &ProjectPath, question: Question, answer: Digest) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = answers.entry((path.clone(), question)).or_insert(Some(answer));
        if *known != Some(answer) {
            *known = None;
        }
    }
}

/// What `files` would answer to a question.
pub fn answer(files: &dyn Files, path: &ProjectPath, question: Question) -> Digest {
    match question {
        Question::Exists => of_existence(files.exists(path)),
        Question::Content => of_content(files.content(path).as_ref().map(|content| content.digest)),
    }
}

fn of_existence(exists: bool) -> Digest {
    Parts::new("exists").add_number(exists.into()).finish()
}

fn of_content(content: Result<Digest, &io::Error>) -> Digest {
    content.unwrap_or_else(|error| Parts::new("error").add(error.to_string()).finish())
}

impl Files for ObservedFiles {
    fn read(&self, path: &ProjectPath) -> io::Result<Vec<u8>> {
        let bytes = self.base.read(path);
        let digest = bytes.as_ref().map(|bytes| Digest::of(bytes));
        self.note(path, Question::Content, of_content(digest));
        bytes
    }

    fn content(&self, path: &ProjectPath) -> io::Result<Content> {
        let content = self.base.content(path);
        let digest = content.as_ref().map(|content| content.digest);
        self.note(path, Question::Content, of_content(digest));
        content
    }

    fn exists(&self, path: &ProjectPath) -> bool {
        let exists = self.base.exists(path);
        self.note(path, Question::Exists, of_existence(exists));
        exists
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::OverlayFiles;

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
        let again = |text: &str| {
            let files = files(text);
            let mut all = Parts::new("answers");
            for (path, question) in &questions {
                all.add_digest(&answer(&*files, path, *question));
            }
            all.finish()
        };
        assert_eq!((again("1") == digest, again("2") == digest), (true, false));
        observed.note(&b, Question::Exists, of_existence(true));
        assert!(observed.questions().is_none());
    }
}
