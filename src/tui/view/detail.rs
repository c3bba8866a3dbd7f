//! The finding at hand: what, where, what shows it, how sure it is; or what a group holds. Pure.

use super::theme::Look;
use super::tree::{choice_text, severity_style};
use super::{folded, plain, wrapped};
use crate::finding::{Change, Confidence, Evidence, Finding, Region, Saving};
use crate::source::ProjectPath;
use crate::tui::counted;
use crate::tui::item::{Item, Proof};
use crate::tui::model::Model;
use crate::tui::rows::RowId;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::collections::BTreeMap;

/// Lines of context above and below the place.
const CONTEXT: usize = 3;

pub(super) fn lines(model: &Model, look: Look, width: u16) -> Vec<Line<'static>> {
    match model.item() {
        Some(item) => of_item(model, item, look, width),
        None => of_group(model, look, width),
    }
}

fn of_item(model: &Model, item: &Item, look: Look, width: u16) -> Vec<Line<'static>> {
    let finding = &item.finding;
    let mut lines = Vec::new();
    let check = format!("{}[{}]", finding.severity.as_str(), finding.check.as_str());
    lines.push(Line::styled(check, severity_style(finding.severity, look)));
    lines.extend(paragraph(&finding.message, look.strong(), width));
    lines.push(Line::default());
    lines.extend(snippet(model, &finding.region, look, width));
    lines.push(Line::default());
    lines.extend(fact("confidence", &confidence(finding), look, width));
    lines.extend(fact("fix", &fix(model, item), look, width));
    if let Some(saving) = &item.saving {
        lines.extend(fact("saving", &saving_text(item, saving), look, width));
    }
    if let Some(hint) = &finding.hint {
        lines.extend(fact("help", hint, look, width));
    }
    lines.extend(fact("owner", &item.owner, look, width));
    lines.extend(fact("decision", &choice_text(model.choice(item)), look, width));
    let note = model.decisions.of(&item.fingerprint).map_or("", |decision| decision.note.as_str());
    if !note.is_empty() {
        lines.extend(fact("note", note, look, width));
    }
    if !finding.evidence.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("evidence", look.strong()));
        finding.evidence.iter().for_each(|it| lines.extend(evidence(model, it, look, width)));
    }
    lines
}

fn of_group(model: &Model, look: Look, width: u16) -> Vec<Line<'static>> {
    let Some(row) = model.row() else { return welcome(look, width) };
    let items = || row.items.iter().filter_map(|at| model.items.get(*at));
    let name = match &row.id {
        RowId::Group(path) => path.last(),
        RowId::Finding(_) => None,
    };
    let mut lines = paragraph(name.unwrap_or(&row.text), look.strong(), width);
    lines.push(Line::default());
    let mut checks: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for item in items() {
        let at = match item.finding.confidence {
            Confidence::Certain => 0,
            Confidence::Likely => 1,
            Confidence::Possible => 2,
        };
        checks.entry(item.finding.check.as_str()).or_default()[at] += 1;
    }
    let names = usize::from(width).clamp(40, 44) - 26;
    let heading = format!("{:names$}{:>9}{:>7}{:>9}", "", "certain", "likely", "possible");
    lines.push(Line::styled(heading, look.dim()));
    for (check, [certain, likely, possible]) in checks {
        let number = |count: usize| if count == 0 { String::new() } else { count.to_string() };
        let row = [certain, likely, possible].map(number);
        let check = super::shortened(check, names, look);
        let text = format!("{check:<names$}{:>9}{:>7}{:>9}", row[0], row[1], row[2]);
        lines.push(Line::raw(text));
    }
    lines.push(Line::default());
    let safe = items().filter(|item| item.is_safe() && item.is_fixable()).count();
    let by_hand = items().filter(|item| !item.is_fixable()).count();
    lines.extend(fact("safe fixes", &safe.to_string(), look, width));
    lines.extend(fact("by hand", &by_hand.to_string(), look, width));
    lines
}

fn welcome(look: Look, width: u16) -> Vec<Line<'static>> {
    let text = "Accepting writes nothing: `p` shows everything that was accepted as one diff, and writes it \
                only then. `?` shows all keys.";
    paragraph(text, look.dim(), width)
}

pub(super) fn confidence(finding: &Finding) -> String {
    let why = match finding.confidence {
        Confidence::Certain => "everything that could speak against it was read",
        Confidence::Likely => "something could not be told, but nothing speaks against it",
        Confidence::Possible => "worth a look",
    };
    format!("{}: {why}", finding.confidence.as_str())
}

fn fix(model: &Model, item: &Item) -> String {
    let same = |other: &&Item| item.edit.is_some() && other.edit == item.edit;
    let others = model.items.iter().filter(same).count().saturating_sub(1);
    let more = match others {
        0 => String::new(),
        others => format!("; the same edit settles {} more", counted(others, "finding")),
    };
    let Some(fix) = &item.finding.fix else { return "none: it has to be done by hand".to_owned() };
    let safety = fix.safety.as_str();
    match &item.proof {
        Proof::Open => format!("{safety}, not tried yet{more}"),
        Proof::Proven(changes) => {
            format!("{safety}, proven, in {}{more}", counted(changes.len(), "file"))
        }
        Proof::Refused(reason) => format!("has to be done by hand: {reason}"),
    }
}

/// What is saved; where the fix takes nothing away, why nothing is.
fn saving_text(item: &Item, saving: &Saving) -> String {
    let changes = item.finding.fix.iter().flat_map(|fix| &fix.changes);
    let (mut takes_away, mut adds) = (false, false);
    for change in changes {
        match change {
            Change::RemoveDep(_)
            | Change::ReplaceDep(..)
            | Change::DeleteTarget(_)
            | Change::DeleteFile(_) => takes_away = true,
            Change::AddDep(_) => adds = true,
            Change::RemoveSource(_)
            | Change::RemoveLoad(..)
            | Change::RemoveComment(..)
            | Change::AddKeep(_) => {}
        }
    }
    match (takes_away, adds, saving.entered) {
        (false, false, _) => "none: what is built stays the same".to_owned(),
        (false, true, 0) => "none: what is added is built already, by other ways".to_owned(),
        (false, true, entered) => format!("none: adds {} to closures", counted(entered, "target")),
        (true, ..) => saving.to_string(),
    }
}

/// A word and what it means here.
pub(super) fn fact(name: &str, text: &str, look: Look, width: u16) -> Vec<Line<'static>> {
    let rows = wrapped(&plain(text), width.saturating_sub(12));
    let first = rows.into_iter().enumerate().map(|(at, row)| {
        let name = if at == 0 { format!("{name:<12}") } else { " ".repeat(12) };
        Line::from(vec![Span::styled(name, look.dim()), Span::raw(row)])
    });
    first.collect()
}

pub(super) fn paragraph(text: &str, style: Style, width: u16) -> Vec<Line<'static>> {
    wrapped(&plain(text), width).into_iter().map(|line| Line::styled(line, style)).collect()
}

/// The lines around a place, with what is meant marked.
fn snippet(model: &Model, region: &Region, look: Look, width: u16) -> Vec<Line<'static>> {
    let place = format!("{}:{}", region.path, region.line);
    let mut lines = vec![Line::styled(place, look.name())];
    let Some(Some(text)) = model.texts.get(&region.path) else { return lines };
    let at = region.line as usize;
    let first = at.saturating_sub(CONTEXT).max(1);
    for (number, line) in text.lines().enumerate().skip(first - 1).take(CONTEXT + at - first + 1) {
        let is_it = number + 1 == at;
        let mut spans = vec![Span::styled(
            format!("{:>5} {} ", number + 1, look.sign("│", "|")),
            if is_it { look.careful() } else { look.dim() },
        )];
        if is_it && region.span.start != region.span.end {
            let start = byte(line, region.column);
            let end = if region.end_line > region.line {
                line.len()
            } else {
                byte(line, region.end_column)
            };
            let (before, rest) = line.split_at(start);
            let (meant, after) = rest.split_at(end.saturating_sub(start).min(rest.len()));
            spans.push(Span::raw(plain(before)));
            spans.push(Span::styled(plain(meant), look.marked()));
            spans.push(Span::raw(plain(after)));
        } else {
            spans.push(Span::raw(plain(line)));
        }
        lines.extend(folded(Line::from(spans), width));
    }
    lines
}

/// Where the character of a column begins.
fn byte(line: &str, column: u32) -> usize {
    let mut offsets = line.char_indices().map(|(at, _)| at);
    offsets.nth(column.saturating_sub(1) as usize).unwrap_or(line.len())
}

pub(super) fn evidence(
    model: &Model,
    evidence: &Evidence,
    look: Look,
    width: u16,
) -> Vec<Line<'static>> {
    let place = format!("{}:{}", evidence.path, evidence.line);
    let mut lines = vec![Line::styled(plain(&place), look.name())];
    lines.extend(
        wrapped(&plain(&evidence.text), width.saturating_sub(2))
            .into_iter()
            .map(|row| Line::raw(format!("  {row}"))),
    );
    let text = model.texts.get(&ProjectPath::new(evidence.path.as_str()));
    let line = text
        .and_then(Option::as_ref)
        .and_then(|text| text.lines().nth((evidence.line as usize).checked_sub(1)?).map(str::trim));
    // What is said of a whole file is not shown by its licence or its summary.
    let says = |line: &str| ["import ", "from ", "load("].iter().any(|it| line.starts_with(it));
    let is_shown = |line: &&str| !line.is_empty() && (evidence.line > 1 || says(line));
    if let Some(line) = line.filter(is_shown) {
        let bar = look.sign("│", "|");
        lines.push(Line::styled(format!("  {bar} {}", plain(line)), look.dim()));
    }
    lines
}
