//! The headers of every call: those of the user, and those that say who asks. Runs the credential helper through its face.

use super::options::{CredentialHelper, RemoteOptions, Token};
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tonic::metadata::{AsciiMetadataKey, KeyAndValueRef, MetadataMap, MetadataValue};
use tonic::service::Interceptor;

/// Seconds before its end at which a credential is not used any more.
const MARGIN: i64 = 30;

/// Makes the headers.
pub(super) struct Credentials {
    fixed: Arc<MetadataMap>,
    helper: Option<Arc<dyn CredentialHelper>>,
    /// What the helper is asked for.
    uri: String,
    current: Mutex<Option<Current>>,
}

/// What the helper said last.
struct Current {
    headers: Arc<MetadataMap>,
    expires: Option<i64>,
}

impl Credentials {
    /// `uri` is what the helper is asked for.
    pub(super) fn new(options: &RemoteOptions, uri: String) -> Result<Self> {
        let mut fixed = MetadataMap::new();
        for (name, value) in &options.headers {
            add(&mut fixed, name, value)?;
        }
        let mut helper = None;
        match &options.token {
            Some(Token::Bearer(token)) => {
                add(&mut fixed, "authorization", &format!("Bearer {}", token.trim()))?;
            }
            Some(Token::Helper(program)) => helper = Some(Arc::clone(program)),
            None => {}
        }
        fixed.insert_bin("build.bazel.remote.execution.v2.requestmetadata-bin", metadata());
        Ok(Self { fixed: Arc::new(fixed), helper, uri, current: Mutex::default() })
    }

    /// Whether anything says who asks.
    pub(super) fn are_given(&self) -> bool {
        self.helper.is_some() || self.fixed.contains_key("authorization")
    }

    /// The headers of the next call.
    pub(super) fn headers(&self) -> Result<Headers> {
        let Some(helper) = &self.helper else { return Ok(Headers(Arc::clone(&self.fixed))) };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*current
            && known.expires.is_none_or(|expires| helper.now() < expires - MARGIN)
        {
            return Ok(Headers(Arc::clone(&known.headers)));
        }
        let (headers, expires) = self.ask(helper.as_ref())?;
        let headers = Arc::new(headers);
        *current = Some(Current { headers: Arc::clone(&headers), expires });
        Ok(Headers(headers))
    }

    /// The server did not take these headers; whether there may be others now.
    pub(super) fn renew(&self, refused: &Headers) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have renewed them already.
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.headers, &refused.0)) {
            *current = None;
        }
        self.helper.is_some()
    }

    fn ask(&self, helper: &dyn CredentialHelper) -> Result<(MetadataMap, Option<i64>)> {
        let request = serde_json::json!({ "uri": self.uri }).to_string();
        let answer = helper.get(&request)?;
        // What it said is not repeated: it is secret.
        let wrong = |what: String| {
            Error::new(format!("the credential helper's answer {what}"))
                .hint("it has to write {\"headers\": {\"Authorization\": [\"…\"]}}")
        };
        let answer: Answer = serde_json::from_str(&answer)
            .map_err(|error| wrong(format!("cannot be read at column {}", error.column())))?;
        let mut headers = MetadataMap::clone(&self.fixed);
        for (name, values) in &answer.headers {
            for value in values.all() {
                add(&mut headers, name, value)?;
            }
        }
        let expires = answer.expires.map(|text| {
            let time = text.parse::<jiff::Timestamp>();
            time.map(jiff::Timestamp::as_second)
                .map_err(|_| wrong("has no time in `expires`".into()))
        });
        Ok((headers, expires.transpose()?))
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    headers: BTreeMap<String, Values>,
    expires: Option<String>,
}

/// Bazel's helpers give lists; some give one value.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl Values {
    fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

fn add(headers: &mut MetadataMap, name: &str, value: &str) -> Result<()> {
    let key = name.to_ascii_lowercase().parse::<AsciiMetadataKey>();
    let key = key.map_err(|_| Error::new(format!("`{name}` cannot be the name of a header")))?;
    let mut value = MetadataValue::try_from(value)
        .map_err(|_| Error::new(format!("the value of the header `{name}` is not plain text")))?;
    value.set_sensitive(true);
    headers.append(key, value);
    Ok(())
}

/// What the Remote Execution API wants to know of its clients, for the server's logs.
fn metadata() -> MetadataValue<tonic::metadata::Binary> {
    let tool = api::ToolDetails {
        tool_name: env!("CARGO_PKG_NAME").to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let metadata = api::RequestMetadata { tool_details: Some(tool), ..Default::default() };
    MetadataValue::from_bytes(&metadata.encode_to_vec())
}

/// The headers of a call.
#[derive(Clone)]
pub(super) struct Headers(Arc<MetadataMap>);

impl Interceptor for Headers {
    fn call(
        &mut self,
        mut request: tonic::Request<()>,
    ) -> std::result::Result<tonic::Request<()>, tonic::Status> {
        for header in self.0.iter() {
            match header {
                KeyAndValueRef::Ascii(key, value) => {
                    request.metadata_mut().append(key, value.clone());
                }
                KeyAndValueRef::Binary(key, value) => {
                    request.metadata_mut().append_bin(key, value.clone());
                }
            }
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    #[derive(Default)]
    struct Helper {
        calls: AtomicUsize,
        now: AtomicI64,
    }

    impl CredentialHelper for Helper {
        fn get(&self, request: &str) -> Result<String> {
            assert_eq!(request, r#"{"uri":"https://cache.example"}"#);
            let call = self.calls.fetch_add(1, Ordering::Relaxed);
            Ok(format!(
                r#"{{"headers":{{"Authorization":["Bearer {call}"],"x-one":"1"}},"expires":"1970-01-01T01:00:00Z"}}"#
            ))
        }

        fn now(&self) -> i64 {
            self.now.load(Ordering::Relaxed)
        }
    }

    fn authorization(credentials: &Credentials) -> String {
        let headers = credentials.headers().unwrap();
        headers.0.get("authorization").unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_helper_is_asked_again_when_its_answer_ends_or_is_refused() {
        let helper = Arc::new(Helper::default());
        let mut options = RemoteOptions::new("grpcs://cache.example");
        options.token = Some(Token::Helper(Arc::clone(&helper) as _));
        let credentials = Credentials::new(&options, "https://cache.example".into()).unwrap();
        assert_eq!(authorization(&credentials), "Bearer 0");
        assert_eq!(authorization(&credentials), "Bearer 0");
        let refused = credentials.headers().unwrap();
        assert!(credentials.renew(&refused));
        assert_eq!(authorization(&credentials), "Bearer 1");
        // Another thread was refused with the old ones.
        assert!(credentials.renew(&refused));
        assert_eq!(authorization(&credentials), "Bearer 1");
        helper.now.store(3600 - MARGIN, Ordering::Relaxed);
        assert_eq!(authorization(&credentials), "Bearer 2");
    }

    #[test]
    fn headers_that_cannot_be_sent_are_refused_without_their_values() {
        let mut options = RemoteOptions::new("grpc://h");
        for (name, value) in [("a b", "x"), ("a", "se\ncret")] {
            options.headers = vec![(name.into(), value.into())];
            let error = Credentials::new(&options, String::new()).err().unwrap().to_string();
            assert!(!error.contains("cret"), "{error}");
        }
    }
}
