//! The same input gives the same bytes, however many threads read it.

use crate::support::{repository, secateur};

#[test]
fn output_is_the_same_at_any_number_of_threads() {
    let sample = repository().join("sample-repos/ml-monorepo");
    for command in ["lint --format json", "lint", "graph --of targets", "graph --of modules"] {
        let one = secateur(&sample, &format!("-j 1 {command}"));
        assert!(!one.out.is_empty(), "{command}: {}", one.err);
        for threads in [2, 3, 8] {
            let many = secateur(&sample, &format!("-j {threads} {command}"));
            assert_eq!(one.out, many.out, "{command} with {threads} threads");
        }
    }
}
