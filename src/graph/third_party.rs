//! Which modules targets provide that hold other people's code: wheels on disk, tables, templates of labels. Reads wheels.

use crate::buck::{self, Evaluation, SourceOrigin, Target};
use crate::label::Label;
use crate::python::distributions::{Distributions, LabelTemplate};
use crate::python::modules::ModuleFile;
use crate::python::wheel;
use crate::source::{Problem, ProblemKind, ProjectPath};
use crate::workspace::{Preset, Workspace};
use std::collections::{BTreeMap, BTreeSet};

/// What a target outside of first-party code provides.
#[derive(Clone, Debug, Default)]
pub(super) struct Provided {
    /// Every module, exactly.
    pub(super) exact: Vec<ModuleFile>,
    /// Modules known as prefixes: everything at or below them.
    pub(super) prefixes: Vec<String>,
    /// Only for type checkers.
    pub(super) type_only: bool,
    /// Whether imports alone can show that it is not used: nothing was guessed, and nothing of it works without an import.
    pub(super) complete: bool,
    /// Why its files say nothing, if they should.
    pub(super) problem: Option<Problem>,
}

/// The tables of a run.
pub(super) struct ThirdParty {
    pub(super) distributions: Distributions,
    templates: Vec<LabelTemplate>,
    by_label: BTreeMap<String, Vec<String>>,
}

/// Labels of exported Meta trees that everybody who has one of them has.
const FBCODE_LABELS: &[&str] =
    &["fbsource//third-party/pypi/{dist}:{dist}", "//third-party/pypi/{dist}:{dist}"];
const FBCODE_TARGETS: &[(&str, &[&str])] = &[
    ("//caffe2:torch", &["torch", "torchgen", "functorch", "caffe2"]),
    ("//caffe2:_C", &["torch._C"]),
    ("//caffe2/functorch:functorch", &["functorch"]),
    ("//caffe2/torchgen:torchgen", &["torchgen"]),
    ("//pytorch/vision:torchvision", &["torchvision"]),
    ("//pytorch/audio:torchaudio", &["torchaudio"]),
    ("//pytorch/ao:torchao", &["torchao"]),
    ("//pytorch/torchtune:torchtune", &["torchtune"]),
];

impl ThirdParty {
    /// The tables that settings and preset give, with that of all distributions.
    pub(super) fn new(
        workspace: &Workspace,
        evaluation: &Evaluation,
        distributions: Distributions,
    ) -> Self {
        let settings = &workspace.settings.third_party;
        let fbcode = workspace.settings.project.preset == Some(Preset::Fbcode);
        let built_in = if fbcode { FBCODE_LABELS } else { &[] };
        let labels = settings.labels.iter().map(String::as_str).chain(built_in.iter().copied());
        let mut templates: Vec<LabelTemplate> =
            labels.filter_map(|template| LabelTemplate::parse(template).ok()).collect();
        let mut by_label = settings.targets.clone();
        if fbcode {
            for (label, modules) in FBCODE_TARGETS {
                let modules = modules.iter().map(|&module| module.to_owned()).collect();
                by_label.entry((*label).to_owned()).or_insert(modules);
            }
        }
        if workspace.cells.is_bazel() {
            templates.extend(bazel_templates(workspace.cells.hubs()));
            for (module, label) in resolved_by_hand(workspace, evaluation) {
                by_label.entry(label.to_string()).or_default().push(module);
            }
        }
        Self { distributions, templates, by_label }
    }

    /// Whether a label's text is that of a distribution.
    pub(super) fn names_distribution(&self, text: &str) -> bool {
        self.modules_by_label(text).is_some()
            || self.templates.iter().any(|template| template.distribution(text).is_some())
    }

    fn modules_by_label(&self, text: &str) -> Option<&Vec<String>> {
        let short = text.split_once("//").map(|(_, rest)| format!("//{rest}"));
        self.by_label.get(text).or_else(|| self.by_label.get(&short?))
    }

    /// What a label provides by the tables; the text as written is tried before the full label.
    pub(super) fn of_label(&self, written: &[&str], label: &Label) -> Option<Provided> {
        let full = label.to_string();
        let texts = || written.iter().copied().chain([full.as_str()]);
        if let Some(modules) = texts().find_map(|text| self.modules_by_label(text)) {
            let prefixes = modules.clone();
            return Some(Provided { prefixes, complete: true, ..Provided::default() });
        }
        let distribution = texts().find_map(|text| {
            self.templates.iter().find_map(|template| template.distribution(text))
        })?;
        Some(self.of_distribution(&distribution))
    }

    fn of_distribution(&self, distribution: &str) -> Provided {
        match self.distributions.modules(distribution) {
            Some(modules) => Provided {
                prefixes: modules.modules,
                type_only: modules.type_only,
                // Which version is installed, and whether it also works by entry points, no table can know.
                complete: false,
                ..Provided::default()
            },
            None => Provided::default(),
        }
    }

    /// What a `prebuilt_python_library` provides: the wheel or directory if it is on disk, else the table by its file's or its own name.
    pub(super) fn of_prebuilt(&self, workspace: &Workspace, target: &Target) -> Provided {
        let file = target.sources.iter().find_map(|source| match &source.origin {
            SourceOrigin::File { path, present: true } => Some(path),
            _ => None,
        });
        let contents = file.map(|path| read_contents(workspace, path)).transpose();
        match contents {
            Ok(Some(contents)) => Provided {
                complete: !contents.has_pth
                    && !contents.has_entry_points
                    && !contents.has_external_files
                    && contents.rejected == 0
                    && !contents.modules.is_empty(),
                type_only: is_stub_only(&contents.modules),
                exact: contents.modules,
                ..Provided::default()
            },
            missing => {
                let name = target.text("binary_src").and_then(distribution_of_file);
                let provided = self.of_distribution(name.unwrap_or(&target.label.name));
                Provided { complete: false, problem: missing.err(), ..provided }
            }
        }
    }
}

/// The labels of distributions: in a hub for all, or in a repository for each. Hubs are those that the root declares, and
/// those that are called what everybody calls them.
fn bazel_templates(hubs: &[String]) -> Vec<LabelTemplate> {
    let usual = ["pip", "pypi", "pip_deps", "py_deps", "pip_parsed_deps"].into_iter();
    let hubs: BTreeSet<&str> = hubs.iter().map(String::as_str).chain(usual).collect();
    let forms = ["@{hub}//{dist}:pkg", "@{hub}//{dist}:{dist}", "@{hub}_{dist}//:pkg"];
    let forms = forms.into_iter().chain(["@{hub}__{dist}//:pkg", "@{hub}_{dist}//:lib"]);
    let templates = forms.flat_map(|form| hubs.iter().map(move |hub| form.replace("{hub}", hub)));
    templates.filter_map(|template| LabelTemplate::parse(&template).ok()).collect()
}

/// `# gazelle:resolve py module label`: who provides a module, in the words of whoever knows.
fn resolved_by_hand(workspace: &Workspace, evaluation: &Evaluation) -> Vec<(String, Label)> {
    let mut found = Vec::new();
    for package in &evaluation.packages {
        let Some(file) = evaluation.file(&package.build_file) else { continue };
        for directive in file.directives().gazelle("resolve") {
            let words: Vec<&str> = directive.split_whitespace().collect();
            let (Some(("py", module)), Some(label)) =
                (words.first().copied().zip(words.iter().rev().nth(1).copied()), words.last())
            else {
                continue;
            };
            let written = buck::parse_label(label, &package.id, &workspace.cells);
            found.extend(written.map(|written| (module.to_owned(), written.label)));
        }
    }
    found
}

fn is_stub_only(modules: &[ModuleFile]) -> bool {
    use crate::python::modules::ModuleForm;
    !modules.is_empty() && modules.iter().all(|module| module.form == ModuleForm::Stub)
}

/// `numpy-1.2.3-….whl` → `numpy`.
fn distribution_of_file(source: &str) -> Option<&str> {
    let name = source.rsplit(['/', ':']).next()?;
    let (distribution, version) = name.split_once('-')?;
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(distribution)
}

fn read_contents(
    workspace: &Workspace,
    path: &ProjectPath,
) -> Result<wheel::WheelContents, Problem> {
    if workspace.tree.dir(path).is_some() {
        let below = workspace.tree.files().filter_map(|file| file.below(path));
        return Ok(wheel::modules_of_dir(below));
    }
    let bytes = workspace.files.read(path).map_err(|error| error.to_string());
    bytes.and_then(|bytes| wheel::modules_of_wheel(&bytes)).map_err(|reason| Problem {
        path: path.clone(),
        line: 0,
        // The tables stand in for it.
        kind: ProblemKind::Load,
        message: format!("cannot be read as a wheel: {reason}"),
    })
}
