//! Who says that a name stands for a root: Ed25519 signatures (RFC 8032). Pure; keys are read and written by whoever calls.
//!
//! What a server says a name stands for, anybody may have written who can write to it. A signature says who did. It is over a
//! [`Statement`], and is looked at before anything is written or run.
//!
//! Keys are PEM as other tools write and read it: `-----BEGIN PRIVATE KEY-----` (PKCS#8, RFC 8410: what
//! `openssl genpkey -algorithm ed25519` gives) and `-----BEGIN PUBLIC KEY-----` (`openssl pkey -pubout`). A file of trusted
//! keys has any number of the latter; what stands between them is a comment.

use crate::cas::digest::{Digest, DigestFunction, hex};
use crate::error::{Error, Result};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use std::collections::BTreeMap;
use std::fmt;

/// What the first field of a signed statement says; another form gets another word.
const DOMAIN: &str = "caf-root-v1";

/// What is signed: that a name at a revision, for a platform, stands for a root that is run in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The bundle's name.
    pub name: &'a str,
    /// Its revision.
    pub revision: &'a str,
    /// Its platform.
    pub platform: &'a str,
    /// What names its contents.
    pub function: DigestFunction,
    /// Its root.
    pub root: Digest,
    /// What it executes, as the record has it: a root that is right could still be run in a way that nobody meant.
    pub entry: &'a str,
}

impl Statement<'_> {
    /// The bytes that are signed: each field with its length before it (four bytes, least significant first), so that no two
    /// statements have the same.
    pub fn encode(&self) -> Vec<u8> {
        let size = self.root.size().to_le_bytes();
        let fields: [&[u8]; 8] = [
            DOMAIN.as_bytes(),
            self.name.as_bytes(),
            self.revision.as_bytes(),
            self.platform.as_bytes(),
            self.function.name().as_bytes(),
            self.root.hash(),
            &size,
            self.entry.as_bytes(),
        ];
        let mut bytes = Vec::new();
        for field in fields {
            bytes.extend_from_slice(&(field.len() as u32).to_le_bytes());
            bytes.extend_from_slice(field);
        }
        bytes
    }
}

/// What tells keys apart: the first eight bytes of the SHA-256 of a public key, in hexadecimal digits. It is looked up, never
/// trusted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    fn of(key: &VerifyingKey) -> Self {
        let digest = DigestFunction::Sha256.digest(key.as_bytes());
        Self(hex(digest.hash().get(..8).unwrap_or_default()))
    }

    /// Its sixteen digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A signature, and whose it says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key.
    pub key: KeyId,
    /// The 64 bytes of the signature.
    pub bytes: [u8; 64],
}

impl Signature {
    /// A signature from its digits; `None` if they are none.
    pub(super) fn of_hex(key: &str, digits: &str) -> Option<Self> {
        let is_id = key.len() == 16 && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        // Two digests' worth of digits.
        let (one, other) = (digits.get(..64)?, digits.get(64..)?);
        let halves = [Digest::of_hex(one, 0)?, Digest::of_hex(other, 0)?];
        let mut bytes = [0; 64];
        for (half, digest) in bytes.chunks_exact_mut(32).zip(&halves) {
            half.copy_from_slice(digest.hash());
        }
        is_id.then(|| Self { key: KeyId(key.to_owned()), bytes })
    }
}

/// A key that signs. Its `Debug` says which key it is, never what it is.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn generate() -> Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| Error::new(format!("cannot get random numbers: {error}")))?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads PEM.
    ///
    /// # Errors
    /// It is no private key of Ed25519 without a passphrase.
    pub fn from_pem(text: &str) -> Result<Self> {
        let begins = text.find("-----BEGIN").unwrap_or(0);
        let key = SigningKey::from_pkcs8_pem(text.get(begins..).unwrap_or_default().trim_end());
        key.map(Self).map_err(|error| {
            Error::new(format!("cannot read the private key: {error}"))
                .hint("make one with `secateur caf keygen`; keys with a passphrase are not read")
        })
    }

    /// Writes PEM, as version 1 of PKCS#8: other tools refuse the second version, which has the public key, too.
    pub fn to_pem(&self) -> Result<String> {
        let bytes = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = ed25519_dalek::pkcs8::EncodePrivateKey::to_pkcs8_pem(&bytes, LineEnding::LF);
        pem.map(|pem| pem.as_str().to_owned()).map_err(|error| unwritable(&error))
    }

    /// The key that others verify with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs.
    pub fn sign(&self, statement: &Statement<'_>) -> Signature {
        let bytes = self.0.sign(&statement.encode()).to_bytes();
        Signature { key: self.public().id(), bytes }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().id())
    }
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Writes PEM.
    pub fn to_pem(&self) -> Result<String> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|error| unwritable(&error))
    }

    /// What tells it apart.
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.0)
    }
}

fn unwritable(error: &dyn fmt::Display) -> Error {
    Error::new(format!("cannot write the key: {error}"))
}

/// The keys whose word is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedKeys {
    keys: BTreeMap<KeyId, PublicKey>,
}

impl TrustedKeys {
    /// Adds the public keys of a text.
    ///
    /// # Errors
    /// It has none, or one that is no key of Ed25519.
    pub fn add_pem(&mut self, text: &str) -> Result<()> {
        const END: &str = "-----END PUBLIC KEY-----";
        let mut rest = text;
        let mut count = 0;
        while let Some(begin) = rest.find("-----BEGIN") {
            let block = rest.get(begin..).unwrap_or_default();
            let end = block.find(END).map_or(block.len(), |end| end + END.len());
            let (block, after) = block.split_at(end);
            let key = VerifyingKey::from_public_key_pem(block).map_err(|error| {
                Error::new(format!("cannot read public key {}: {error}", count + 1)).hint(
                    "a file of trusted keys has the public halves that `secateur caf keygen` wrote",
                )
            })?;
            let key = PublicKey(key);
            self.keys.insert(key.id(), key);
            (rest, count) = (after, count + 1);
        }
        if count == 0 {
            return Err(Error::new("there is no public key")
                .hint("one begins with `-----BEGIN PUBLIC KEY-----`"));
        }
        Ok(())
    }

    /// Their ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.keys()
    }

    /// Checks that one of these keys signed the statement; gives which.
    ///
    /// # Errors
    /// Nobody signed it, somebody did whom nobody trusts, or it says something else than what was signed.
    pub fn verify(
        &self,
        statement: &Statement<'_>,
        signature: Option<&Signature>,
    ) -> Result<&KeyId> {
        let place = || format!("{}@{}", statement.name, statement.revision);
        let refuse = |message: String| Error::new(message).at(place());
        let Some(signature) = signature else {
            return Err(refuse("the bundle is not signed".to_owned())
                .hint("push it with `--sign KEY`, or do without `--require-signature`"));
        };
        let Some((id, key)) = self.keys.get_key_value(&signature.key) else {
            return Err(refuse(format!(
                "it is signed by key {}, which is not trusted",
                signature.key
            ))
            .hint("add that key's public half to the trusted keys if it should be"));
        };
        let bytes = ed25519_dalek::Signature::from_bytes(&signature.bytes);
        // Strict: one key and one statement have one signature, and keys of small order have none.
        match key.0.verify_strict(&statement.encode(), &bytes) {
            Ok(()) => Ok(id),
            Err(_) => Err(refuse(format!("the signature by key {id} is not of this bundle"))
                .hint("somebody may have changed what the name stands for: don't run it")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(root: &Digest) -> Statement<'_> {
        Statement {
            name: "serving/ranker",
            revision: "8f3a2c1",
            platform: "linux-x86_64",
            function: DigestFunction::Sha256,
            root: *root,
            entry: "",
        }
    }

    fn key() -> PrivateKey {
        PrivateKey(SigningKey::from_bytes(&[7; 32]))
    }

    fn trusted(keys: &[&PrivateKey]) -> TrustedKeys {
        let mut trusted = TrustedKeys::default();
        keys.iter().for_each(|key| trusted.add_pem(&key.public().to_pem().unwrap()).unwrap());
        trusted
    }

    /// Made once with another implementation (`cryptography` of Python): the form may never change unnoticed.
    #[test]
    fn the_form_is_what_it_was() {
        let root = DigestFunction::Sha256.digest(b"");
        let encoded = hex(&statement(&root).encode());
        assert_eq!(encoded, VECTOR.0);
        let signature = key().sign(&statement(&root));
        assert_eq!((signature.key.as_str(), hex(&signature.bytes).as_str()), (VECTOR.1, VECTOR.2));
        assert_eq!(Signature::of_hex(VECTOR.1, VECTOR.2), Some(signature));
    }

    #[test]
    fn only_what_was_signed_is_verified() {
        let root = DigestFunction::Sha256.digest(b"root");
        let (key, other) = (key(), PrivateKey::generate().unwrap());
        let trusted = trusted(&[&key]);
        let said = statement(&root);
        let signature = key.sign(&said);
        assert_eq!(trusted.verify(&said, Some(&signature)).unwrap(), &key.public().id());

        let refused = |statement: &Statement<'_>, signature: Option<&Signature>| {
            trusted.verify(statement, signature).unwrap_err().to_string()
        };
        let changed = DigestFunction::Sha256.digest(b"other");
        for statement in [
            Statement { name: "serving", ..said },
            Statement { revision: "8f3a2c2", ..said },
            Statement { platform: "", ..said },
            Statement { function: DigestFunction::Blake3, ..said },
            Statement { root: changed, ..said },
            Statement { entry: "{}", ..said },
            // The same letters, divided otherwise.
            Statement { name: "serving/ranker8", revision: "f3a2c1", ..said },
        ] {
            assert!(refused(&statement, Some(&signature)).contains("is not of this bundle"));
        }
        assert!(refused(&said, None).contains("serving/ranker@8f3a2c1: the bundle is not signed"));
        assert!(refused(&said, Some(&other.sign(&said))).contains("which is not trusted"));
        // Somebody else's signature under a trusted name.
        let forged = Signature { key: key.public().id(), ..other.sign(&said) };
        assert!(refused(&said, Some(&forged)).contains("is not of this bundle"));
    }

    #[test]
    fn keys_are_what_other_tools_read_and_write() {
        let pem = key().to_pem().unwrap();
        assert_eq!(pem, PRIVATE_PEM);
        assert_eq!(PrivateKey::from_pem(&pem).unwrap().public(), key().public());
        assert!(
            PrivateKey::from_pem("nothing").unwrap_err().hint_text().unwrap().contains("keygen")
        );
        let text = format!("# Ann\n{}\n# Bob\n{}", key().public().to_pem().unwrap(), PUBLIC_PEM);
        let mut trusted = TrustedKeys::default();
        trusted.add_pem(&text).unwrap();
        assert_eq!(trusted.ids().count(), 1);
        for bad in ["", "-----BEGIN PUBLIC KEY-----\n", &pem] {
            assert!(TrustedKeys::default().add_pem(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_private_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", key()), format!("PrivateKey({})", VECTOR.1));
    }

    const VECTOR: (&str, &str, &str) = (
        "0b0000006361662d726f6f742d76310e00000073657276696e672f72616e6b657207000000386633613263310c0000006c696e75782d7838365f36340600000073686132353620000000e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85508000000000000000000000000000000",
        "fe812c12f3ab4ce6",
        "4c425dcc5c7d5e7ac24abfbb1d0dc68cb5bebd8e4af62181964d69e85e5e00b052850dcdc9c49de8f9b4f1a52879133c19ab9dc04530f71643592dc5eb24b902",
    );
    const PRIVATE_PEM: &str = concat!(
        "-----BEGIN ",
        "PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n-----END PRIVATE KEY-----\n"
    );
    const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=\n-----END PUBLIC KEY-----\n";
}
