//! Results of actions: given while everything they name is there. Reads and writes the store.

use super::faults::Moment;
use super::memo::Recall;
use super::shared::{Keeper, Service, Shared, lock};
use super::tree::{check_count, directories_of, message};
use crate::cas::digest::Digest;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Mutex, PoisonError};
use tonic::{Code, Request, Response, Status};

#[tonic::async_trait]
impl api::action_cache_server::ActionCache for Service {
    async fn get_action_result(
        &self,
        request: Request<api::GetActionResultRequest>,
    ) -> Result<Response<api::ActionResult>, Status> {
        let request = request.get_ref();
        self.0.check(&request.instance_name, request.digest_function)?;
        let action = self.0.digest(request.action_digest.as_ref())?;
        self.strike(Moment::Ask, &action).await?;
        self.blocking(move |shared| complete_result(shared, &action)).await.map(Response::new)
    }

    async fn update_action_result(
        &self,
        request: Request<api::UpdateActionResultRequest>,
    ) -> Result<Response<api::ActionResult>, Status> {
        let request = request.into_inner();
        self.0.check(&request.instance_name, request.digest_function)?;
        self.0.check_writable()?;
        let action = self.0.digest(request.action_digest.as_ref())?;
        let result = request
            .action_result
            .ok_or_else(|| Status::invalid_argument("the request has no result"))?;
        Shared::check_batch(std::iter::once(result.encoded_len() as u64))?;
        self.strike(Moment::Write, &action).await?;
        let stored = self.blocking(move |shared| {
            let bytes = result.encode_to_vec();
            let stored = shared.options.store.put_action_result(&action, &bytes);
            stored.map_err(|error| shared.failed(&error))?;
            Ok(result)
        });
        stored.await.map(Response::new)
    }
}

/// The result of an action, if all of it is there: a client takes it for a promise.
fn complete_result(shared: &Shared, action: &Digest) -> Result<api::ActionResult, Status> {
    let missing = |what: String| Status::not_found(format!("the result of {action} {what}"));
    let read = shared.options.store.action_result(action);
    let bytes = read
        .map_err(|error| shared.failed(&error))?
        .ok_or_else(|| missing("is not there".to_owned()))?;
    let result = api::ActionResult::decode(bytes.as_slice())
        .map_err(|_| missing("cannot be read".to_owned()))?;
    match check(shared, &result) {
        Ok(()) => Ok(result),
        Err(Gap::Missing(digest)) => Err(missing(format!("names {digest}, which is not there"))),
        // What names nonsense is never complete.
        Err(Gap::Trouble(status)) if status.code() == Code::InvalidArgument => {
            Err(missing(format!("cannot be followed: {}", status.message())))
        }
        Err(Gap::Trouble(status)) => Err(status),
    }
}

/// Why a result is not given.
enum Gap {
    Missing(Digest),
    Trouble(Status),
}

impl From<Status> for Gap {
    fn from(status: Status) -> Self {
        Self::Trouble(status)
    }
}

/// Looks whether the store has all that a result names.
fn check(shared: &Shared, result: &api::ActionResult) -> Result<(), Gap> {
    let look = Look { shared, keeper: shared.keeper() };
    result.output_files.iter().try_for_each(|file| look.at(file.digest.as_ref()))?;
    let streams = [&result.stdout_digest, &result.stderr_digest];
    streams.into_iter().flatten().try_for_each(|digest| look.at(Some(digest)))?;
    for directory in &result.output_directories {
        match (&directory.root_directory_digest, &directory.tree_digest) {
            (None, tree) => look.into_tree(tree.as_ref())?,
            (root, None) => look.below(root.as_ref())?,
            (root, Some(tree)) => match look.below(root.as_ref()) {
                // The directories may be there as a tree alone.
                Err(Gap::Missing(_)) => look.into_tree(Some(tree))?,
                looked => looked.and_then(|()| look.at(Some(tree)))?,
            },
        }
    }
    Ok(())
}

/// Looks for contents, and says that they are used.
struct Look<'a> {
    shared: &'a Shared,
    keeper: Keeper<'a>,
}

impl Look<'_> {
    fn at(&self, digest: Option<&api::Digest>) -> Result<(), Gap> {
        self.found(&self.shared.digest(digest)?)
    }

    fn found(&self, digest: &Digest) -> Result<(), Gap> {
        if self.keeper.keep_named(digest)? { Ok(()) } else { Err(Gap::Missing(*digest)) }
    }

    /// A message that is a content.
    fn message<M: Message + Default>(&self, digest: &Digest) -> Result<M, Gap> {
        self.found(digest)?;
        message(self.shared, digest)?.ok_or(Gap::Missing(*digest))
    }

    /// A tree that is one message.
    fn into_tree(&self, tree: Option<&api::Digest>) -> Result<(), Gap> {
        let tree: api::Tree = self.message(&self.shared.digest(tree)?)?;
        let mut directories = tree.root.iter().chain(&tree.children);
        directories.try_for_each(|directory| self.at_files(directory))
    }

    fn at_files(&self, directory: &api::Directory) -> Result<(), Gap> {
        directory.files.iter().try_for_each(|file| self.at(file.digest.as_ref()))
    }

    /// A tree of directories.
    fn below(&self, root: Option<&api::Digest>) -> Result<(), Gap> {
        let walk = Walk {
            look: self,
            recall: self.keeper.recall(),
            found: Mutex::new(Some(FxHashMap::default())),
        };
        walk.below(self.shared.digest(root)?)
    }
}

/// Looks for all of a tree but what is remembered.
struct Walk<'a> {
    look: &'a Look<'a>,
    /// `None` if nothing can be remembered.
    recall: Option<Recall<'a>>,
    /// What was not remembered, and whether it is a directory; `None` if some of it could not be marked as used.
    found: Mutex<Option<FxHashMap<Digest, bool>>>,
}

impl Walk<'_> {
    /// Level by level.
    fn below(self, root: Digest) -> Result<(), Gap> {
        let mut level = vec![root];
        let mut seen = FxHashSet::default();
        while !level.is_empty() {
            let below: Vec<Vec<Digest>> = level
                .par_iter()
                .map(|digest| self.directory(digest))
                .collect::<Result<_, Gap>>()?;
            level = below.into_iter().flatten().filter(|digest| seen.insert(*digest)).collect();
            check_count(seen.len())?;
        }
        let found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let (Some(recall), Some(found)) = (self.recall, found) {
            recall.add(found.into_iter());
        }
        Ok(())
    }

    /// One directory and its files; gives those in it.
    fn directory(&self, digest: &Digest) -> Result<Vec<Digest>, Gap> {
        let shared = self.look.shared;
        if self.recall.as_ref().is_some_and(|recall| recall.has_tree(digest)) {
            return Ok(Vec::new());
        }
        self.found(digest, true)?;
        let directory: Option<api::Directory> = message(shared, digest)?;
        let directory = directory.ok_or(Gap::Missing(*digest))?;
        for file in &directory.files {
            self.found(&shared.digest(file.digest.as_ref())?, false)?;
        }
        Ok(directories_of(shared, &directory)?)
    }

    fn found(&self, digest: &Digest, is_directory: bool) -> Result<(), Gap> {
        let Some(recall) = &self.recall else { return self.look.found(digest) };
        if !is_directory && recall.has(digest) {
            return Ok(());
        }
        match self.look.keeper.keep_ahead(digest) {
            Some(false) => Err(Gap::Missing(*digest)),
            Some(true) => {
                if let Some(found) = lock(&self.found).as_mut() {
                    *found.entry(*digest).or_default() |= is_directory;
                }
                Ok(())
            }
            None => {
                *lock(&self.found) = None;
                self.look.found(digest)
            }
        }
    }
}
