//! Directories of trees, as whoever sent them wrote them: this server does not judge names. Reads the store.

use super::MAX_BATCH;
use super::shared::{Keeper, Service, Shared};
use crate::cas::digest::Digest;
use crate::cas::tree::MAX_DIRECTORY_BYTES;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use rustc_hash::FxHashSet;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Distinct directories of the largest tree that is walked.
const MAX_DIRECTORIES: usize = 1_000_000;

/// Bytes of directories in one answer.
const PAGE: usize = 1 << 20;

/// The pages of one answer.
pub(super) type Pages = ReceiverStream<Result<api::GetTreeResponse, Status>>;

/// A walk over the distinct directories of a tree, each before what is first found in it.
struct Walk {
    waiting: VecDeque<Digest>,
    seen: FxHashSet<Digest>,
}

impl Walk {
    fn new(root: Digest) -> Self {
        Self { waiting: VecDeque::from([root]), seen: FxHashSet::from_iter([root]) }
    }

    /// A directory whose turn it is, if it is there; those in it wait from now on.
    fn visit(
        &mut self,
        shared: &Shared,
        keeper: &Keeper<'_>,
        digest: &Digest,
    ) -> Result<Option<api::Directory>, Status> {
        let is_there = keeper.keep_named(digest)?;
        let directory = if is_there { message::<api::Directory>(shared, digest)? } else { None };
        if let Some(directory) = &directory {
            let below = directories_of(shared, directory)?.into_iter();
            self.waiting.extend(below.filter(|digest| self.seen.insert(*digest)));
            check_count(self.seen.len())?;
        }
        Ok(directory)
    }
}

/// The directories in a directory.
pub(super) fn directories_of(
    shared: &Shared,
    directory: &api::Directory,
) -> Result<Vec<Digest>, Status> {
    directory.directories.iter().map(|node| shared.digest(node.digest.as_ref())).collect()
}

/// Refuses to walk on when a tree has too many directories.
pub(super) fn check_count(directories: usize) -> Result<(), Status> {
    if directories > MAX_DIRECTORIES {
        let message = format!("the tree has more than {MAX_DIRECTORIES} directories");
        return Err(Status::resource_exhausted(message));
    }
    Ok(())
}

/// A message that is stored as a content; `None` if it is not there.
pub(super) fn message<M: Message + Default>(
    shared: &Shared,
    digest: &Digest,
) -> Result<Option<M>, Status> {
    if digest.size() > MAX_DIRECTORY_BYTES {
        return Err(Status::invalid_argument(format!("{digest} is too large for a directory")));
    }
    let bytes = shared.options.store.read(digest).map_err(|error| shared.failed(&error))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let decoded = M::decode(bytes.as_slice());
    decoded.map(Some).map_err(|_| Status::invalid_argument(format!("{digest} is no directory")))
}

impl Service {
    /// Begins to send the directories of a tree.
    pub(super) async fn send_tree(
        &self,
        request: Request<api::GetTreeRequest>,
    ) -> Result<Response<Pages>, Status> {
        let request = request.into_inner();
        self.0.check(&request.instance_name, request.digest_function)?;
        let root = self.0.digest(request.root_digest.as_ref())?;
        let skipped = match request.page_token.as_str() {
            "" => 0,
            token => token.parse().map_err(|_| Status::invalid_argument("no such page"))?,
        };
        let size = usize::try_from(request.page_size).ok().filter(|size| *size > 0);
        let walk = Walk::new(root);
        let paging = Paging { walk, sent: 0, size: size.unwrap_or(usize::MAX) };
        let started = self.blocking(move |shared| {
            if !shared.keeper().keep_named(&root)? {
                return Err(Status::not_found(format!("{root} is not there")));
            }
            paging.skip(shared, skipped)
        });
        let mut paging = started.await?;
        let (sender, receiver) = mpsc::channel(1);
        let service = self.clone();
        tokio::spawn(async move {
            loop {
                let next = service.blocking(move |shared| paging.next(shared)).await;
                let (rest, page) = match next {
                    Ok((rest, page)) => (rest, Ok(page)),
                    Err(status) => (None, Err(status)),
                };
                let idle = service.0.options.idle;
                let sent = tokio::time::timeout(idle, sender.send(page)).await;
                match (sent, rest) {
                    (Ok(Ok(())), Some(rest)) => paging = rest,
                    _ => return,
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// A walk that is answered in pages.
struct Paging {
    walk: Walk,
    /// Directories sent or skipped.
    sent: usize,
    /// Directories of a page.
    size: usize,
}

impl Paging {
    fn skip(mut self, shared: &Shared, count: usize) -> Result<Self, Status> {
        let keeper = shared.keeper();
        while self.sent < count {
            let Some(digest) = self.walk.waiting.pop_front() else { break };
            self.walk.visit(shared, &keeper, &digest)?;
            self.sent += 1;
        }
        Ok(self)
    }

    /// The next page, and what comes after it. What is not there is left out.
    fn next(mut self, shared: &Shared) -> Result<(Option<Self>, api::GetTreeResponse), Status> {
        let mut page = api::GetTreeResponse::default();
        let mut bytes = 0;
        let keeper = shared.keeper();
        while page.directories.len() < self.size && bytes < PAGE {
            let Some(digest) = self.walk.waiting.pop_front() else { return Ok((None, page)) };
            self.sent += 1;
            if let Some(directory) = self.walk.visit(shared, &keeper, &digest)? {
                bytes += directory.encoded_len();
                page.directories.push(directory);
            }
        }
        if self.walk.waiting.is_empty() {
            return Ok((None, page));
        }
        page.next_page_token = self.sent.to_string();
        Ok((Some(self), page))
    }
}

// A page is over when it has so many bytes; one directory more must still fit into a message.
const _: () = assert!((PAGE as u64) < MAX_BATCH);
