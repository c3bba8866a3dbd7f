//! A batch as a script for [buildozer](https://github.com/bazelbuild/buildtools/blob/main/buildozer/README.md), to be run
//! as its first line says. Pure; touches nothing.
//!
//! A line is `command|command|target`. Whatever buildozer cannot do is a comment, which it ignores.

use crate::source::ProjectPath;
use std::collections::BTreeMap;

/// The names by which buildozer finds a build file. It is told others.
const KNOWN_NAMES: [&str; 3] = ["BUCK", "BUILD", "BUILD.bazel"];

/// buildozer writes `//a/b:b` as `//a/b` unless it is told not to, which Buck2 does not take for a label.
const HEADER: &str = "# At the project root: buildozer -shorten_labels=false -f FILE\n";

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
    /// An element that is the same label as one that goes, written in another way. It stays.
    Keep {
        /// The attribute.
        attr: String,
        /// The label as it is written there.
        label: String,
    },
    /// The whole rule goes.
    Delete,
    /// Symbols go that the file loads and does not use.
    UnusedLoads,
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
    let mut script = String::from(if changes.is_empty() { "" } else { HEADER });
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
    let goes = |attr: &String, label: &String| {
        changes.contains(&&Change::Remove { attr: attr.clone(), label: label.clone() })
    };
    let mut lists: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
    for change in changes {
        let (is_addition, attr, label) = match change {
            Change::Remove { attr, label } => (false, attr, label),
            Change::Add { attr, label } => (true, attr, label),
            // It goes with the other one, and comes back.
            Change::Keep { attr, label } if !goes(attr, label) => (true, attr, label),
            _ => continue,
        };
        if is_plain(label) {
            lists.entry((is_addition, attr)).or_default().push(label);
        }
    }
    let command = |((is_addition, attr), labels): (_, Vec<&str>)| {
        let labels: Vec<String> = labels.into_iter().map(escaped).collect();
        format!("{} {attr} {}", if is_addition { "add" } else { "remove" }, labels.join(" "))
    };
    let loads = changes.contains(&&Change::UnusedLoads).then(|| "fix unusedLoads".to_owned());
    lists.into_iter().map(command).chain(loads).collect()
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
            (rule("z/BUCK", "twice"), remove("//z:x")),
            (rule("z/BUCK", "twice"), Change::Keep { attr: "deps".into(), label: ":x".into() }),
            (rule("z/BUCK", "never"), remove("//z:x")),
            (rule("z/BUCK", "never"), Change::Keep { attr: "deps".into(), label: ":x".into() }),
            (rule("z/BUCK", "never"), remove(":x")),
            (rule("z/BUCK", "never"), Change::Keep { attr: "deps".into(), label: "//z:x".into() }),
            (rule("z/BUCK", "__pkg__"), Change::UnusedLoads),
        ];
        let expected = script(&changes);
        insta::assert_snapshot!(expected, @r"
        # At the project root: buildozer -shorten_labels=false -f FILE
        # //:odd|name: delete it: buildozer splits it
        # //:top: remove //x:x from deps: the literal stands in defs.bzl:3
        remove deps //a:x\ y|//:top
        remove deps //b:b //c:c|add deps //d:d|//a:a
        delete|//a:gone
        remove deps :c|b/TARGETS:b
        fix unusedLoads|//z:__pkg__
        remove deps //z:x :x|//z:never
        remove deps //z:x|add deps :x|//z:twice
        # //z:z: remove //a:x|y from deps: buildozer splits it
        ");
        changes.reverse();
        assert_eq!(script(&changes), expected);
        assert_eq!(script(&[]), "");
    }
}
