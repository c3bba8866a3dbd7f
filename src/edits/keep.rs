//! Findings that somebody wants to leave as they are: where the comment that says so goes, and what it may say. Writes
//! nothing.

use super::prove::Prover;
use crate::finding::{Change, CheckId, Finding, Keep, Region};
use crate::source::{LineIndex, ProjectPath, Span};

/// Words that are read wherever a comment of a build file has them. Without their sign they are words like others.
const READ_ANYWHERE: &[&str] =
    &["@noautodeps", "@no-autodeps", "@autodeps-skip", "@manual", "@oss-disable", "@fb-only"];

impl Prover<'_> {
    /// The changes that silence findings, each proven: a comment `# secateur: keep[check] reason` comes, and the graph stays.
    /// `chosen` are positions in `findings`, all that is found, with reasons.
    ///
    /// What cannot be told apart is silenced together: findings of one literal, and those of one check about one call and
    /// one dependency. A comment that would silence anything else that is not chosen is refused, as is one that nobody
    /// would read; then the error says why.
    pub fn keeps(
        &self,
        findings: &[Finding],
        chosen: &[(usize, &str)],
    ) -> Vec<Result<Change, String>> {
        let keep = |(at, reason): &(usize, &str)| {
            let finding = findings.get(*at).ok_or("there is no such finding")?;
            let others = findings.iter().enumerate().filter(|(other, finding_there)| {
                !chosen.iter().any(|(at, _)| at == other) && is_beside(finding, finding_there)
            });
            let others: Vec<&Finding> = others.map(|(_, other)| other).collect();
            let change = Change::AddKeep(self.keep(finding, &others, reason)?);
            self.propose([&change])?;
            Ok(change)
        };
        chosen.iter().map(keep).collect()
    }

    fn keep(&self, finding: &Finding, others: &[&Finding], reason: &str) -> Result<Keep, String> {
        let path = &finding.region.path;
        let reason = one_line(reason);
        if reason.is_empty() {
            return Err("a reason is missing".to_owned());
        }
        if path.as_str().ends_with(".ipynb") {
            return Err(format!("`{path}` is a notebook, and has no lines for comments"));
        }
        let at = self.place(finding)?;
        let is_literal = at.is_some_and(|at| self.is_literal(path, at));
        let is_one = |other: &&&Finding| {
            other.region == finding.region
                && (is_literal || (&other.dep, about(other)) == (&finding.dep, about(finding)))
        };
        let apart = others.len() > others.iter().filter(is_one).count();
        if apart && !is_literal {
            let line = finding.region.line;
            let check = finding.check.as_str();
            return Err(format!(
                "a comment at `{path}:{line}` would silence another `{check}` too: keep both, or neither"
            ));
        }
        Ok(Keep { path: path.clone(), at, apart, check: finding.check, reason: reason.into() })
    }

    /// The bytes that a finding is about; `None` for a Python file as a whole.
    fn place(&self, finding: &Finding) -> Result<Option<Span>, String> {
        let Region { path, line, span, .. } = &finding.region;
        if finding.check.is_about_file() {
            return Ok(None);
        }
        if *span != Span::default() {
            return Ok(Some(*span));
        }
        let bytes = self.workspace.files.read(path).map_err(|e| format!("`{path}`: {e}"))?;
        let text = String::from_utf8(bytes).map_err(|_| format!("`{path}` is not valid UTF-8"))?;
        let lines = LineIndex::new(&text);
        let there = lines.text_of_line(&text, *line).is_some();
        let span = there.then(|| lines.span_of_line(&text, *line));
        span.map(Some).ok_or_else(|| format!("`{path}` has no line {line}"))
    }

    /// Whether the bytes are a literal, or a symbol of a `load`: things that can be moved to lines of their own.
    fn is_literal(&self, path: &ProjectPath, at: Span) -> bool {
        self.graph.evaluation.file(path).is_some_and(|file| {
            let mut symbols = file.loads().iter().flat_map(|load| &load.symbols);
            file.literals().iter().any(|literal| literal.span == at)
                || symbols.any(|symbol| symbol.span == at)
        })
    }
}

/// What a finding without a dependency speaks of.
fn about(finding: &Finding) -> Option<&str> {
    finding.module.as_deref().filter(|_| finding.dep.is_none())
}

/// Whether a comment at one finding would silence the other.
fn is_beside(one: &Finding, other: &Finding) -> bool {
    let is_same_line = one.region.path == other.region.path && one.region.line == other.region.line;
    one.check == other.check && is_same_line && one.check != CheckId::StaleKeep
}

/// A reason as one line that nothing acts upon: no control characters, none that turn the order of others, and no word
/// that says something to a tool.
fn one_line(reason: &str) -> String {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain = reason.replace(is_odd, " ");
    let mut plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in READ_ANYWHERE {
        while let Some(at) = plain.to_ascii_lowercase().find(word) {
            plain.remove(at);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_harmless_line() {
        assert_eq!(one_line("  a\r\n\tb\u{1b}[2J \u{202e}c  "), "a b [2J c");
        assert_eq!(
            one_line("they said @NoAutodeps, and @@manual"),
            "they said NoAutodeps, and manual"
        );
        assert_eq!(one_line(" \n "), "");
    }
}
