//! The files that recent commits changed, from what `git log` prints. Pure.

use crate::source::ProjectPath;

/// Commits, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The files that each commit changed.
    pub commits: Vec<Vec<ProjectPath>>,
}

impl History {
    /// The arguments of `git` that print what [`Self::parse`] reads: the last `commits` commits that changed something below
    /// the current directory. Merges are left out: what they bring was counted where it was made.
    pub fn arguments(commits: usize) -> Vec<String> {
        let limit = format!("--max-count={commits}");
        let log = ["-c", "log.showSignature=false", "--no-pager", "log", "-z", "--no-color"];
        let what = ["--no-merges", "--no-renames", "--name-only", "--relative"];
        let format = ["--format=tformat:%x00", &limit, "--", "."];
        log.iter().chain(&what).chain(&format).map(|&argument| argument.to_owned()).collect()
    }

    /// Reads the output: for each commit two empty items, then its files, with a line end before the first. No name is empty, so
    /// that none can be taken for the beginning of a commit.
    pub fn parse(output: &[u8]) -> Self {
        let mut commits: Vec<Vec<ProjectPath>> = Vec::new();
        let mut empty = 0;
        for item in String::from_utf8_lossy(output).split('\0') {
            empty = if item.is_empty() { empty + 1 } else { 0 };
            if empty == 2 {
                commits.push(Vec::new());
                empty = 0;
            } else if let Some(files) = commits.last_mut().filter(|_| !item.is_empty()) {
                let first = item.strip_prefix('\n').filter(|_| files.is_empty());
                files.push(ProjectPath::new(first.unwrap_or(item)));
            }
        }
        Self { commits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_read_as_they_are() {
        let history = History::parse(b"\0\0\na/x\0\x01\0 b c\0\0\0\0\0\n\nd\0\nd\0");
        let paths = |names: &[&str]| -> Vec<ProjectPath> {
            names.iter().map(|name| ProjectPath::new(*name)).collect()
        };
        let expected = vec![paths(&["a/x", "\u{1}", " b c"]), paths(&[]), paths(&["\nd", "\nd"])];
        assert_eq!(history.commits, expected);
        assert_eq!(History::parse(b"").commits, Vec::<Vec<ProjectPath>>::new());
    }
}
