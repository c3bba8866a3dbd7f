//! What a server can do, as far as it matters here. Pure values; touches nothing.

use super::chunks::Chunking;
use super::names::number_of;
use crate::cas::digest::DigestFunction;
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use bazel_remote_apis::build::bazel::semver::SemVer;

/// Bytes of the contents in one message for servers that don't say: gRPC takes 4 MiB in all.
const USUAL_BATCH: u64 = (4 << 20) - (64 << 10);

/// What was agreed with a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Bytes of the contents in one message.
    pub max_batch: u64,
    /// Bytes of the largest content; `None` if the server knows no limit.
    pub max_blob: Option<u64>,
    /// Whether byte streams and downloads may be compressed by zstd.
    pub zstd: bool,
    /// Whether batches of uploads may be.
    pub zstd_batches: bool,
    /// How large contents are cut, if the server splits and splices them.
    pub chunking: Option<Chunking>,
    /// Whether lists of chunks go in streams, as from version 2.13 of the API on, instead of single messages.
    pub streams_chunks: bool,
    /// Whether action results may be written. Servers that allow it to some only say so when it is tried.
    pub takes_action_results: bool,
}

impl Capabilities {
    /// Reads what a server says of itself.
    ///
    /// # Errors
    /// It speaks another version of the API, or does not know the function.
    pub fn of(server: &api::ServerCapabilities, function: DigestFunction) -> Result<Self> {
        check_version(server)?;
        let cache = server.cache_capabilities.clone().unwrap_or_default();
        check_function(&cache.digest_functions, function)?;
        let zstd = api::compressor::Value::Zstd as i32;
        let said = |size: i64| u64::try_from(size).ok().filter(|size| *size > 0);
        Ok(Self {
            max_batch: said(cache.max_batch_total_size_bytes)
                .map_or(USUAL_BATCH, |size| size.min(USUAL_BATCH)),
            max_blob: said(cache.max_cas_blob_size_bytes),
            zstd: cache.supported_compressors.contains(&zstd),
            zstd_batches: cache.supported_batch_update_compressors.contains(&zstd),
            chunking: cache
                .fast_cdc_2020_params
                .filter(|_| cache.split_blob_support && cache.splice_blob_support)
                .and_then(|params| Chunking::of(&params)),
            streams_chunks: server
                .high_api_version
                .as_ref()
                .is_some_and(|high| (high.major, high.minor) >= (2, 13)),
            takes_action_results: cache
                .action_cache_update_capabilities
                .is_some_and(|update| update.update_enabled),
        })
    }
}

/// All versions that begin with 2 understand each other; servers that say nothing are as old as the first.
fn check_version(server: &api::ServerCapabilities) -> Result<()> {
    let major =
        |version: &Option<SemVer>| version.as_ref().map(|it| it.major).filter(|major| *major > 0);
    let low = major(&server.low_api_version).or(major(&server.deprecated_api_version)).unwrap_or(2);
    let high = major(&server.high_api_version).unwrap_or(2);
    if low <= 2 && high >= 2 {
        return Ok(());
    }
    Err(Error::new(format!("the server speaks versions {low} to {high} of the API, not 2")))
}

fn check_function(theirs: &[i32], ours: DigestFunction) -> Result<()> {
    if theirs.is_empty() && ours == DigestFunction::Sha256 || theirs.contains(&number_of(ours)) {
        return Ok(());
    }
    let names: Vec<String> = theirs
        .iter()
        .filter_map(|value| api::digest_function::Value::try_from(*value).ok())
        .map(|value| value.as_str_name().to_ascii_lowercase())
        .collect();
    let names = if names.is_empty() { "sha256".to_owned() } else { names.join(", ") };
    Err(Error::new(format!("the server does not name contents by {ours}, but by {names}"))
        .hint("a store and its server have to use one function: take another store or server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: i32) -> Option<SemVer> {
        Some(SemVer { major, ..Default::default() })
    }

    fn server(cache: api::CacheCapabilities) -> api::ServerCapabilities {
        api::ServerCapabilities {
            cache_capabilities: Some(cache),
            low_api_version: version(2),
            high_api_version: version(2),
            ..Default::default()
        }
    }

    #[test]
    fn servers_that_say_little_are_taken_for_old_ones() {
        let agreed =
            Capabilities::of(&api::ServerCapabilities::default(), DigestFunction::Sha256).unwrap();
        let expected = Capabilities {
            max_batch: USUAL_BATCH,
            max_blob: None,
            zstd: false,
            zstd_batches: false,
            chunking: None,
            streams_chunks: false,
            takes_action_results: false,
        };
        assert_eq!(agreed, expected);
        assert!(
            Capabilities::of(&api::ServerCapabilities::default(), DigestFunction::Blake3).is_err()
        );
    }

    #[test]
    fn batches_are_never_larger_than_messages() {
        let with = |size| {
            let cache =
                api::CacheCapabilities { max_batch_total_size_bytes: size, ..Default::default() };
            Capabilities::of(&server(cache), DigestFunction::Sha256).unwrap().max_batch
        };
        assert_eq!([with(0), with(-1), with(64 << 20)], [USUAL_BATCH; 3]);
        assert_eq!(with(1000), 1000);
    }

    #[test]
    fn chunks_are_agreed_on_where_all_that_they_need_is_there() {
        let params = |average| api::FastCdc2020Params { avg_chunk_size_bytes: average, seed: 0 };
        let with = |split_blob_support, splice_blob_support, fast_cdc_2020_params| {
            let cache = api::CacheCapabilities {
                split_blob_support,
                splice_blob_support,
                fast_cdc_2020_params,
                ..Default::default()
            };
            Capabilities::of(&server(cache), DigestFunction::Sha256).unwrap().chunking
        };
        let usual = Some(params(512 << 10));
        assert_eq!(with(true, true, usual), Some(Chunking::RECOMMENDED));
        let lacking = [with(false, true, usual), with(true, false, usual), with(true, true, None)];
        assert_eq!(lacking, [None; 3]);
        assert_eq!(with(true, true, Some(params(100))), None);
    }

    #[test]
    fn other_functions_and_versions_are_refused_by_name() {
        let cache = api::CacheCapabilities {
            digest_functions: vec![api::digest_function::Value::Sha1 as i32, 999],
            ..Default::default()
        };
        let error = Capabilities::of(&server(cache), DigestFunction::Sha256).unwrap_err();
        assert!(error.to_string().contains("by sha256, but by sha1"), "{error}");
        let mut newer = server(api::CacheCapabilities::default());
        newer.low_api_version = version(3);
        newer.high_api_version = version(4);
        let error = Capabilities::of(&newer, DigestFunction::Sha256).unwrap_err();
        assert!(error.to_string().contains("versions 3 to 4"), "{error}");
    }
}
