//! The line to a server: one connection that is made anew when it seems dead, and calls on it that end in time. Touches the
//! network.
//!
//! HTTP/2 pings are not used: servers built on gRPC's core hang up on clients that ping more than once in five minutes. A
//! call that is late or a stream that stands still makes the next attempt go over a new connection instead.

use super::credentials::{Credentials, Headers};
use super::failure::{Answer, Failure, Outcome};
use super::options::{Patience, RemoteOptions};
use crate::cas::digest::Digest;
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use bazel_remote_apis::google::bytestream::byte_stream_client::ByteStreamClient;
use std::future::Future;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::Response;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// Bytes of the largest message that is taken: more than any server sends at once.
const MAX_MESSAGE: usize = 16 << 20;

/// Bytes a second at which any server reads or writes: so much longer may an answer about a large content take.
const SLOWEST: u64 = 32 << 20;

/// Between probes of an idle connection, by the system.
const PROBE: Duration = Duration::from_secs(30);

/// The clients' transport.
pub(super) type Service = InterceptedService<Channel, Headers>;

/// A connection to a server.
pub(super) struct Line {
    runtime: Option<tokio::runtime::Runtime>,
    endpoint: Endpoint,
    channel: RwLock<Channel>,
    credentials: Credentials,
    url: String,
    pub(super) patience: Patience,
}

impl Line {
    /// Makes ready to call; nothing is sent yet.
    pub(super) fn new(options: &RemoteOptions) -> Result<Self> {
        let address = Address::of(&options.url)?;
        if options.token.is_some() && !address.is_tls && !address.is_loopback() {
            let hint = "use grpcs://, or name the header yourself if the network is trusted";
            return Err(Error::new("a token is not sent without TLS").at(&options.url).hint(hint));
        }
        let endpoint = endpoint(&address, options)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("remote")
            .enable_all()
            .build()
            .map_err(|error| Error::new("cannot start threads").cause(error))?;
        let channel = {
            let _inside = runtime.enter();
            endpoint.connect_lazy()
        };
        Ok(Self {
            runtime: Some(runtime),
            channel: RwLock::new(channel),
            endpoint,
            credentials: Credentials::new(options, format!("https://{}", address.authority))?,
            url: options.url.clone(),
            patience: options.patience,
        })
    }

    /// Waits for something that ends by itself.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> Outcome<T> {
        // The runtime is there until the line goes.
        let runtime = self.runtime.as_ref().ok_or(Failure::Stopped)?;
        Ok(runtime.block_on(future))
    }

    /// Ends after so long.
    pub(super) fn timer(&self, time: Duration) -> Outcome<JoinHandle<()>> {
        let runtime = self.runtime.as_ref().ok_or(Failure::Stopped)?;
        Ok(runtime.spawn(async move { tokio::time::sleep(time).await }))
    }

    /// Waits for an answer, but not longer than `limit`.
    pub(super) fn answer<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Answer<T>>,
    ) -> Outcome<T> {
        let answered = self.wait(async { timeout(limit, call).await })?;
        answered.map_err(|_| Failure::Late(limit))?.map_err(Failure::from)
    }

    /// How long an answer may take for which the server has to go through a whole content.
    pub(super) fn patience_for(&self, content: &Digest) -> Duration {
        self.patience.call + Duration::from_secs(content.size() / SLOWEST)
    }

    /// One call without a stream.
    pub(super) fn ask<T, F>(&self, call: impl FnOnce(Service) -> F) -> Outcome<T>
    where
        F: Future<Output = Answer<Response<T>>>,
    {
        self.ask_within(self.patience.call, call)
    }

    /// One call without a stream that may take so long.
    pub(super) fn ask_within<T, F>(
        &self,
        limit: Duration,
        call: impl FnOnce(Service) -> F,
    ) -> Outcome<T>
    where
        F: Future<Output = Answer<Response<T>>>,
    {
        let (service, headers) = self.service()?;
        let answer = self.answer(limit, call(service));
        self.heed(answer, &headers).map(Response::into_inner)
    }

    /// The transport of the next call, and the headers that it will send.
    pub(super) fn service(&self) -> Outcome<(Service, Headers)> {
        let headers = self.credentials.headers()?;
        let channel = self.channel.read().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((InterceptedService::new(channel, headers.clone()), headers))
    }

    /// A failure that another connection or another credential may cure becomes one that is tried again.
    pub(super) fn heed<T>(&self, result: Outcome<T>, headers: &Headers) -> Outcome<T> {
        let Err(failure) = &result else { return result };
        if failure.blames_connection()
            && let Some(runtime) = &self.runtime
        {
            let _inside = runtime.enter();
            let fresh = self.endpoint.connect_lazy();
            *self.channel.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        if failure.code() == Some(tonic::Code::Unauthenticated) && self.credentials.renew(headers) {
            return result.map_err(Failure::renewed);
        }
        result
    }

    /// What happened, as it is told to the user.
    pub(super) fn explain(&self, what: &str, failure: Failure) -> Error {
        failure.explain(what, &self.url, self.credentials.are_given())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Not by its own drop, which would wait for a name server that does not answer.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The client of contents.
pub(super) fn contents(
    service: Service,
) -> api::content_addressable_storage_client::ContentAddressableStorageClient<Service> {
    api::content_addressable_storage_client::ContentAddressableStorageClient::new(service)
        .max_decoding_message_size(MAX_MESSAGE)
}

/// The client of action results.
pub(super) fn actions(service: Service) -> api::action_cache_client::ActionCacheClient<Service> {
    api::action_cache_client::ActionCacheClient::new(service).max_decoding_message_size(MAX_MESSAGE)
}

/// The client of byte streams.
pub(super) fn streams(service: Service) -> ByteStreamClient<Service> {
    ByteStreamClient::new(service).max_decoding_message_size(MAX_MESSAGE)
}

/// Where a server is.
struct Address {
    is_tls: bool,
    /// `HOST` or `HOST:PORT`.
    authority: String,
}

impl Address {
    fn of(url: &str) -> Result<Self> {
        let refuse = || {
            Error::new("is not the URL of a server")
                .at(url)
                .hint("write grpc://HOST:PORT, or grpcs://HOST:PORT for TLS")
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(refuse)?;
        let is_tls = match scheme {
            "grpc" => false,
            "grpcs" => true,
            _ => return Err(refuse()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let is_fine = !authority.is_empty() && !authority.contains(['/', '@', '?', '#', ' ']);
        is_fine.then(|| Self { is_tls, authority: authority.to_owned() }).ok_or_else(refuse)
    }

    /// Whether nobody else can listen.
    fn is_loopback(&self) -> bool {
        let host = match self.authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or(rest),
            None => self.authority.split(':').next().unwrap_or(""),
        };
        host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

fn endpoint(address: &Address, options: &RemoteOptions) -> Result<Endpoint> {
    let wrong = |error: tonic::transport::Error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let error = Error::new(cause.unwrap_or_else(|| error.to_string())).at(&options.url);
        error.hint("see whether the URL and the certificates are what they should be")
    };
    let scheme = if address.is_tls { "https" } else { "http" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{}", address.authority))
        .and_then(|it| it.user_agent(concat!("secateur/", env!("CARGO_PKG_VERSION"))))
        .map_err(wrong)?
        .connect_timeout(options.patience.connect)
        .tcp_keepalive(Some(PROBE))
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20);
    if !address.is_tls {
        return Ok(endpoint);
    }
    let mut tls = ClientTlsConfig::new();
    tls = match &options.tls.ca_certificate {
        Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
        None => tls.with_native_roots(),
    };
    if let Some((certificate, key)) = &options.tls.client {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    endpoint.tls_config(tls.timeout(options.patience.connect)).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::super::options::Token;
    use super::*;

    fn refusal(options: &RemoteOptions) -> String {
        Line::new(options).err().unwrap().to_string()
    }

    #[test]
    fn urls_are_of_hosts() {
        for url in ["", "host:1", "http://h", "grpc://", "grpc://h/x", "grpc://u@h", "grpc://a b"] {
            assert!(refusal(&RemoteOptions::new(url)).contains("not the URL"), "{url}");
        }
        for url in ["grpc://h:1", "grpc://h:1/", "grpc://[::1]:5"] {
            assert!(Line::new(&RemoteOptions::new(url)).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_token_does_not_travel_in_the_clear() {
        let with = |url: &str| RemoteOptions {
            token: Some(Token::Bearer("secret".into())),
            ..RemoteOptions::new(url)
        };
        assert!(refusal(&with("grpc://cache.example:1")).contains("without TLS"));
        for url in ["grpc://localhost:1", "grpc://127.0.0.1:1", "grpc://[::1]:1"] {
            assert!(Line::new(&with(url)).is_ok(), "{url}");
        }
    }

    #[test]
    fn certificates_that_are_none_are_refused() {
        let mut options = RemoteOptions::new("grpcs://h");
        options.tls.ca_certificate = Some(b"-----BEGIN CERTIFICATE-----\nx\n".to_vec());
        assert!(refusal(&options).contains("certificate"), "{}", refusal(&options));
    }
}
