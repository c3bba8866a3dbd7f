//! Contents over the network, by the Remote Execution API. The only room that talks to others.
//!
//! The face is blocking: work is done by threads, each of which waits for its own call; only `line` and the two streams
//! know that there is a runtime below.

mod assemble;
mod capabilities;
mod chunks;
mod credentials;
mod download;
mod failure;
mod known;
mod line;
mod mapping;
pub mod names;
mod options;
mod plan;
mod pull;
mod push;
pub mod server;
mod splice;
mod upload;
mod work;
mod zip;

pub use capabilities::Capabilities;
pub use chunks::Chunking;
pub use known::{Known, USUAL_TTL};
pub use options::{CredentialHelper, Patience, RemoteOptions, Tls, Token};
pub use push::Record;
pub use work::Transfer;

use crate::cas::digest::DigestFunction;
use crate::error::Result;
use crate::progress::Silent;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use line::Line;
use work::Work;

/// A server of the Remote Execution API. Safe to use from many threads.
pub struct Remote {
    line: Line,
    options: RemoteOptions,
    capabilities: Capabilities,
}

impl Remote {
    /// Connects, and agrees on what both sides can do.
    ///
    /// # Errors
    /// The server cannot be reached, does not take us, or speaks another version or digest function.
    pub fn connect(options: &RemoteOptions) -> Result<Self> {
        names::check_instance(&options.instance)?;
        let line = Line::new(options)?;
        let request = api::GetCapabilitiesRequest { instance_name: options.instance.clone() };
        let answer = Work::new(&line, &Silent).call(|service| {
            let request = request.clone();
            async move {
                api::capabilities_client::CapabilitiesClient::new(service)
                    .get_capabilities(request)
                    .await
            }
        });
        let server = answer.map_err(|failure| line.explain("connect", failure))?;
        let capabilities =
            Capabilities::of(&server, options.function).map_err(|error| error.at(&options.url))?;
        Ok(Self { line, options: options.clone(), capabilities })
    }

    /// What the server can do.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn instance(&self) -> String {
        self.options.instance.clone()
    }

    /// The function as calls name it. SHA-256 goes without saying, which old servers need.
    fn function(&self) -> i32 {
        match self.options.function {
            DigestFunction::Sha256 => 0,
            DigestFunction::Blake3 => names::number_of(self.options.function),
        }
    }

    fn zips_streams(&self) -> bool {
        self.options.compress && self.capabilities.zstd
    }

    fn zips_batches(&self) -> bool {
        self.options.compress && self.capabilities.zstd_batches
    }

    /// How large contents are cut, if both sides do that.
    fn chunking(&self) -> Option<Chunking> {
        self.capabilities.chunking.filter(|_| self.options.chunks)
    }

    /// How downloads in batches may be compressed.
    fn accepted(&self) -> Vec<i32> {
        let zstd = self.zips_streams().then_some(api::compressor::Value::Zstd as i32);
        zstd.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
