//! How a label is written in a file, and where in a list it goes. Pure functions.

use crate::buck;
use crate::label::Label;
use crate::workspace::Cells;

/// Writes `label` as a file of `package` would: `:name` within the package, else with or without the cell as its other
/// labels are.
pub(super) fn spell(
    label: &Label,
    package: &crate::label::PackageId,
    neighbours: &[&str],
    cells: &Cells,
) -> String {
    let (cell, path, name) = (&label.package.cell, &label.package.path, &label.name);
    // buildifier's form in Bazel, where `//a/b` has always meant `//a/b:b`.
    let is_shorter = cells.is_bazel() && path.rsplit('/').next() == Some(&**name);
    let short = if is_shorter { format!("//{path}") } else { format!("//{path}:{name}") };
    let long = format!("{cell}//{path}:{name}");
    let absolute: Vec<&&str> = neighbours.iter().filter(|text| text.contains("//")).collect();
    let with_cell = absolute.iter().filter(|text| !text.starts_with("//")).count();
    let prefers_cell = with_cell * 2 > absolute.len();
    let relative = label.package == *package;
    let candidates = match (relative, prefers_cell) {
        (true, _) => vec![format!(":{name}"), short, long],
        (false, true) => vec![long, short],
        (false, false) => vec![short, long],
    };
    let means = |text: &String| {
        buck::parse_label(text, package, cells).is_some_and(|written| written.label == *label)
    };
    candidates.iter().find(|text| means(text)).unwrap_or(&candidates[candidates.len() - 1]).clone()
}

/// The position before which a new label goes: where a sorted list stays sorted, else at the end (`None`).
pub(super) fn position(texts: &[Option<&str>], new: &str) -> Option<usize> {
    let keys: Option<Vec<_>> = texts.iter().map(|text| text.map(buildifier_key)).collect();
    let (keys, key) = (keys?, buildifier_key(new));
    keys.is_sorted().then(|| keys.iter().position(|other| *other > key))?
}

/// buildifier's order of labels: by phase (other strings, `:relative`, `//absolute`, `@cell`), then part by part
/// (`tables.go` and `sort.go` of its `build` package).
fn buildifier_key(text: &str) -> (u8, Vec<&str>) {
    let phase = match text {
        _ if text.starts_with(':') => 1,
        _ if text.starts_with("//") => 2,
        _ if text.starts_with('@') => 3,
        _ if text.contains("//") => 3,
        _ => 0,
    };
    (phase, text.split([':', '.', '/']).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sorted_list_stays_sorted_and_another_grows_at_the_end() {
        let sorted = [Some(":b"), Some("//a:c"), Some("//b:a")];
        assert_eq!(position(&sorted, ":a"), Some(0));
        assert_eq!(position(&sorted, "//a:d"), Some(2));
        assert_eq!(position(&sorted, "//c:d"), None);
        assert_eq!(position(&[Some("//b:a"), Some(":b")], ":a"), None);
        assert_eq!(position(&[Some(":b"), None], ":a"), None);
    }
}
