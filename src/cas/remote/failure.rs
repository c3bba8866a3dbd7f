//! What goes wrong between us and a server: whether to try again, and how to say it. Pure values; touches nothing.

use crate::cas::digest::Digest;
use crate::error::Error;
use bazel_remote_apis::google::{self, rpc};
use prost::Message;
use std::error::Error as _;
use std::time::Duration;
use tonic::{Code, Status};

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server said so, or the connection broke.
    Status(Status),
    /// The server did not take our credentials, and there are others now.
    Expired(Status),
    /// No answer came in time.
    Late(Duration),
    /// A stream did not move for so long.
    Stalled(Duration),
    /// What came is not what was asked for.
    Garbled(String),
    /// The server has not, or no longer, what it should have.
    Lost(Digest),
    /// Nobody waits for the result any more.
    Stopped,
    /// Trouble on our side, which trying again does not help.
    Ours(Error),
}

/// What a call comes to.
pub(super) type Outcome<T> = Result<T, Failure>;

/// What tonic's calls come to.
pub(super) type Answer<T> = Result<T, Status>;

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// The status of one content of a batch; `None` if it is well.
pub(super) fn refusal(status: Option<rpc::Status>) -> Option<Status> {
    let status = status.filter(|status| status.code != 0)?;
    let bytes = status.encode_to_vec();
    Some(Status::with_details(Code::from_i32(status.code), status.message, bytes.into()))
}

impl Failure {
    /// Whether trying again may help. The codes are those of Bazel's `RemoteRetrier`.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Expired(_) | Self::Late(_) | Self::Stalled(_) | Self::Garbled(_) => true,
            Self::Lost(_) | Self::Stopped | Self::Ours(_) => false,
            Self::Status(status) => match status.code() {
                Code::Cancelled
                | Code::Unknown
                | Code::DeadlineExceeded
                | Code::Aborted
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
                | Code::ResourceExhausted => tls_trouble(status).is_none(),
                _ => false,
            },
        }
    }

    /// There are other credentials now.
    pub(super) fn renewed(self) -> Self {
        match self {
            Self::Status(status) => Self::Expired(status),
            other => other,
        }
    }

    /// Whether the connection itself may be dead.
    pub(super) const fn blames_connection(&self) -> bool {
        matches!(self, Self::Late(_) | Self::Stalled(_))
    }

    /// Nothing, if it is the server's: another way may lead to the same end.
    pub(super) fn unless_ours(self) -> Outcome<()> {
        match self {
            Self::Stopped | Self::Ours(_) => Err(self),
            _ => Ok(()),
        }
    }

    /// Whether the server lacks something that it was believed to have.
    pub(super) fn is_loss(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::Status(status) => {
                matches!(status.code(), Code::NotFound | Code::FailedPrecondition)
            }
            _ => false,
        }
    }

    /// The code, if the server gave one.
    pub(super) fn code(&self) -> Option<Code> {
        match self {
            Self::Status(status) => Some(status.code()),
            _ => None,
        }
    }

    /// Whether it is the namespace that the server does not know, rather than what was asked for.
    pub(super) fn speaks_of_instance(&self) -> bool {
        matches!(self, Self::Status(status) if names_instance(status))
    }

    /// How long the server asks us to wait.
    pub(super) fn asked_delay(&self) -> Option<Duration> {
        let Self::Status(status) = self else { return None };
        let details = rpc::Status::decode(status.details()).ok()?.details;
        details.iter().find(|any| any.type_url.ends_with("/google.rpc.RetryInfo")).and_then(|any| {
            let delay = RetryInfo::decode(any.value.as_slice()).ok()?.retry_delay?;
            let seconds = u64::try_from(delay.seconds).ok()?;
            Some(Duration::new(seconds, u32::try_from(delay.nanos).unwrap_or(0)))
        })
    }

    /// What happened, as it is told to the user; `what` we were about, `has_token` whether the server knew who asks.
    pub(super) fn explain(self, what: &str, url: &str, has_token: bool) -> Error {
        let say = |words: String| Error::new(format!("cannot {what}: {words}")).at(url);
        match self {
            Self::Ours(error) => error,
            Self::Stopped => Error::new("interrupted"),
            Self::Late(after) => say(format!("the server did not answer within {after:?}")).hint(
                "see whether the server is overloaded, and whether the network lets HTTP/2 through",
            ),
            Self::Stalled(after) => say(format!("no byte moved for {after:?}")).hint(
                "see whether the server is overloaded, and whether the network lets HTTP/2 through",
            ),
            Self::Garbled(words) => {
                say(words).hint("the server's storage or something on the way is damaged")
            }
            Self::Lost(digest) => say(format!("the server has lost {digest}"))
                .hint("push the bundle again from where it is whole"),
            Self::Status(status) | Self::Expired(status) => {
                let error = say(words_of(&status));
                match hint_of(&status, has_token) {
                    Some(hint) => error.hint(hint),
                    None => error,
                }
            }
        }
    }
}

/// `google.rpc.RetryInfo`, which comes with no crate that is used here.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct RetryInfo {
    /// How long to wait.
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<google::protobuf::Duration>,
}

fn words_of(status: &Status) -> String {
    if let Some((words, _)) = tls_trouble(status) {
        return words.to_owned();
    }
    let message = match (status.message(), deepest(status)) {
        (_, Some(cause)) => cause,
        ("", None) => status.code().description().to_owned(),
        (message, None) => message.to_owned(),
    };
    match status.code() {
        Code::Unauthenticated => format!("the server does not know who asks: {message}"),
        Code::PermissionDenied => format!("the server does not allow it: {message}"),
        Code::Unavailable => format!("the server cannot be reached: {message}"),
        Code::ResourceExhausted => format!("the server has no room or no time: {message}"),
        Code::Unimplemented => format!("the server cannot do this: {message}"),
        code => format!("{message} ({code:?})"),
    }
}

fn hint_of(status: &Status, has_token: bool) -> Option<&'static str> {
    if let Some((_, hint)) = tls_trouble(status) {
        return Some(hint);
    }
    Some(match status.code() {
        Code::InvalidArgument | Code::NotFound if names_instance(status) => {
            "the instance name may be another one: ask who runs the server"
        }
        Code::Unauthenticated if has_token => "the token may be of another server, or have expired",
        Code::Unauthenticated => "name a token or a credential helper",
        Code::PermissionDenied => {
            "the server may be read-only, or the token not good for this instance"
        }
        Code::Unavailable => "see whether the server runs there, and whether the URL is right",
        Code::ResourceExhausted => "the server's disk or quota may be full",
        Code::Unimplemented => "the URL may be that of another kind of server",
        _ => return None,
    })
}

/// Servers refuse an instance name with different codes, but all say the word.
fn names_instance(status: &Status) -> bool {
    status.message().to_lowercase().contains("instance")
}

/// What is wrong between two who do not agree on TLS, and what to do. The layers below tell by text only.
fn tls_trouble(status: &Status) -> Option<(&'static str, &'static str)> {
    let text = chain(status);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["UnknownIssuer", "BadSignature", "CaUsedAsEndEntity", "SelfSigned"]) {
        let hint = "name the certificate of the authority that signed it";
        return Some(("the server's certificate is not trusted", hint));
    }
    if has(&["NotValidForName", "not valid for name"]) {
        return Some((
            "the server's certificate is for another host",
            "use the name that is in the certificate",
        ));
    }
    if has(&["certificate expired", "CertExpired", "Expired"]) {
        return Some(("the server's certificate has expired", "ask who runs the server"));
    }
    if has(&["CertificateRequired", "BadCertificate", "UnknownCA", "CertificateUnknown"]) {
        return Some((
            "the server wants another certificate of ours",
            "name a client certificate and its key that the server trusts",
        ));
    }
    if has(&["frame with invalid size"]) {
        return Some((
            "the server does not speak gRPC in the clear",
            "use grpcs:// instead of grpc://",
        ));
    }
    if has(&["InvalidContentType", "InvalidMessage", "not negotiated"]) {
        return Some(("the server does not speak TLS here", "use grpc:// instead of grpcs://"));
    }
    None
}

fn chain(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = status.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The first cause, which says most: "connection refused" rather than "transport error".
fn deepest(status: &Status) -> Option<String> {
    let mut error = status.source()?;
    while let Some(source) = error.source() {
        error = source;
    }
    Some(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bazel_remote_apis::google::protobuf::Any;

    #[test]
    fn the_server_says_how_long_to_wait() {
        let info = RetryInfo {
            retry_delay: Some(google::protobuf::Duration { seconds: 2, nanos: 500_000_000 }),
        };
        let any = Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".into(),
            value: info.encode_to_vec(),
        };
        let status = rpc::Status { code: 14, message: "later".into(), details: vec![any] };
        let failure = Failure::Status(refusal(Some(status)).unwrap());
        assert_eq!(failure.asked_delay(), Some(Duration::from_millis(2500)));
        assert!(failure.may_pass());
        assert_eq!(Failure::from(Status::unavailable("x")).asked_delay(), None);
        assert!(refusal(Some(rpc::Status::default())).is_none());
    }

    #[test]
    fn what_cannot_pass_is_not_tried_again() {
        for status in [
            Status::unauthenticated(""),
            Status::permission_denied(""),
            Status::invalid_argument(""),
            Status::not_found(""),
            Status::failed_precondition(""),
            Status::unimplemented(""),
            Status::unavailable("invalid peer certificate: UnknownIssuer"),
        ] {
            assert!(!Failure::from(status).may_pass());
        }
        assert!(Failure::from(Status::not_found("")).is_loss());
    }

    #[test]
    fn failures_are_told_in_words_with_what_to_do() {
        let hint = |status: Status, has_token| {
            let error = Failure::from(status).explain("push", "grpc://h", has_token);
            assert!(error.to_string().starts_with("grpc://h: cannot push: "), "{error}");
            error.hint_text().unwrap_or("").to_owned()
        };
        assert!(hint(Status::unauthenticated(""), false).contains("name a token"));
        assert!(hint(Status::unauthenticated(""), true).contains("expired"));
        assert!(hint(Status::permission_denied(""), true).contains("read-only"));
        let instance = Status::invalid_argument("Invalid instance name [x]");
        assert!(hint(instance, false).contains("instance name"));
        assert!(hint(Status::unavailable("UnknownIssuer"), false).contains("authority"));
    }
}
