//! Secrets by their shape: private keys, and tokens of services whose form is known exactly. Pure; touches nothing.
//!
//! A false alarm stops a push, so that each shape is as narrow as its maker makes it: length, alphabet, checksum. What is too
//! uniform to be random is an example.

use regex::bytes::Regex;
use std::sync::LazyLock;

/// What was found, and where: the line, counted from 1.
pub(super) type Found = (u32, &'static str);

/// A token that begins with a fixed text.
struct Token {
    begins: &'static str,
    kind: &'static str,
    /// How long the token is behind that, if it is one.
    length: fn(&[u8]) -> Option<usize>,
}

/// Where the shapes come from: the services' own pages about secret scanning, and for tokens of GitHub and npm the note on their
/// checksum ("Behind GitHub's new authentication token formats").
const TOKENS: &[Token] = &[
    Token {
        begins: "AKIA",
        kind: "an access key of AWS",
        length: |rest| exactly(rest, 16, is_base32),
    },
    Token {
        begins: "ASIA",
        kind: "an access key of AWS",
        length: |rest| exactly(rest, 16, is_base32),
    },
    Token { begins: "ghp_", kind: "a token of GitHub", length: checked },
    Token { begins: "gho_", kind: "a token of GitHub", length: checked },
    Token { begins: "ghu_", kind: "a token of GitHub", length: checked },
    Token { begins: "ghs_", kind: "a token of GitHub", length: checked },
    Token { begins: "ghr_", kind: "a token of GitHub", length: checked },
    Token {
        begins: "github_pat_",
        kind: "a token of GitHub",
        length: |rest| parts(rest, b'_', &[22, 59]),
    },
    Token { begins: "glpat-", kind: "a token of GitLab", length: |rest| exactly(rest, 20, is_url) },
    Token { begins: "npm_", kind: "a token of npm", length: checked },
    Token {
        begins: "pypi-AgEIcHlwaS5vcmc",
        kind: "a token of PyPI",
        length: |rest| at_least(rest, 50, is_url),
    },
    Token {
        begins: "hf_",
        kind: "a token of Hugging Face",
        length: |rest| exactly(rest, 34, is_alphanumeric),
    },
    Token {
        begins: "sk_live_",
        kind: "a secret key of Stripe",
        length: |rest| at_least(rest, 24, is_alphanumeric),
    },
    Token {
        begins: "rk_live_",
        kind: "a secret key of Stripe",
        length: |rest| at_least(rest, 24, is_alphanumeric),
    },
    Token {
        begins: "AIza",
        kind: "an API key of Google",
        length: |rest| exactly(rest, 35, is_url),
    },
    Token {
        begins: "sk-ant-",
        kind: "a key of Anthropic",
        length: |rest| at_least(rest, 80, is_url),
    },
    Token {
        begins: "sk-proj-",
        kind: "a key of OpenAI",
        length: |rest| at_least(rest, 40, is_url),
    },
    Token { begins: "SG.", kind: "a key of SendGrid", length: |rest| parts(rest, b'.', &[22, 43]) },
    Token { begins: "xox", kind: "a token of Slack", length: slack },
    Token {
        begins: "hooks.slack.com/services/",
        kind: "a webhook of Slack",
        length: |rest| parts_of(rest, b'/', 24),
    },
    Token {
        begins: "dop_v1_",
        kind: "a token of DigitalOcean",
        length: |rest| exactly(rest, 64, is_hex),
    },
    Token {
        begins: "shpat_",
        kind: "a token of Shopify",
        length: |rest| exactly(rest, 32, is_hex),
    },
    Token { begins: "AccountKey=", kind: "a storage key of Azure", length: azure },
    Token {
        begins: "AGE-SECRET-KEY-1",
        kind: "a private key of age",
        length: |rest| exactly(rest, 58, is_alphanumeric),
    },
];

/// Everything that a secret begins with.
static BEGINNINGS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let tokens = TOKENS.iter().map(|token| regex::escape(token.begins));
    let all: Vec<String> = tokens.chain([PEM.to_owned()]).collect();
    Regex::new(&all.join("|")).ok()
});
const PEM: &str = "-----BEGIN ";

/// The first secret in a text.
pub(super) fn find(bytes: &[u8]) -> Option<Found> {
    let matches = BEGINNINGS.as_ref()?.find_iter(bytes);
    matches.into_iter().find_map(|found| {
        let kind = match found.as_bytes() {
            begins if begins == PEM.as_bytes() => private_key(bytes.get(found.end()..)?)?,
            begins => token(bytes, found.start(), begins)?,
        };
        Some((line_at(bytes, found.start()), kind))
    })
}

/// The first of these words that has a value behind it, in a file of settings.
pub(super) fn find_setting(bytes: &[u8], words: &[&str]) -> Option<u32> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let mut lines = lines.map(|(at, line)| (at, String::from_utf8_lossy(line).replace(" = ", "=")));
    let (at, _) = lines.find(|(_, line)| {
        let is_comment = line.trim_start().starts_with(['#', ';']);
        let value = words.iter().find_map(|word| Some(line.split_once(word)?.1.trim()));
        let value = value.map(|value| value.trim_matches(['"', '\'', ',']));
        !is_comment
            && value
                .is_some_and(|value| !value.is_empty() && !value.starts_with(['$', '<', '%', '{']))
    })?;
    Some(at as u32 + 1)
}

/// The line that a byte stands in.
pub(super) fn line_at(bytes: &[u8], at: usize) -> u32 {
    let before = bytes.get(..at).unwrap_or(bytes);
    memchr::memchr_iter(b'\n', before).count() as u32 + 1
}

fn token(bytes: &[u8], start: usize, begins: &[u8]) -> Option<&'static str> {
    let token = TOKENS.iter().find(|token| token.begins.as_bytes() == begins)?;
    // In the middle of a longer word it is a part of something else. A webhook stands in an address.
    let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    if is_url(before) || before == b'+' {
        return None;
    }
    let rest = bytes.get(start + begins.len()..)?;
    let length = (token.length)(rest)?;
    let text = rest.get(..length)?;
    let ends = rest.get(length).copied().unwrap_or(b' ');
    let is_example = text.windows(7).any(|window| window.eq_ignore_ascii_case(b"example"));
    (!is_url(ends) && !is_example && is_random(text)).then_some(token.kind)
}

/// Whether a text may be random: a placeholder repeats itself.
fn is_random(text: &[u8]) -> bool {
    let mut seen = [false; 256];
    text.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let distinct = seen.iter().filter(|seen| **seen).count();
    let in_order = text.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    distinct >= 8 && in_order * 3 < text.len()
}

/// The kind of private key whose heading goes on like this, if its data follows.
fn private_key(rest: &[u8]) -> Option<&'static str> {
    let heading = rest.get(..rest.len().min(40))?;
    let end = memchr::memmem::find(heading, b"-----")?;
    let kind = match heading.get(..end)? {
        b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" | b"DSA PRIVATE KEY" => {
            "a private key"
        }
        b"ENCRYPTED PRIVATE KEY" => "an encrypted private key",
        b"OPENSSH PRIVATE KEY" => "a private SSH key",
        b"PGP PRIVATE KEY BLOCK" => "a private key of PGP",
        _ => return None,
    };
    let rest = rest.get(end + 5..)?;
    let text = String::from_utf8_lossy(rest.get(..rest.len().min(1000))?)
        .replace("\\n", "\n")
        .replace("\\r", "");
    let lines = text
        .lines()
        .map(|line| line.trim_matches(|c: char| c.is_whitespace() || "\"',+()\\".contains(c)));
    // Headings such as `Proc-Type:` and an empty line may come first.
    let has_data = lines
        .take(8)
        .any(|line| line.len() >= 40 && line.bytes().all(is_base64) && is_random(line.as_bytes()));
    has_data.then_some(kind)
}

fn exactly(rest: &[u8], count: usize, is_part: fn(u8) -> bool) -> Option<usize> {
    let run = rest.iter().take_while(|byte| is_part(**byte)).count();
    (run == count).then_some(count)
}

fn at_least(rest: &[u8], count: usize, is_part: fn(u8) -> bool) -> Option<usize> {
    let run = rest.iter().take_while(|byte| is_part(**byte)).count();
    (run >= count).then_some(run)
}

/// Thirty letters and digits, and six that are their CRC-32 in base 62.
fn checked(rest: &[u8]) -> Option<usize> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    exactly(rest, 36, is_alphanumeric)?;
    let (random, sum) = rest.get(..36)?.split_at(30);
    let mut crc = flate2::Crc::new();
    crc.update(random);
    let mut left = crc.sum() as usize;
    let is_right = sum.iter().rev().all(|digit| {
        let expected = DIGITS.get(left % 62);
        left /= 62;
        expected == Some(digit)
    });
    is_right.then_some(36)
}

/// Letters and digits in parts of these lengths.
fn parts(rest: &[u8], divider: u8, lengths: &[usize]) -> Option<usize> {
    let mut at = 0;
    for (number, length) in lengths.iter().enumerate() {
        if number > 0 {
            (rest.get(at) == Some(&divider)).then_some(())?;
            at += 1;
        }
        let part = rest.get(at..at + length)?;
        part.iter()
            .all(|byte| is_alphanumeric(*byte) || divider != b'_' && is_url(*byte))
            .then_some(())?;
        at += length;
    }
    Some(at)
}

/// Two parts that begin with `T` and `B`, and one of this length.
fn parts_of(rest: &[u8], divider: u8, last: usize) -> Option<usize> {
    let mut found = rest.splitn(3, |byte| *byte == divider);
    let (team, bot, secret) = (found.next()?, found.next()?, found.next()?);
    let is_id = |id: &[u8], first| {
        id.first() == Some(&first)
            && (9..=12).contains(&id.len())
            && id.iter().all(|byte| is_alphanumeric(*byte))
    };
    exactly(secret, last, is_alphanumeric)?;
    (is_id(team, b'T') && is_id(bot, b'B')).then_some(team.len() + bot.len() + 2 + last)
}

/// `xoxb-2048371956-4190263857204-…`: a letter, numbers, and what is secret.
fn slack(rest: &[u8]) -> Option<usize> {
    let (kind, numbers) = rest.split_first()?;
    (b"abeoprs".contains(kind) && numbers.first() == Some(&b'-')).then_some(())?;
    let run = at_least(rest, 40, |byte| is_alphanumeric(byte) || byte == b'-')?;
    let mut parts = rest.get(2..run)?.split(|byte| *byte == b'-');
    let is_number =
        |part: &[u8]| (10..=13).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    let secret = parts.next_back()?;
    (parts.clone().count() > 0 && parts.all(is_number) && secret.len() >= 24).then_some(run)
}

/// 64 bytes in base 64, and not those of the storage emulator, which everybody has.
fn azure(rest: &[u8]) -> Option<usize> {
    let key = rest.get(..88)?;
    let is_key = key.ends_with(b"==") && key.iter().all(|byte| is_base64(*byte));
    (is_key && !key.starts_with(b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1")).then_some(88)
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_base32(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'2'..=b'7')
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters and digits that look random, and are the same each time.
    fn noise(alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let step =
            |at: usize| alphabet[(at * 7919 + at * at * 104_729 + 13) % 1_000_003 % alphabet.len()];
        (0..length).map(step).collect()
    }

    const ALL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const HEX: &str = "0123456789abcdef";

    /// A token with the right checksum.
    fn with_checksum(begins: &str) -> String {
        let random = noise(ALL, 30);
        let mut crc = flate2::Crc::new();
        crc.update(random.as_bytes());
        let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".as_bytes();
        let mut left = crc.sum() as usize;
        let mut sum: Vec<char> = (0..6)
            .map(|_| {
                let digit = char::from(digits[left % 62]);
                left /= 62;
                digit
            })
            .collect();
        sum.reverse();
        format!("{begins}{random}{}", sum.into_iter().collect::<String>())
    }

    fn real() -> Vec<(String, &'static str)> {
        let alnum = |begins: &str, length| format!("{begins}{}", noise(ALL, length));
        vec![
            (format!("AKIA{}", noise("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)), "AWS"),
            (with_checksum("ghp_"), "GitHub"),
            (with_checksum("npm_"), "npm"),
            (format!("github_pat_{}_{}", noise(ALL, 22), noise(ALL, 59)), "GitHub"),
            (alnum("glpat-", 20), "GitLab"),
            (alnum("pypi-AgEIcHlwaS5vcmc", 120), "PyPI"),
            (alnum("hf_", 34), "Hugging Face"),
            (alnum("sk_live_", 24), "Stripe"),
            (alnum("AIza", 35), "Google"),
            (alnum("sk-ant-api03-", 95), "Anthropic"),
            (alnum("sk-proj-", 48), "OpenAI"),
            (format!("SG.{}.{}", noise(ALL, 22), noise(ALL, 43)), "SendGrid"),
            (format!("xoxb-2048371956-4190263857204-{}", noise(ALL, 24)), "Slack"),
            (
                format!(
                    "https://hooks.slack.com/services/T{0}/B{0}/{1}",
                    noise("AZ59", 8),
                    noise(ALL, 24)
                ),
                "Slack",
            ),
            (format!("dop_v1_{}", noise(HEX, 64)), "DigitalOcean"),
            (format!("AccountKey={}==", noise(ALL, 86)), "Azure"),
            (format!("AGE-SECRET-KEY-1{}", noise("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)), "age"),
        ]
    }

    #[test]
    fn tokens_are_found_where_they_stand() {
        for (token, service) in real() {
            for text in [format!("a\nb = \"{token}\"\n"), format!("x\n{token}")] {
                let (line, kind) = find(text.as_bytes()).unwrap_or_else(|| panic!("{token}"));
                assert!(line == 2 && kind.contains(service), "{token} {kind}");
            }
        }
    }

    #[test]
    fn what_only_resembles_a_token_is_none() {
        for (token, _) in real() {
            let bytes = token.as_bytes();
            // Longer, shorter, in the middle of a word.
            let longer = format!("{token}Zz");
            let inner = format!("x{token}");
            let is_open =
                ["pypi-", "sk_live_", "sk-", "xox"].iter().any(|open| token.starts_with(open));
            if !is_open {
                assert_eq!(find(longer.as_bytes()), None, "{longer}");
                assert_eq!(find(&bytes[..bytes.len() - 1]), None, "{token}");
            }
            if !token.starts_with("http") {
                assert_eq!(find(inner.as_bytes()), None, "{inner}");
            }
        }
        for text in [
            concat!("AKIA", "IOSFODNN7EXAMPLE"),
            "AKIAXXXXXXXXXXXXXXXX",
            "AKIAABCDEFGHIJKLMNOP",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "ghp_0123456789012345678901234567890123456789",
            "hf_hub_download",
            "npm_config_registry",
            "SG.foo",
            "xoxb-your-token-here-and-more-and-more-and-more",
            "sk_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "glpat-xxxxxxxxxxxxxxxxxxxx",
            "AIzaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ] {
            assert_eq!(find(text.as_bytes()), None, "{text}");
        }
        // A checksum that is wrong.
        let mut wrong = with_checksum("ghp_");
        wrong.replace_range(10..11, if &wrong[10..11] == "a" { "b" } else { "a" });
        assert_eq!(find(wrong.as_bytes()), None);
    }

    fn pem(kind: &str, between: &str) -> String {
        let (one, two) = (noise(ALL, 64), noise(ALL, 48));
        format!("-----BEGIN {kind}-----{between}{one}{between}{two}{between}-----END {kind}-----")
    }

    #[test]
    fn private_keys_are_found_however_they_are_written() {
        for (kind, said) in [
            ("PRIVATE KEY", "a private key"),
            ("RSA PRIVATE KEY", "a private key"),
            ("OPENSSH PRIVATE KEY", "a private SSH key"),
            ("ENCRYPTED PRIVATE KEY", "an encrypted private key"),
            ("PGP PRIVATE KEY BLOCK", "a private key of PGP"),
        ] {
            for between in ["\n", "\r\n", "\\n", "\n    ", "\\n\"\n  \"", "\n\n"] {
                let text = format!("# one\nkey = '{}'", pem(kind, between));
                assert_eq!(find(text.as_bytes()), Some((2, said)), "{text}");
            }
        }
        let headers = "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233\n\n";
        assert!(find(pem("RSA PRIVATE KEY", headers).as_bytes()).is_some());
    }

    #[test]
    fn words_about_keys_are_no_keys() {
        for text in [
            "-----BEGIN PRIVATE KEY-----",
            "if text.startswith('-----BEGIN RSA PRIVATE KEY-----'): raise ValueErrorBecauseThisIsNotAKeyAtAllReally",
            "-----BEGIN PRIVATE KEY-----\nMIIEvQ...\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
            &pem("CERTIFICATE", "\n"),
            &pem("PUBLIC KEY", "\n"),
        ] {
            assert_eq!(find(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn settings_have_values() {
        let words: &[&str] = &["_authToken=", "password="];
        let found = |text: &str| find_setting(text.as_bytes(), words);
        assert_eq!(found("registry=x\n//registry/:_authToken=abc\n"), Some(2));
        assert_eq!(found("[x]\npassword = hunter2\n"), Some(2));
        assert_eq!(found("_authToken=${NPM_TOKEN}\npassword=\n# password=x\n"), None);
    }
}
