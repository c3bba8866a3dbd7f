//! The project's history, asked from the `git` command line. Runs `git`, which reads the repository and writes nothing.

use crate::cost::History;
use std::path::Path;
use std::process::{Command, Stdio};

/// The last commits that changed something below `root`; why there are none to be had, if so.
#[expect(clippy::disallowed_methods, reason = "git knows how histories are stored")]
pub(super) fn read(root: &Path, commits: usize) -> Result<History, String> {
    let mut git = Command::new("git");
    git.args(History::arguments(commits)).current_dir(root).stdin(Stdio::null());
    let output = git.output().map_err(|error| format!("git cannot be run: {error}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.lines().next().unwrap_or("it failed");
        return Err(format!("git says `{message}`"));
    }
    let history = History::parse(&output.stdout);
    if history.commits.is_empty() {
        return Err("git knows no commit of this project".to_owned());
    }
    Ok(history)
}
