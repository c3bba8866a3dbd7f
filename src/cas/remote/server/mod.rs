//! `caf serve`: a Remote Execution API cache over a store, so that a team needs nothing else to begin. Reads and writes the
//! store; talks to whoever connects.
//!
//! | file | serves |
//! |---|---|
//! | `capabilities` | what this server can do |
//! | `storage`, `tree` | contents in batches, and what is missing; directories of trees |
//! | `read`, `write`, `uploads` | contents in streams |
//! | `splice`, `chunks` | large contents in chunks; where each of them is |
//! | `actions` | results of actions, while everything they name is there |
//! | `memo` | which trees were whole a moment ago |
//! | `shared` | what all of them check: instance, function, digests, room |
//! | `faults` | what goes wrong on purpose, in tests |
//!
//! Three promises hold for every answer. Bytes that are not what their name says are never served: small contents are
//! hashed before they are sent, large ones on the way, and the last piece is held back until the hash agreed. Uploads can be
//! seen when they are whole and checked, not before. And what a client was told to be there is marked as used, then or so
//! recently that the next collection of garbage leaves it just the same.

mod actions;
mod capabilities;
mod chunks;
pub mod faults;
mod frames;
mod memo;
mod read;
mod shared;
mod splice;
mod storage;
mod tree;
mod uploads;
mod write;

pub use faults::Faults;

use super::names::check_instance;
use crate::cas::store::{Durability, Store};
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2::{
    action_cache_server::ActionCacheServer, capabilities_server::CapabilitiesServer,
    content_addressable_storage_server::ContentAddressableStorageServer,
};
use bazel_remote_apis::google::bytestream::byte_stream_server::ByteStreamServer;
use shared::Shared;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use tonic::service::InterceptorLayer;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, ServerTlsConfig};

/// Bytes of the contents of one batch that this server takes and gives: clients refuse messages of more than 4 MiB.
const MAX_BATCH: u64 = (4 << 20) - (64 << 10);

/// Bytes of a message that this server reads: a batch with its overhead, or a long list of digests.
const MAX_MESSAGE: usize = 8 << 20;

/// Seconds between two questions whether a silent client is still there, and until it has to answer.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A certificate and its key, both in PEM.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The chain of certificates.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

/// Is told of trouble that is not the client's: a damaged content, a full disk.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// How to serve. [`ServeOptions::new`] has the defaults.
#[derive(Clone)]
pub struct ServeOptions {
    /// What is served.
    pub store: Store,
    /// Where to listen; port 0 is any free one.
    pub address: SocketAddr,
    /// The instance name that clients have to say.
    pub instance: String,
    /// Speak TLS. Without, tokens can be read on the way.
    pub tls: Option<TlsIdentity>,
    /// Clients have to say `authorization: Bearer TOKEN`.
    pub token: Option<String>,
    /// Refuse everything that writes.
    pub is_read_only: bool,
    /// Bytes of the largest content that is taken.
    pub max_blob: u64,
    /// Threads that work with files, and so how many contents are hashed at the same time.
    pub workers: usize,
    /// Calls at the same time over one connection.
    pub streams: u32,
    /// Unfinished uploads at the same time; each is a file and a lock.
    pub uploads: usize,
    /// A stream that has not moved for so long is given up.
    pub idle: Duration,
    /// An upload that broke off can be resumed for so long.
    pub resume: Duration,
    /// Calls have so long to end when the server stops.
    pub grace: Duration,
    /// When it is waited for that bytes are on the disk. Each call commits for itself.
    pub durability: Durability,
    /// Who is told of trouble.
    pub report: Option<Report>,
    /// What goes wrong on purpose: a test aid.
    pub faults: Faults,
}

impl ServeOptions {
    /// To serve a store at an address: without TLS, token or instance name, for reading and writing.
    pub fn new(store: Store, address: SocketAddr) -> Self {
        Self {
            store,
            address,
            instance: String::new(),
            tls: None,
            token: None,
            is_read_only: false,
            max_blob: 64 << 30,
            workers: 16,
            streams: 128,
            uploads: 256,
            idle: Duration::from_mins(1),
            resume: Duration::from_mins(2),
            grace: Duration::from_secs(10),
            durability: Durability::default(),
            report: None,
            faults: Faults::default(),
        }
    }
}

/// How a server goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    /// No new calls; those that run may end.
    Stopping,
    /// As if the process had died.
    Killed,
}

/// Ends a server from another thread, say at a signal.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<Stage>);

impl Stopper {
    /// Lets running calls end, then the server.
    pub fn stop(&self) {
        self.advance(Stage::Stopping);
    }

    /// Breaks all connections off, as if the process had died: a test aid.
    pub fn kill(&self) {
        self.advance(Stage::Killed);
    }

    fn advance(&self, stage: Stage) {
        self.0.send_if_modified(|now| {
            let is_later = *now != Stage::Killed && *now != stage;
            *now = if is_later { stage } else { *now };
            is_later
        });
    }
}

/// A server that runs, in threads of its own. Dropped, it ends at once.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Server {
    /// Begins to serve.
    ///
    /// # Errors
    /// The address is taken, or the certificate, the key or the instance name is none.
    pub fn start(options: ServeOptions) -> Result<Self> {
        check_instance(&options.instance)?;
        let wanted = options.address;
        let unable = |error| Error::new("cannot listen").at(wanted.to_string()).cause(error);
        let listener = TcpListener::bind(wanted).map_err(unable)?;
        listener.set_nonblocking(true).map_err(unable)?;
        let address = listener.local_addr().map_err(unable)?;
        let transport = transport(&options)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("caf-serve")
            .max_blocking_threads(options.workers.max(1))
            .enable_all()
            .build()
            .map_err(|error| Error::new("cannot start the server's threads").cause(error))?;
        let (stage, stopped) = watch::channel(Stage::Serving);
        let stopper = Stopper(stage);
        let shared = Arc::new(Shared::new(options, stopper.clone()));
        let serve = move || {
            let grace = shared.options.grace;
            let served = runtime.block_on(serve(transport, listener, shared, stopped.clone()));
            // Who writes to the disk right now may end; who waits for a client may not.
            let is_killed = *stopped.borrow() == Stage::Killed;
            runtime.shutdown_timeout(if is_killed { Duration::ZERO } else { grace });
            served
        };
        let thread = std::thread::Builder::new().name("caf-serve".to_owned()).spawn(serve);
        let thread = thread.map_err(|error| Error::new("cannot start the server").cause(error))?;
        Ok(Self { address, stopper, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What ends it.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Lets running calls end, then the server.
    pub fn stop(self) -> Result<()> {
        self.stopper.stop();
        self.wait()
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> Result<()> {
        self.join()
    }

    fn join(&mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(served)) => served,
            Some(Err(_)) => Err(Error::new("the server broke down")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopper.kill();
        // Nobody is there to be told.
        let _ = self.join();
    }
}

fn transport(options: &ServeOptions) -> Result<tonic::transport::Server> {
    let transport = tonic::transport::Server::builder()
        .max_concurrent_streams(options.streams)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE));
    let Some(tls) = &options.tls else { return Ok(transport) };
    let identity = Identity::from_pem(&tls.certificate, &tls.key);
    let tls = ServerTlsConfig::new().identity(identity).timeout(options.idle);
    transport.tls_config(tls).map_err(|error| {
        Error::new(format!("the certificate and the key cannot be used: {error}"))
            .hint("both have to be in PEM, and the key has to be that of the first certificate")
    })
}

async fn serve(
    transport: tonic::transport::Server,
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stage: watch::Receiver<Stage>,
) -> Result<()> {
    let failed = |error| Error::new("cannot listen").cause(error);
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    let incoming = TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(KEEPALIVE))
        .with_keepalive_interval(Some(KEEPALIVE));
    let gate = Arc::clone(&shared);
    let grace = shared.options.grace;
    let service = shared::Service(shared);
    let mut ending = stage.clone();
    let serving = transport
        .layer(InterceptorLayer::new(move |request| gate.admit(request)))
        .add_service(CapabilitiesServer::new(service.clone()))
        .add_service(
            ContentAddressableStorageServer::new(service.clone())
                .max_decoding_message_size(MAX_MESSAGE),
        )
        .add_service(ByteStreamServer::new(service.clone()).max_decoding_message_size(MAX_MESSAGE))
        .add_service(ActionCacheServer::new(service).max_decoding_message_size(MAX_MESSAGE))
        .serve_with_incoming_shutdown(incoming, async move {
            let _ = ending.wait_for(|stage| *stage != Stage::Serving).await;
        });
    let deadline = async {
        let stopped = stage.wait_for(|stage| *stage != Stage::Serving).await;
        if stopped.is_ok_and(|stage| *stage == Stage::Stopping) {
            let killed = stage.wait_for(|stage| *stage == Stage::Killed);
            let _ = tokio::time::timeout(grace, killed).await;
        }
    };
    tokio::select! {
        served = serving => served.map_err(|error| Error::new(format!("the server failed: {error}"))),
        () = deadline => Ok(()),
    }
}

#[cfg(test)]
mod tests;
