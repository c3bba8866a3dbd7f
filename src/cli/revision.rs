//! What a revision held and what is different since, asked from `git` or `sl`. Runs these programs, which write nothing.

use super::work_tree::Repository;
use crate::error::{Error, Result};
use crate::since::{self, Base, ChangedFile, Found, Revision};
use crate::source::ProjectPath;
use crate::workspace::Workspace;
use rustc_hash::FxHashSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

/// A file that differs, and the object that it was: `None` if it was not there.
type Change = (ChangedFile, Option<String>);

/// What a merge base is asked for with, as in `origin/main...`.
const MERGE_BASE: &str = "...";

/// More files that git does not track are asked for all at once, and not by their names.
const MAX_NAMED: usize = 100;

/// The state that a revision recorded, and what is different now.
pub(super) struct Then {
    pub(super) revision: Revision,
    /// Whether the difference can make or settle any finding.
    pub(super) matters: bool,
    /// What an earlier run found in it.
    pub(super) found: Option<Found>,
    /// The commit that git was asked about, and the files of the project that git does not track.
    asked: Option<(String, Vec<ProjectPath>)>,
}

impl Then {
    /// Finds the state of a revision of the repository around the project.
    pub(super) fn find(name: &str, now: &Workspace) -> Result<Self> {
        let repository = Repository::around(&now.root).ok_or_else(|| {
            Error::new(
                "--since needs a repository of git or Sapling, and there is none around the project",
            )
            .hint("--changed-files takes a list of files from any other system")
        })?;
        match repository {
            Repository::Git => {
                let commit = git_commit(&now.root, name)?;
                match recorded(name, &commit, now)? {
                    Some(then) => Ok(then),
                    None => compared(name, &commit, now),
                }
            }
            Repository::Sapling => {
                let files = sapling(&now.root, name)?;
                Self::of(Revision { name: name.to_owned(), files }, now)
            }
        }
    }

    fn of(revision: Revision, now: &Workspace) -> Result<Self> {
        let matters = revision.matters(now)?;
        let found = if matters { since::find(&revision.workspace(now)?) } else { None };
        Ok(Self { revision, matters, found, asked: None })
    }

    /// Lets later runs know which state the commit is, once it is known what there is to find in it.
    pub(super) fn record(&self, now: &Workspace, found: Option<&Found>) {
        if let (Some((commit, untracked)), Some(found)) = (&self.asked, found) {
            Base::record(now, commit, &self.revision, untracked, found);
        }
    }
}

/// Compares with a commit of which an earlier run recorded what it held: git need not look at every file. `None` if there is
/// no such run, or if git has to be asked nevertheless.
fn recorded(name: &str, commit: &str, now: &Workspace) -> Result<Option<Then>> {
    let Some(base) = Base::find(now, commit) else { return Ok(None) };
    let Some(changed) = base.changed(now) else { return Ok(None) };
    let mut unsure: Vec<&ProjectPath> = base.untracked().iter().chain(base.absent()).collect();
    unsure.sort();
    unsure.dedup();
    if list(now, &["--cached", "--others"], &unsure)? != base.absent() {
        return Ok(None);
    }
    let Some(mut files) = held(&now.root, commit, changed)? else { return Ok(None) };
    let absent = base.absent().iter().cloned();
    files.extend(absent.map(|path| ChangedFile { path, before: None, from: None }));
    let revision = Revision { name: name.to_owned(), files };
    let matters = revision.matters(now)?;
    let found = if matters { base.found(now) } else { None };
    let is_known = found.is_some() || !matters;
    Ok(is_known.then_some(Then { revision, matters, found, asked: None }))
}

/// What files held in a commit; `None` if it lacks one of them.
fn held(root: &Path, commit: &str, paths: Vec<ProjectPath>) -> Result<Option<Vec<ChangedFile>>> {
    // Each line asks for one.
    if paths.iter().any(|path| path.as_str().contains('\n')) {
        return Ok(None);
    }
    let names = paths.iter().flat_map(|path| [commit, ":./", path.as_str(), "\n"]);
    let asked: String = names.collect();
    let output = objects(root, asked)?;
    let mut rest = output.as_slice();
    let file = |path| {
        let before = next_object(&mut rest)?;
        Some(ChangedFile { path, before: Some(before), from: None })
    };
    Ok(paths.into_iter().map(file).collect())
}

/// Asks git what is different from a commit.
fn compared(name: &str, commit: &str, now: &Workspace) -> Result<Then> {
    let root = &now.root;
    let diff = ["diff", "--raw", "-z", "--no-abbrev", "--find-renames", "--no-ext-diff"];
    let diff = [&diff[..], &["--ignore-submodules", "--relative", commit, "--", "."]].concat();
    let mut files = fill(root, raw_changes(&run_git(root, &diff)?))?;
    let tracked = run_git(root, &["ls-files", "-z", "--", "."])?;
    let tracked: FxHashSet<&[u8]> = fields(&tracked).collect();
    let is_untracked = |path: &&ProjectPath| !tracked.contains(path.as_str().as_bytes());
    let untracked: Vec<&ProjectPath> = now.tree.files().filter(is_untracked).collect();
    for path in list(now, &["--others"], &untracked)? {
        if !files.iter().any(|file| file.path == path) {
            files.push(ChangedFile { path, before: None, from: None });
        }
    }
    let asked = Some((commit.to_owned(), untracked.into_iter().cloned().collect()));
    let then = Then { asked, ..Then::of(Revision { name: name.to_owned(), files }, now)? };
    then.record(now, then.found.as_ref());
    Ok(then)
}

/// Those of these files, which are sorted, that git does not ignore. It would have to look into every directory once more to
/// find them itself.
fn list(now: &Workspace, which: &[&str], files: &[&ProjectPath]) -> Result<Vec<ProjectPath>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<&str> = if files.len() > MAX_NAMED {
        vec!["."]
    } else {
        files.iter().map(|path| path.as_str()).collect()
    };
    let question = ["--literal-pathspecs", "ls-files", "-z", "--exclude-standard"];
    let found = run_git(&now.root, &[&question[..], which, &["--"], &named].concat())?;
    let mut found: Vec<ProjectPath> = fields(&found).filter_map(project_path).collect();
    found.retain(|path| files.binary_search(&path).is_ok());
    found.sort();
    found.dedup();
    Ok(found)
}

fn git_commit(root: &Path, name: &str) -> Result<String> {
    if let Some(other) = name.strip_suffix(MERGE_BASE) {
        let other = git_commit(root, other)?;
        let base = run_git(root, &["merge-base", &other, "HEAD"]);
        return base.map(|output| line(&output)).map_err(|_| {
            no_revision(
                root,
                &format!("HEAD and `{}` have no merge base", name.trim_end_matches('.')),
            )
        });
    }
    let wanted = format!("{name}^{{commit}}");
    let found = run_git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]);
    found
        .map(|output| line(&output))
        .map_err(|_| no_revision(root, &format!("no revision `{name}`")))
}

fn no_revision(root: &Path, message: &str) -> Error {
    let shallow = run_git(root, &["rev-parse", "--is-shallow-repository"]);
    let is_shallow = shallow.is_ok_and(|output| line(&output) == "true");
    Error::new(message).hint(if is_shallow {
        "this clone is shallow: `git fetch --unshallow` brings the rest, or `fetch-depth: 0` where CI checks it out"
    } else {
        "`git fetch origin BRANCH` brings a branch of the remote, which is then called origin/BRANCH"
    })
}

/// The entries of `git diff --raw -z`: `:100644 100644 old new R87`, and one path or two.
fn raw_changes(output: &[u8]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut parts = fields(output);
    while let Some(entry) = parts.next() {
        let entry = String::from_utf8_lossy(entry);
        let words: Vec<&str> = entry.trim_start_matches(':').split(' ').collect();
        let [mode_before, mode_after, old, _, status] = words.as_slice() else { continue };
        let first = parts.next().and_then(project_path);
        let is_pair = status.starts_with(['R', 'C']);
        let second = if is_pair { parts.next().and_then(project_path) } else { None };
        let is_file = |mode: &str| mode.starts_with("100") || mode == "000000";
        // Links and submodules are as they are.
        let Some(first) = first.filter(|_| is_file(mode_before) && is_file(mode_after)) else {
            continue;
        };
        let object = (*mode_before != "000000").then(|| (*old).to_owned());
        match second {
            Some(path) if status.starts_with('R') => {
                let gone = ChangedFile { path: first.clone(), before: None, from: None };
                changes.push((gone, object));
                changes.push((ChangedFile { path, before: None, from: Some(first) }, None));
            }
            Some(path) => changes.push((ChangedFile { path, before: None, from: None }, None)),
            None => changes.push((ChangedFile { path: first, before: None, from: None }, object)),
        }
    }
    changes
}

/// Reads what the files held from the objects of git.
fn fill(root: &Path, mut changes: Vec<Change>) -> Result<Vec<ChangedFile>> {
    let wanted = changes.iter().filter_map(|(_, object)| object.as_deref());
    let asked: String = wanted.flat_map(|object| [object, "\n"]).collect();
    let output = objects(root, asked)?;
    let mut rest = output.as_slice();
    for (file, object) in changes.iter_mut().filter(|(_, object)| object.is_some()) {
        let contents = next_object(&mut rest).ok_or_else(|| {
            let object = object.as_deref().unwrap_or_default();
            Error::new(format!("git does not have `{}` as it was, {object}", file.path))
                .hint("a partial clone fetches it with `git fetch --refetch`")
        })?;
        file.before = Some(contents);
    }
    Ok(changes.into_iter().map(|(file, _)| file).collect())
}

/// What git has under these names, one a line, as [`next_object`] reads it.
fn objects(root: &Path, names: String) -> Result<Vec<u8>> {
    if names.is_empty() { Ok(Vec::new()) } else { feed(root, &["cat-file", "--batch"], names) }
}

/// The next answer of `git cat-file --batch`: `<object> blob <size>`, the contents, the end of a line.
fn next_object(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memchr(b'\n', rest)?;
    let head = std::str::from_utf8(rest.get(..end)?).ok()?;
    let size: usize = head.split(' ').nth(2)?.parse().ok()?;
    let contents = rest.get(end + 1..end + 1 + size)?.to_vec();
    *rest = rest.get(end + 2 + size..)?;
    Some(contents)
}

fn sapling(root: &Path, name: &str) -> Result<Vec<ChangedFile>> {
    let wanted = match name.strip_suffix(MERGE_BASE) {
        Some(other) => format!("ancestor({other}, .)"),
        None => name.to_owned(),
    };
    let found = run("sl", root, &["log", "--rev", &wanted, "--template", "{node}\n"]);
    let commit = found.map_err(|error| {
        Error::new(format!("no revision `{name}`: {error}"))
            .hint("`sl pull` brings what the remote has")
    })?;
    let commit = line(&commit);
    let status = ["status", "--rev", &commit, "--copies", "--print0", "."];
    let mut files: Vec<ChangedFile> = Vec::new();
    let mut gone: Vec<ProjectPath> = Vec::new();
    for entry in fields(&run("sl", root, &status)?) {
        let (sign, path) = entry.split_at(entry.len().min(2));
        let Some(path) = project_path(path) else { continue };
        match sign {
            // A copy says below where it is from.
            b"  " => {
                if let Some(last) = files.last_mut() {
                    last.from = Some(path);
                }
            }
            b"A " | b"? " => files.push(ChangedFile { path, before: None, from: None }),
            _ => {
                if matches!(sign, b"R " | b"! ") {
                    gone.push(path.clone());
                }
                let before = run("sl", root, &["cat", "--rev", &commit, "--", path.as_str()])?;
                files.push(ChangedFile { path, before: Some(before), from: None });
            }
        }
    }
    for file in &mut files {
        file.from = file.from.take().filter(|from| gone.contains(from));
    }
    Ok(files)
}

fn fields(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|byte| *byte == 0).filter(|field| !field.is_empty())
}

/// Names that are not UTF-8 are in no graph.
fn project_path(bytes: &[u8]) -> Option<ProjectPath> {
    std::str::from_utf8(bytes).ok().map(ProjectPath::new)
}

fn line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).lines().next().unwrap_or_default().to_owned()
}

fn run_git(root: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    run("git", root, &[&["--no-optional-locks"], arguments].concat())
}

fn run(program: &str, root: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    finish(program, command(program, root, arguments).stdin(Stdio::null()).output())
}

/// Every pipe takes so much before anybody reads.
const PIPE_BYTES: usize = 4096;

/// Runs git with something to read.
fn feed(root: &Path, arguments: &[&str], input: String) -> Result<Vec<u8>> {
    let is_short = input.len() <= PIPE_BYTES;
    let mut command = command("git", root, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.spawn().and_then(|mut child| {
        let stdin = child.stdin.take();
        let write = move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes()));
        // If it does not read all of it, it says why.
        let writer = if is_short {
            write();
            None
        } else {
            Some(thread::spawn(write))
        };
        let output = child.wait_with_output();
        writer.map(thread::JoinHandle::join);
        output
    });
    finish("git", output)
}

#[expect(clippy::disallowed_methods, reason = "they know how repositories are stored")]
fn command(program: &str, root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    // No colours, no aliases.
    command.args(arguments).current_dir(root).env("HGPLAIN", "1");
    command
}

fn finish(program: &str, output: std::io::Result<Output>) -> Result<Vec<u8>> {
    let output =
        output.map_err(|error| Error::new(format!("`{program}` cannot be run")).cause(error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("nothing").replace(char::is_control, " ");
    Err(Error::new(format!("`{program}` fails and says: {said}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_changes_are_read_with_strange_names() {
        let zero = "0".repeat(40);
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let raw = format!(
            ":100644 100644 {a} {zero} M\0x y\n.py\0:000000 100755 {zero} {b} A\0new\0\
             :100644 000000 {a} {zero} D\0old\0:100644 100644 {b} {zero} R087\0from\0to\0\
             :120000 100644 {a} {zero} T\0link\0:160000 160000 {a} {b} M\0sub\0"
        );
        let found: Vec<(String, Option<String>, Option<String>)> = raw_changes(raw.as_bytes())
            .into_iter()
            .map(|(file, object)| {
                let from = file.from.map(|from| from.to_string());
                (file.path.to_string(), object, from)
            })
            .collect();
        let entry = |path: &str, object: Option<&String>, from: Option<&str>| {
            (path.to_owned(), object.cloned(), from.map(str::to_owned))
        };
        let expected = vec![
            entry("x y\n.py", Some(&a), None),
            entry("new", None, None),
            entry("old", Some(&a), None),
            entry("from", Some(&b), None),
            entry("to", None, Some("from")),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn objects_are_read_one_after_the_other() {
        let mut rest: &[u8] = b"aa blob 3\nx\n\0\nbb blob 0\n\ncc missing\n";
        assert_eq!(next_object(&mut rest).as_deref(), Some(&b"x\n\0"[..]));
        assert_eq!(next_object(&mut rest).as_deref(), Some(&b""[..]));
        assert_eq!(next_object(&mut rest), None);
    }
}
