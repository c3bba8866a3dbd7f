//! Answers of `secateur why`: chains of steps, and evidence. Writes only to the writer it is given.

use super::{Look, harmless};
use crate::graph::Why;
use annotate_snippets::renderer::Style;
use std::io::{self, Write};

/// Writes the answer for people.
pub fn why(answer: &Why, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", look.paint(Style::new().bold(), harmless(&answer.title)))?;
    for chain in &answer.chains {
        writeln!(out)?;
        let steps = chain.iter().enumerate().map(|(at, step)| {
            let arrow = if at == 0 { "" } else { "-> " };
            (format!("{arrow}{}", harmless(&step.text)), step.path.as_str(), step.line)
        });
        rows(&steps.collect::<Vec<_>>(), out)?;
    }
    if !answer.evidence.is_empty() {
        writeln!(out, "\nevidence:")?;
        let evidence = answer.evidence.iter();
        let evidence = evidence.map(|it| (harmless(&it.text), it.path.as_str(), it.line));
        rows(&evidence.collect::<Vec<_>>(), out)?;
    }
    Ok(())
}

/// Texts with their places, in two columns.
fn rows(rows: &[(String, &str, u32)], out: &mut dyn Write) -> io::Result<()> {
    let width = rows.iter().map(|(text, ..)| text.chars().count()).max().unwrap_or(0);
    for (text, path, line) in rows {
        writeln!(out, "  {text:width$}  {}:{line}", harmless(path))?;
    }
    Ok(())
}
