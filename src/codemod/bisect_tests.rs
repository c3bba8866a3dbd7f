//! Tests of the search for culprits: every arrangement of few fixes, and random ones of many.

use super::*;
use proptest::prelude::*;

type Sets = Vec<BTreeSet<usize>>;

/// Searches with an oracle that fails on every superset of one of `bad`; saves and resumes after each test.
fn run(needs: &[Vec<usize>], bad: &[BTreeSet<usize>]) -> (Verdict, usize) {
    let mut search = Bisection::new(needs.to_vec()).unwrap();
    loop {
        match search.step() {
            Step::Done(verdict) => return (verdict, search.tests().len()),
            Step::Test(fixes) => {
                let set: BTreeSet<usize> = fixes.iter().copied().collect();
                for fix in &set {
                    assert!(needs[*fix].iter().all(|need| set.contains(need)), "{fixes:?} is open");
                }
                assert!(search.tests().iter().all(|test| test.fixes != fixes), "tested twice");
                let fails = bad.iter().any(|bad| bad.is_subset(&set));
                let outcome = match (fails, fixes.len() % 3) {
                    (false, _) => Outcome::Pass,
                    (true, 0) => Outcome::Timeout,
                    (true, _) => Outcome::Fail,
                };
                search.record(&fixes, outcome, format!("log of {fixes:?}"));
                let saved = serde_json::to_string(&search).unwrap();
                assert_eq!(serde_json::from_str::<Bisection>(&saved).unwrap(), search);
                search = serde_json::from_str(&saved).unwrap();
            }
        }
    }
}

/// Whether `tests` is at most `2·k·log2(n) + k`.
fn is_within(tests: usize, k: usize, n: usize) -> bool {
    let [tests, k, n] = [tests, k, n].map(|number| f64::from(u32::try_from(number).unwrap()));
    tests <= 2.0 * k * n.log2() + k
}

/// What must hold of every verdict.
fn check(needs: &[Vec<usize>], bad: &[BTreeSet<usize>]) -> (Verdict, usize) {
    let (verdict, tests) = run(needs, bad);
    let kept: BTreeSet<usize> = verdict.kept.iter().copied().collect();
    assert!(!bad.iter().any(|bad| bad.is_subset(&kept)), "what is kept fails");
    let mut everywhere = verdict.kept.clone();
    everywhere.extend(&verdict.stranded);
    for Quarantined { fixes, test } in &verdict.quarantined {
        assert_ne!(test.outcome, Outcome::Pass);
        assert_eq!(test.log, format!("log of {:?}", test.fixes));
        everywhere.extend(fixes);
    }
    everywhere.sort_unstable();
    assert!(everywhere.into_iter().eq(0..needs.len()), "each fix is in one place");
    let n = needs.len();
    let k: usize = verdict.quarantined.iter().map(|set| set.fixes.len()).sum();
    assert!(is_within(tests - 1, k, n), "{tests} tests, {k} of {n}, {bad:?}");
    assert!(n < 6 || k == 0 || is_within(tests, k, n), "{tests} tests, {k} of {n}, {bad:?}");
    assert!(tests <= Bisection::new(needs.to_vec()).unwrap().most_tests(k));
    (verdict, tests)
}

fn sets(verdict: &Verdict) -> Sets {
    let mut sets: Sets =
        verdict.quarantined.iter().map(|set| set.fixes.iter().copied().collect()).collect();
    sets.sort();
    sets
}

fn free(fixes: usize) -> Vec<Vec<usize>> {
    vec![Vec::new(); fixes]
}

#[test]
fn without_culprits_one_test_is_enough_and_without_fixes_none() {
    assert_eq!(
        check(&free(100), &[]),
        (Verdict { kept: (0..100).collect(), ..Verdict::default() }, 1)
    );
    assert_eq!(run(&[], &[]), (Verdict::default(), 0));
}

#[test]
fn every_pair_of_culprit_sets_among_few_fixes() {
    for n in 1..=6_usize {
        let subsets: Sets = (1..1_usize << n)
            .map(|bits| (0..n).filter(|fix| (bits >> fix) & 1 == 1).collect())
            .collect();
        for a in &subsets {
            assert_eq!(sets(&check(&free(n), std::slice::from_ref(a)).0), std::slice::from_ref(a));
            for b in &subsets {
                let mut bad = vec![a.clone(), b.clone()];
                bad.sort();
                let (verdict, _) = check(&free(n), &bad);
                for found in sets(&verdict) {
                    assert!(bad.contains(&found), "{found:?} is no culprit set of {bad:?}");
                }
                if a.is_disjoint(b) {
                    assert_eq!(sets(&verdict), bad);
                }
            }
        }
    }
}

#[test]
fn what_needs_a_culprit_is_stranded_and_not_to_blame() {
    // 3 needs 1 and 0; 1 and 2 need each other.
    let needs = [vec![], vec![2], vec![1], vec![1, 0], vec![]];
    let (verdict, _) = check(&needs, &[BTreeSet::from([2])]);
    assert_eq!(sets(&verdict), [BTreeSet::from([1, 2])]);
    assert_eq!((verdict.kept, verdict.stranded), (vec![0, 4], vec![3]));
}

#[test]
fn a_culprit_does_not_drag_in_what_it_needs() {
    let needs = [vec![3], vec![], vec![], vec![]];
    let (verdict, _) = check(&needs, &[BTreeSet::from([0])]);
    assert_eq!((sets(&verdict), verdict.kept), (vec![BTreeSet::from([0])], vec![1, 2, 3]));
    assert_eq!(verdict.quarantined[0].test.fixes, [0, 3], "tested with what it needs");
}

#[test]
fn numbers_of_no_fix_are_refused() {
    assert!(Bisection::new(vec![vec![1]]).is_err());
    let damaged = r#"{"needs":[[0]],"tests":[{"fixes":[7],"outcome":"pass"}]}"#;
    let error = serde_json::from_str::<Bisection>(damaged).unwrap_err().to_string();
    assert!(error.contains("fix 7 is named, but there are 1 fixes"), "{error}");
}

/// Disjoint sets of one to three among `n` fixes.
fn disjoint(n: usize) -> impl Strategy<Value = Sets> {
    let order = Just((0..n).collect::<Vec<_>>()).prop_shuffle();
    (order, prop::collection::vec(1..=3_usize, 0..6)).prop_map(|(order, sizes)| {
        let mut order = order.into_iter();
        let sets = sizes.iter().map(|size| order.by_ref().take(*size).collect());
        let mut sets: Sets = sets.filter(|set: &BTreeSet<_>| !set.is_empty()).collect();
        sets.sort();
        sets
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn all_culprit_sets_are_found_within_the_bound(
        (n, bad) in (1..300_usize).prop_flat_map(|n| (Just(n), disjoint(n)))
    ) {
        prop_assert_eq!(sets(&check(&free(n), &bad).0), bad);
    }

    #[test]
    fn with_needs_and_overlapping_sets_the_rest_still_passes(
        (needs, bad) in (1..40_usize).prop_flat_map(|n| (
            prop::collection::vec(prop::collection::vec(0..n, 0..2), n),
            prop::collection::vec(prop::collection::btree_set(0..n, 1..4), 0..5),
        ))
    ) {
        check(&needs, &bad);
    }

    #[test]
    fn an_oracle_that_keeps_no_rule_ends_all_the_same(
        n in 1..30_usize,
        answers in prop::collection::vec(any::<bool>(), 2000),
    ) {
        let mut search = Bisection::new(free(n)).unwrap();
        let mut answers = answers.into_iter();
        let verdict = loop {
            match search.step() {
                Step::Done(verdict) => break verdict,
                Step::Test(fixes) => {
                    let outcome = if answers.next().unwrap() { Outcome::Pass } else { Outcome::Fail };
                    search.record(&fixes, outcome, String::new());
                }
            }
        };
        let test = |fixes: &[usize]| search.tests().iter().find(|test| test.fixes == fixes).unwrap().outcome;
        prop_assert!(verdict.kept.is_empty() || test(&verdict.kept) == Outcome::Pass);
        for set in &verdict.quarantined {
            prop_assert!(set.test.outcome == Outcome::Fail);
        }
    }
}
