//! Names of contents: the digest and size that the Remote Execution API calls `Digest`. Pure values; touches nothing.

use sha2::Digest as _;
use std::fmt;
use std::str::FromStr;

/// Which hash names contents. Contents of one namespace are named by one function only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DigestFunction {
    /// SHA-256: the one function that all servers share.
    #[default]
    Sha256,
    /// BLAKE3 with 256 bits.
    Blake3,
}

impl DigestFunction {
    /// Every function.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Blake3];

    /// Its name in directories, in resource names and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
        }
    }

    /// The function of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// The name of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for DigestFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The 32 bytes of a hash.
pub type Hash = [u8; 32];

/// What names a content: its hash and its size in bytes. Both must agree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    hash: Hash,
    size: u64,
}

impl Digest {
    /// A digest from its parts.
    pub const fn new(hash: Hash, size: u64) -> Self {
        Self { hash, size }
    }

    /// A digest from 64 lower-case hexadecimal digits and a size; `None` for anything else.
    pub fn of_hex(hex: &str, size: u64) -> Option<Self> {
        let mut hash = Hash::default();
        let digits = hex.as_bytes();
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(*pair.first()?)? << 4 | nibble(*pair.last()?)?;
        }
        Some(Self { hash, size })
    }

    /// The hash.
    pub const fn hash(&self) -> &Hash {
        &self.hash
    }

    /// The hash in hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.hash)
    }

    /// Bytes of the content.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whether it names the empty content, which every store has.
    pub const fn is_empty(&self) -> bool {
        self.size == 0
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit =
        |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.hex(), self.size)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ();

    /// Reads `hash/size`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (hex, size) = text.split_once('/').ok_or(())?;
        Self::of_hex(hex, size.parse().map_err(|_| ())?).ok_or(())
    }
}

/// Names contents that come in pieces.
#[derive(Clone, Debug)]
pub struct Hasher {
    state: State,
    size: u64,
}

#[derive(Clone, Debug)]
enum State {
    Sha256(sha2::Sha256),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    /// Nothing read so far.
    pub fn new(function: DigestFunction) -> Self {
        let state = match function {
            DigestFunction::Sha256 => State::Sha256(sha2::Sha256::new()),
            DigestFunction::Blake3 => State::Blake3(Box::default()),
        };
        Self { state, size: 0 }
    }

    /// The next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        match &mut self.state {
            State::Sha256(state) => state.update(bytes),
            State::Blake3(state) => {
                state.update(bytes);
            }
        }
    }

    /// Bytes read so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The name of all that was read.
    pub fn finish(self) -> Digest {
        let hash = match self.state {
            State::Sha256(state) => state.finalize().into(),
            State::Blake3(state) => *state.finalize().as_bytes(),
        };
        Digest { hash, size: self.size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_contents_as_the_standards_say() {
        assert_eq!(DigestFunction::Sha256.digest(b"").to_string(), format!("{EMPTY}/0"));
        assert_eq!(
            DigestFunction::Blake3.digest(b"").hex(),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
        let mut hasher = Hasher::new(DigestFunction::Sha256);
        hasher.update(b"ab");
        hasher.update(b"c");
        let abc = hasher.finish();
        assert_eq!(abc, DigestFunction::Sha256.digest(b"abc"));
        assert_eq!((abc.size(), abc.is_empty()), (3, false));
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let digest = DigestFunction::Sha256.digest(b"abc");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let upper = digest.hex().to_uppercase();
        for text in ["", "abc/3", EMPTY, &format!("{EMPTY}/x"), &format!("{upper}/3")] {
            assert_eq!(text.parse::<Digest>(), Err(()), "{text}");
        }
    }
}
