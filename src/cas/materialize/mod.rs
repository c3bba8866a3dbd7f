//! From a root in the store to a tree on the disk. Writes the destination and a directory of its own beside it, and
//! nothing else; what is known of the destination lies in the store.
//!
//! A new tree is made beside the destination and takes its name in one step. A tree that is there already is changed where
//! it differs: what is new lies beside it before anything is touched, and the record in the store says "from A to B" for
//! as long as it is neither. So whoever stops on the way leaves the old tree, the new one, or one that the next run looks
//! through and completes.
//!
//! In a tree files have the modes 0444 and 0555, directories 0755, and all have one modification time, by whatever method
//! they came. A file whose time is another was written to by somebody else: it is not replaced without being told to, nor
//! is anything removed that was not placed here. Only bytecode that Python wrote itself goes with its source: that has the
//! same time as the next one, and Python would take the old bytecode for the new source's.

mod apply;
mod beneath;
mod contents;
mod options;
mod plan;
mod record;
mod site;
mod survey;
mod whole;

pub use options::{Method, Options, Placed};

use super::digest::Digest;
use super::store::{Durability, Lease, Store, failed};
use super::tree::{Change, Limits, LinkPolicy, Manifest, diff};
use crate::error::{Error, Result};
use crate::progress::Progress;
use apply::Apply;
use beneath::Identity;
use contents::Contents;
use options::Point;
use plan::Plan;
use record::{Record, Tree};
use site::{Present, Site};
use std::os::fd::OwnedFd;
use std::path::Path;
use survey::Survey;
use whole::Whole;

/// Makes the tree of a manifest at `dest`, in place of what is there if that was placed by this store.
///
/// # Errors
/// The manifest is above the limits, the store lacks a content, something stands at the destination that is not ours, or
/// the disk refuses. The destination is then as it was.
pub fn materialize(
    lease: &Lease,
    manifest: &Manifest,
    dest: &Path,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Placed> {
    manifest.check(&options.limits)?;
    let site = Site::open(lease.store(), dest, &options.faults, progress)?;
    Job { lease, site: &site, options, progress }.whole(manifest)
}

/// Makes the tree at `dest` that of `root`: by changing what differs if a tree of this store is there, else whole.
///
/// # Errors
/// As for [`materialize`]; the destination may be on its way if the disk refuses in the middle, and the next run
/// completes it.
pub fn update(
    lease: &Lease,
    root: Digest,
    dest: &Path,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Placed> {
    let site = Site::open(lease.store(), dest, &options.faults, progress)?;
    Job { lease, site: &site, options, progress }.update(root)
}

/// The root of the tree at `dest`, if it was placed from this store, is whole as far as the store knows, and has no link
/// that `links` refuses. Says nothing of what else somebody did there.
///
/// # Errors
/// The record or the destination cannot be looked at.
pub fn placed_root(store: &Store, dest: &Path, links: LinkPolicy) -> Result<Option<Digest>> {
    let Some((path, identity)) = site::placed(dest)? else { return Ok(None) };
    let record = Record::read(store, &path)?;
    let tree = record.tree(identity).filter(|tree| tree.is_closed || links == LinkPolicy::Any);
    Ok(tree.and_then(Tree::root))
}

/// One run at one destination.
struct Job<'a> {
    lease: &'a Lease,
    site: &'a Site,
    options: &'a Options,
    progress: &'a dyn Progress,
}

impl Job<'_> {
    fn whole(&self, manifest: &Manifest) -> Result<Placed> {
        let present = self.site.present()?;
        let known = self.known(&present)?;
        let is_empty = matches!(present, Present::Nothing);
        match &present {
            Present::Nothing => {}
            _ if self.options.force => {}
            Present::Directory(dir, _) if known.is_some() => {
                let foreign = survey::foreign(dir, "");
                self.refuse(&foreign.map_err(|error| failed("look at", self.site.path(), error))?)?;
            }
            _ => return Err(self.not_ours()),
        }
        if self.site.ignores_case()? {
            let limits = Limits { allow_case_collisions: false, ..self.options.limits };
            manifest.check(&limits)?;
        }
        let contents =
            Contents::new(self.lease, &manifest.contents(), &self.site.stage, self.options)?;
        let files = usize::try_from(manifest.totals().files).unwrap_or(usize::MAX);
        self.progress.start("placing files", Some(files));
        let new = self.site.make_new()?;
        let fail = |error| failed("look at the new tree beside", self.site.path(), error);
        let identity = Identity::of(&new).map_err(fail)?;
        let tree = Tree::whole(identity, manifest.root(), self.is_closed());
        let make = Whole {
            manifest,
            contents: &contents,
            path: self.site.path(),
            faults: &self.options.faults,
            progress: self.progress,
        };
        let mut placed = make.make(new)?;
        let is_durable = self.options.durability != Durability::None;
        if is_durable {
            rustix::fs::syncfs(&self.site.stage).map_err(fail)?;
        }
        self.record(known.iter().cloned().chain([tree.clone()]).collect())?;
        self.site.exchange(is_empty)?;
        if is_durable {
            self.site.sync_name()?;
        }
        self.record(vec![tree])?;
        placed.removed = self.site.clear().map_err(|error| {
            let stays = failed("remove the old tree beside", self.site.path(), error);
            stays.hint("the new tree is in place; remove the directory `.caf-…` there by hand")
        })?;
        placed.previous_root = known.and_then(|tree| tree.last_root());
        Ok(placed)
    }

    fn update(&self, root: Digest) -> Result<Placed> {
        let present = self.site.present()?;
        let known = self.known(&present)?;
        let (Present::Directory(dir, _), Some(tree)) = (&present, &known) else {
            return self.whole(&Manifest::load(self.lease.store(), root, &self.options.limits)?);
        };
        // A name that changes its case only cannot be put in place before the old one is gone.
        if self.site.ignores_case()? {
            return self.whole(&Manifest::load(self.lease.store(), root, &self.options.limits)?);
        }
        let before = tree.root();
        let mut plan = None;
        if !self.options.check
            && let Some(before) = before
        {
            if before == root {
                return Ok(Placed { previous_root: Some(root), ..Placed::default() });
            }
            plan = self.plan(dir, before, root)?;
        }
        let (plan, is_closed) = match plan {
            // What does not differ was not judged.
            Some(plan) => (plan, self.is_closed() && tree.is_closed),
            None => (self.survey(dir, root, before.is_none())?, self.is_closed()),
        };
        if !self.options.force {
            self.refuse(&plan.foreign)?;
        }
        let whole = Tree::whole(tree.identity, root, is_closed);
        let mut placed = self.change(dir, tree, whole, &plan)?;
        placed.previous_root = tree.last_root();
        Ok(placed)
    }

    /// The plan of what differs between two roots; `None` if the whole tree has to be looked at.
    fn plan(&self, dir: &OwnedFd, before: Digest, after: Digest) -> Result<Option<Plan>> {
        let limits = &self.options.limits;
        let store = self.lease.store();
        // Of the old tree, directories may have been collected since.
        let Ok(differences) = diff(store, Some(before), Some(after), limits) else {
            return Ok(None);
        };
        let sizes = differences.values().filter_map(|difference| match difference.after {
            Some(Change::File { digest, .. }) => Some(digest.size()),
            _ => None,
        });
        if sizes.fold(0, u64::saturating_add) > limits.bytes {
            // The manifest says why it is refused.
            return Ok(None);
        }
        Plan::of(dir, &differences)
            .map_err(|error| failed("look at the tree at", self.site.path(), error))
    }

    fn survey(&self, dir: &OwnedFd, root: Digest, is_recovery: bool) -> Result<Plan> {
        let manifest = Manifest::load(self.lease.store(), root, &self.options.limits)?;
        self.progress.start("looking at the tree", None);
        let verify = self.options.verify;
        let (lease, path) = (self.lease, self.site.path());
        Survey { lease, manifest: &manifest, verify, is_recovery, path }.plan(dir)
    }

    fn change(&self, dir: &OwnedFd, tree: &Tree, whole: Tree, plan: &Plan) -> Result<Placed> {
        let mut placed = Placed::default();
        if !plan.is_empty() {
            let contents =
                Contents::new(self.lease, &plan.contents(), &self.site.stage, self.options)?;
            let apply = Apply {
                root: dir,
                site: self.site,
                plan,
                contents: &contents,
                options: self.options,
                progress: self.progress,
            };
            let ready = apply.prepare()?;
            self.record(vec![tree.towards(&whole)])?;
            placed = apply.run(&ready)?;
        }
        if *tree != whole {
            self.record(vec![whole])?;
        }
        Ok(placed)
    }

    /// Whether a manifest within the limits has no link that leads out of it.
    fn is_closed(&self) -> bool {
        self.options.limits.links == LinkPolicy::Inside
    }

    /// What the store knows of what is there.
    fn known(&self, present: &Present) -> Result<Option<Tree>> {
        let Present::Directory(_, identity) = present else { return Ok(None) };
        let record = Record::read(self.lease.store(), self.site.path())?;
        Ok(record.tree(*identity).cloned())
    }

    fn record(&self, trees: Vec<Tree>) -> Result<()> {
        let path = self.site.path();
        let fault = self.options.faults.at(Point::Record);
        fault.map_err(|error| failed("write the record of", path, error))?;
        Record::write(self.lease.store(), path, trees, self.options.durability)
    }

    fn refuse(&self, foreign: &[String]) -> Result<()> {
        /// As many paths as help.
        const SHOWN: usize = 5;
        if foreign.is_empty() {
            return Ok(());
        }
        let shown = foreign.get(..SHOWN).unwrap_or(foreign).join(", ");
        let more = match foreign.len().saturating_sub(SHOWN) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let message =
            format!("what is in the way was not placed here, or was changed since: {shown}{more}");
        Err(Error::new(message).at(self.site.path().display().to_string()).hint(
            "keep what you need of it elsewhere, then pass `--force` to replace or remove it",
        ))
    }

    fn not_ours(&self) -> Error {
        Error::new("the destination is not empty, and was not made from this store")
            .at(self.site.path().display().to_string())
            .hint("choose another one, or pass `--force` to replace it")
    }
}

#[cfg(test)]
mod tests;
