//! What becomes of `.pyc` by what stands beside them; a real interpreter takes what comes out.

use super::*;
use crate::cas::pack::SourceFile;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

const SAMPLE: &[u8] = include_bytes!("fixtures/sample.py");
/// Checked by hash, and by the time 1700000000.
const HASHED: &[u8] = include_bytes!("fixtures/cpython-311-a.pyc");
const STAMPED: &[u8] = include_bytes!("fixtures/cpython-311-b.pyc");
const MTIME: u64 = 1_700_000_000;

fn entry(root: &Path, path: &str, bytes: &[u8], mtime: u64) -> SourceEntry {
    let origin = root.join(path);
    fs::create_dir_all(origin.parent().unwrap()).unwrap();
    fs::write(&origin, bytes).unwrap();
    let file = fs::File::options().write(true).open(&origin).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(mtime)).unwrap();
    let stat = FileStat::of(&file.metadata().unwrap());
    let node = SourceNode::File(SourceFile { origin, stat, is_executable: false, rewrite: None });
    SourceEntry { path: path.to_owned(), node }
}

fn file(entry: &SourceEntry) -> &SourceFile {
    let SourceNode::File(file) = &entry.node else { panic!("{entry:?}") };
    file
}

/// What is packed of the last of these files.
fn packed(files: &[(&str, &[u8], u64)]) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let mut entries: Vec<SourceEntry> =
        files.iter().map(|(path, bytes, mtime)| entry(dir.path(), path, bytes, *mtime)).collect();
    attach(&mut entries);
    let file = file(entries.last().unwrap());
    file.rewrite.as_ref().unwrap().apply(fs::read(&file.origin).unwrap()).unwrap()
}

fn is_unchecked(pyc: &[u8]) -> bool {
    pyc[4..8] == [1, 0, 0, 0]
}

const SOURCE: &str = "app/sample.py";
const CACHED: &str = "app/__pycache__/sample.cpython-311.pyc";

#[test]
fn what_agrees_becomes_unchecked_and_the_same() {
    let source = (SOURCE, SAMPLE, MTIME);
    let stamped = packed(&[source, (CACHED, STAMPED, 5)]).unwrap();
    let hashed = packed(&[source, (CACHED, HASHED, 5)]).unwrap();
    assert!(is_unchecked(&stamped));
    assert_eq!(stamped, hashed);
    // Unchecked already.
    assert_eq!(packed(&[source, (CACHED, &hashed, 5)]), Some(hashed.clone()));
    // A source that is made here has no time, but a hash.
    let made = SourceNode::Bytes { bytes: SAMPLE.to_vec(), is_executable: false };
    let dir = tempfile::tempdir().unwrap();
    let mut entries =
        vec![SourceEntry { path: SOURCE.into(), node: made }, entry(dir.path(), CACHED, HASHED, 5)];
    attach(&mut entries);
    let rewrite = file(&entries[1]).rewrite.clone().unwrap();
    assert_eq!(rewrite.apply(HASHED.to_vec()).unwrap(), Some(hashed));
    assert_eq!(rewrite.apply(STAMPED.to_vec()).unwrap(), None);
}

#[test]
fn what_is_stale_or_damaged_is_left_out() {
    let mut changed = SAMPLE.to_vec();
    changed[5] ^= 1;
    let unchecked = packed(&[(SOURCE, SAMPLE, MTIME), (CACHED, HASHED, 5)]).unwrap();
    let short = &HASHED[..HASHED.len() - 1];
    let pytest = "app/__pycache__/sample.cpython-311-pytest-7.4.0.pyc";
    for (source, cached, bytes) in [
        ((SOURCE, SAMPLE, MTIME + 1), CACHED, STAMPED),
        ((SOURCE, &SAMPLE[1..], MTIME), CACHED, STAMPED),
        ((SOURCE, &changed[..], MTIME), CACHED, HASHED),
        ((SOURCE, &changed[..], MTIME), CACHED, &unchecked),
        ((SOURCE, SAMPLE, MTIME), CACHED, &HASHED[..15]),
        ((SOURCE, SAMPLE, MTIME), CACHED, short),
        ((SOURCE, SAMPLE, MTIME), CACHED, b""),
        ((SOURCE, SAMPLE, MTIME), pytest, STAMPED),
        (("app/other.py", SAMPLE, MTIME), CACHED, STAMPED),
    ] {
        assert_eq!(packed(&[source, (cached, bytes, 5)]), None, "{} {cached}", source.0);
    }
}

#[test]
fn a_module_without_a_source_stays() {
    let module = packed(&[("app/sample.pyc", STAMPED, 5)]).unwrap();
    assert!(is_unchecked(&module));
    assert_eq!(module[8..16], [0; 8]);
    // Another name: the path in it is that of something else, which nobody repairs.
    let other = packed(&[("lib/sample.pyc", STAMPED, 5)]).unwrap();
    let name = b"checkout/app/sample.py";
    assert!(other.windows(name.len()).any(|window| window == name));
    assert!(!module.windows(name.len()).any(|window| window == name));
    let ancient = b"\x03\xf3\x0d\x0a....";
    assert_eq!(packed(&[("app/sample.pyc", ancient, 5)]), Some(ancient.to_vec()));
    assert_eq!(packed(&[(SOURCE, SAMPLE, MTIME), ("app/sample.pyc", ancient, 5)]), None);
}

#[test]
fn the_outcome_depends_on_the_source() {
    let dir = tempfile::tempdir().unwrap();
    let key = |mtime| {
        let source = entry(dir.path(), SOURCE, SAMPLE, mtime);
        let mut entries = vec![source, entry(dir.path(), CACHED, STAMPED, 5)];
        attach(&mut entries);
        file(&entries[1]).rewrite.as_ref().unwrap().key()
    };
    assert_ne!(key(MTIME), key(MTIME + 1));
}

#[test]
fn names_are_those_of_interpreters() {
    let place = |path| Place::of(path);
    let cached = |source: &str| Place { is_cached: true, source: Some(source.to_owned()) };
    assert_eq!(place("__pycache__/a.cpython-311.pyc"), cached("a.py"));
    assert_eq!(place("x/__pycache__/a.cpython-311.opt-2.pyc"), cached("x/a.py"));
    assert_eq!(place("x/__pycache__/a.pyc"), Place { is_cached: true, source: None });
    let beside = Place { is_cached: false, source: Some("x/a.py".to_owned()) };
    assert_eq!(place("x/a.pyc"), beside);
}

/// The interpreter of this machine, as `cli` starts it.
struct Real;

impl Python for Real {
    fn run(&mut self, script: &str, input: &[u8]) -> Result<Vec<u8>> {
        use std::io::Write;
        let mut child = Command::new("python3")
            .args(["-s", "-S", "-B", "-c", script])
            .env("PYTHONHASHSEED", "0")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        Ok(output.stdout)
    }
}

#[test]
fn a_real_interpreter_takes_what_is_compiled_and_packed() {
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "python3 is missing");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (root, scratch) = (dir.path().join("src"), dir.path().join("scratch"));
    let main = b"from app import sample\nprint(sample.Thing.method.__code__.co_filename)\n";
    let sources = vec![
        entry(&root, SOURCE, SAMPLE, MTIME),
        entry(&root, "app/main.py", main, MTIME),
        entry(&root, "app/broken.py", b"def (:\n", MTIME),
    ];
    let mut entries = sources.clone();
    let compiled = compile(&mut entries, &mut Real, &scratch).unwrap();
    let failed = vec!["app/broken.py".to_owned()];
    assert_eq!(compiled, Compiled { fitting: 0, made: 3, reused: 0, failed: failed.clone() });
    let again = compile(&mut sources.clone(), &mut Real, &scratch).unwrap();
    assert_eq!(again, Compiled { fitting: 0, made: 0, reused: 3, failed: failed.clone() });
    let fitting = compile(&mut entries.clone(), &mut Real, &scratch).unwrap();
    assert_eq!(fitting, Compiled { fitting: 2, made: 0, reused: 1, failed });

    attach(&mut entries);
    let placed = dir.path().join("placed");
    for entry in &entries {
        let source = file(entry);
        let bytes = fs::read(&source.origin).unwrap();
        let bytes = match &source.rewrite {
            Some(rewrite) => rewrite.apply(bytes).unwrap().unwrap(),
            None => bytes,
        };
        super::tests::entry(&placed, &entry.path, &bytes, 1);
    }
    let output = Command::new("python3")
        .args(["-S", "-B", "-v", "-c", "import app.main"])
        .current_dir(&placed)
        .env("PYTHONPATH", &placed)
        .output()
        .unwrap();
    let (out, log) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    // The interpreter repairs the name of the source, takes the bytecode, and asks no source for it.
    assert_eq!(out.trim(), placed.join(SOURCE).to_str().unwrap(), "{log}");
    assert_eq!(log.matches("code object from").count(), log.matches(".pyc'").count(), "{log}");
    assert!(log.contains("app/__pycache__/sample"), "{log}");
    assert!(!log.contains("stale"), "{log}");
}
