//! What was put is found again, by others too; what was damaged is not; what nobody asks for goes.

use super::*;
use crate::digest::Parts;
use std::fs;

fn key(name: &str) -> Digest {
    Parts::new("test").add(name).finish()
}

fn open(dir: &Path) -> Cache {
    Cache::open(dir, Duration::ZERO)
}

fn packs(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    let mut packs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    packs.sort();
    packs
}

fn put(dir: &Path, name: &str, value: &str) {
    let cache = open(dir);
    cache.put(key(name), &value);
    cache.save().unwrap();
}

fn get(cache: &Cache, name: &str) -> Option<String> {
    let found = cache.get(&key(name));
    assert_eq!(cache.has(&key(name)), found.is_some());
    found
}

#[test]
fn what_was_put_is_found_in_this_run_and_in_later_ones() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    assert_eq!(get(&cache, "a"), None);
    cache.put(key("a"), &"1");
    assert_eq!(get(&cache, "a").unwrap(), "1");
    cache.save().unwrap();
    cache.put(key("b"), &"2");
    cache.save().unwrap();
    cache.save().unwrap();
    assert_eq!(packs(dir.path()).len(), 2);
    let later = open(dir.path());
    assert_eq!([get(&later, "a").unwrap(), get(&later, "b").unwrap()], ["1", "2"]);
    put(dir.path(), "a", "3");
    assert_eq!(get(&open(dir.path()), "a").unwrap(), "3", "what was put last counts");
    assert_eq!(get(&Cache::default(), "a"), None);
}

#[test]
fn every_key_is_found_among_many_and_no_other() {
    for count in [0_u32, 1, 2, 7, 3000] {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(dir.path());
        let number = |number: u32| key(&number.to_string());
        (0..count).for_each(|at| cache.put(number(at), &at));
        // The first and the last that there can be.
        let ends = [Digest::from_bytes([0; 32]), Digest::from_bytes([255; 32])];
        ends.iter().filter(|_| count == 7).for_each(|end| cache.put(*end, &u32::MAX));
        cache.save().unwrap();
        let later = open(dir.path());
        assert!((0..count).all(|at| later.get(&number(at)) == Some(at)), "{count}");
        assert!(!(count..count + 3000).any(|at| later.has(&number(at))), "{count}");
        assert_eq!(ends.map(|end| later.has(&end)), [count == 7; 2]);
    }
}

/// Every byte of a pack counts, and none of them can turn a value into another.
#[test]
fn a_damaged_byte_costs_its_value_at_most() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "a", "one value");
    let pack = packs(dir.path()).remove(0);
    let whole = fs::read(&pack).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&pack, &bytes).unwrap();
        assert_eq!(get(&open(dir.path()), "a"), None, "byte {at}");
        fs::write(&pack, &whole[..at]).unwrap();
        assert_eq!(get(&open(dir.path()), "a"), None, "cut at {at}");
    }
    fs::write(&pack, &whole).unwrap();
    assert_eq!(get(&open(dir.path()), "a").unwrap(), "one value");
}

#[test]
fn packs_of_other_builds_are_not_read_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = [0_u8; 4];
    let foreign = pack::write(vec![(key("a"), 0, &bytes)], Digest::of(b"another build"));
    fs::write(dir.path().join("00000007-x.pack"), foreign).unwrap();
    fs::write(dir.path().join("00000009-x.pack"), "no pack").unwrap();
    fs::write(dir.path().join("note.txt"), "somebody else's").unwrap();
    assert!(!open(dir.path()).has(&key("a")));
    put(dir.path(), "b", "1");
    let names = packs(dir.path());
    let names: Vec<&str> =
        names.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert!(names.len() == 2 && names[0].starts_with("00000010-"), "{names:?}");
    assert_eq!(get(&open(dir.path()), "b").unwrap(), "1");
}

#[test]
fn what_nobody_asks_for_goes_when_packs_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "used", "1");
    put(dir.path(), "unused", "1");
    for run in 0..60 {
        let cache = open(dir.path());
        assert_eq!(get(&cache, "used").unwrap(), "1", "run {run}");
        cache.put(key(&format!("of run {run}")), &run);
        cache.save().unwrap();
        assert!(packs(dir.path()).len() <= 8);
    }
    let cache = open(dir.path());
    assert!(cache.has(&key("of run 59")));
    assert_eq!(["unused", "of run 1"].map(|name| cache.has(&key(name))), [false; 2]);
}

#[test]
fn a_run_that_reads_while_another_merges_finds_what_it_read() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "a", "1");
    let reader = open(dir.path());
    for run in 0..20 {
        put(dir.path(), &format!("of run {run}"), "2");
    }
    assert_eq!(get(&reader, "a").unwrap(), "1");
    reader.put(key("b"), &"3");
    reader.save().unwrap();
    assert_eq!(get(&open(dir.path()), "b").unwrap(), "3");
}
