//! From the text of `secateur.toml` and the command line to [`Settings`]. Pure; touches nothing.

use std::collections::BTreeMap;

use super::config_flags::ConfigFlag;
use super::settings::{
    Limits, Lint, LintPath, Macro, Project, Python, Roots, RuleShape, Settings, ThirdParty, Tui,
    View,
};
use super::settings_schema::{Data, Node, Section, Setting, Table, apply_override, parse_file};
use crate::error::{Error, Result};
use crate::source::ProjectPath;

impl Settings {
    /// Reads the file, if there is one, and lays the `key=value` of `--config` over it. The first mistake is the error.
    pub fn read(file: Option<(&ProjectPath, &str)>, overrides: &[String]) -> Result<Self> {
        let mut table = match file {
            Some((path, text)) => parse_file(path, text)?,
            None => Table::new(),
        };
        for text in overrides {
            apply_override(&mut table, text)?;
        }
        let mut settings = Self { file: file.map(|(path, _)| path.clone()), ..Self::default() };
        let mut document = Section::new("", Some(&table));
        settings.read_from(&mut document)?;
        settings.origins = document.finish()?;
        settings.origins.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(settings)
    }

    fn read_from(&mut self, document: &mut Section<'_>) -> Result<()> {
        let parts: [(&'static str, &mut dyn Part); 7] = [
            ("project", &mut self.project),
            ("python", &mut self.python),
            ("roots", &mut self.roots),
            ("third-party", &mut self.third_party),
            ("lint", &mut self.lint),
            ("limits", &mut self.limits),
            ("tui", &mut self.tui),
        ];
        for (key, part) in parts {
            let mut section = document.section(key)?;
            part.read(&mut section)?;
            document.absorb(section.finish()?);
        }
        let mut macros = document.section("macros")?;
        for (file, node, key) in macros.entries().collect::<Vec<_>>() {
            let mut symbols = Section::new(key.clone(), Some(node.table(&key)?));
            self.macros.insert(file.to_owned(), read_macros(&mut symbols)?);
            macros.absorb(symbols.finish_entries());
        }
        document.absorb(macros.finish_entries());
        let mut rules = document.section("rules")?;
        self.rules = read_macros(&mut rules)?;
        document.absorb(rules.finish_entries());
        self.views = read_views(document)?;
        Ok(())
    }
}

/// A table of fixed keys.
trait Part {
    fn read(&mut self, section: &mut Section<'_>) -> Result<()>;
}

impl Part for Project {
    fn read(&mut self, section: &mut Section<'_>) -> Result<()> {
        section.read("preset", &mut self.preset)?;
        section.read("mount", &mut self.mount)?;
        section.read("exclude", &mut self.exclude)?;
        section.read("cache", &mut self.cache)?;
        section.read("dialect", &mut self.dialect)?;
        section.read("build-files", &mut self.build_files)
    }
}

impl Part for Python {
    fn read(&mut self, section: &mut Section<'_>) -> Result<()> {
        section.read("notebooks", &mut self.notebooks)?;
        section.read("doctests", &mut self.doctests)?;
        section.read("version", &mut self.version)?;
        section.read("ignore-modules", &mut self.ignore_modules)?;
        section.read("source-roots", &mut self.source_roots)
    }
}

impl Part for Roots {
    fn read(&mut self, section: &mut Section<'_>) -> Result<()> {
        section.read("targets", &mut self.targets)?;
        section.read("modules", &mut self.modules)?;
        section.read("kinds", &mut self.kinds)?;
        section.read("public", &mut self.public)?;
        section.read("files", &mut self.files)
    }
}

impl Part for ThirdParty {
    fn read(&mut self, section: &mut Section<'_>) -> Result<()> {
        section.read("labels", &mut self.labels)?;
        section.read("modules", &mut self.modules)?;
        section.read("targets", &mut self.targets)
    }
}

impl Part for Lint {
    fn read(&mut self, section: &mut Section<'_>) -> Result<()> {
        section.read("check", &mut self.check)?;
        section.read("skip", &mut self.skip)?;
        section.read("min-confidence", &mut self.min_confidence)?;
        section.read("fail-on", &mut self.fail_on)?;
        section.read("severity", &mut self.severity)?;
        section.read("keep-reason", &mut self.keep_reason)?;
        self.paths = read_lint_paths(section)?;
        Ok(())
    }
}

impl Part for Limits {
    fn read(&mut self, section: &mut Section<'_>) -> Result<()> {
        section.read("ticks", &mut self.ticks)?;
        section.read("heap-mib", &mut self.heap_mib)?;
        section.read("stack", &mut self.stack)
    }
}

impl Part for Tui {
    fn read(&mut self, section: &mut Section<'_>) -> Result<()> {
        section.read("keys", &mut self.keys)
    }
}

fn read_macros(section: &mut Section<'_>) -> Result<BTreeMap<String, Macro>> {
    let mut macros = BTreeMap::new();
    for (symbol, node, key) in section.entries().collect::<Vec<_>>() {
        macros.insert(symbol.to_owned(), read_macro(section, node, key)?);
    }
    Ok(macros)
}

/// `"namespace"`, `"ignore"`, a rule kind, or a table that says more about the rule.
fn read_macro(section: &mut Section<'_>, node: &Node, key: String) -> Result<Macro> {
    let shape = |kind: String| {
        let (srcs, deps, sources, modules) = Default::default();
        RuleShape { kind, srcs, deps, sources, modules }
    };
    match &node.data {
        Data::Text(text) => {
            section.row(key, text.show(), node.origin.clone());
            Ok(match text.as_str() {
                "namespace" => Macro::Namespace,
                "ignore" => Macro::Ignore,
                kind => Macro::Rule(shape(kind.to_owned())),
            })
        }
        Data::Table(table) => {
            let mut fields = Section::new(key.clone(), Some(table));
            let mut rule = shape(String::new());
            fields.read("kind", &mut rule.kind)?;
            if rule.kind.is_empty() {
                return Err(node.error(format!("`{key}` lacks a `kind`")));
            }
            fields.read("srcs", &mut rule.srcs)?;
            fields.read("deps", &mut rule.deps)?;
            fields.read("sources", &mut rule.sources)?;
            fields.read("modules", &mut rule.modules)?;
            section.absorb(fields.finish()?);
            Ok(Macro::Rule(rule))
        }
        _ => Err(node.wrong(&key, "\"namespace\", \"ignore\", a rule kind or a table")),
    }
}

fn read_lint_paths(section: &mut Section<'_>) -> Result<Vec<LintPath>> {
    let Some(node) = section.node("path") else { return Ok(Vec::new()) };
    let Data::Array(items) = &node.data else {
        return Err(node.wrong("lint.path", "an array of tables, written [[lint.path]]"));
    };
    let mut tables = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let key = format!("lint.path[{at}]");
        let mut fields = Section::new(key.clone(), Some(item.table(&key)?));
        let mut table = LintPath::default();
        fields.read("paths", &mut table.paths)?;
        fields.read("check", &mut table.check)?;
        fields.read("skip", &mut table.skip)?;
        fields.read("min-confidence", &mut table.min_confidence)?;
        fields.read("severity", &mut table.severity)?;
        section.absorb(fields.finish()?);
        if table.paths.patterns().is_empty() {
            let error = item.error(format!("`{key}` names no `paths`"));
            return Err(error.hint("for example paths = [\"third-party/**\"]"));
        }
        tables.push(table);
    }
    Ok(tables)
}

fn read_views(document: &mut Section<'_>) -> Result<Vec<View>> {
    let Some(node) = document.node("view") else { return Ok(Vec::new()) };
    let Data::Array(items) = &node.data else {
        return Err(node.wrong("view", "an array of tables, written [[view]]"));
    };
    let mut views: Vec<View> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let key = format!("view[{at}]");
        let mut fields = Section::new(key.clone(), Some(item.table(&key)?));
        let (mut name, mut config) = (String::new(), BTreeMap::new());
        fields.read("name", &mut name)?;
        fields.read("config", &mut config)?;
        document.absorb(fields.finish()?);
        if name.is_empty() || views.iter().any(|view| view.name == name) {
            return Err(item.error(format!("`{key}` needs a `name` of its own")));
        }
        let flag = |(name, value): (&String, &String)| ConfigFlag::named(name, value);
        let bad = |reason| -> Error { item.error(format!("`{key}.config`: {reason}")) };
        let flags = config.iter().map(flag).collect::<std::result::Result<_, _>>().map_err(bad)?;
        views.push(View { name, config, flags, origin: item.origin.clone() });
    }
    Ok(views)
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
