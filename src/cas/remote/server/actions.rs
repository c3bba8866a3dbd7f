//! Results of actions: given while everything they name is there. Reads and writes the store.

use super::faults::Moment;
use super::shared::{Keeper, Service, Shared};
use super::tree::{Walk, message};
use crate::cas::digest::Digest;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
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
    match gap(shared, &result) {
        Ok(None) => Ok(result),
        Ok(Some(digest)) => Err(missing(format!("names {digest}, which is not there"))),
        // What names nonsense is never complete.
        Err(status) if status.code() == Code::InvalidArgument => {
            Err(missing(format!("cannot be followed: {}", status.message())))
        }
        Err(status) => Err(status),
    }
}

/// The first content that a result names and the store lacks.
fn gap(shared: &Shared, result: &api::ActionResult) -> Result<Option<Digest>, Status> {
    let keeper = shared.keeper();
    let files = result.output_files.iter().map(|file| file.digest.as_ref());
    let streams = [&result.stdout_digest, &result.stderr_digest];
    let streams = streams.into_iter().filter_map(|digest| digest.as_ref().map(Some));
    if let Some(gap) = gap_among(shared, &keeper, files.chain(streams))? {
        return Ok(Some(gap));
    }
    for directory in &result.output_directories {
        let gap = match (&directory.root_directory_digest, &directory.tree_digest) {
            (None, tree) => gap_in_tree(shared, &keeper, tree.as_ref())?,
            (root, None) => gap_below(shared, &keeper, root.as_ref())?,
            (root, Some(tree)) => match gap_below(shared, &keeper, root.as_ref())? {
                None => gap_among(shared, &keeper, std::iter::once(Some(tree)))?,
                // The directories may be there as a tree alone.
                Some(_) => gap_in_tree(shared, &keeper, Some(tree))?,
            },
        };
        if gap.is_some() {
            return Ok(gap);
        }
    }
    Ok(None)
}

fn gap_among<'a>(
    shared: &Shared,
    keeper: &Keeper<'_>,
    digests: impl Iterator<Item = Option<&'a api::Digest>>,
) -> Result<Option<Digest>, Status> {
    for message in digests {
        let digest = shared.digest(message)?;
        if !keeper.keep(&digest)? {
            return Ok(Some(digest));
        }
    }
    Ok(None)
}

/// What is missing of a tree that is one message.
fn gap_in_tree(
    shared: &Shared,
    keeper: &Keeper<'_>,
    tree: Option<&api::Digest>,
) -> Result<Option<Digest>, Status> {
    let digest = shared.digest(tree)?;
    if !keeper.keep(&digest)? {
        return Ok(Some(digest));
    }
    let Some(tree) = message::<api::Tree>(shared, &digest)? else { return Ok(Some(digest)) };
    let files = tree.root.iter().chain(&tree.children).flat_map(|directory| &directory.files);
    gap_among(shared, keeper, files.map(|file| file.digest.as_ref()))
}

/// What is missing of a tree that is a directory.
fn gap_below(
    shared: &Shared,
    keeper: &Keeper<'_>,
    root: Option<&api::Digest>,
) -> Result<Option<Digest>, Status> {
    let root = shared.digest(root)?;
    let mut walk = Walk::new(root);
    loop {
        match walk.next(shared, keeper)? {
            None => return Ok(None),
            Some((digest, None)) => return Ok(Some(digest)),
            Some((_, Some(directory))) => {
                let files = directory.files.iter().map(|file| file.digest.as_ref());
                let gap = gap_among(shared, keeper, files)?;
                if gap.is_some() {
                    return Ok(gap);
                }
            }
        }
    }
}
