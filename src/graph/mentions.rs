//! What files outside of the graph name: labels, modules and paths in CI configuration, scripts and the like. Reads them.

use crate::buck;
use crate::digest::{Digest, Parts};
use crate::label::Label;
use crate::source::ProjectPath;
use crate::workspace::Workspace;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Files larger than this are data, whatever their names say.
const MAX_BYTES: usize = 1 << 20;

/// Where something is first named.
pub(super) type Place = (ProjectPath, u32);

/// What the files of `[roots] files` name. Patterns such as `//...` name nothing: they take whatever is there.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Mentions {
    /// Labels, resolved from the project root.
    pub labels: BTreeMap<Label, Place>,
    /// Dotted names and names after `-m`.
    pub modules: BTreeMap<String, Place>,
    /// Paths of Python files.
    pub paths: BTreeMap<String, Place>,
}

impl Mentions {
    /// Reads the files that `[roots] files` names.
    pub(super) fn read(workspace: &Workspace) -> Self {
        let wanted: Vec<&ProjectPath> = workspace
            .tree
            .files()
            .filter(|path| workspace.settings.roots.files.matches(path))
            .filter(|path| !is_read_otherwise(workspace, path))
            .collect();
        let is_kept = workspace.cache.is_on();
        // Labels are resolved by the names of cells.
        let settings = is_kept.then(|| workspace.digest_of_settings(&workspace.cells));
        let found = wanted.par_iter().map(|path| match &settings {
            Some(settings) => Self::kept(workspace, path, settings),
            None => Self::of(workspace, path, &workspace.files.read(path).unwrap_or_default()),
        });
        let found: Vec<Self> = found.collect();
        let mut all = Self::default();
        for mentions in found {
            merge(&mut all.labels, mentions.labels);
            merge(&mut all.modules, mentions.modules);
            merge(&mut all.paths, mentions.paths);
        }
        all
    }

    /// What the cache has, and else what it has from now on.
    fn kept(workspace: &Workspace, path: &ProjectPath, settings: &Digest) -> Self {
        let Ok(content) = workspace.files.content(path) else { return Self::default() };
        let key = |digest: &Digest| {
            let mut key = Parts::new("mentions");
            key.add_digest(settings).add(path.as_str()).add_digest(digest).finish()
        };
        workspace.cache.get(&key(&content.digest)).unwrap_or_else(|| {
            let Ok((digest, bytes)) = content.read(&*workspace.files, path) else {
                return Self::default();
            };
            let found = Self::of(workspace, path, &bytes);
            workspace.cache.put(key(&digest), &found);
            found
        })
    }

    fn of(workspace: &Workspace, path: &ProjectPath, bytes: &[u8]) -> Self {
        let mut mentions = Self::default();
        if bytes.len() <= MAX_BYTES && !bytes.contains(&0) {
            mentions.scan(workspace, path, &String::from_utf8_lossy(bytes));
        }
        mentions
    }

    fn scan(&mut self, workspace: &Workspace, path: &ProjectPath, text: &str) {
        for (number, line) in text.lines().enumerate() {
            let place = || (path.clone(), number as u32 + 1);
            let mut after_m = false;
            for word in line.split(is_separator) {
                let word = word.trim_end_matches(['.', ':', '\\']);
                if word.is_empty() {
                    continue;
                }
                self.word(workspace, word, after_m, &place);
                after_m = word == "-m";
            }
        }
    }

    fn word(
        &mut self,
        workspace: &Workspace,
        word: &str,
        after_m: bool,
        place: &dyn Fn() -> Place,
    ) {
        if word.contains("//") {
            if word.contains("://") {
                return;
            }
            let here = workspace.cells.package_of_dir(&ProjectPath::root());
            if let Some(written) = buck::parse_label(word, &here, &workspace.cells) {
                self.labels.entry(written.label).or_insert_with(place);
            }
        } else if word.ends_with(".py") {
            // From the root, or from where the file stands.
            let path = word.trim_start_matches("./").to_owned();
            let near = place().0.parent().and_then(|dir| dir.join(&path));
            for path in near.map(|path| path.to_string()).into_iter().chain([path]) {
                self.paths.entry(path).or_insert_with(place);
            }
        } else if after_m || is_dotted(word) {
            self.modules.entry(word.to_owned()).or_insert_with(place);
        }
    }
}

/// What ends a word in scripts, YAML and the like.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '`'
            | ','
            | ';'
            | '='
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '|'
            | '&'
            | '$'
    ) || c.is_whitespace()
}

/// Build files and sources are read as what they are.
fn is_read_otherwise(workspace: &Workspace, path: &ProjectPath) -> bool {
    let name = path.file_name();
    let is_settings = workspace.settings.file.as_ref() == Some(path);
    let is_build_file = path
        .parent()
        .and_then(|dir| workspace.tree.package_at(&dir))
        .is_some_and(|package| package.build_file == *path);
    is_settings
        || is_build_file
        || [".py", ".pyi", ".bzl", ".ipynb"].iter().any(|end| name.ends_with(end))
}

fn is_dotted(word: &str) -> bool {
    word.contains('.') && crate::python::modules::is_dotted_name(word)
}

fn merge<K: Ord>(into: &mut BTreeMap<K, Place>, from: BTreeMap<K, Place>) {
    for (key, place) in from {
        into.entry(key).or_insert(place);
    }
}
