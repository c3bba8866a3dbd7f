//! Pushes a tree: asks what the server lacks, sends it, children before parents, and publishes what names the tree. Reads the
//! store; touches the network.

use super::Remote;
use super::chunks::Part;
use super::failure::{Failure, Outcome};
use super::known::Known;
use super::line::{actions, contents};
use super::plan::Plan;
use super::upload::Upload;
use super::work::{Transfer, Work, count};
use crate::cas::digest::Digest;
use crate::cas::store::Lease;
use crate::cas::tree::{Manifest, digest_of, message_of};
use crate::error::{Error, Result};
use crate::progress::{Progress, Silent};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use rustc_hash::FxHashSet;
use std::sync::Mutex;
use tonic::Code;

/// Digests in one question: servers take some 50,000 before a message is too large.
pub(super) const PAGE: usize = 10_000;

/// What names a tree on a server.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The action that it is the result of.
    pub action: Digest,
    /// The encoded `ActionResult`.
    pub result: &'a [u8],
    /// Contents of the store that have to be on the server besides the tree: the action, its command.
    pub contents: &'a [Digest],
}

impl Remote {
    /// Those of the contents that the server lacks, in the order they were given.
    pub fn missing(&self, digests: &[Digest]) -> Result<Vec<Digest>> {
        let work = Work::new(&self.line, &Silent);
        let missing = self.query(&work, digests);
        missing.map_err(|failure| self.line.explain("ask what the server has", failure))
    }

    /// Makes the server have a whole tree. What it is known to have, and what it was asked for, is noted.
    ///
    /// # Errors
    /// The server cannot be reached or refuses, or the store lacks what the server lacks.
    pub fn push(
        &self,
        lease: &Lease,
        manifest: &Manifest,
        known: &Known,
        progress: &dyn Progress,
    ) -> Result<Transfer> {
        let work = Work::new(&self.line, progress);
        let pushed = self.complete(&work, lease, manifest, &[], known);
        pushed.map_err(|failure| self.line.explain("push", failure))?;
        Ok(work.transfer())
    }

    /// Pushes a tree and what names it, which goes last and is read back: servers that check what a result names then tell
    /// what they lost, and it is sent again; and servers that take no roots are found out.
    ///
    /// # Errors
    /// As [`Remote::push`]; or the server does not give back what was published.
    pub fn publish(
        &self,
        lease: &Lease,
        manifest: &Manifest,
        known: &Known,
        record: &Record<'_>,
        progress: &dyn Progress,
    ) -> Result<Transfer> {
        let work = Work::new(&self.line, progress);
        let published = self.published(&work, lease, manifest, known, record);
        published.map_err(|failure| self.line.explain("publish", failure))?;
        Ok(work.transfer())
    }

    fn published(
        &self,
        work: &Work<'_>,
        lease: &Lease,
        manifest: &Manifest,
        known: &Known,
        record: &Record<'_>,
    ) -> Outcome<()> {
        let publish = || -> Outcome<()> {
            self.complete(work, lease, manifest, record.contents, known)?;
            self.put_result(work, &record.action, record.result)?;
            self.result(work, &record.action)?.map(|_| ()).ok_or(Failure::Lost(manifest.root()))
        };
        match publish() {
            Err(failure) if failure.is_loss() => {
                known.forget();
                publish()
            }
            published => published,
        }
    }

    /// Makes the server have everything.
    fn complete(
        &self,
        work: &Work<'_>,
        lease: &Lease,
        manifest: &Manifest,
        others: &[Digest],
        known: &Known,
    ) -> Outcome<()> {
        let plan = Plan::of(manifest, others, known);
        match self.carry_out(work, lease, &plan, known) {
            Err(failure) if failure.is_loss() && !plan.believed.is_empty() => {
                known.forget();
                let plan = Plan::of(manifest, others, known);
                self.carry_out(work, lease, &plan, known)
            }
            done => done,
        }
    }

    fn carry_out(&self, work: &Work<'_>, lease: &Lease, plan: &Plan, known: &Known) -> Outcome<()> {
        let missing = self.query(work, &plan.digests())?;
        let missing: FxHashSet<Digest> = missing.into_iter().collect();
        if let Some(lost) = plan.believed.iter().find(|digest| missing.contains(*digest)) {
            return Err(Failure::Lost(*lost));
        }
        let lacks = |digests: &[Digest]| -> Vec<Digest> {
            digests.iter().copied().filter(|digest| missing.contains(digest)).collect()
        };
        let (contents, directories) = (lacks(&plan.contents), lacks(&plan.directories));
        self.check_sizes(contents.iter().chain(&directories))?;
        work.progress.start("uploading", Some(missing.len()));
        let upload = Upload { remote: self, work, lease };
        upload.send_contents(&contents)?;
        // A root that is there must never promise what is not, even if only half of a message is taken.
        let directories: Vec<Part> = directories.iter().map(Part::whole).collect();
        if let Some((root, below)) = directories.split_last() {
            upload.send_in_order(below)?;
            upload.send_in_order(&[*root])?;
        }
        known.note_contents(&plan.contents);
        known.note_trees(plan.times.iter().map(|(digest, time)| (*digest, *time)));
        // Without it everything is asked for again.
        let _ = known.save();
        Ok(())
    }

    fn check_sizes<'a>(&self, mut digests: impl Iterator<Item = &'a Digest>) -> Result<()> {
        let Some(limit) = self.capabilities.max_blob else { return Ok(()) };
        let Some(digest) = digests.find(|digest| digest.size() > limit) else { return Ok(()) };
        Err(Error::new(format!("the server takes no content of more than {limit} bytes"))
            .at(digest.to_string())
            .hint("leave the file out, or have the server's limit raised"))
    }

    pub(super) fn query(&self, work: &Work<'_>, digests: &[Digest]) -> Outcome<Vec<Digest>> {
        let asked: Vec<Digest> = digests.iter().copied().filter(|it| !it.is_empty()).collect();
        let pages: Vec<&[Digest]> = asked.chunks(PAGE).collect();
        work.progress.start("asking the server", Some(pages.len()));
        let missing: Mutex<FxHashSet<Digest>> = Mutex::default();
        work.each(&pages, |page| {
            let found = self.page(work, page)?;
            count(&work.counters.queried, page.len() as u64);
            work.progress.step();
            missing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(found);
            Ok(())
        })?;
        let missing = missing.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut lacking = asked;
        lacking.retain(|digest| missing.contains(digest));
        Ok(lacking)
    }

    fn page(&self, work: &Work<'_>, page: &[Digest]) -> Outcome<Vec<Digest>> {
        let request = api::FindMissingBlobsRequest {
            instance_name: self.instance(),
            blob_digests: page.iter().map(message_of).collect(),
            digest_function: self.function(),
        };
        let answer = work.call(|service| {
            let request = request.clone();
            count(&work.counters.wire_bytes, request.encoded_len() as u64);
            async move { contents(service).find_missing_blobs(request).await }
        })?;
        count(&work.counters.wire_bytes, answer.encoded_len() as u64);
        let missing = answer.missing_blob_digests.iter().map(|digest| digest_of(Some(digest)));
        missing
            .collect::<std::result::Result<_, _>>()
            .map_err(|refusal| Failure::Garbled(format!("the server's answer: {refusal}")))
    }

    /// The encoded `ActionResult` of an action; `None` if the server has none, or not all that it names.
    pub fn action_result(&self, action: &Digest) -> Result<Option<Vec<u8>>> {
        let result = self.result(&Work::new(&self.line, &Silent), action);
        result.map_err(|failure| self.line.explain("look up the name", failure))
    }

    /// Publishes the encoded `ActionResult` of an action.
    ///
    /// # Errors
    /// It is none; or the server refuses: many let only some write names.
    pub fn put_action_result(&self, action: &Digest, bytes: &[u8]) -> Result<()> {
        let put = self.put_result(&Work::new(&self.line, &Silent), action, bytes);
        put.map_err(|failure| self.line.explain("publish the name", failure))
    }

    fn result(&self, work: &Work<'_>, action: &Digest) -> Outcome<Option<Vec<u8>>> {
        let request = api::GetActionResultRequest {
            instance_name: self.instance(),
            action_digest: Some(message_of(action)),
            digest_function: self.function(),
            ..Default::default()
        };
        let answer = work.call(|service| {
            let request = request.clone();
            async move { actions(service).get_action_result(request).await }
        });
        match answer {
            Ok(result) => Ok(Some(result.encode_to_vec())),
            Err(failure)
                if failure.code() == Some(Code::NotFound) && !failure.speaks_of_instance() =>
            {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    fn put_result(&self, work: &Work<'_>, action: &Digest, bytes: &[u8]) -> Outcome<()> {
        let result = api::ActionResult::decode(bytes)
            .map_err(|error| Error::new(format!("this is no action result: {error}")))?;
        let request = api::UpdateActionResultRequest {
            instance_name: self.instance(),
            action_digest: Some(message_of(action)),
            action_result: Some(result),
            digest_function: self.function(),
            ..Default::default()
        };
        work.call(|service| {
            let request = request.clone();
            count(&work.counters.wire_bytes, request.encoded_len() as u64);
            async move { actions(service).update_action_result(request).await }
        })?;
        Ok(())
    }
}
