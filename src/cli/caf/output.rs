//! What the commands of `caf` print: one value each, for people and as JSON. Pure; writes to a writer.

use super::args::CafFormat;
use super::size::{count, show};
use crate::cas::materialize::Placed;
use crate::cas::remote::Transfer;
use crate::cli::exit::Exit;
use schemars::JsonSchema;
use serde::Serialize;
use std::io::{self, Write};

const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize, JsonSchema)]
struct Versioned<'a> {
    schema_version: u32,
    #[serde(flatten)]
    output: &'a Output,
}

/// The JSON Schema of what `caf --format json` prints.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Versioned<'_>)
}

/// What a command did.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub(super) enum Output {
    Push(Pushed),
    Pull(Pulled),
    Diff(Differences),
    Ls { bundles: Vec<Bundle> },
    Rm { removed: Vec<String>, unknown: Vec<String> },
    Gc(Collected),
    Verify(Verified),
    Stat(Stat),
    Keygen { private_key: String, public_key: String, key: String },
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Pushed {
    pub(super) name: String,
    /// Hash and size of the root directory.
    pub(super) root: String,
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Files whose contents had to be read.
    pub(super) files_read: u64,
    /// Contents and directories that the store did not have.
    pub(super) new_objects: u64,
    pub(super) new_bytes: u64,
    /// Files that have no place in a bundle: stale bytecode.
    pub(super) left_out: Vec<String>,
    /// The key that signed it.
    pub(super) signed_by: Option<String>,
    /// What went to the server; null without one.
    pub(super) transfer: Option<TransferOutput>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Pulled {
    pub(super) name: String,
    pub(super) root: String,
    pub(super) directory: String,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) shared_bytes: u64,
    pub(super) removed: u64,
    /// The root that was there before.
    pub(super) previous_root: Option<String>,
    pub(super) signed_by: Option<String>,
    pub(super) transfer: Option<TransferOutput>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct TransferOutput {
    /// Contents that the server was asked about.
    queried: u64,
    blobs: u64,
    bytes: u64,
    /// Bytes as they were sent, compressed.
    wire_bytes: u64,
    requests: u64,
    retried: u64,
}

impl From<Transfer> for TransferOutput {
    fn from(transfer: Transfer) -> Self {
        let Transfer { queried, blobs, bytes, wire_bytes, retried, requests } = transfer;
        Self { queried, blobs, bytes, wire_bytes, requests, retried }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Differences {
    pub(super) old: String,
    pub(super) new: String,
    pub(super) changes: Vec<ChangeOutput>,
    pub(super) added_files: u64,
    pub(super) added_bytes: u64,
    pub(super) removed_files: u64,
    pub(super) removed_bytes: u64,
    /// Bytes of the new bundle that the old one has, too.
    pub(super) shared_bytes: u64,
    pub(super) new_bytes: u64,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ChangeOutput {
    pub(super) path: String,
    /// `added`, `removed` or `changed`.
    pub(super) change: &'static str,
    pub(super) old_bytes: Option<u64>,
    pub(super) new_bytes: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Bundle {
    pub(super) name: String,
    pub(super) root: String,
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// What `run` starts.
    pub(super) entry: Option<String>,
    pub(super) signed_by: Option<String>,
    /// Why it cannot be read; its numbers are 0 then.
    pub(super) problem: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Collected {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) kept_objects: u64,
    pub(super) kept_bytes: u64,
    pub(super) dropped_results: u64,
    /// Trees made by `run` that went.
    pub(super) dropped_trees: u64,
    pub(super) above_quota: u64,
    pub(super) dry_run: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Verified {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Contents that were not what their name says; they are in quarantine.
    pub(super) damaged: Vec<String>,
    /// Contents that were fetched again from the server.
    pub(super) repaired: u64,
    /// Contents that bundles need and the store lacks.
    pub(super) missing: Vec<MissingOutput>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct MissingOutput {
    pub(super) digest: String,
    /// One of those that need it.
    pub(super) needed_by: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Stat {
    pub(super) store: String,
    pub(super) digest_function: &'static str,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) quarantined: u64,
    pub(super) bundles: u64,
    pub(super) action_results: u64,
    /// Bytes that the bundles would have without sharing.
    pub(super) bundle_bytes: u64,
    /// Bytes that they have in the store.
    pub(super) unique_bytes: u64,
    /// Files that were packed since the store was made, and those of them whose contents had to be read.
    pub(super) files_packed: u64,
    pub(super) files_read: u64,
    /// Bytes that pulls needed, and those of them that came from a server.
    pub(super) bytes_pulled: u64,
    pub(super) bytes_fetched: u64,
}

impl Output {
    /// A store that lacks what its bundles need is a finding, as is a name that was not there.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Verify(verified) if !verified.missing.is_empty() => Exit::Findings,
            Self::Rm { unknown, .. } if !unknown.is_empty() => Exit::Findings,
            Self::Gc(collected) if collected.above_quota > 0 => Exit::Findings,
            _ => Exit::Clean,
        }
    }

    pub(super) fn write(
        &self,
        format: CafFormat,
        is_quiet: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match format {
            CafFormat::Json => {
                let versioned = Versioned { schema_version: SCHEMA_VERSION, output: self };
                serde_json::to_writer(&mut *out, &versioned)?;
                writeln!(out)
            }
            CafFormat::Text if is_quiet && !self.is_answer() => Ok(()),
            CafFormat::Text => self.text(out),
        }
    }

    /// Whether the command was asked for what it prints, and not for what it does.
    fn is_answer(&self) -> bool {
        matches!(self, Self::Diff(_) | Self::Ls { .. } | Self::Stat(_) | Self::Verify(_))
    }

    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Push(pushed) => pushed.text(out),
            Self::Pull(pulled) => pulled.text(out),
            Self::Diff(differences) => differences.text(out),
            Self::Ls { bundles } => bundles.iter().try_for_each(|bundle| bundle.text(out)),
            Self::Rm { removed, unknown } => {
                removed.iter().try_for_each(|name| writeln!(out, "{name}: its name is gone"))?;
                unknown.iter().try_for_each(|name| writeln!(out, "{name}: no such bundle"))
            }
            Self::Gc(collected) => collected.text(out),
            Self::Verify(verified) => verified.text(out),
            Self::Stat(stat) => stat.text(out),
            Self::Keygen { private_key, public_key, key } => {
                writeln!(out, "key {key}")?;
                writeln!(out, "private, keep it to yourself: {private_key}")?;
                writeln!(out, "public, for --require-signature: {public_key}")
            }
        }
    }
}

fn signed(key: Option<&str>) -> String {
    key.map(|key| format!(", signed by {key}")).unwrap_or_default()
}

impl Pushed {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let (files, bytes) = (count(self.files, "file"), show(self.bytes));
        writeln!(out, "{}  {files}, {bytes}{}", self.name, signed(self.signed_by.as_deref()))?;
        writeln!(out, "root   {}", self.root)?;
        let (read, new) = (count(self.files_read, "file"), count(self.new_objects, "object"));
        writeln!(out, "store  {read} read, {new} new ({})", show(self.new_bytes))?;
        if let Some(first) = self.left_out.first() {
            let left_out = count(self.left_out.len() as u64, "file");
            writeln!(out, "left out: {left_out} of stale bytecode, such as {first}")?;
        }
        self.transfer.as_ref().map_or(Ok(()), |transfer| transfer.text("sent", out))
    }
}

impl TransferOutput {
    fn text(&self, what: &str, out: &mut dyn Write) -> io::Result<()> {
        let blobs = count(self.blobs, "object");
        let retried = match self.retried {
            0 => String::new(),
            retried => format!(", {retried} calls again"),
        };
        let (bytes, wire) = (show(self.bytes), show(self.wire_bytes));
        let requests = count(self.requests, "call");
        writeln!(out, "{what}   {blobs} ({bytes}, {wire} on the wire) in {requests}{retried}")
    }
}

impl Pulled {
    pub(super) fn new(name: String, root: String, directory: String, placed: &Placed) -> Self {
        Self {
            name,
            root,
            directory,
            files: placed.files,
            bytes: placed.bytes,
            shared_bytes: placed.shared_bytes,
            removed: placed.removed,
            previous_root: placed.previous_root.map(|root| root.to_string()),
            signed_by: None,
            transfer: None,
        }
    }

    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}  in {}{}", self.name, self.directory, signed(self.signed_by.as_deref()))?;
        if self.previous_root.as_ref() == Some(&self.root) && self.files + self.removed == 0 {
            writeln!(out, "tree   is what it was")?;
        } else {
            let (files, bytes) = (count(self.files, "file"), show(self.bytes));
            let (shared, removed) = (show(self.shared_bytes), count(self.removed, "entry"));
            writeln!(
                out,
                "tree   {files} placed ({bytes}, {shared} shared with the store), {removed} removed"
            )?;
        }
        self.transfer.as_ref().map_or(Ok(()), |transfer| transfer.text("came", out))
    }
}

impl Differences {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for change in &self.changes {
            let sign = match change.change {
                "added" => '+',
                "removed" => '-',
                _ => '~',
            };
            let bytes = match (change.old_bytes, change.new_bytes) {
                (Some(old), Some(new)) if old != new => format!("{} -> {}", show(old), show(new)),
                (_, Some(bytes)) | (Some(bytes), _) => show(bytes),
                (None, None) => String::new(),
            };
            writeln!(out, "{}", format!("{sign} {}  {bytes}", change.path).trim_end())?;
        }
        let (added, removed) = (count(self.added_files, "file"), count(self.removed_files, "file"));
        writeln!(
            out,
            "{added} new or changed ({}), {removed} gone or changed ({}); {} of {} shared",
            show(self.added_bytes),
            show(self.removed_bytes),
            show(self.shared_bytes),
            show(self.new_bytes)
        )
    }
}

impl Bundle {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(problem) = &self.problem {
            return writeln!(out, "{}  {problem}", self.name);
        }
        let (files, bytes) = (count(self.files, "file"), show(self.bytes));
        let entry = self.entry.as_ref().map(|entry| format!(", runs {entry}")).unwrap_or_default();
        writeln!(
            out,
            "{}  {files}, {bytes}{entry}{}  {}",
            self.name,
            signed(self.signed_by.as_deref()),
            self.root
        )
    }
}

impl Collected {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let would = if self.dry_run { "would go" } else { "gone" };
        let (objects, kept) = (count(self.objects, "object"), count(self.kept_objects, "object"));
        writeln!(
            out,
            "{objects} {would} ({}), {kept} left ({})",
            show(self.bytes),
            show(self.kept_bytes)
        )?;
        if self.dropped_results + self.dropped_trees > 0 {
            let (results, trees) = (
                count(self.dropped_results, "pulled bundle or result"),
                count(self.dropped_trees, "tree"),
            );
            writeln!(out, "{results} and {trees} {would}")?;
        }
        if self.above_quota > 0 {
            writeln!(
                out,
                "{} above the quota: pushed bundles and what was just used stay; `secateur caf rm` takes names away",
                show(self.above_quota)
            )?;
        }
        Ok(())
    }
}

impl Verified {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} read ({})", count(self.objects, "object"), show(self.bytes))?;
        for hash in &self.damaged {
            writeln!(out, "damaged, now in quarantine: {hash}")?;
        }
        if self.repaired > 0 {
            writeln!(out, "{} fetched again", count(self.repaired, "object"))?;
        }
        for missing in &self.missing {
            writeln!(out, "missing: {} for {}", missing.digest, missing.needed_by)?;
        }
        Ok(())
    }
}

impl Stat {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "store     {} ({})", self.store, self.digest_function)?;
        writeln!(out, "contents  {}, {}", count(self.objects, "object"), show(self.bytes))?;
        let bundles = count(self.bundles, "bundle");
        let saved = self.bundle_bytes.saturating_sub(self.unique_bytes);
        writeln!(
            out,
            "bundles   {bundles}, {} as {}: {} shared",
            show(self.bundle_bytes),
            show(self.unique_bytes),
            percent(saved, self.bundle_bytes)
        )?;
        writeln!(out, "results   {}", self.action_results)?;
        let known = self.files_packed.saturating_sub(self.files_read);
        writeln!(
            out,
            "packed    {}, {} of them not read since they were known",
            count(self.files_packed, "file"),
            percent(known, self.files_packed)
        )?;
        let here = self.bytes_pulled.saturating_sub(self.bytes_fetched);
        writeln!(
            out,
            "pulled    {}, {} of it from this store",
            show(self.bytes_pulled),
            percent(here, self.bytes_pulled)
        )?;
        if self.quarantined > 0 {
            writeln!(out, "damaged   {} in quarantine", count(self.quarantined, "object"))?;
        }
        Ok(())
    }
}

fn percent(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point")]
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
    format!("{share:.1} %")
}
