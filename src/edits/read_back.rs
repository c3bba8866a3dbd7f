//! Comments that silence checks, read back: whether one speaks of what it is meant for, and nothing else in its file says
//! anything new. Pure functions of text.

use super::comment::{Comment, is_python};
use crate::buck::{self, SourceFile};
use crate::finding::CheckId;
use crate::python::{self, Directive, DirectiveKind, Facts, SourceKind};
use crate::source::{LineIndex, ProjectPath, Span};

/// Whether a text has a comment for the same checks that speaks of the same line.
pub(super) fn says(path: &ProjectPath, text: &str, comment: &Comment) -> bool {
    let Some(at) = comment.at.filter(|at| at.end as usize <= text.len()) else { return false };
    let meant = line_meant(text, &LineIndex::new(text), at);
    if is_python(path) {
        let facts = facts(path, text);
        return facts.directives.iter().any(|directive| match &directive.kind {
            DirectiveKind::Keep { checks, .. } => {
                directive.speaks_of == meant && names(comment, checks)
            }
            _ => false,
        });
    }
    let file = SourceFile::of(path, text);
    let mut keeps = file.directives().keeps.iter();
    keeps.any(|keep| keep.speaks_of == meant && names(comment, &keep.checks))
}

/// Whether the comment is what a text says more than it did before.
pub(super) fn is_read(path: &ProjectPath, [before, after]: [&str; 2], comment: &Comment) -> bool {
    if is_python(path) {
        is_read_in_python(path, [before, after], comment)
    } else {
        is_read_in_build_file(path, [before, after], comment)
    }
}

fn names(comment: &Comment, checks: &[Box<str>]) -> bool {
    let checks = checks.iter().map(|check| CheckId::parse(check));
    checks.eq(comment.checks.iter().copied().map(Some))
}

fn facts(path: &ProjectPath, text: &str) -> Facts {
    let is_stub = path.as_str().ends_with(".pyi");
    let kind = if is_stub { SourceKind::Stub } else { SourceKind::Module };
    python::facts(path, text.as_bytes(), kind)
}

/// The line that a comment beside or above an offset has to speak of: that of the offset, or below comments the first with code.
fn line_meant(text: &str, lines: &LineIndex, at: Span) -> u32 {
    let line = lines.line(at.start);
    let below = text.lines().skip(line as usize - 1);
    line + below.take_while(|line| line.trim_start().starts_with('#')).count() as u32
}

fn is_read_in_build_file(path: &ProjectPath, texts: [&str; 2], comment: &Comment) -> bool {
    let Some(at) = comment.at else { return false };
    let [old, new] = texts.map(|text| SourceFile::of(path, text));
    let meant = line_meant(new.text(), new.lines(), at);
    let is_ours = |keep: &buck::Keep| {
        keep.speaks_of == meant && names(comment, &keep.checks) && *keep.reason == *comment.reason
    };
    let (had, has) = (&old.directives().keeps, &new.directives().keeps);
    let says = |file: &SourceFile, keep: &buck::Keep| {
        let line = file.lines().text_of_line(file.text(), keep.speaks_of);
        let code = line.map(|line| code(line).to_owned());
        (keep.checks.clone(), keep.reason.clone(), code)
    };
    let others_stay = (0..has.len()).filter(|own| is_ours(&has[*own])).any(|own| {
        let rest = has.iter().enumerate().filter(|(at, _)| *at != own);
        rest.map(|(_, keep)| says(&new, keep)).eq(had.iter().map(|keep| says(&old, keep)))
    });
    has.len() == had.len() + 1
        && others_stay
        && tells(&old) == tells(&new)
        && old.literals().len() == new.literals().len()
        && old
            .literals()
            .iter()
            .zip(new.literals())
            .all(|(old, new)| old.text == new.text && old.manual == new.manual)
}

/// A line without what speaks of it.
fn code(line: &str) -> &str {
    line.split('#').next().unwrap_or("").trim().trim_end_matches(',')
}

/// What the comments of a build file say to other tools, with the code below those that speak of it.
fn tells(file: &SourceFile) -> (bool, Vec<String>, usize) {
    let directives = file.directives();
    let below = |at: &u32| {
        let line = file.lines().line(*at) + 1;
        file.lines().text_of_line(file.text(), line).unwrap_or("").trim().to_owned()
    };
    let skips = directives.skips.iter().map(below).collect();
    (directives.whole_file, skips, directives.conditional.len())
}

fn is_read_in_python(path: &ProjectPath, texts: [&str; 2], comment: &Comment) -> bool {
    let [old, new] = texts.map(|text| facts(path, text));
    let [(text_before, lines_before), (text, lines)] =
        texts.map(|text| (text, LineIndex::new(text)));
    let is_ours = |directive: &Directive| {
        let DirectiveKind::Keep { checks, .. } = &directive.kind else { return false };
        let is_there =
            comment.at.is_none_or(|at| line_meant(text, &lines, at) == directive.speaks_of);
        is_there && names(comment, checks)
    };
    let (had, has) = (&old.directives, &new.directives);
    let says = |lines: &LineIndex, text: &str, directive: &Directive| {
        let line = lines.text_of_line(text, directive.speaks_of);
        (directive.kind.clone(), line.map(|line| code(line).to_owned()))
    };
    let others_stay = (0..has.len()).filter(|own| is_ours(&has[*own])).any(|own| {
        let rest = has.iter().enumerate().filter(|(at, _)| *at != own);
        let rest = rest.map(|(_, directive)| says(&lines, text, directive));
        rest.eq(had.iter().map(|directive| says(&lines_before, text_before, directive)))
    });
    has.len() == had.len() + 1 && others_stay && says_the_same(&old, &new)
}

/// Whether facts are the same but for places and directives.
fn says_the_same(old: &Facts, new: &Facts) -> bool {
    let imports = |facts: &Facts| -> Vec<_> {
        let label =
            |import: &python::Import| import.manual.as_ref().map(|manual| manual.label.clone());
        facts.imports.iter().map(|import| (import.module.clone(), label(import))).collect()
    };
    let loads = |facts: &Facts| -> Vec<_> {
        facts.dynamic.iter().map(|load| load.target.clone()).collect()
    };
    let strings = |facts: &Facts| -> Vec<_> {
        facts.strings.iter().map(|string| string.text.clone()).collect()
    };
    let shape = |facts: &Facts| (facts.incomplete, facts.generated, facts.problems.len());
    imports(old) == imports(new)
        && loads(old) == loads(new)
        && strings(old) == strings(new)
        && old.bound == new.bound
        && shape(old) == shape(new)
}
