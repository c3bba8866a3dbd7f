//! How the Remote Execution API names contents on its byte streams. Pure values; touches nothing.
//!
//! From `remote_execution.proto`, where `FUNCTION/` stands for functions only that the hash's length does not tell:
//!
//! | name | is |
//! |---|---|
//! | `INSTANCE/blobs/FUNCTION/HASH/SIZE` | a content |
//! | `INSTANCE/compressed-blobs/zstd/FUNCTION/HASH/SIZE` | the same, compressed; the size is that of the content |
//! | `INSTANCE/uploads/UUID/…` | one upload of either; what follows the size is the client's and ignored |
//!
//! `INSTANCE` may have slashes in it; if it is empty, the slash behind it is left out.

use crate::cas::digest::{Digest, DigestFunction};
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2::digest_function::Value;
use std::fmt;
use std::str::FromStr;

/// How a content is written on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    #[default]
    Identity,
    /// As zstd frames.
    Zstd,
}

/// A content as a byte stream names it, read and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceName {
    /// The server's namespace; see [`check_instance`].
    pub instance: String,
    /// What tells this upload from all others, a UUID; `None` for a download.
    pub upload: Option<String>,
    /// How it goes over the wire.
    pub compression: Compression,
    /// What the digest is by.
    pub function: DigestFunction,
    /// The content, uncompressed.
    pub digest: Digest,
}

/// Segments that an instance name must not have, so that names can be told apart.
const RESERVED: [&str; 7] = [
    "blobs",
    "uploads",
    "actions",
    "actionResults",
    "operations",
    "capabilities",
    "compressed-blobs",
];

/// The number of a function in the API's messages.
pub(crate) fn number_of(function: DigestFunction) -> i32 {
    match function {
        DigestFunction::Sha256 => Value::Sha256.into(),
        DigestFunction::Blake3 => Value::Blake3.into(),
    }
}

/// Bytes of a wrong name that an error repeats.
const SHOWN: usize = 200;

/// Refuses an instance name that resource names could not hold.
///
/// # Errors
/// A segment is empty or reserved.
pub fn check_instance(instance: &str) -> Result<()> {
    if instance.is_empty() {
        return Ok(());
    }
    match instance.split('/').find(|segment| segment.is_empty() || RESERVED.contains(segment)) {
        None => Ok(()),
        Some("") => Err(Error::new("the instance name has an empty segment").at(shown(instance))),
        Some(segment) => {
            let message = format!("`{segment}` cannot be part of an instance name");
            Err(Error::new(message).at(shown(instance)))
        }
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.instance.is_empty() {
            write!(f, "{}/", self.instance)?;
        }
        if let Some(uuid) = &self.upload {
            write!(f, "uploads/{uuid}/")?;
        }
        f.write_str(match self.compression {
            Compression::Identity => "blobs/",
            Compression::Zstd => "compressed-blobs/zstd/",
        })?;
        if let Some(component) = component(self.function) {
            write!(f, "{component}/")?;
        }
        write!(f, "{}", self.digest)
    }
}

/// The segment of a function that the length of the hash does not tell.
const fn component(function: DigestFunction) -> Option<&'static str> {
    match function {
        DigestFunction::Sha256 => None,
        DigestFunction::Blake3 => Some(function.name()),
    }
}

impl FromStr for ResourceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: &str| Error::new(why).at(shown(text));
        let mut segments = text.split('/');
        let mut instance = Vec::new();
        let mut keyword = loop {
            match segments.next() {
                Some(segment) if RESERVED.contains(&segment) => break segment,
                Some("") => return Err(refuse("the instance name has an empty segment")),
                Some(segment) => instance.push(segment),
                None => return Err(refuse("is not the name of a content: it has no `blobs`")),
            }
        };
        let mut upload = None;
        if keyword == "uploads" {
            let uuid = segments.next().filter(|uuid| !uuid.is_empty());
            upload = Some(uuid.ok_or_else(|| refuse("the upload has no UUID"))?.to_owned());
            keyword = segments.next().unwrap_or("");
        }
        let compression = match keyword {
            "blobs" => Compression::Identity,
            "compressed-blobs" if segments.next() == Some("zstd") => Compression::Zstd,
            "compressed-blobs" => return Err(refuse("is compressed by something but zstd")),
            _ => return Err(refuse("is not the name of a content: it has no `blobs`")),
        };
        let mut hash = segments.next().unwrap_or("");
        let explicit =
            DigestFunction::ALL.into_iter().find(|function| component(*function) == Some(hash));
        if explicit.is_some() {
            hash = segments.next().unwrap_or("");
        }
        let digest = segments.next().and_then(size).and_then(|size| Digest::of_hex(hash, size));
        let digest = digest.ok_or_else(|| {
            refuse("does not name a content by 64 lower-case hexadecimal digits and a size")
        })?;
        if upload.is_none() && segments.next().is_some() {
            return Err(refuse("goes on behind the size"));
        }
        let function = explicit.unwrap_or_default();
        Ok(Self { instance: instance.join("/"), upload, compression, function, digest })
    }
}

/// A size as the API can hold it, in its one decimal form.
fn size(text: &str) -> Option<u64> {
    let size = text.parse::<i64>().ok()?.try_into().ok()?;
    (u64::to_string(&size) == text).then_some(size)
}

/// A name that somebody sent, short enough for a message.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(text: &str) -> ResourceName {
        text.replace('#', HASH).parse().unwrap()
    }

    fn refusal(text: &str) -> String {
        let text = text.replace('#', HASH);
        text.parse::<ResourceName>().unwrap_err().to_string()
    }

    #[test]
    fn every_form_of_the_api_is_read() {
        let name = read("blobs/#/12");
        let digest = Digest::of_hex(HASH, 12).unwrap();
        let plain = ResourceName {
            instance: String::new(),
            upload: None,
            compression: Compression::Identity,
            function: DigestFunction::Sha256,
            digest,
        };
        assert_eq!(name, plain);
        let name = read("a/b/uploads/u-1/compressed-blobs/zstd/blake3/#/12");
        let expected = ResourceName {
            instance: "a/b".into(),
            upload: Some("u-1".into()),
            compression: Compression::Zstd,
            function: DigestFunction::Blake3,
            digest,
        };
        assert_eq!(name, expected);
    }

    #[test]
    fn what_follows_an_upload_is_ignored_and_nothing_else() {
        assert_eq!(read("uploads/u/blobs/#/1/x/y"), read("uploads/u/blobs/#/1"));
        assert!(refusal("blobs/#/1/x").contains("behind the size"));
    }

    #[test]
    fn wrong_names_are_refused_with_their_reason() {
        for (name, why) in [
            ("", "empty segment"),
            ("/blobs/#/1", "empty segment"),
            ("a//blobs/#/1", "empty segment"),
            ("a/b", "no `blobs`"),
            ("a/actions/blobs/#/1", "no `blobs`"),
            ("uploads//blobs/#/1", "no UUID"),
            ("uploads/u/#/1", "no `blobs`"),
            ("uploads/u/uploads/u/blobs/#/1", "no `blobs`"),
            ("compressed-blobs/deflate/#/1", "but zstd"),
            ("compressed-blobs/#/1", "but zstd"),
            ("blobs/sha256/#/1", "64 lower-case"),
            ("blobs/sha1/#/1", "64 lower-case"),
            ("blobs/#", "64 lower-case"),
            ("blobs/#/", "64 lower-case"),
            ("blobs/#/-1", "64 lower-case"),
            ("blobs/#/+1", "64 lower-case"),
            ("blobs/#/01", "64 lower-case"),
            ("blobs/#/9223372036854775808", "64 lower-case"),
            ("blobs/E#/1", "64 lower-case"),
        ] {
            assert!(refusal(name).contains(why), "{name}: {}", refusal(name));
        }
        assert!(refusal(&"x".repeat(1 << 20)).len() < 300);
    }

    #[test]
    fn instance_names_are_what_names_can_hold() {
        for instance in ["", "main", "a/b", "instances/main"] {
            assert!(check_instance(instance).is_ok(), "{instance}");
        }
        for instance in ["/", "a/", "/a", "a//b", "blobs", "a/uploads"] {
            assert!(check_instance(instance).is_err(), "{instance}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            instance in proptest::collection::vec("[a-zA-Z0-9._ -]{1,8}", 0..4),
            upload in proptest::option::of("[0-9a-f-]{1,36}"),
            is_compressed: bool,
            is_blake3: bool,
            hash: [u8; 32],
            size in 0..=i64::MAX.cast_unsigned(),
        ) {
            let name = ResourceName {
                instance: instance.join("/"),
                upload,
                compression: if is_compressed { Compression::Zstd } else { Compression::Identity },
                function: if is_blake3 { DigestFunction::Blake3 } else { DigestFunction::Sha256 },
                digest: Digest::new(hash, size),
            };
            prop_assume!(check_instance(&name.instance).is_ok());
            prop_assert_eq!(name.to_string().parse::<ResourceName>().unwrap(), name);
        }

        #[test]
        fn what_is_read_is_written_the_same(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("blobs"), Just("uploads"), Just("u"), Just("zstd"), Just("compressed-blobs"),
                    Just("blake3"), Just(HASH), Just("7"), Just(""), Just("a"),
                ],
                0..9,
            ),
        ) {
            let text = parts.join("/");
            if let Ok(name) = text.parse::<ResourceName>() {
                let written = name.to_string();
                // Only what follows the size of an upload is lost.
                let rest = text.strip_prefix(&written);
                let is_metadata = name.upload.is_some() && rest.is_some_and(|rest| rest.starts_with('/'));
                prop_assert!(rest == Some("") || is_metadata);
                prop_assert!(check_instance(&name.instance).is_ok());
            }
        }
    }
}
