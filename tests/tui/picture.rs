//! The picture of the screen in the documents, made of a drawn screen. `UPDATE=1 cargo test picture` makes it anew.

use super::looks::{WITH_FIX, drawn, go_to};
use super::samples::{settled, tell};
use crate::support::repository;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use secateur::tui::{Colors, Look, Message};
use std::fmt::Write;
use std::fs;

const COLUMN: usize = 8;
const LINE: usize = 18;

#[test]
fn the_picture_is_what_the_screen_shows() {
    let mut model = settled(110, 30);
    go_to(&mut model, WITH_FIX);
    tell(&mut model, Message::Accept);
    go_to(&mut model, WITH_FIX);
    let expected = svg(&drawn(&model, Look { colors: Colors::True, ascii: false }));
    let path = repository().join("docs/tui.svg");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "docs/tui.svg is out of date: run UPDATE=1 cargo test picture");
}

fn svg(buffer: &Buffer) -> String {
    let (width, height) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (right, bottom) = (width * COLUMN + 16, height * LINE + 16);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {right} {bottom}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#16181f\"/>\n\
         <g font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\" xml:space=\"preserve\">\n"
    );
    for y in 0..height {
        let mut x = 0;
        while x < width {
            let cell = &buffer[(x as u16, y as u16)];
            let is_alike = |at: &usize| same(cell, &buffer[(*at as u16, y as u16)]);
            let end = (x..width).take_while(is_alike).count() + x;
            let cells = (x..end).map(|at| buffer[(at as u16, y as u16)].symbol());
            run(&mut svg, cell, (x, y), cells.collect::<String>());
            x = end;
        }
    }
    svg + "</g>\n</svg>\n"
}

fn same(a: &Cell, b: &Cell) -> bool {
    (a.fg, a.bg, a.modifier) == (b.fg, b.bg, b.modifier)
}

fn run(svg: &mut String, cell: &Cell, (x, y): (usize, usize), text: String) {
    let is_reversed = cell.modifier.contains(Modifier::REVERSED);
    let (mut fg, mut bg) = (color(cell.fg, "#d0d4e0"), color(cell.bg, ""));
    if is_reversed {
        (fg, bg) = ("#16181f".to_owned(), fg);
    }
    let (left, top) = (8 + x * COLUMN, 8 + y * LINE);
    let width = text.chars().count() * COLUMN;
    if !bg.is_empty() {
        writeln!(
            svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{LINE}\" fill=\"{bg}\"/>"
        )
        .unwrap();
    }
    if text.trim().is_empty() {
        return;
    }
    let mut style = String::new();
    if cell.modifier.contains(Modifier::BOLD) {
        style += " font-weight=\"bold\"";
    }
    if cell.modifier.contains(Modifier::UNDERLINED) {
        style += " text-decoration=\"underline\"";
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let base = top + 13;
    writeln!(
        svg,
        "<text x=\"{left}\" y=\"{base}\" textLength=\"{width}\" fill=\"{fg}\"{style}>{text}</text>"
    )
    .unwrap();
}

fn color(color: Color, otherwise: &str) -> String {
    match color {
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => otherwise.to_owned(),
    }
}
