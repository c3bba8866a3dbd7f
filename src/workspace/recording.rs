//! Reads what `buck2 targets` and `buck2 cquery` print as JSON. Pure.
//!
//! The forms are those of `buck2_server_commands/src/commands/targets/fmt.rs`: an array of objects or one object a line, a
//! target or the error of a package each; with `--imports`, which change detectors ask for, files and what they load in
//! between. `cquery` prints one object with a member for each target.

use super::cells::Cells;
use super::outside::{RecordedTarget, Recording};
use crate::error::{Error, Result};
use crate::label::{Label, PackageId};
use crate::source::ProjectPath;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const RECORD: &str = "record it with `buck2 targets //... --json-lines`";

impl Recording {
    /// Reads a file; `origin` is its name for messages.
    ///
    /// Fails on what is no such output: a graph that is read in part would make needed things look unused.
    pub fn read(bytes: &[u8], origin: &str, cells: &Cells) -> Result<Self> {
        let mut reader = Reader { recording: Self::default(), cells };
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
        let mut line = Lines { bytes, at: 0, line: 1 };
        loop {
            let start = line.of_next(values.byte_offset());
            let Some(value) = values.next() else { break };
            let place = |line: usize| format!("{origin}:{line}");
            let value = value.map_err(|error| not_json(&error).at(place(error.line())))?;
            reader.top(value).map_err(|message| {
                Error::new(message).at(place(start)).hint(RECORD.to_owned() + OTHERWISE)
            })?;
        }
        if reader.recording.targets.is_empty() && reader.recording.failed.is_empty() {
            return Err(Error::new("there are no targets in it").at(origin).hint(RECORD));
        }
        Ok(reader.recording)
    }
}

const OTHERWISE: &str = "; with --output-attribute, let `name` and `buck\\..*` be among them";

fn not_json(error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if error.is_eof() {
        return Error::new("it ends in the middle of a value").hint(RECORD);
    }
    Error::new(format!("no JSON: {text}")).hint(RECORD)
}

/// Counts lines as offsets go up.
struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the first byte from `offset` on that is no white space.
    fn of_next(&mut self, offset: usize) -> usize {
        let rest = self.bytes.get(offset..).unwrap_or_default();
        let next = offset + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let between = self.bytes.get(self.at..next).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count();
        self.at = next;
        self.line
    }
}

type Read<T> = std::result::Result<T, String>;

struct Reader<'c> {
    recording: Recording,
    cells: &'c Cells,
}

impl Reader<'_> {
    fn top(&mut self, value: Value) -> Read<()> {
        match value {
            Value::Array(items) => items.into_iter().try_for_each(|item| self.entry(item)),
            value => self.entry(value),
        }
    }

    fn entry(&mut self, value: Value) -> Read<()> {
        let Value::Object(mut object) = value else {
            return Err(format!("{} where a target should be", describe(&value)));
        };
        if let Some(error) = object.remove("buck.error") {
            let error = string(error, "buck.error")?;
            let package = self.package(&required(&mut object, "buck.package")?)?;
            self.recording.failed.insert(package, first_line(&error));
            return Ok(());
        }
        if object.contains_key("name") {
            let package = required(&mut object, "buck.package")?;
            let name = required(&mut object, "name")?;
            let label = self.package(&package)?.target(name);
            return self.target(label, &package, object);
        }
        if object.contains_key("buck.imports") || object.contains_key("buck.file") {
            return Ok(());
        }
        let is_query = object.iter().all(|(key, of)| key.contains("//") && of.is_object());
        if object.is_empty() || !is_query {
            return Err("an object without `name`, and so no target".to_owned());
        }
        object.into_iter().try_for_each(|(key, of)| self.queried(&key, of))
    }

    /// A member of what `cquery --json --output-attribute …` prints.
    fn queried(&mut self, key: &str, of: Value) -> Read<()> {
        let Value::Object(mut object) = of else { return Ok(()) };
        object.remove("name");
        object.remove("buck.package");
        self.recording.is_configured |= without_configuration(key) != key;
        let label = self.label(key)?;
        let text = without_configuration(key);
        let package = text.rsplit_once(':').map_or(text, |(package, _)| package);
        self.target(label, package, object)
    }

    /// A target may be printed once for each of its configurations.
    fn target(&mut self, label: Label, package: &str, object: Map<String, Value>) -> Read<()> {
        let mut read = RecordedTarget::default();
        for (name, mut value) in object {
            let within = |message: String| format!("{label}: {message}");
            match name.as_str() {
                "buck.type" => {
                    let rule = string(value, &name).map_err(within)?;
                    read.rule = rule.rsplit(':').next().map(Into::into);
                }
                "buck.oncall" => {
                    read.oncall = Some(string(value, &name).map_err(within)?.into());
                }
                "buck.deps" => {
                    let deps = strings(value, &name).map_err(within)?;
                    let deps = deps.iter().map(|text| self.label(text));
                    read.deps = Some(deps.collect::<Read<_>>().map_err(within)?);
                }
                "buck.inputs" => {
                    let inputs = strings(value, &name).map_err(within)?;
                    read.inputs = Some(inputs.iter().filter_map(|text| self.path(text)).collect());
                }
                _ if name.starts_with("buck.") => {}
                _ => {
                    localize(&mut value, package);
                    self.recording.attributes.insert(name.as_str().into());
                    read.attrs.push((name.into(), value));
                }
            }
        }
        let known = self.recording.targets.entry(label).or_default();
        known.rule = known.rule.take().or(read.rule);
        known.oncall = known.oncall.take().or(read.oncall);
        known.deps = union(known.deps.take(), read.deps);
        known.inputs = union(known.inputs.take(), read.inputs);
        known.attrs.extend(read.attrs);
        Ok(())
    }

    fn package(&self, text: &str) -> Read<PackageId> {
        let (cell, path) =
            text.split_once("//").ok_or_else(|| format!("`{text}` is no package"))?;
        let root = &self.cells.root().name;
        let name = self.cells.resolve_alias(root, cell.trim_start_matches('@'));
        Ok(PackageId::new(name.unwrap_or_else(|| cell.into()), path))
    }

    fn label(&self, text: &str) -> Read<Label> {
        let bare = without_configuration(text);
        let bare = bare.split_once('[').map_or(bare, |(label, _)| label);
        let parts = bare.split_once(':').filter(|(_, name)| !name.is_empty());
        let (package, name) = parts.ok_or_else(|| format!("`{text}` is no label"))?;
        Ok(self.package(package)?.target(name))
    }

    /// A file as `cell//path`; `None` if it is not in this project.
    fn path(&self, text: &str) -> Option<ProjectPath> {
        self.cells.dir_of_package(&self.package(text).ok()?)
    }
}

fn union<T: Ord>(one: Option<BTreeSet<T>>, other: Option<BTreeSet<T>>) -> Option<BTreeSet<T>> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.extend(other);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

/// A label without ` (configuration)`, of which a tool that runs elsewhere has two.
fn without_configuration(text: &str) -> &str {
    match text.split_once(" (") {
        Some((label, _)) if text.ends_with(')') && label.contains("//") => label,
        _ => text,
    }
}

/// Makes strings what they are in build files: files relative to the package, labels without configuration.
fn localize(value: &mut Value, package: &str) {
    match value {
        Value::String(text) => {
            let bare = without_configuration(text);
            let file = bare.strip_prefix(package).filter(|rest| !rest.contains(':'));
            let file = file.and_then(|rest| {
                if package.ends_with("//") { Some(rest) } else { rest.strip_prefix('/') }
            });
            let file = file.filter(|rest| !rest.is_empty() && !rest.ends_with("..."));
            let plain = file.unwrap_or(bare);
            if plain.len() != text.len() {
                *text = plain.to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| localize(item, package)),
        Value::Object(entries) => entries.values_mut().for_each(|item| localize(item, package)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn required(object: &mut Map<String, Value>, key: &str) -> Read<String> {
    let value = object.remove(key).ok_or_else(|| format!("a target or error without `{key}`"))?;
    string(value, key)
}

fn string(value: Value, key: &str) -> Read<String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("`{key}` is {}, and no string", describe(&other))),
    }
}

fn strings(value: Value, key: &str) -> Read<Vec<String>> {
    match value {
        Value::Array(items) => items.into_iter().map(|item| string(item, key)).collect(),
        other => Err(format!("`{key}` is {}, and no list", describe(&other))),
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn first_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| !line.is_empty()).unwrap_or("no reason given").to_owned()
}
