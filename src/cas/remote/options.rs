//! What is needed to speak with a server. Values only: who makes them reads the environment and files.

use crate::cas::digest::DigestFunction;
use crate::error::Result;
use std::sync::Arc;
use std::time::Duration;

/// A server and how to speak with it. Without `Debug`, since there are secrets in it.
#[derive(Clone)]
pub struct RemoteOptions {
    /// `grpc://HOST:PORT`, or `grpcs://HOST:PORT` for TLS.
    pub url: String,
    /// The server's namespace; many servers have one, whose name is empty.
    pub instance: String,
    /// Sent with every call, as names and values.
    pub headers: Vec<(String, String)>,
    /// Who we are.
    pub token: Option<Token>,
    /// Whom we trust and who we are, by certificates.
    pub tls: Tls,
    /// How long to wait.
    pub patience: Patience,
    /// What names contents; the server has to know it.
    pub function: DigestFunction,
    /// Whether contents go compressed where the server takes that. Not worth the time where the server is this machine.
    pub compress: bool,
    /// Whether of large contents only those chunks travel that the other side lacks, where the server takes that.
    pub chunks: bool,
}

impl RemoteOptions {
    /// The server at `url`, in the usual way.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            instance: String::new(),
            headers: Vec::new(),
            token: None,
            tls: Tls::default(),
            patience: Patience::default(),
            function: DigestFunction::default(),
            compress: true,
            chunks: true,
        }
    }
}

/// What says who we are.
#[derive(Clone)]
pub enum Token {
    /// A text that stays valid.
    Bearer(String),
    /// A program that knows.
    Helper(Arc<dyn CredentialHelper>),
}

/// A credential helper as Bazel's `--credential_helper` has it, see `EngFlow/credential-helper-spec`.
pub trait CredentialHelper: Send + Sync {
    /// Runs `HELPER get` with this JSON on its standard input; gives what it writes to its standard output.
    ///
    /// # Errors
    /// It cannot be run, fails, or does not end in time.
    fn get(&self, request: &str) -> Result<String>;

    /// The time: seconds since 1970.
    fn now(&self) -> i64;
}

/// Certificates, as the text of PEM files.
#[derive(Clone, Default)]
pub struct Tls {
    /// Whose signature a server's certificate must bear; without it, one that the system trusts.
    pub ca_certificate: Option<Vec<u8>>,
    /// Our own certificate and its private key.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

/// How long to wait, and how often to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until a call without a stream is answered, and a stream is after its last byte.
    pub call: Duration,
    /// Until a stream moves at all.
    pub stall: Duration,
    /// From the first failure of a call until it is given up.
    pub total: Duration,
    /// How often a call is tried that makes no progress.
    pub attempts: u32,
    /// The first wait between two attempts; each is twice as long as the one before.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_mins(1),
            stall: Duration::from_secs(30),
            total: Duration::from_mins(5),
            attempts: 8,
            pause: Duration::from_millis(100),
        }
    }
}
