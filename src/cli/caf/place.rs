//! The store and the server that the command line names, opened when they are needed. Reads certificates and runs credential
//! helpers.

use super::args::{Caf, Place, Server};
use crate::bundle::record::{Key, Record};
use crate::bundle::sign::TrustedKeys;
use crate::cas::digest::DigestFunction;
use crate::cas::remote::{CredentialHelper, Known, Remote, RemoteOptions, Tls, Token, USUAL_TTL};
use crate::cas::store::{Durability, RefName, Store, failed};
use crate::cli::context::Context;
use crate::cli::surroundings::Surroundings;
use crate::error::{Error, Result};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Where bundles are kept: a store here, and perhaps a server behind it.
pub(super) struct Depot<'a> {
    place: &'a Place,
    server: &'a Server,
    dir: PathBuf,
    cache: Option<PathBuf>,
    token: Option<String>,
}

impl<'a> Depot<'a> {
    pub(super) fn new(args: &'a Caf, context: &Context<'_>) -> Self {
        let token = args.server.token_env.as_ref().and_then(|name| Surroundings::variable(name));
        let (dir, cache) = (context.dir(), context.cache_dir());
        Self { place: &args.place, server: &args.server, dir, cache, token }
    }

    /// A path as the command line means it.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        // Without `.` between its parts, for whoever reads it.
        self.dir.join(path).components().collect()
    }

    pub(super) fn function(&self) -> DigestFunction {
        self.place.digest
    }

    pub(super) fn durability(&self) -> Durability {
        self.place.durability
    }

    pub(super) fn instance(&self) -> &String {
        &self.server.instance
    }

    pub(super) fn platform(&self) -> &str {
        &self.place.platform
    }

    /// Opens the store, and makes it if there is none.
    pub(super) fn store(&self) -> Result<Store> {
        let default = || self.cache.as_ref().map(|cache| cache.join("store"));
        let root = self.place.store.as_ref().map(|dir| self.path(dir)).or_else(default);
        let root = root.ok_or_else(|| {
            Error::new("there is no directory for the store")
                .hint("pass one as `--store DIR`, or set HOME")
        })?;
        Store::open(&root, self.place.digest)
    }

    /// Connects to the server, if one is named.
    pub(super) fn remote(&self) -> Result<Option<Remote>> {
        let Some(url) = &self.server.remote else { return Ok(None) };
        let mut options = RemoteOptions::new(url.as_str());
        options.instance.clone_from(&self.server.instance);
        options.headers =
            self.server.header.iter().map(|text| header(text)).collect::<Result<_>>()?;
        options.token = self.token()?;
        options.tls = self.tls()?;
        options.function = self.place.digest;
        options.compress = !self.server.no_compression && !is_loopback(url);
        options.chunks = !self.server.no_chunks;
        Remote::connect(&options).map(Some)
    }

    /// What the server is known to have.
    pub(super) fn known(&self, store: &Store, context: &Context<'_>) -> Known {
        let url = self.server.remote.as_deref().unwrap_or("");
        let now = context.started();
        Known::open(store, url, &self.server.instance, now, USUAL_TTL)
    }

    fn token(&self) -> Result<Option<Token>> {
        if let Some(helper) = &self.server.credential_helper {
            return Ok(Some(Token::Helper(Arc::new(Helper(self.program(helper))))));
        }
        match (&self.server.token_env, &self.token) {
            (None, _) => Ok(None),
            (Some(_), Some(token)) => Ok(Some(Token::Bearer(token.clone()))),
            (Some(name), None) => {
                Err(Error::new(format!("the environment variable {name} is not set"))
                    .hint("it has to hold the bearer token; without `--token-env` none is sent"))
            }
        }
    }

    /// The bearer token that clients of our server have to send.
    pub(super) fn own_token(&self) -> Result<Option<String>> {
        Ok(self.token()?.and_then(|token| match token {
            Token::Bearer(token) => Some(token),
            Token::Helper(_) => None,
        }))
    }

    /// A name without a slash is looked up by the system.
    pub(super) fn program(&self, path: &Path) -> PathBuf {
        if path.components().count() > 1 { self.path(path) } else { path.to_owned() }
    }

    fn tls(&self) -> Result<Tls> {
        let read = |path: &PathBuf| read(&self.path(path));
        let client = match (&self.server.client_certificate, &self.server.client_key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            _ => None,
        };
        Ok(Tls { ca_certificate: self.server.ca.as_ref().map(read).transpose()?, client })
    }

    /// The key under which a name is kept by servers.
    pub(super) fn key(&self, name: &RefName) -> Key {
        Key::new(name, self.platform(), self.function())
    }

    /// The keys of these files.
    pub(super) fn trusted(&self, files: &[PathBuf]) -> Result<TrustedKeys> {
        let mut keys = TrustedKeys::default();
        for file in files {
            let path = self.path(file);
            let text = String::from_utf8_lossy(&read(&path)?).into_owned();
            keys.add_pem(&text).map_err(|error| error.at(path.display().to_string()))?;
        }
        Ok(keys)
    }

    /// What a name stands for: as the server says, else as this store says. A server that cannot be reached is no answer.
    pub(super) fn resolve(
        &self,
        name: &RefName,
        store: &Store,
        remote: Option<&Remote>,
    ) -> Result<Record> {
        let key = self.key(name).digest;
        let theirs = remote.map(|remote| remote.action_result(&key)).transpose()?.flatten();
        let ours = |store: &Store| match store.reference(name)? {
            Some(bytes) => Ok(Some(bytes)),
            None => store.action_result(&key),
        };
        let bytes = match theirs {
            Some(bytes) => Some(bytes),
            None => ours(store)?,
        };
        let bytes = bytes.ok_or_else(|| {
            let place = if remote.is_some() {
                "neither the server nor the store knows"
            } else {
                "the store does not know"
            };
            Error::new(format!("{place} the bundle {name}"))
                .hint("`secateur caf ls` lists what this store has; `--remote URL` names a server")
        })?;
        Record::decode(name, self.platform(), self.function(), &bytes)
    }
}

/// The bytes of a file that the command line names.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| failed("read", path, error))
}

fn header(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Error::new(format!("`{text}` is no header")).hint("write it as NAME=VALUE")
    })?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Compressing for ourselves costs more than it saves.
fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.0.0.1:", "localhost:", "[::1]:"].iter().any(|prefix| host.starts_with(prefix))
}

/// A program that gives credentials.
struct Helper(PathBuf);

impl CredentialHelper for Helper {
    fn get(&self, request: &str) -> Result<String> {
        let fail = |error| failed("run the credential helper", &self.0, error);
        let mut command = Command::new(&self.0);
        command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(fail)?;
        if let Some(mut input) = child.stdin.take() {
            // One that does not read its input has its own reasons.
            let _ = input.write_all(request.as_bytes());
        }
        let output = child.wait_with_output().map_err(fail)?;
        if !output.status.success() {
            return Err(Error::new(format!("the credential helper failed: {}", output.status))
                .at(self.0.display().to_string()));
        }
        String::from_utf8(output.stdout).map_err(|_| {
            Error::new("the credential helper printed what is no text")
                .at(self.0.display().to_string())
        })
    }

    fn now(&self) -> i64 {
        crate::cli::surroundings::now()
    }
}
