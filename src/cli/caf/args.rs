//! `secateur caf`, as clap reads it. Pure; touches nothing.

use crate::cas::digest::DigestFunction;
use crate::cas::materialize::Method;
use crate::cas::pack::OutsideLinks;
use crate::cas::store::Durability;
use clap::{Args, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// `caf`
#[derive(Debug, Args)]
pub(in crate::cli) struct Caf {
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    pub(super) server: Server,
    /// How to print the results
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) format: CafFormat,
    #[command(subcommand)]
    pub(super) command: CafCommand,
}

const PLACE: &str = "Store options";
const SERVER: &str = "Server options";

/// The local store.
#[derive(Debug, Args)]
#[command(next_help_heading = PLACE)]
pub(in crate::cli) struct Place {
    /// The local store [default: secateur/store in the user's cache directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) store: Option<PathBuf>,
    /// What names contents; a store has one function only
    #[arg(long, global = true, value_name = "FUNCTION", default_value = "sha256")]
    pub(super) digest: DigestFunction,
    /// The platform that bundles are for: part of their names
    #[arg(long, global = true, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(super) platform: String,
    /// When to wait until bytes are on the disk: never, once before names are given, or for each file
    #[arg(long, global = true, value_name = "WHEN", default_value = "batch")]
    pub(super) durability: Durability,
}

/// The server behind it.
#[derive(Debug, Args)]
#[command(next_help_heading = SERVER)]
pub(in crate::cli) struct Server {
    /// A Remote Execution API server: grpc://HOST:PORT, or grpcs:// for TLS
    #[arg(long, global = true, value_name = "URL")]
    pub(super) remote: Option<String>,
    /// The server's instance name
    #[arg(long, global = true, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(super) instance: String,
    /// Send a header with every call
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    pub(super) header: Vec<String>,
    /// The environment variable that holds the bearer token
    #[arg(long, global = true, value_name = "VARIABLE", conflicts_with = "credential_helper")]
    pub(super) token_env: Option<String>,
    /// A program that gives credentials, as Bazel's `--credential_helper`
    #[arg(long, global = true, value_name = "PROGRAM")]
    pub(super) credential_helper: Option<PathBuf>,
    /// Trust servers that this certificate signed (PEM), instead of those that the system trusts
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Our certificate (PEM), for servers that ask for one
    #[arg(long, global = true, value_name = "FILE", requires = "client_key")]
    pub(super) client_certificate: Option<PathBuf>,
    /// The private key of our certificate (PEM)
    #[arg(long, global = true, value_name = "FILE", requires = "client_certificate")]
    pub(super) client_key: Option<PathBuf>,
    /// Send and take contents as they are, although the server knows zstd
    #[arg(long, global = true)]
    pub(super) no_compression: bool,
    /// Send and take large files whole, although the server knows their chunks
    #[arg(long, global = true)]
    pub(super) no_chunks: bool,
}

/// The commands of `caf`.
#[derive(Debug, Subcommand)]
pub(super) enum CafCommand {
    /// Pack a directory or a target, and send what the server lacks
    Push(Push),
    /// Make a directory what a bundle is, changing only what differs
    Pull(Pull),
    /// Run what a bundle starts with
    Run(Run),
    /// Show the files in which two bundles differ, and the bytes they share
    Diff(Diff),
    /// List the bundles that have a name in this store
    Ls,
    /// Take a bundle's name away; `gc` then takes what nothing else needs
    Rm(Rm),
    /// Take away what no bundle needs
    Gc(Gc),
    /// Read the whole store, put damaged contents aside, and fetch them again from the server
    Verify,
    /// Show what the store holds, and how much of it bundles share
    Stat,
    /// Serve the store to others: a small Remote Execution API cache
    Serve(Serve),
    /// Make a key to sign bundles with
    Keygen(Keygen),
}

/// `caf push`
#[derive(Debug, Args)]
pub(in crate::cli) struct Push {
    /// A directory, or the target of a program such as //app:main
    #[arg(value_name = "SOURCE")]
    pub(super) source: String,
    /// What to call it: NAME@REVISION
    #[arg(value_name = "NAME@REV")]
    pub(super) name: String,
    /// What `run` starts: a file of the bundle, a module, or module:function
    #[arg(long, value_name = "ENTRY")]
    pub(super) entry: Option<String>,
    /// The interpreter's path in the bundle, if it has one of its own
    #[arg(long, value_name = "PATH", requires = "entry")]
    pub(super) entry_python: Option<String>,
    /// What to do with links that lead out of the directory
    #[arg(long, value_name = "HOW", default_value = "follow")]
    pub(super) links: OutsideLinks,
    /// Leave out what matches, besides what .cafignore files say
    #[arg(long, value_name = "GLOB")]
    pub(super) ignore: Vec<String>,
    /// Take files that match although they look like secrets
    #[arg(long, value_name = "GLOB")]
    pub(super) allow_secret: Vec<String>,
    /// Compile what has no valid .pyc with this interpreter
    #[arg(long, value_name = "PROGRAM")]
    pub(super) python: Option<PathBuf>,
    /// Where the outputs of native and generated parts are, for a target
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// A distribution that the interpreter has, for a target
    #[arg(long, value_name = "DISTRIBUTION")]
    pub(super) external: Vec<String>,
    /// Sign it with the key in this file, which `keygen` makes
    #[arg(long, value_name = "FILE")]
    pub(super) sign: Option<PathBuf>,
}

/// What is demanded of a bundle before it is written or run.
#[derive(Debug, Args)]
pub(in crate::cli) struct Demands {
    /// Take only what a key in this file signed
    #[arg(long, value_name = "FILE")]
    pub(super) require_signature: Vec<PathBuf>,
    /// Take symbolic links that lead out of the bundle
    #[arg(long)]
    pub(super) allow_outside_links: bool,
    /// Hash every content before it is placed
    #[arg(long)]
    pub(super) verify: bool,
    /// How files get from the store into the tree
    #[arg(long, value_name = "METHOD", default_value = "auto")]
    pub(super) method: Method,
}

/// `caf pull`
#[derive(Debug, Args)]
pub(in crate::cli) struct Pull {
    /// The bundle
    #[arg(value_name = "NAME@REV")]
    pub(super) name: String,
    /// The directory
    #[arg(value_name = "DIR")]
    pub(super) dest: PathBuf,
    /// Look at every file that is there, not only at those that differ
    #[arg(long)]
    pub(super) check: bool,
    /// Replace what was changed or put there by others
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) demands: Demands,
}

/// `caf run`
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    /// The bundle
    #[arg(value_name = "NAME@REV")]
    pub(super) name: String,
    /// The interpreter for bundles that have none of their own
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub(super) python: std::ffi::OsString,
    #[command(flatten)]
    pub(super) demands: Demands,
    /// Arguments of the program
    #[arg(value_name = "ARGUMENT", last = true)]
    pub(super) arguments: Vec<std::ffi::OsString>,
}

/// `caf diff`
#[derive(Debug, Args)]
pub(in crate::cli) struct Diff {
    /// The bundle before: NAME@REV, or the digest of a root
    #[arg(value_name = "OLD")]
    pub(super) old: String,
    /// The bundle after
    #[arg(value_name = "NEW")]
    pub(super) new: String,
}

/// `caf rm`
#[derive(Debug, Args)]
pub(in crate::cli) struct Rm {
    /// The bundles
    #[arg(value_name = "NAME@REV", required = true)]
    pub(super) names: Vec<String>,
}

/// `caf gc`
#[derive(Debug, Args)]
pub(in crate::cli) struct Gc {
    /// What the store may hold, as in 20G: pulled bundles go, least recently used first. Pushed ones stay
    #[arg(long, value_name = "SIZE", value_parser = super::size::parse)]
    pub(super) quota: Option<u64>,
    /// How long contents stay after their last use although nothing names them, as in 30m
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = super::size::parse_seconds)]
    pub(super) grace: i64,
    /// Show what would go
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `caf serve`
#[derive(Debug, Args)]
pub(in crate::cli) struct Serve {
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8980")]
    pub(super) address: SocketAddr,
    /// Our certificate (PEM): speak TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// The private key of our certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(super) tls_key: Option<PathBuf>,
    /// Refuse everything that writes
    #[arg(long)]
    pub(super) read_only: bool,
    /// The largest content that is taken, as in 4G
    #[arg(long, value_name = "SIZE", value_parser = super::size::parse)]
    pub(super) max_blob: Option<u64>,
}

/// `caf keygen`
#[derive(Debug, Args)]
pub(in crate::cli) struct Keygen {
    /// Where the private key goes; the public one goes beside it, with `.pub` at its end
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

/// `--format` of `caf`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CafFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
}
