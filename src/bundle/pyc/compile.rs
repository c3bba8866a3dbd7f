//! Bytecode for sources that have none that fits. Writes to a scratch directory; whoever calls starts the interpreter.

#![expect(clippy::disallowed_methods, reason = "the scratch directory is this file's own")]

use super::header::{Header, LENGTH, Magic};
use super::{Place, Source, sources};
use crate::cas::pack::{FileStat, SourceEntry, SourceFile, SourceNode};
use crate::error::{Error, Result};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What the interpreter runs.
const SCRIPT: &str = include_str!("compile.py");

/// An interpreter that can be started.
pub trait Python {
    /// Runs `PROGRAM -s -S -B -c SCRIPT` without any `PYTHON…` variable but `PYTHONHASHSEED=0` (before 3.11 the order of sets
    /// in bytecode depends on it), hands it the input, and gives its output.
    ///
    /// # Errors
    /// It cannot be started, or fails.
    fn run(&mut self, script: &str, input: &[u8]) -> Result<Vec<u8>>;
}

/// What [`compile`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    /// Sources that had bytecode for this interpreter.
    pub fitting: usize,
    /// Sources that were compiled.
    pub made: usize,
    /// Sources whose bytecode was in the scratch directory.
    pub reused: usize,
    /// Sources that this interpreter cannot compile: they are packed as they are. Sorted.
    pub failed: Vec<String>,
}

/// Adds bytecode for every source among the entries that has none that fits the interpreter, in one run of it and in the order of
/// the paths. The scratch directory keeps what was made, by the stat of the source, for the next time; it may be deleted at any time.
///
/// # Errors
/// The interpreter fails, is none that is known, or the scratch directory cannot be written.
pub fn compile(
    entries: &mut Vec<SourceEntry>,
    python: &mut dyn Python,
    scratch: &Path,
) -> Result<Compiled> {
    let interpreter = Interpreter::ask(python)?;
    let mut done = Compiled::default();
    let mut wanted = interpreter.wanted(entries, scratch, &mut done)?;
    wanted.sort_by(|one, other| one.source.cmp(&other.source));
    let (ready, missing): (Vec<&Job>, Vec<&Job>) =
        wanted.iter().partition(|job| job.made.is_file());
    (done.reused, done.made) = (ready.len(), missing.len());
    if !missing.is_empty() {
        python.run(SCRIPT, &input(&missing))?;
    }
    let at: FxHashMap<String, usize> =
        entries.iter().enumerate().map(|(at, entry)| (entry.path.clone(), at)).collect();
    for job in wanted {
        let Some(file) = made_file(&job.made)? else {
            done.failed.push(job.source);
            continue;
        };
        let node = SourceNode::File(file);
        match at.get(&job.path).and_then(|at| entries.get_mut(*at)) {
            Some(entry) => entry.node = node,
            None => entries.push(SourceEntry { path: job.path, node }),
        }
    }
    Ok(done)
}

/// A source that is to be compiled.
struct Job {
    /// Its path in the bundle.
    source: String,
    origin: PathBuf,
    /// The path of its bytecode in the bundle.
    path: String,
    /// Where its bytecode is made.
    made: PathBuf,
}

struct Interpreter {
    tag: String,
    magic: Magic,
}

impl Interpreter {
    fn ask(python: &mut dyn Python) -> Result<Self> {
        let answer = python.run(SCRIPT, b"")?;
        let answer = String::from_utf8_lossy(&answer);
        let unknown = || {
            Error::new(format!("the interpreter says that it is {:?}", answer.trim()))
                .hint("bytecode is made by CPython 3.7 or later; pass another one as `--python`")
        };
        let (tag, magic) = answer.trim().split_once(' ').ok_or_else(unknown)?;
        let magic = u32::from_str_radix(magic, 16).ok().and_then(|n| Magic::new(n.to_be_bytes()));
        let is_name = !tag.is_empty() && !tag.contains(['/', '.']);
        match magic.filter(|_| is_name) {
            Some(magic) => Ok(Self { tag: tag.to_owned(), magic }),
            None => Err(unknown()),
        }
    }

    fn wanted(
        &self,
        entries: &[SourceEntry],
        scratch: &Path,
        done: &mut Compiled,
    ) -> Result<Vec<Job>> {
        let sources = sources(entries);
        let mut fitting = FxHashSet::default();
        for entry in entries.iter().filter(|entry| entry.path.ends_with(".pyc")) {
            let Place { is_cached: true, source: Some(path) } = Place::of(&entry.path) else {
                continue;
            };
            let Some(source) = sources.get(&path) else { continue };
            if entry.path == self.path_of(&path) && self.fits(&entry.node, source) {
                fitting.insert(path);
            }
        }
        done.fitting = fitting.len();
        let mut jobs = Vec::new();
        for (path, source) in sources {
            let Source::File { origin, .. } = &source else { continue };
            if fitting.contains(&path) {
                continue;
            }
            let key = [super::VERSION, &self.magic.bytes(), &source.key(), path.as_bytes()];
            let name = blake3::hash(&key.concat()).to_hex();
            let shard = scratch.join(name.get(..2).unwrap_or_default());
            fs::create_dir_all(&shard).map_err(|error| failed("make", &shard, error))?;
            let made = shard.join(format!("{name}.pyc"));
            jobs.push(Job {
                path: self.path_of(&path),
                origin: origin.clone(),
                made,
                source: path,
            });
        }
        Ok(jobs)
    }

    /// Where this interpreter looks for the bytecode of a source.
    fn path_of(&self, source: &str) -> String {
        let (dir, name) = source.rsplit_once('/').map_or(("", source), |(dir, name)| (dir, name));
        let stem = name.strip_suffix(".py").unwrap_or(name);
        let slash = if dir.is_empty() { "" } else { "/" };
        format!("{dir}{slash}__pycache__/{stem}.{}.pyc", self.tag)
    }

    /// Whether a `.pyc` is of this interpreter and of that source.
    fn fits(&self, node: &SourceNode, source: &Source) -> bool {
        let SourceNode::File(file) = node else { return false };
        let mut start = [0; LENGTH];
        let read = File::open(&file.origin).and_then(|mut file| file.read_exact(&mut start));
        let header =
            Header::read(&start).filter(|header| read.is_ok() && header.magic == self.magic);
        header.is_some_and(|header| source.agreed(&header).is_some())
    }
}

fn input(jobs: &[&Job]) -> Vec<u8> {
    let words = jobs.iter().flat_map(|job| {
        [job.origin.as_os_str().as_bytes(), job.source.as_bytes(), job.made.as_os_str().as_bytes()]
    });
    words.flat_map(|word| word.iter().copied().chain([0])).collect()
}

/// What was made; `None` if the source does not compile.
fn made_file(path: &Path) -> Result<Option<SourceFile>> {
    let metadata = fs::metadata(path).map_err(|error| failed("read", path, error))?;
    if metadata.len() == 0 {
        return Ok(None);
    }
    Ok(Some(SourceFile {
        origin: path.to_owned(),
        stat: FileStat::of(&metadata),
        is_executable: false,
        rewrite: None,
    }))
}

fn failed(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(format!("cannot {what} bytecode")).at(path.display().to_string()).cause(error)
}
