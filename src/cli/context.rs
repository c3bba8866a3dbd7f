//! What every command needs: the options of all commands, the workspace, a pool of threads, where results go.

use super::args::Global;
use super::graph_from;
use super::output_error;
use super::progress::Bar;
use super::surroundings::{Color, Surroundings};
use crate::cache::Cache;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::progress::{Progress, Silent};
use crate::report::{Look, Verbosity};
use crate::workspace::{Environment, Outside, Overrides, Workspace, find_project_root};
use std::cell::OnceCell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Columns of a report that goes to no terminal.
const DEFAULT_WIDTH: usize = 100;
/// Build files recurse as deep as their authors like, and so does their evaluation. Only what is used is ever backed
/// by memory.
const STACK_BYTES: usize = 64 << 20;

pub(super) struct Context<'a> {
    pub(super) out: &'a mut dyn Write,
    /// For what is said beside the results.
    pub(super) err: &'a mut dyn Write,
    global: &'a Global,
    surroundings: &'a Surroundings,
    /// What Buck2 says, asked once: what we write afterwards is no difference.
    outside: OnceCell<Arc<Outside>>,
    /// What earlier runs found out; opened with the first workspace.
    cache: Kept,
    /// Started with the first work. One for all: memory that a thread has had is not there for another.
    threads: OnceCell<Arc<rayon::ThreadPool>>,
}

type Kept = Arc<OnceLock<Arc<Cache>>>;

/// Opens a project as the command line says.
pub(super) struct Opener {
    environment: Environment,
    overrides: Overrides,
    outside: Option<Arc<Outside>>,
    cache: Kept,
    /// Where caches lie, if one is wanted, and when this run began.
    caches: Option<(PathBuf, Duration)>,
}

impl Opener {
    pub(super) fn open(&self) -> Result<Workspace> {
        let (workspace, cache) = rayon::join(
            || Workspace::open(Path::new(""), &self.environment, &self.overrides),
            || self.cache(),
        );
        let mut workspace = workspace?;
        workspace.outside.clone_from(&self.outside);
        if let Some(cache) = cache.filter(|_| workspace.settings.project.cache) {
            workspace.use_cache(cache);
        }
        Ok(workspace)
    }

    fn cache(&self) -> Option<&Arc<Cache>> {
        let (caches, started) = self.caches.as_ref()?;
        let Environment { current_dir, home, .. } = &self.environment;
        let root = find_project_root(current_dir, home.as_deref()).ok()?;
        let name = Digest::of(root.as_os_str().as_encoded_bytes()).to_string();
        let dir = caches.join("secateur").join(name.get(..16)?);
        Some(self.cache.get_or_init(|| Arc::new(Cache::open(&dir, *started))))
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(
        global: &'a Global,
        surroundings: &'a Surroundings,
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
    ) -> Self {
        let cache = Arc::default();
        let (outside, threads) = (OnceCell::new(), OnceCell::new());
        Self { out, err, global, surroundings, outside, cache, threads }
    }

    /// Lets later runs know what this one found out. Where that cannot be, they find it out again.
    pub(super) fn save_cache(&mut self) {
        if let Some(cache) = self.cache.get()
            && let Err(error) = cache.save()
            && self.global.verbose
        {
            writeln!(self.err, "nothing is kept for later runs: {error}").ok();
        }
    }

    /// Opens the project that holds the directory of `-C`, or the current one, with the graph of `--graph-from`.
    pub(super) fn open(&self) -> Result<Workspace> {
        let opener = self.opener();
        let mut workspace = self.threads()?.install(|| opener.open())?;
        if let Some(from) = &self.global.graph_from
            && workspace.outside.is_none()
        {
            let outside = graph_from::outside(from, &workspace, self)?;
            workspace.outside = Some(Arc::clone(self.outside.get_or_init(|| outside)));
        }
        Ok(workspace)
    }

    /// `--graph-from`.
    pub(super) fn graph_from(&self) -> Option<&'a Path> {
        self.global.graph_from.as_deref()
    }

    /// The values of `.buckconfig` that the command line sets, as arguments for Buck2.
    pub(super) fn buck2_arguments(&self) -> Vec<std::ffi::OsString> {
        let values = self.global.buckconfig.iter().flat_map(|value| ["-c".into(), value.into()]);
        let files = self.global.config_file.iter();
        let files = files.flat_map(|file| ["--config-file".into(), self.dir().join(file).into()]);
        values.chain(files).collect()
    }

    /// The program that a name means.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        self.surroundings.program(name)
    }

    /// What opens the project again, on any thread.
    pub(super) fn opener(&self) -> Opener {
        let environment =
            Environment { current_dir: self.dir(), ..self.surroundings.environment.clone() };
        let overrides = Overrides {
            config: self.global.config.clone(),
            buckconfig: self.global.buckconfig.clone(),
            config_files: self.global.config_file.clone(),
        };
        let caches = self.surroundings.cache_dir.clone().filter(|_| !self.global.no_cache);
        let caches = caches.map(|dir| (dir, self.surroundings.started));
        let cache = Arc::clone(&self.cache);
        Opener { environment, overrides, outside: self.outside.get().cloned(), cache, caches }
    }

    /// The root of the project, for commands that need nothing else of it: they work where its configuration is broken.
    pub(super) fn project_root(&self) -> Result<PathBuf> {
        find_project_root(&self.dir(), self.surroundings.environment.home.as_deref())
    }

    /// The directory that relative paths start from.
    pub(super) fn dir(&self) -> PathBuf {
        let current = &self.surroundings.environment.current_dir;
        self.global.dir.as_ref().map_or_else(|| current.clone(), |dir| current.join(dir))
    }

    /// The day it is.
    pub(super) fn today(&self) -> jiff::civil::Date {
        self.surroundings.today
    }

    /// The file that takes the summary of this step of a GitHub job.
    pub(super) fn step_summary(&self) -> Option<&Path> {
        self.surroundings.step_summary.as_deref()
    }

    /// When this run began, in seconds since 1970.
    pub(super) fn started(&self) -> u64 {
        self.surroundings.started.as_secs()
    }

    /// The directory for what this program may lose.
    pub(super) fn cache_dir(&self) -> Option<PathBuf> {
        self.surroundings.cache_dir.as_ref().map(|dir| dir.join("secateur"))
    }

    /// Whether nothing but results is wanted.
    pub(super) fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// The user's editor, as a command for the shell.
    pub(super) fn editor(&self) -> &std::ffi::OsStr {
        self.surroundings.editor.as_deref().unwrap_or(std::ffi::OsStr::new("vi"))
    }

    /// Does the work on threads of its own, and shows how far it is.
    pub(super) fn work<T: Send>(
        &self,
        work: impl FnOnce(&dyn Progress) -> Result<T> + Send,
    ) -> Result<T> {
        let threads = self.threads()?;
        if !self.shows_progress() {
            return threads.install(|| work(&Silent));
        }
        let bar = Bar::new();
        threads.install(|| work(&bar))
    }

    /// The threads to work on.
    pub(super) fn threads(&self) -> Result<Arc<rayon::ThreadPool>> {
        if let Some(threads) = self.threads.get() {
            return Ok(Arc::clone(threads));
        }
        let count = self.global.jobs.map_or(0, usize::from);
        let threads = rayon::ThreadPoolBuilder::new().num_threads(count).stack_size(STACK_BYTES);
        let threads =
            threads.build().map_err(|error| Error::new(format!("no threads: {error}")))?;
        Ok(Arc::clone(self.threads.get_or_init(|| Arc::new(threads))))
    }

    /// Whether there is a terminal to draw on.
    pub(super) fn is_interactive(&self) -> bool {
        self.surroundings.stdout_is_terminal
    }

    /// What the command line, and else the variables, say about colour.
    pub(super) fn terminal_color(&self) -> Color {
        if self.surroundings.stdout_color(self.global.color) { Color::Always } else { Color::Never }
    }

    /// Whether the terminal has more than sixteen colours.
    pub(super) fn has_true_color(&self) -> bool {
        self.surroundings.has_true_color
    }

    /// Whether the terminal shows no more than ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        self.surroundings.is_ascii
    }

    /// Whether somebody sees progress and wants to.
    pub(super) fn shows_progress(&self) -> bool {
        !self.global.quiet && self.surroundings.stderr_is_terminal
    }

    /// How results look on `out`.
    pub(super) fn look(&self) -> Look {
        let color = self.surroundings.stdout_color(self.global.color);
        let width = self.surroundings.width.unwrap_or(DEFAULT_WIDTH);
        Look { color, width, ..self.file_look() }
    }

    /// How results look in a file.
    pub(super) fn file_look(&self) -> Look {
        let verbosity = match (self.global.quiet, self.global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
            (false, true) => Verbosity::Verbose,
        };
        Look { color: false, width: DEFAULT_WIDTH, verbosity }
    }

    /// Writes results.
    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        write(self.out).map_err(output_error)
    }

    /// The same, for readers who wait.
    pub(super) fn write_now(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        write(self.out).and_then(|()| self.out.flush()).map_err(output_error)
    }
}
