//! Commands for a shell, with labels filled in. Pure; touches nothing.

use crate::codemod::Affected;
use crate::label::Label;

/// Linux takes no single argument of 128 KiB or more (`MAX_ARG_STRLEN`, execve(2)).
pub(super) const LONGEST_ARGUMENT: usize = 100_000;

/// The command with `{targets}`, `{rdeps}` and `{tests}` replaced by labels, quoted and with spaces between them.
pub(super) fn fill(command: &str, affected: &Affected) -> String {
    let Affected { targets, rdeps, tests } = affected;
    let mut filled = String::with_capacity(command.len());
    let mut rest = command;
    let places = [("{targets}", targets), ("{rdeps}", rdeps), ("{tests}", tests)];
    // From left to right, so that nothing is looked for in what was filled in.
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled += before;
        let place = places
            .iter()
            .find_map(|(name, labels)| from.strip_prefix(name).map(|after| (labels, after)));
        rest = match place {
            Some((labels, after)) => {
                filled += &list(labels);
                after
            }
            None => {
                filled.push('{');
                from.strip_prefix('{').unwrap_or_default()
            }
        };
    }
    filled + rest
}

fn list(labels: &[Label]) -> String {
    let quoted: Vec<String> = labels.iter().map(|label| quote(&label.to_string())).collect();
    quoted.join(" ")
}

/// A word as the shell reads it back, see "Quoting" in POSIX.1-2017, 2.2.
fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::PackageId;

    #[test]
    fn labels_are_filled_in_and_quoted() {
        let label = |name: &str| Label {
            package: PackageId { cell: "root".into(), path: "a/b".into() },
            name: name.into(),
        };
        let affected = Affected {
            targets: vec![label("x"), label("it's $HOME")],
            rdeps: vec![label("{tests}")],
            tests: Vec::new(),
        };
        let filled = fill("b {targets} ${x} {{rdeps}} [{tests}] {", &affected);
        let expected = r"b root//a/b:x 'root//a/b:it'\''s $HOME' ${x} {'root//a/b:{tests}'} [] {";
        assert_eq!(filled, expected);
    }
}
