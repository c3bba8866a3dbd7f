//! Tests of stopping: at every step, what is left is a tree or one that the next run completes.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const OTHER: &[(&str, What<'_>)] = &[
    ("app", Text("a file now")),
    ("copy.txt", Text("changed")),
    ("empty/no/more", Text("x")),
    ("run", Link("copy.txt")),
];

/// Does the first steps, and nothing after them: as if the process had died.
fn dying_after(steps: usize) -> (Options, Arc<AtomicUsize>) {
    let done = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&done);
    let faults = Faults::new(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        before if before < steps => Ok(()),
        _ => Err(Errno::IO),
    });
    (Options { faults, ..options() }, done)
}

#[test]
fn whoever_stops_leaves_the_old_tree_or_the_new_one() {
    for is_slow in [false, true] {
        let bench = Bench::new();
        let (one, two) = (bench.tree(SAMPLE), bench.tree(OTHER));
        let slow = if is_slow { answer(Point::Exchange, Errno::INVAL) } else { options() };
        for steps in 0.. {
            bench.whole(one, &slow).unwrap();
            let (mut dying, done) = dying_after(steps);
            if is_slow {
                let (first, second) = (dying.faults.clone(), slow.faults.clone());
                dying.faults = Faults::new(move |point| first.at(point).and(second.at(point)));
            }
            let result = bench.whole(two, &dying);
            if done.load(Ordering::SeqCst) <= steps {
                result.unwrap();
                assert!(steps > 10, "{steps}");
                break;
            }
            if bench.dest().exists() {
                let found = snapshot(&bench.dest());
                assert!(found == expected(SAMPLE) || found == expected(OTHER), "after {steps}");
            } else {
                assert!(is_slow, "after {steps}");
            }
            // The next run knows which it is, and cleans up.
            let placed = bench.update(two, &options()).unwrap();
            assert!(placed.previous_root.is_some(), "after {steps}");
            assert_eq!(snapshot(&bench.dest()), expected(OTHER), "after {steps}");
            bench.assert_clean();
        }
    }
}

#[test]
fn the_next_update_completes_what_was_begun() {
    let bench = Bench::new();
    let (one, two) = (bench.tree(SAMPLE), bench.tree(OTHER));
    for method in [Method::Hardlink, Method::Copy] {
        for steps in 0.. {
            let forced = Options { force: true, ..by(method) };
            bench.whole(one, &forced).unwrap();
            fs::write(bench.dest().join("mine"), "x").unwrap();
            let (dying, done) = dying_after(steps);
            let result = bench.update(two, &Options { method, ..dying });
            if done.load(Ordering::SeqCst) <= steps {
                result.unwrap();
                assert!(steps > 10, "{steps}");
                break;
            }
            let next = if steps % 2 == 0 { (two, OTHER) } else { (one, SAMPLE) };
            bench.update(next.0, &by(method)).unwrap();
            fs::remove_file(bench.dest().join("mine")).unwrap();
            bench.update(next.0, &Options { check: true, ..by(method) }).unwrap();
            assert_eq!(snapshot(&bench.dest()), expected(next.1), "after {steps}");
            bench.assert_clean();
        }
    }
}

#[test]
fn a_full_disk_leaves_the_tree_as_it_was() {
    let bench = Bench::new();
    let (one, two) = (bench.tree(SAMPLE), bench.tree(OTHER));
    bench.whole(one, &options()).unwrap();
    for point in [Point::Create, Point::Directory] {
        let mut full = answer(point, Errno::NOSPC);
        full.method = Method::Copy;
        let error = bench.whole(two, &full).unwrap_err();
        assert!(error.to_string().contains("No space left"), "{error}");
        assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
        bench.assert_clean();
    }
    let mut full = answer(Point::Create, Errno::NOSPC);
    full.method = Method::Copy;
    bench.update(two, &full).unwrap_err();
    assert_eq!(snapshot(&bench.dest()), expected(SAMPLE));
    assert_eq!(bench.update(one, &options()).unwrap().files, 0);
}

#[test]
fn what_a_dead_run_left_behind_is_removed() {
    let bench = Bench::new();
    let root = bench.tree(SAMPLE);
    let (dying, _) = dying_after(5);
    bench.whole(root, &dying).unwrap_err();
    let left = fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let left = left.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".caf-"));
    let left: Vec<PathBuf> = left.collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].metadata().unwrap().mode() & 0o777, 0o700);
    bench.update(root, &options()).unwrap();
    bench.assert_clean();
}
