//! Who needs what a finding is about, and the evidence. Pure.

use super::detail::{confidence, evidence, fact, paragraph};
use super::theme::Look;
use super::{plain, shortened, wrapped};
use crate::tui::model::Model;
use crate::tui::why::Chains;
use ratatui::text::{Line, Span};

pub(super) fn lines(model: &Model, look: Look, width: u16) -> Vec<Line<'static>> {
    let Some(item) = model.item() else {
        let text = "A group has no chain of its own: open it and go to one of its findings.";
        return paragraph(text, look.dim(), width);
    };
    let finding = &item.finding;
    let mut lines = paragraph(&finding.message, look.strong(), width);
    lines.push(Line::default());
    lines.push(Line::styled("who needs it", look.strong()));
    match model.chains.as_ref().filter(|chains| chains.fingerprint == item.fingerprint) {
        Some(chains) => lines.extend(of_chains(model, chains, look, width)),
        None => {
            let text = "The chains are here once everything is read.";
            lines.extend(paragraph(text, look.dim(), width));
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled("evidence", look.strong()));
    lines.extend(fact("confidence", &confidence(finding), look, width));
    if finding.evidence.is_empty() {
        lines.extend(paragraph("Nothing but what is said above.", look.dim(), width));
    }
    finding.evidence.iter().for_each(|it| lines.extend(evidence(model, it, look, width)));
    lines
}

fn of_chains(model: &Model, chains: &Chains, look: Look, width: u16) -> Vec<Line<'static>> {
    let mut lines = paragraph(&chains.title, ratatui::style::Style::new(), width);
    let count = chains.chains.len();
    let Some(chain) = chains.chains.get(model.chain) else { return lines };
    lines.push(Line::default());
    let total = count + chains.more;
    let keys = if count > 1 { "   } next, { previous" } else { "" };
    let kept = if chains.more > 0 { format!(", the first {count} shown") } else { String::new() };
    let heading = format!("chain {} of {total}{kept}{keys}", model.chain + 1);
    lines.extend(paragraph(&heading, look.dim(), width));
    for (row, step) in chain.iter().enumerate() {
        let lead = if row == 0 { "" } else { look.sign("└ ", "` ") };
        let room = usize::from(width).saturating_sub(super::columns_of(lead));
        let is_end = row + 1 == chain.len();
        let style = if row == 0 || is_end { look.name() } else { ratatui::style::Style::new() };
        lines.push(Line::from(vec![
            Span::styled(lead, look.dim()),
            Span::styled(shortened(&plain(&step.name), room, look), style),
        ]));
        let place = step.place.as_ref().map(|(path, line)| format!("{path}:{line}"));
        let place = plain(&place.unwrap_or_default());
        let text = match (step.how.as_str(), is_end) {
            ("", true) => format!("defined at {place}"),
            (how, _) => format!("{how} at {place}"),
        };
        if !place.is_empty() {
            let rows = wrapped(&text, width.saturating_sub(4)).into_iter();
            lines.extend(rows.map(|row| Line::styled(format!("    {row}"), look.dim())));
        }
    }
    lines
}
