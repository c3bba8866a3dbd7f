//! Files that change while somebody looks at findings about them. Watches the project's directories.

use super::Incoming;
use crate::source::ProjectPath;
use crate::tui::Message;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Changes that come closer together than this are one.
const QUIET: Duration = Duration::from_millis(250);

/// Tells of changed sources and build files from now on. Where nothing can be watched, the user reads anew by hand.
pub(super) fn watch(root: PathBuf, sender: Sender<Incoming>) {
    thread::spawn(move || {
        let (changes, changed) = channel();
        let handler = move |event: notify::Result<Event>| {
            if let Ok(event) = event {
                changes.send(event).ok();
            }
        };
        let watcher = notify::recommended_watcher(handler);
        let Ok(mut watcher): notify::Result<RecommendedWatcher> = watcher else { return };
        if watcher.watch(&root, RecursiveMode::Recursive).is_err() {
            return;
        }
        let mut paths = BTreeSet::new();
        loop {
            match changed.recv_timeout(QUIET) {
                Ok(event) if event.kind.is_access() => {}
                Ok(event) => {
                    paths.extend(event.paths.iter().filter_map(|path| of_interest(&root, path)));
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if paths.is_empty() => {}
                Err(RecvTimeoutError::Timeout) => {
                    let paths = std::mem::take(&mut paths).into_iter().collect();
                    if sender.send(Incoming::Message(Message::Changed(paths))).is_err() {
                        return;
                    }
                }
            }
        }
    });
}

/// A source, a build file or a configuration, by its path in the project.
fn of_interest(root: &Path, path: &Path) -> Option<ProjectPath> {
    let path = path.strip_prefix(root).ok()?.to_str()?;
    let mut directories = path.split('/');
    let name = directories.next_back()?;
    if directories.any(|dir| matches!(dir, ".git" | ".hg" | ".sl" | ".secateur" | "buck-out")) {
        return None;
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_source = matches!(extension, "py" | "pyi" | "bzl" | "ipynb" | "toml" | "json");
    let stem = name.split('.').next().unwrap_or_default();
    let is_build = matches!(stem, "BUCK" | "TARGETS" | "BUILD" | "PACKAGE" | "CODEOWNERS");
    (is_source || is_build || name.starts_with(".buckconfig")).then(|| ProjectPath::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_build_files_are_of_interest() {
        let root = Path::new("/project");
        let of = |path: &str| of_interest(root, &root.join(path)).is_some();
        for path in
            ["a/BUCK", "a/TARGETS.v2", "a/b.py", "defs.bzl", ".buckconfig.local", "secateur.toml"]
        {
            assert!(of(path), "{path}");
        }
        for path in
            [".git/index.py", "buck-out/v2/a.py", ".secateur/decisions.json", "a/b.rs", "README"]
        {
            assert!(!of(path), "{path}");
        }
    }
}
