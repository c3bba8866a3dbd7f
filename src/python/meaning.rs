//! Whether two versions of a file say the same to the graph. Pure.

use super::Facts;
use serde_json::Value;

/// What says where something is, and not what it is.
const PLACES: &[&str] = &["span", "line", "lines"];

impl Facts {
    /// Whether findings can tell the two apart by anything but places. Lines may have moved.
    pub fn means_the_same(&self, other: &Self) -> bool {
        // What a comment is about depends on its line.
        let has_comments = !self.directives.is_empty() || !other.directives.is_empty();
        let is_whole = !self.incomplete && !other.incomplete;
        self == other || is_whole && !has_comments && meaning(self) == meaning(other)
    }
}

fn meaning(facts: &Facts) -> Option<Value> {
    let mut value = serde_json::to_value(facts).ok()?;
    drop_places(&mut value);
    Some(value)
}

fn drop_places(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !PLACES.contains(&name.as_str()));
            fields.values_mut().for_each(drop_places);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_places),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::python::{SourceKind, facts};
    use crate::source::ProjectPath;

    fn same(before: &str, after: &str) -> bool {
        let read =
            |text: &str| facts(&ProjectPath::new("a.py"), text.as_bytes(), SourceKind::Module);
        read(before).means_the_same(&read(after))
    }

    #[test]
    fn moved_lines_and_bodies_mean_the_same() {
        let before = "import a\n\ndef f():\n    return a.x\n";
        assert!(same(before, "\n\nimport a\n\ndef f():\n    y = 1\n    return a.x\n"));
        assert!(same(before, before));
        for after in [
            "import b\n\ndef f():\n    return b.x\n",
            "def f():\n    import a\n    return a.x\n",
            "import a\n\ndef f():\n    return a.x, \"pkg.other\"\n",
            "import a\n\ndef g():\n    return a.x\n",
            "import a\n\ndef f():\n    return (\n",
        ] {
            assert!(!same(before, after), "{after}");
        }
    }

    #[test]
    fn comments_that_steer_may_not_move() {
        let before = "import a  # @manual\nimport b\n";
        assert!(!same(before, "import a\nimport b  # @manual\n"));
    }
}
