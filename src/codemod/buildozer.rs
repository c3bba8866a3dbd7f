//! A batch as a script for [buildozer](https://github.com/bazelbuild/buildtools/blob/main/buildozer/README.md), to be run
//! as `buildozer -f FILE` at the project root. Pure; touches nothing.
//!
//! A line is `command|command|target`. Whatever buildozer cannot do is a comment, which it ignores.

use crate::source::ProjectPath;
use std::collections::BTreeMap;

/// The names by which buildozer finds a build file. It is told others.
const KNOWN_NAMES: [&str; 3] = ["BUCK", "BUILD", "BUILD.bazel"];

/// A call of a rule in a build file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// The build file that the call stands in.
    pub build_file: ProjectPath,
    /// The value of its `name`.
    pub name: String,
}

/// What becomes of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// An element of a list goes.
    Remove {
        /// The attribute.
        attr: String,
        /// The label as it is written there.
        label: String,
    },
    /// An element of a list comes.
    Add {
        /// The attribute.
        attr: String,
        /// The label as it is to be written.
        label: String,
    },
    /// The whole rule goes.
    Delete,
    /// A change that buildozer cannot make.
    ByHand {
        /// What is to be done, as a sentence without a full stop.
        what: String,
        /// Why buildozer cannot: "the literal stands in defs.bzl:12", "a macro makes the target".
        why: String,
    },
}

/// The script for these changes; the same whatever their order. It ends in a line end, or is empty.
pub fn script(changes: &[(Rule, Change)]) -> String {
    let mut by_rule: BTreeMap<&Rule, Vec<&Change>> = BTreeMap::new();
    for (rule, change) in changes {
        by_rule.entry(rule).or_default().push(change);
    }
    let mut script = String::new();
    for (rule, mut changes) in by_rule {
        changes.sort();
        changes.dedup();
        for note in notes(rule, &changes) {
            script += &one_line(&format!("# {}: {note}", target(rule)));
            script.push('\n');
        }
        let commands = commands(rule, &changes);
        if !commands.is_empty() {
            script.extend([&commands.join("|"), "|", &target(rule), "\n"]);
        }
    }
    script
}

/// `remove deps //b:b //c:c`, `add deps //d:d`: one command for each attribute, removals first.
fn commands(rule: &Rule, changes: &[&Change]) -> Vec<String> {
    if !is_plain(&target(rule)) {
        return Vec::new();
    }
    if changes.contains(&&Change::Delete) {
        return vec!["delete".to_owned()];
    }
    let mut lists: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
    for change in changes {
        let (is_addition, attr, label) = match change {
            Change::Remove { attr, label } => (false, attr, label),
            Change::Add { attr, label } => (true, attr, label),
            Change::Delete | Change::ByHand { .. } => continue,
        };
        if is_plain(label) {
            lists.entry((is_addition, attr)).or_default().push(label);
        }
    }
    let command = |((is_addition, attr), labels): (_, Vec<&str>)| {
        let labels: Vec<String> = labels.into_iter().map(escaped).collect();
        format!("{} {attr} {}", if is_addition { "add" } else { "remove" }, labels.join(" "))
    };
    lists.into_iter().map(command).collect()
}

/// What is left to do by hand.
fn notes(rule: &Rule, changes: &[&Change]) -> Vec<String> {
    let why = "buildozer splits it";
    let note = |change: &&Change| match change {
        Change::ByHand { what, why } => Some(format!("{what}: {why}")),
        Change::Delete if !is_plain(&target(rule)) => Some(format!("delete it: {why}")),
        Change::Remove { attr, label } if !is_plain(label) || !is_plain(&target(rule)) => {
            Some(format!("remove {label} from {attr}: {why}"))
        }
        Change::Add { attr, label } if !is_plain(label) || !is_plain(&target(rule)) => {
            Some(format!("add {label} to {attr}: {why}"))
        }
        _ => None,
    };
    changes.iter().filter_map(note).collect()
}

/// Whether it goes onto a line of the script: nothing escapes a `|` or a line end.
fn is_plain(text: &str) -> bool {
    !text.contains(['|', '\n', '\r'])
}

/// Words end at a space without a backslash.
fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace(' ', "\\ ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `//pkg:name`, or `pkg/TARGETS:name` where buildozer has to be told the file.
fn target(rule: &Rule) -> String {
    let Rule { build_file, name } = rule;
    if KNOWN_NAMES.contains(&build_file.file_name()) {
        let dir = build_file.parent().unwrap_or_else(ProjectPath::root);
        format!("//{dir}:{name}")
    } else {
        format!("{build_file}:{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(build_file: &str, name: &str) -> Rule {
        Rule { build_file: ProjectPath::new(build_file), name: name.into() }
    }

    fn remove(label: &str) -> Change {
        Change::Remove { attr: "deps".into(), label: label.into() }
    }

    fn add(label: &str) -> Change {
        Change::Add { attr: "deps".into(), label: label.into() }
    }

    #[test]
    fn a_script_has_a_line_for_each_rule_in_any_order_of_changes() {
        let by_hand = Change::ByHand {
            what: "remove //x:x from deps".into(),
            why: "the literal stands in\ndefs.bzl:3".into(),
        };
        let mut changes = vec![
            (rule("b/TARGETS", "b"), remove(":c")),
            (rule("a/BUCK", "a"), add("//d:d")),
            (rule("a/BUCK", "a"), remove("//c:c")),
            (rule("a/BUCK", "a"), remove("//b:b")),
            (rule("a/BUCK", "a"), remove("//b:b")),
            (rule("a/BUCK", "gone"), remove("//b:b")),
            (rule("a/BUCK", "gone"), Change::Delete),
            (rule("BUCK", "top"), remove("//a:x y")),
            (rule("BUCK", "top"), by_hand),
            (rule("BUCK", "odd|name"), Change::Delete),
            (rule("z/BUCK", "z"), remove("//a:x|y")),
        ];
        let expected = script(&changes);
        insta::assert_snapshot!(expected, @r"
        # //:odd|name: delete it: buildozer splits it
        # //:top: remove //x:x from deps: the literal stands in defs.bzl:3
        remove deps //a:x\ y|//:top
        remove deps //b:b //c:c|add deps //d:d|//a:a
        delete|//a:gone
        remove deps :c|b/TARGETS:b
        # //z:z: remove //a:x|y from deps: buildozer splits it
        ");
        changes.reverse();
        assert_eq!(script(&changes), expected);
        assert_eq!(script(&[]), "");
    }
}
