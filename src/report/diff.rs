//! Changes of files as a unified diff, as `git diff` writes it. Writes only to the writer it is given.

use super::Look;
use crate::edits::FileChange;
use annotate_snippets::renderer::Style;
use similar::{ChangeTag, TextDiff};
use std::io::{self, Write};

const OLD: Style = anstyle(annotate_snippets::renderer::AnsiColor::Red);
const NEW: Style = anstyle(annotate_snippets::renderer::AnsiColor::Green);
const PLACE: Style = anstyle(annotate_snippets::renderer::AnsiColor::Cyan);

const fn anstyle(color: annotate_snippets::renderer::AnsiColor) -> Style {
    Style::new().fg_color(Some(annotate_snippets::renderer::Color::Ansi(color)))
}

/// Writes the changes, which must be sorted by path.
pub fn diff(changes: &[FileChange], look: Look, out: &mut dyn Write) -> io::Result<()> {
    for change in changes {
        file(change, look, out)?;
    }
    Ok(())
}

fn file(change: &FileChange, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let path = super::harmless(&change.path);
    writeln!(out, "diff --git a/{path} b/{path}")?;
    if change.after.is_none() {
        writeln!(out, "deleted file mode 100644")?;
    }
    let before = String::from_utf8_lossy(&change.before);
    let after = String::from_utf8_lossy(change.after.as_deref().unwrap_or_default());
    if before == after {
        return Ok(());
    }
    writeln!(out, "--- a/{path}")?;
    match change.after {
        Some(_) => writeln!(out, "+++ b/{path}")?,
        None => writeln!(out, "+++ /dev/null")?,
    }
    let diff = TextDiff::from_lines(&*before, &*after);
    for hunk in diff.unified_diff().iter_hunks() {
        writeln!(out, "{}", look.paint(PLACE, hunk.header()))?;
        for line in hunk.iter_changes() {
            let (sign, style) = match line.tag() {
                ChangeTag::Delete => ("-", Some(OLD)),
                ChangeTag::Insert => ("+", Some(NEW)),
                ChangeTag::Equal => (" ", None),
            };
            let text = line.value();
            let text = text.strip_suffix('\n').unwrap_or(text);
            match style {
                Some(style) => writeln!(out, "{}", look.paint(style, format!("{sign}{text}")))?,
                None => writeln!(out, "{sign}{text}")?,
            }
            if line.missing_newline() {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ProjectPath;

    #[test]
    fn lines_are_marked_as_git_marks_them() {
        let change = FileChange {
            path: ProjectPath::new("a/BUCK"),
            before: b"x\ny\nz".to_vec(),
            after: Some(b"x\nz".to_vec()),
        };
        let mut out = Vec::new();
        diff(&[change], Look::default(), &mut out).unwrap();
        let expected = "diff --git a/a/BUCK b/a/BUCK\n--- a/a/BUCK\n+++ b/a/BUCK\n@@ -1,3 +1,2 @@\n x\n-y\n z\n\\ No newline at end of file\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
