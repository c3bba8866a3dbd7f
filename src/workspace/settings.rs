//! What `secateur.toml` can say, with the defaults. Pure values; touches nothing.

use std::collections::BTreeMap;

use super::config_flags::ConfigFlag;
use super::origin::{Origin, OriginRow};
use super::path_globs::PathGlobs;
use crate::source::ProjectPath;

/// All settings of a run.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `[project]`
    pub project: Project,
    /// `[python]`
    pub python: Python,
    /// `[roots]`
    pub roots: Roots,
    /// `[third-party]`
    pub third_party: ThirdParty,
    /// `[macros."@cell//path:file.bzl"]`: load path → symbol → what it is.
    pub macros: BTreeMap<String, BTreeMap<String, Macro>>,
    /// `[rules.name]`: rules and macros known by name, wherever they are loaded from.
    pub rules: BTreeMap<String, Macro>,
    /// `[[view]]`: other configurations in which a dependency may be used.
    pub views: Vec<View>,
    /// `[lint]`
    pub lint: Lint,
    /// `[limits]`
    pub limits: Limits,
    /// `[tui]`
    pub tui: Tui,
    /// The `secateur.toml` that was read, if there is one.
    pub file: Option<ProjectPath>,
    pub(super) origins: Vec<OriginRow>,
}

/// `[tui]`: the terminal UI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tui {
    /// Keys by the name of what they do, in place of the usual ones.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// Every setting with its value as TOML and where that came from, sorted by key.
    pub fn origins(&self) -> Vec<(&str, &str, &Origin)> {
        let rows = self.origins.iter();
        rows.map(|row| (row.key.as_str(), row.value.as_str(), &row.origin)).collect()
    }

    /// Notes that the preset gave `key` the value `value` (as TOML), unless the user set that key.
    pub fn note_preset(&mut self, key: &str, value: &str) {
        let at = self.origins.partition_point(|row| *row.key < *key);
        let (key, value) = (key.to_owned(), value.to_owned());
        let new = OriginRow { key, value, origin: Origin::Preset };
        match self.origins.get_mut(at).filter(|row| row.key == new.key) {
            None => self.origins.insert(at, new),
            Some(row) if row.origin == Origin::Default => *row = new,
            Some(_) => {}
        }
    }
}

/// How the project is laid out.
#[derive(Clone, Debug)]
pub struct Project {
    /// A set of settings that fits a family of repositories. Default: none.
    pub preset: Option<Preset>,
    /// Where the root cell is mounted in the repository that it was exported from. Default: nowhere.
    pub mount: Option<Mount>,
    /// Files that are not analysed. They stay visible to `glob` and as sources. Default: none.
    pub exclude: PathGlobs,
    /// The build system whose files these are. Default: Bazel where its root files lie and no `.buckconfig`, else Buck2.
    pub dialect: Option<Dialect>,
    /// The names of build files in all cells. Default: what each cell's `.buckconfig` says.
    pub build_files: Vec<String>,
    /// Whether what files say is kept between runs, in the user's cache directory. Default: yes.
    pub cache: bool,
}

impl Default for Project {
    fn default() -> Self {
        let (preset, mount, exclude) = (None, None, PathGlobs::default());
        Self { preset, mount, exclude, dialect: None, build_files: Vec::new(), cache: true }
    }
}

/// The build system whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Buck2.
    Buck,
    /// Bazel.
    Bazel,
}

/// The presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Repositories exported from Meta's monorepo, with `@fbcode_macros`.
    Fbcode,
}

/// `cell//prefix`: the root cell is seen as `cell`, its directory `d` as the package `prefix/d`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The name of the root cell.
    pub cell: String,
    /// What goes before each package path; may be empty.
    pub prefix: String,
}

/// How Python is read.
#[derive(Clone, Debug)]
pub struct Python {
    /// Whether notebooks count as users of modules. Default: yes.
    pub notebooks: bool,
    /// Whether doctests count as users of modules. Default: no.
    pub doctests: bool,
    /// The interpreter's version, which fixes its standard library. Default: 3.12.
    pub version: PythonVersion,
    /// Modules whose imports are never reported: `foo.bar` or `foo.*`. Default: none.
    pub ignore_modules: Vec<String>,
    /// The directories in which a source without a target is reported. Default: all.
    pub source_roots: Vec<String>,
}

impl Default for Python {
    fn default() -> Self {
        Self {
            notebooks: true,
            doctests: false,
            version: PythonVersion { major: 3, minor: 12 },
            ignore_modules: Vec::new(),
            source_roots: Vec::new(),
        }
    }
}

/// A version of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonVersion {
    /// 3.
    pub major: u8,
    /// 12 in 3.12.
    pub minor: u8,
}

/// What must stay alive.
#[derive(Clone, Debug)]
pub struct Roots {
    /// Target patterns. Default: none.
    pub targets: Vec<String>,
    /// Modules, `pkg.entry` or `pkg.plugins.*`. Default: none.
    pub modules: Vec<String>,
    /// Rule kinds whose targets are roots, on top of binaries and tests. Default: none.
    pub kinds: Vec<String>,
    /// Whether a target with visibility `PUBLIC` is a root. Default: no.
    pub public: bool,
    /// The files that are searched for labels, dotted modules and paths. Default: CI workflows, scripts, Makefiles,
    /// justfiles, Dockerfiles and the TOML files of the project root.
    pub files: PathGlobs,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            modules: Vec::new(),
            kinds: Vec::new(),
            public: false,
            files: PathGlobs::of_static(&[
                ".github/**",
                "scripts/**",
                "Makefile",
                "justfile",
                "Dockerfile*",
                "**/*.sh",
                "**/*.bat",
                "**/*.ps1",
                "**/*.toml",
                "**/*.yaml",
                "**/*.yml",
                "**/*.cmake",
                "**/CMakeLists.txt",
                "**/package.json",
            ]),
        }
    }
}

/// Which targets provide the modules of distributions.
#[derive(Clone, Debug, Default)]
pub struct ThirdParty {
    /// Labels of distributions; `{dist}` stands for the name. Default: none.
    pub labels: Vec<String>,
    /// Distribution → its top-level modules, where the names differ. Default: a built-in table.
    pub modules: BTreeMap<String, Vec<String>>,
    /// Label → the modules that the target provides. Default: none.
    pub targets: BTreeMap<String, Vec<String>>,
}

/// What a macro or rule is to be read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Macro {
    /// A struct of recorders: `runtime.python_library` is `python_library`.
    Namespace,
    /// Accepts anything and defines nothing.
    Ignore,
    /// Defines a target.
    Rule(RuleShape),
}

/// How a macro's arguments map to those of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleShape {
    /// The rule kind.
    pub kind: String,
    /// Which way a dict in `srcs` goes; `None`: the side that is a label or an existing file is the source.
    pub srcs: Option<SrcsOrder>,
    /// Attributes that hold dependencies. Default: those of the kind.
    pub deps: Vec<String>,
    /// Further attributes that hold one source. Default: none.
    pub sources: Vec<String>,
    /// Modules that the target provides beyond its sources; `{base}` stands for the base module. Default: none.
    pub modules: Vec<String>,
}

/// The direction of a dict of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrcsOrder {
    /// `{"file.py": "path/in/package.py"}`
    SourceToDestination,
    /// `{"path/in/package.py": "file.py"}`, as the prelude has it.
    DestinationToSource,
}

/// Another configuration of the same tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its name, unique.
    pub name: String,
    /// `[cell//]section.key` → value, laid over `.buckconfig`.
    pub config: BTreeMap<String, String>,
    pub(super) flags: Vec<ConfigFlag>,
    pub(super) origin: Origin,
}

/// What is reported, and what fails.
#[derive(Clone, Debug)]
pub struct Lint {
    /// The checks to run. Default: empty, which means all.
    pub check: Vec<String>,
    /// The checks to leave out. Default: none.
    pub skip: Vec<String>,
    /// The least confidence that is reported. Default: possible.
    pub min_confidence: MinConfidence,
    /// The least severity that makes the run fail. Default: warning.
    pub fail_on: FailOn,
    /// Severities of single checks. Default: each check's own.
    pub severity: BTreeMap<String, CheckSeverity>,
    /// Whether a comment that keeps a finding has to say why. Default: required.
    pub keep_reason: KeepReason,
    /// `[[lint.path]]`: what differs for some files. Default: nothing.
    pub paths: Vec<LintPath>,
}

impl Default for Lint {
    fn default() -> Self {
        Self {
            check: Vec::new(),
            skip: Vec::new(),
            min_confidence: MinConfidence::Possible,
            fail_on: FailOn::Warning,
            severity: BTreeMap::new(),
            keep_reason: KeepReason::Required,
            paths: Vec::new(),
        }
    }
}

/// `[[lint.path]]`: what is reported differently about some files. Of two tables that say something about one finding, the
/// later decides.
#[derive(Clone, Debug, Default)]
pub struct LintPath {
    /// The files, or the build files of the targets. Never empty.
    pub paths: PathGlobs,
    /// Checks to run there though `[lint]` or an earlier table leaves them out. Default: none.
    pub check: Vec<String>,
    /// Checks to leave out there. Default: none.
    pub skip: Vec<String>,
    /// The least confidence that is reported there. Default: as elsewhere.
    pub min_confidence: Option<MinConfidence>,
    /// Severities of single checks there. Default: as elsewhere.
    pub severity: BTreeMap<String, CheckSeverity>,
}

/// `[lint] keep-reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepReason {
    /// `stale-keep` reports comments without one.
    Required,
    /// Comments need none.
    Optional,
}

/// `[lint] min-confidence`, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MinConfidence {
    /// Everything.
    Possible,
    /// Likely and certain findings.
    Likely,
    /// Certain findings only.
    Certain,
}

/// `[lint] fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// Any finding fails.
    Note,
    /// Warnings and errors fail.
    Warning,
    /// Errors fail.
    Error,
    /// Nothing fails.
    Never,
}

/// A value of `[lint.severity]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckSeverity {
    /// Worth knowing.
    Note,
    /// Should be fixed.
    Warning,
    /// Must be fixed.
    Error,
}

/// How much work the evaluation of one build file may be. None of it is time, so that results do not depend on the machine.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Evaluation steps. Default: 50 000 000.
    pub ticks: u64,
    /// Heap in MiB. Default: 1024.
    pub heap_mib: u64,
    /// Call depth. Default: 300.
    pub stack: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { ticks: 50_000_000, heap_mib: 1024, stack: 300 }
    }
}
