//! Why changes were not written: file by file, or as a whole. Pure values; touches nothing.

use super::journal::BatchId;
use crate::error::Error;
use crate::source::ProjectPath;
use std::fmt;

/// Why no file was changed, or why a batch stopped half-way.
#[derive(Debug)]
pub enum ApplyError {
    /// Some files are not as they must be. Nothing was written.
    Refused(Vec<Refused>),
    /// Something else; the message says what was written.
    Failed(Error),
}

/// A file that must not be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The file.
    pub path: ProjectPath,
    /// Why not.
    pub reason: Reason,
}

/// Why a file must not be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It does not hold what it held when it was read.
    Changed,
    /// A later batch changed it again.
    ChangedByBatch(BatchId),
    /// It is not there any more.
    Gone,
    /// It was deleted, and there is one again.
    ThereAgain,
    /// It belongs to version control or to the journal.
    Reserved,
    /// It lies outside the project, or a link on the way to it leads there.
    Outside,
    /// It is wanted in two different forms.
    Twice,
    /// It cannot be read; what the system says.
    Unreadable(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("has changed since"),
            Self::ChangedByBatch(id) => write!(f, "batch {id} changed it as well"),
            Self::Gone => f.write_str("is not there any more"),
            Self::ThereAgain => f.write_str("was deleted, and is there again"),
            Self::Reserved => f.write_str("is not a file of the project's own"),
            Self::Outside => f.write_str("lies outside the project"),
            Self::Twice => f.write_str("is to be changed in two ways at once"),
            Self::Unreadable(message) => write!(f, "cannot be read: {message}"),
        }
    }
}

impl From<Error> for ApplyError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<ApplyError> for Error {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Failed(error) => error,
            ApplyError::Refused(files) => Self::new(refused_text(&files)).hint(hint(&files)),
        }
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Refused(files) => f.write_str(&refused_text(files)),
        }
    }
}

impl std::error::Error for ApplyError {}

fn refused_text(files: &[Refused]) -> String {
    let lines = files.iter().map(|Refused { path, reason }| {
        // Names of files may hold what a terminal would act upon.
        let path = path.as_str().replace(char::is_control, "\u{fffd}");
        format!("\n  {path}: {reason}")
    });
    let lines: String = lines.collect();
    format!("nothing was written, because of{lines}")
}

fn hint(files: &[Refused]) -> String {
    let later = files.iter().filter_map(|file| match file.reason {
        Reason::ChangedByBatch(id) => Some(id),
        _ => None,
    });
    match later.max() {
        Some(id) => format!("undo the later batch first: secateur undo {id}"),
        None => "see to these files, then run the command again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_named_and_none_acts_upon_the_terminal() {
        let refused = |path, reason| Refused { path: ProjectPath::new(path), reason };
        let files = vec![refused("a\x1b[2J", Reason::Gone), refused("é", Reason::Changed)];
        let error = Error::from(ApplyError::Refused(files));
        let expected = "nothing was written, because of\n  a\u{fffd}[2J: is not there any more\n  é: has changed since";
        assert_eq!(error.to_string(), expected);
        assert!(error.hint_text().unwrap().contains("run the command again"));
    }

    #[test]
    fn the_latest_batch_goes_first() {
        let reason = |id| Reason::ChangedByBatch(BatchId::parse(id).unwrap());
        let files =
            ["2", "0003"].map(|id| Refused { path: ProjectPath::new("x"), reason: reason(id) });
        let error = Error::from(ApplyError::Refused(files.into()));
        assert_eq!(error.hint_text(), Some("undo the later batch first: secateur undo 0003"));
    }
}
