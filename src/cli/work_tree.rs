//! Whether files have changes that are not committed, asked from `git` or `sl`. Runs these programs, which write nothing.

use crate::error::{Error, Result};
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// This many files are named in one call: argument lists have an end.
const CHUNK: usize = 500;
/// So many files are named in an error.
const SHOWN: usize = 10;

/// Refuses if one of these files, which are relative to `root`, has changes that are not committed, or is not known to the
/// repository. Where there is no repository, nothing is refused.
pub(super) fn refuse_dirty(root: &Path, files: &[String]) -> Result<()> {
    let Some(repository) = Repository::around(root) else { return Ok(()) };
    let mut dirty = Vec::new();
    for chunk in files.chunks(CHUNK) {
        dirty.extend(repository.dirty(root, chunk)?);
    }
    if dirty.is_empty() {
        return Ok(());
    }
    let mut message =
        "some files that would be edited have changes that are not committed".to_owned();
    for line in dirty.iter().take(SHOWN) {
        message += "\n  ";
        message += &line.replace(char::is_control, "\u{fffd}");
    }
    if let Some(more) = dirty.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = write!(message, "\n  and {more} more");
    }
    Err(Error::new(message).hint("commit or shelve them, or go on with --allow-dirty"))
}

/// Where a project lies in its repository, with a slash at the end; empty at its root, or if there is none.
pub(super) fn prefix(root: &Path) -> String {
    let top = root.ancestors().find(|dir| Repository::at(dir).is_some());
    let inside = top.and_then(|top| root.strip_prefix(top).ok()).and_then(Path::to_str);
    match inside {
        None | Some("") => String::new(),
        Some(inside) => format!("{inside}/"),
    }
}

#[derive(Clone, Copy)]
pub(super) enum Repository {
    Git,
    Sapling,
}

impl Repository {
    /// What the project is kept in.
    pub(super) fn around(root: &Path) -> Option<Self> {
        root.ancestors().find_map(Self::at)
    }

    #[expect(clippy::disallowed_methods, reason = "repositories lie above the project, too")]
    fn at(dir: &Path) -> Option<Self> {
        match dir {
            // Sapling works on repositories of git as well, and then knows more about the work tree.
            _ if dir.join(".sl").exists() || dir.join(".hg").exists() => Some(Self::Sapling),
            _ if dir.join(".git").exists() => Some(Self::Git),
            _ => None,
        }
    }

    /// One line for each dirty file.
    #[expect(clippy::disallowed_methods, reason = "they know how repositories are stored")]
    fn dirty(self, root: &Path, files: &[String]) -> Result<Vec<String>> {
        let (name, arguments) = match self {
            Self::Git => (
                "git",
                &[
                    "--no-optional-locks",
                    "--literal-pathspecs",
                    "status",
                    "--porcelain",
                    "-z",
                    "--ignored",
                    "--",
                ][..],
            ),
            Self::Sapling => ("sl", &["status", "--print0", "--"][..]),
        };
        let mut command = Command::new(name);
        command.args(arguments).args(files).current_dir(root);
        // No colours, no aliases.
        command.env("HGPLAIN", "1").stdin(Stdio::null());
        let hint = "go on with --allow-dirty";
        let output = command.output();
        let output = output.map_err(|error| {
            Error::new(format!("`{name}` cannot be run")).cause(error).hint(hint)
        })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or("nothing").replace(char::is_control, " ");
            return Err(Error::new(format!("`{name} status` fails and says: {said}")).hint(hint));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.split('\0').filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }
}
