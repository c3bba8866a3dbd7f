//! What this server can do. Pure; touches nothing.

use super::MAX_BATCH;
use super::shared::Service;
use crate::cas::remote::chunks::Chunking;
use crate::cas::remote::names::number_of;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use bazel_remote_apis::build::bazel::semver::SemVer;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl api::capabilities_server::Capabilities for Service {
    async fn get_capabilities(
        &self,
        request: Request<api::GetCapabilitiesRequest>,
    ) -> Result<Response<api::ServerCapabilities>, Status> {
        let shared = &self.0;
        shared.check(&request.get_ref().instance_name, 0)?;
        let zstd = vec![api::compressor::Value::Zstd.into()];
        let can_cut = shared.options.faults.can_cut();
        let cache = api::CacheCapabilities {
            digest_functions: vec![number_of(shared.function())],
            action_cache_update_capabilities: Some(api::ActionCacheUpdateCapabilities {
                update_enabled: !shared.options.is_read_only,
            }),
            max_batch_total_size_bytes: MAX_BATCH.cast_signed(),
            symlink_absolute_path_strategy: api::symlink_absolute_path_strategy::Value::Allowed
                .into(),
            supported_compressors: zstd.clone(),
            supported_batch_update_compressors: zstd,
            max_cas_blob_size_bytes: i64::try_from(shared.options.max_blob).unwrap_or(0),
            split_blob_support: can_cut,
            splice_blob_support: can_cut,
            fast_cdc_2020_params: can_cut.then(|| Chunking::RECOMMENDED.params()),
            ..api::CacheCapabilities::default()
        };
        let version = |minor| SemVer { major: 2, minor, ..SemVer::default() };
        Ok(Response::new(api::ServerCapabilities {
            cache_capabilities: Some(cache),
            low_api_version: Some(version(0)),
            high_api_version: Some(version(13)),
            ..api::ServerCapabilities::default()
        }))
    }
}
