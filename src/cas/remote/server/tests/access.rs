//! Who is let in, over what, and how it ends.

use super::super::TlsIdentity;
use super::*;
use std::time::Instant;
use tonic::Request;
use tonic::transport::{Certificate, ClientTlsConfig};

async fn capabilities(bed: &Bed, token: Option<&str>) -> Result<api::CacheCapabilities, Status> {
    let mut request = Request::new(api::GetCapabilitiesRequest::default());
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token.parse().unwrap());
    }
    let response = bed.capabilities().get_capabilities(request).await?.into_inner();
    let versions = [response.low_api_version.unwrap(), response.high_api_version.unwrap()];
    assert_eq!((versions[0].major, versions[0].minor, versions[1].major), (2, 0, 2));
    Ok(response.cache_capabilities.unwrap())
}

#[tokio::test]
async fn capabilities_say_what_holds() {
    let bed = Bed::with(|options| options.max_blob = 99).await;
    let said = capabilities(&bed, None).await.unwrap();
    assert_eq!(said.digest_functions, [api::digest_function::Value::Sha256 as i32]);
    assert_eq!((said.max_batch_total_size_bytes, said.max_cas_blob_size_bytes), (4_128_768, 99));
    assert_eq!(said.supported_compressors, [api::compressor::Value::Zstd as i32]);
    assert!(said.action_cache_update_capabilities.unwrap().update_enabled);
    assert!(said.split_blob_support && said.splice_blob_support);
    let params = said.fast_cdc_2020_params.unwrap();
    assert_eq!((params.avg_chunk_size_bytes, params.seed), (512 << 10, 0));
    let other = api::GetCapabilitiesRequest { instance_name: "x".to_owned() };
    let refused = bed.capabilities().get_capabilities(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("leave the name out"), "{refused}");
}

#[tokio::test]
async fn a_token_is_asked_for_by_every_service() {
    let bed = Bed::with(|options| options.token = Some("secret".to_owned())).await;
    for wrong in [None, Some("Bearer "), Some("Bearer secre"), Some("Basic secret"), Some("secret")]
    {
        assert_eq!(code(capabilities(&bed, wrong).await), Code::Unauthenticated, "{wrong:?}");
    }
    assert!(capabilities(&bed, Some("Bearer secret")).await.is_ok());
    assert!(capabilities(&bed, Some("bearer secret")).await.is_ok());
    let digest = bed.put(b"x");
    assert_eq!(code(bed.missing(&[digest]).await), Code::Unauthenticated);
    assert_eq!(code(bed.read(&download(digest), 0, 0).await), Code::Unauthenticated);
    assert_eq!(code(bed.write(&upload(digest), 0, &[b"x"], true).await), Code::Unauthenticated);
    let result = bed.actions().get_action_result(api::GetActionResultRequest::default()).await;
    assert_eq!(code(result), Code::Unauthenticated);
}

#[tokio::test]
async fn a_server_that_only_reads_says_so() {
    let bed = Bed::with(|options| options.is_read_only = true).await;
    let said = capabilities(&bed, None).await.unwrap();
    assert!(!said.action_cache_update_capabilities.unwrap().update_enabled);
    let digest = bed.digest(b"new");
    let identity = api::compressor::Value::Identity;
    assert_eq!(code(bed.update(&[(digest, b"new", identity)]).await), Code::PermissionDenied);
    assert_eq!(code(bed.write(&upload(digest), 0, &[b"new"], true).await), Code::PermissionDenied);
    let result = api::UpdateActionResultRequest {
        action_digest: Some(message_of(&digest)),
        ..Default::default()
    };
    assert_eq!(code(bed.actions().update_action_result(result).await), Code::PermissionDenied);
    assert_eq!(bed.missing(&[digest]).await.unwrap().len(), 1);
    let old = bed.put(b"old");
    assert_eq!(bed.read(&download(old), 0, 0).await.unwrap(), b"old");
}

#[tokio::test]
async fn tls_is_spoken_with_the_certificate_that_is_given() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let (_dir, store) = store();
    let mut options = ServeOptions::new(store, "127.0.0.1:0".parse().unwrap());
    options.tls = Some(TlsIdentity {
        certificate: certificate.pem().into_bytes(),
        key: key.serialize_pem().into_bytes(),
    });
    let server = Server::start(options.clone()).unwrap();
    let url = format!("https://localhost:{}", server.address().port());
    let trusted = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificate.pem()));
    let connect = async |tls| {
        let endpoint = Channel::from_shared(url.clone()).unwrap().tls_config(tls).unwrap();
        endpoint.connect().await
    };
    let channel = connect(trusted).await.unwrap();
    let mut capabilities = Capabilities::new(channel);
    assert!(capabilities.get_capabilities(api::GetCapabilitiesRequest::default()).await.is_ok());
    assert!(connect(ClientTlsConfig::new().with_native_roots()).await.is_err());
    options.tls.as_mut().unwrap().key = b"no key".to_vec();
    assert!(Server::start(options).unwrap_err().hint_text().unwrap().contains("PEM"));
}

#[tokio::test]
async fn what_cannot_be_served_is_said_at_once() {
    let bed = Bed::new().await;
    let mut options = ServeOptions::new(bed.store.clone(), bed.server.address());
    let error = Server::start(options.clone()).unwrap_err().to_string();
    assert!(error.contains(&bed.server.address().to_string()), "{error}");
    options.instance = "a//b".to_owned();
    assert!(Server::start(options).is_err());
}

#[tokio::test]
async fn a_server_that_stops_lets_calls_end_and_takes_no_more() {
    let bed = Bed::new().await;
    let bytes = noise(8 << 20);
    let digest = bed.put(&bytes);
    let resource_name = download(digest).to_string();
    let request = stream::ReadRequest { resource_name, ..Default::default() };
    let mut pieces = bed.streams().read(request).await.unwrap().into_inner();
    let mut read = pieces.message().await.unwrap().unwrap().data;
    bed.server.stopper().stop();
    while let Some(piece) = pieces.message().await.unwrap() {
        read.extend(piece.data);
    }
    assert!(read == bytes);
    let address = bed.server.address();
    tokio::task::spawn_blocking(move || bed.server.wait().unwrap()).await.unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn a_server_that_stops_waits_for_nobody_longer_than_it_says() {
    let bed = Bed::with(|options| options.grace = Duration::from_millis(50)).await;
    let digest = bed.put(&noise(30 << 20));
    let resource_name = download(digest).to_string();
    let request = stream::ReadRequest { resource_name, ..Default::default() };
    // Nobody reads on.
    let _pieces = bed.streams().read(request).await.unwrap();
    let name = upload(bed.digest(b"unfinished"));
    assert_eq!(bed.write(&name, 0, &[b"unf"], false).await.unwrap(), 3);
    let start = Instant::now();
    let stopper = bed.server.stopper();
    tokio::task::spawn_blocking(move || bed.server.stop().unwrap()).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5));
    stopper.stop();
    assert_eq!(std::fs::read_dir(bed.store.root().join("tmp")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(bed.store.root().join("leases")).unwrap().count(), 0);
}
