//! A TOML table read key by key, with the place of every mistake. Pure; touches nothing.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::origin::{Origin, OriginRow};
use crate::error::{Error, Result};
use crate::source::{LineIndex, ProjectPath};
use crate::suggestion::hint;

/// Keys and what stands under them.
pub(super) type Table = BTreeMap<String, Node>;

/// A TOML value that knows where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) data: Data,
    pub(super) origin: Origin,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Array(Vec<Node>),
    Table(Table),
    /// No setting takes a float, but a bare `3.12` on the command line looks like one.
    Float(String),
    /// Something that no setting takes.
    Other(&'static str),
}

impl Node {
    /// An error about this value.
    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        let place = match &self.origin {
            Origin::CommandLine => "--config".to_owned(),
            origin => origin.to_string(),
        };
        Error::new(message).at(place)
    }

    /// The error for a value of another type than `wanted`.
    pub(super) fn wrong(&self, key: &str, wanted: &str) -> Error {
        let found = match &self.data {
            Data::Text(_) => "a string",
            Data::Integer(_) => "a number",
            Data::Boolean(_) => "a boolean",
            Data::Array(_) => "an array",
            Data::Table(_) => "a table",
            Data::Float(_) => "a float",
            Data::Other(what) => what,
        };
        self.error(format!("`{key}` takes {wanted}, not {found}"))
    }

    /// The value as a table.
    pub(super) fn table(&self, key: &str) -> Result<&Table> {
        match &self.data {
            Data::Table(table) => Ok(table),
            _ => Err(self.wrong(key, "a table")),
        }
    }
}

/// Reads the text of `secateur.toml`.
pub(super) fn parse_file(path: &ProjectPath, text: &str) -> Result<Table> {
    let lines = LineIndex::new(text);
    let line = |at: usize| lines.line(u32::try_from(at).unwrap_or(u32::MAX));
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Error::new(error.message().trim()).at(format!("{path}:{}", line(at)))
    })?;
    Ok(convert(table.get_ref(), &|at| Origin::File { path: path.clone(), line: line(at) }))
}

/// Lays `key=value` of the command line over `table`. The key is dotted, the value TOML or else a bare string.
pub(super) fn apply_override(table: &mut Table, text: &str) -> Result<()> {
    let fail = |reason: &str| {
        Error::new(format!("bad option --config {text}: {reason}"))
            .hint("write --config key=value, as in --config lint.fail-on=error")
    };
    let (key, value) = text.split_once('=').ok_or_else(|| fail("it has no `=`"))?;
    let as_string = toml::Value::String(value.trim().to_owned()).to_string();
    let documents = [format!("{key} = {value}"), format!("{key} = {as_string}")];
    // A value that breaks out of its line would be a document of its own.
    let parsed = documents.iter().find_map(|document| DeTable::parse(document).ok());
    let parsed = parsed.filter(|_| !text.contains('\n'));
    let parsed = parsed.ok_or_else(|| fail("the key is not a dotted TOML key"))?;
    merge(table, convert(parsed.get_ref(), &|_| Origin::CommandLine));
    Ok(())
}

fn merge(table: &mut Table, over: Table) {
    for (key, node) in over {
        match (table.get_mut(&key), node) {
            (
                Some(Node { data: Data::Table(below), .. }),
                Node { data: Data::Table(above), .. },
            ) => {
                merge(below, above);
            }
            (_, node) => {
                table.insert(key, node);
            }
        }
    }
}

fn convert(table: &DeTable<'_>, origin: &dyn Fn(usize) -> Origin) -> Table {
    let entries = table.iter().map(|(key, value)| {
        let node = Node { data: data(value, origin), origin: origin(key.span().start) };
        (key.get_ref().to_string(), node)
    });
    entries.collect()
}

fn data(value: &Spanned<DeValue<'_>>, origin: &dyn Fn(usize) -> Origin) -> Data {
    match value.get_ref() {
        DeValue::String(text) => Data::Text(text.to_string()),
        DeValue::Boolean(flag) => Data::Boolean(*flag),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or(Data::Other("a number too large"), Data::Integer),
        DeValue::Array(items) => {
            let node = |item| Node { data: data(item, origin), origin: origin(item.span().start) };
            Data::Array(items.iter().map(node).collect())
        }
        DeValue::Table(table) => Data::Table(convert(table, origin)),
        DeValue::Float(float) => Data::Float(float.as_str().to_owned()),
        DeValue::Datetime(_) => Data::Other("a date"),
    }
}

/// A type that a setting may have.
pub(super) trait Setting: Sized {
    /// Reads the value; `key` is its dotted key, for messages.
    fn read(node: &Node, key: &str) -> Result<Self>;

    /// The value as TOML, `None` if there is none to show.
    fn show(&self) -> Option<toml::Value>;
}

/// A table in the middle of being read; remembers which keys there are.
pub(super) struct Section<'a> {
    /// The dotted key, empty for the document.
    key: String,
    table: Option<&'a Table>,
    known: Vec<&'static str>,
    rows: Vec<OriginRow>,
}

impl<'a> Section<'a> {
    pub(super) fn new(key: impl Into<String>, table: Option<&'a Table>) -> Self {
        Self { key: key.into(), table, known: Vec::new(), rows: Vec::new() }
    }

    /// The value under `key`, unread; its shape is the caller's.
    pub(super) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.table?.get(key)
    }

    /// The dotted form of a key of this table.
    pub(super) fn dotted(&self, key: &str) -> String {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let quoted = if !key.is_empty() && key.chars().all(is_bare) {
            key.to_owned()
        } else {
            toml::Value::String(key.to_owned()).to_string()
        };
        if self.key.is_empty() { quoted } else { format!("{}.{quoted}", self.key) }
    }

    /// The table under `key`, empty if it is absent.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Self> {
        let dotted = self.dotted(key);
        let table = self.node(key).map(|node| node.table(&dotted)).transpose()?;
        Ok(Self::new(dotted, table))
    }

    /// Reads the value under `key` into `slot`, which holds the default.
    pub(super) fn read<T: Setting>(&mut self, key: &'static str, slot: &mut T) -> Result<()> {
        let dotted = self.dotted(key);
        let mut origin = Origin::Default;
        if let Some(node) = self.node(key) {
            *slot = T::read(node, &dotted)?;
            origin = node.origin.clone();
        }
        self.row(dotted, slot.show(), origin);
        Ok(())
    }

    /// All keys and values of a table whose keys the user invents.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Node, String)> {
        let entries = self.table.into_iter().flatten();
        entries.map(|(key, node)| (key.as_str(), node, self.dotted(key)))
    }

    /// Notes a value for `config --show-origin`.
    pub(super) fn row(&mut self, key: String, value: Option<toml::Value>, origin: Origin) {
        if let Some(value) = value {
            self.rows.push(OriginRow { key, value: value.to_string(), origin });
        }
    }

    /// Takes over the rows of a table below this one.
    pub(super) fn absorb(&mut self, rows: Vec<OriginRow>) {
        self.rows.extend(rows);
    }

    /// Ends a table of known keys; any other key in it is an error.
    pub(super) fn finish(self) -> Result<Vec<OriginRow>> {
        let known = &self.known;
        let mut entries = self.table.into_iter().flatten();
        match entries.find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(self.rows),
            Some((key, node)) => {
                let message = format!("unknown key `{}`", self.dotted(key));
                Err(node.error(message).hint(hint(key, known, "keys")))
            }
        }
    }

    /// Ends a table whose keys the user invents.
    pub(super) fn finish_entries(self) -> Vec<OriginRow> {
        self.rows
    }
}
