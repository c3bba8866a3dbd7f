//! Comments that steer this program or its kin: `@manual`, `secateur: keep`, `secateur: loads`. Pure functions; touches nothing.

use ruff_text_size::{TextRange, TextSize};

use super::decode::Source;
use super::facts::{Base, Directive, DirectiveKind, DynamicTarget, DynamicUse, Facts, Manual};

const MANUAL: &str = "@manual";
const SECATEUR: &str = "secateur:";

/// Whether `text` may hold comments that matter, so that most files need no look at their tokens.
pub(super) fn worth_a_look(text: &str) -> bool {
    let holds = |needle: &str| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
    holds(MANUAL)
        || holds(SECATEUR)
        || holds("# type:")
        || holds("#type:")
        || HIDING.iter().any(|word| holds(word))
}

/// Words by which exported trees hide code that is live where they come from.
const HIDING: [&str; 2] = ["@oss-disable", "@fb-only"];

/// The code that a comment hides: what stands behind `@oss-disable[…]:`.
pub(super) fn hidden_code(comment: &str) -> Option<&str> {
    let at = HIDING.iter().find_map(|word| Some(comment.find(word)? + word.len()))?;
    let rest = &comment[at..];
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    Some(rest.trim_start().trim_start_matches(':').trim())
}

/// The dotted part of a `# type:` comment, if this comment is one.
pub(super) fn type_comment(comment: &str) -> Option<&str> {
    let text = comment.strip_prefix('#')?.trim_start().strip_prefix("type:")?.trim();
    (!text.starts_with("ignore")).then_some(text)
}

/// Adds what the comment at `range` says.
pub(super) fn read_comment(source: &Source<'_>, range: TextRange, out: &mut Vec<Directive>) {
    let comment = source.slice(range);
    let line = source.lines.line(range.start().to_u32());
    let span = source.span(range);
    let mut add = |kind| out.push(Directive { kind, line, speaks_of: line, span });
    let malformed = || DirectiveKind::Malformed { text: comment.trim_end().into() };
    if let Some(rest) = after_word(comment, MANUAL) {
        let (label, clean) = manual_label(rest);
        add(DirectiveKind::Manual { label: label.map(Into::into) });
        if !clean {
            add(malformed());
        }
    }
    if let Some(rest) = after_word(comment, SECATEUR) {
        add(secateur(rest).unwrap_or_else(malformed));
    }
}

/// The text after `word`, which must stand free of other word characters.
fn after_word<'c>(comment: &'c str, word: &str) -> Option<&'c str> {
    let at = comment.find(word)?;
    let rest = comment.get(at + word.len()..)?;
    let free_before = comment.get(..at)?.ends_with([' ', '\t', '#', ',', ';', '(']);
    let next = rest.chars().next().filter(|_| !word.ends_with(':'));
    let free_after = !next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    (free_before && free_after).then_some(rest)
}

/// The label after `@manual`, and whether it is written as it should be. Other text is a reason.
fn manual_label(rest: &str) -> (Option<&str>, bool) {
    if let Some(label) = rest.trim_start().strip_prefix('=') {
        let written = label.split_whitespace().next().unwrap_or("");
        let label = written.trim_end_matches(['"', '\'', ',', ';']);
        let clean = label.len() == written.len() && !label.is_empty() && rest.starts_with('=');
        return ((!label.is_empty()).then_some(label), clean);
    }
    let first = rest.split_whitespace().next().unwrap_or("");
    let is_label = first.contains("//") && !first.contains("://");
    let label = first.trim_end_matches(['"', '\'', ',', ';']);
    (is_label.then_some(label), !is_label)
}

fn secateur(rest: &str) -> Option<DirectiveKind> {
    let rest = rest.split(" #").next()?.trim();
    if let Some(rest) = rest.strip_prefix("keep") {
        let (checks, reason) = match rest.strip_prefix('[') {
            Some(_) => bracketed(rest)?,
            None if rest.is_empty() || rest.starts_with(char::is_whitespace) => {
                (Vec::new(), rest.trim())
            }
            None => return None,
        };
        return Some(DirectiveKind::Keep { checks, reason: reason.into() });
    }
    let (patterns, reason) = bracketed(rest.strip_prefix("loads")?)?;
    let dotted = |pattern: &str| {
        super::modules::is_dotted_name(pattern.strip_suffix(".*").unwrap_or(pattern))
    };
    let well_formed = patterns.iter().all(|pattern| dotted(pattern));
    well_formed.then(|| DirectiveKind::Loads { patterns, reason: reason.into() })
}

/// Splits `[a, b] reason`; an empty list is malformed.
fn bracketed(text: &str) -> Option<(Vec<Box<str>>, &str)> {
    let (list, reason) = text.strip_prefix('[')?.split_once(']')?;
    let items: Vec<Box<str>> = list.split(',').map(|item| item.trim().into()).collect();
    let whole = items.iter().all(|item| !item.is_empty());
    whole.then(|| (items, reason.trim()))
}

/// Hands directives to the imports and dynamic loads that they speak of.
pub(super) fn attach(source: &Source<'_>, ranges: &[TextRange], facts: &mut Facts) {
    let mut directives = std::mem::take(&mut facts.directives);
    for directive in &mut directives {
        let target = ranges
            .iter()
            .find(|range| source.span(**range) == directive.span)
            .map_or(directive.line, |range| governed_line(source, *range));
        directive.speaks_of = target;
        match &directive.kind {
            DirectiveKind::Manual { label } => {
                attach_manual(source, directive.line, target, label.as_deref(), facts);
            }
            DirectiveKind::Loads { patterns, .. } => {
                bound_loads(source, [directive.line, target], patterns, &mut facts.dynamic);
            }
            DirectiveKind::Keep { .. } | DirectiveKind::Malformed { .. } => {}
        }
    }
    facts.directives = directives;
}

/// The line that a comment speaks of: its own, or the first one below it that is more than a comment.
fn governed_line(source: &Source<'_>, comment: TextRange) -> u32 {
    let own = source.lines.line(comment.start().to_u32());
    let start = source.lines.span_of_line(&source.text, own).start;
    let before = source.slice(TextRange::new(TextSize::new(start), comment.start()));
    if !before.trim_matches([' ', '\t', '\u{feff}', '\x0c']).is_empty() {
        return own;
    }
    let below = source.text.get(comment.end().to_usize()..).unwrap_or("").lines().skip(1);
    let comments = below.take_while(|line| line.trim_start().starts_with('#')).count();
    own + comments as u32 + 1
}

fn attach_manual(
    source: &Source<'_>,
    own: u32,
    target: u32,
    label: Option<&str>,
    facts: &mut Facts,
) {
    for import in &mut facts.imports {
        let last = import.line + newlines_within(source, import.span);
        let governs = (import.line..=last).contains(&own) || import.line == target;
        let labelled = import.manual.as_ref().is_some_and(|manual| manual.label.is_some());
        if governs && !labelled {
            import.manual = Some(Manual { label: label.map(Into::into), line: own });
        }
    }
}

/// Spans count original bytes, lines do not care: only the text between the two ends matters.
fn newlines_within(source: &Source<'_>, span: crate::source::Span) -> u32 {
    let last = source.lines.line(source.decoded(span.end));
    last.saturating_sub(source.lines.line(source.decoded(span.start)))
}

fn bound_loads(
    source: &Source<'_>,
    lines: [u32; 2],
    patterns: &[Box<str>],
    uses: &mut Vec<DynamicUse>,
) {
    let governed = |load: &DynamicUse| {
        let last = load.line + newlines_within(source, load.span);
        let on = |line: u32| (load.line..=last).contains(&line);
        load.target == DynamicTarget::Unbounded && lines.into_iter().any(on)
    };
    if !uses.iter().any(governed) {
        return;
    }
    let bounded = |load: DynamicUse| {
        patterns.iter().map(move |pattern| DynamicUse { target: target(pattern), ..load.clone() })
    };
    let before = std::mem::take(uses);
    for load in before {
        if governed(&load) { uses.extend(bounded(load)) } else { uses.push(load) }
    }
}

fn target(pattern: &str) -> DynamicTarget {
    let base = Base::Absolute;
    match pattern.strip_suffix(".*") {
        Some(prefix) => DynamicTarget::Under { base, prefix: prefix.into() },
        None => DynamicTarget::Module { base, name: pattern.into() },
    }
}
