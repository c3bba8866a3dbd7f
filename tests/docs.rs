//! Documents that are made from the program. `UPDATE=1 cargo test docs` writes them anew.

use crate::support::{Outcome, repository, secateur};
use clap::{Command, CommandFactory, Parser};
use secateur::checks;
use secateur::cli::args::Arguments;
use secateur::finding::CheckId;
use std::fmt::Write;
use std::fs;

/// Compares a document with what it should be, or writes it.
fn check(path: &str, expected: &str) {
    let path = repository().join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is out of date: run UPDATE=1 cargo test docs", path.display());
}

#[test]
fn the_command_line_is_documented() {
    let mut program = Arguments::command().term_width(100);
    program.build();
    let mut text = String::from(
        "# Command line\n\nMade from the program's own help by `UPDATE=1 cargo test docs`.\n",
    );
    section(&mut text, "secateur", &mut program);
    let names: Vec<String> =
        program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        let command = program.find_subcommand_mut(name).unwrap();
        let mut command = command.clone().term_width(100);
        section(&mut text, &format!("secateur {name}"), &mut command);
    }
    check("docs/cli.md", &text);
}

fn section(text: &mut String, title: &str, command: &mut Command) {
    let help = command.render_long_help().to_string();
    let lines = help.trim_end().lines().map(|line| line.trim_end().to_owned() + "\n");
    write!(text, "\n## {title}\n\n```text\n{}```\n", lines.collect::<String>()).unwrap();
}

#[test]
fn the_checks_are_documented() {
    let mut text = String::from(
        "# Checks\n\nMade from the checks' own comments by `UPDATE=1 cargo test docs`; `secateur explain` shows the same.\n\n\
         | check | severity | finds |\n|---|---|---|\n",
    );
    for check in CheckId::ALL {
        let (name, severity) = (check.as_str(), check.default_severity().as_str());
        writeln!(text, "| [`{name}`](#{name}) | {severity} | {} |", check.summary()).unwrap();
    }
    for check in CheckId::ALL {
        text.push('\n');
        text += &lowered(&checks::explain(*check));
    }
    check("docs/checks.md", &text);
}

/// Headings one level lower; a `#` in a block of code is none.
fn lowered(markdown: &str) -> String {
    let mut in_code = false;
    let lines = markdown.trim_end().lines().map(|line| {
        in_code ^= line.starts_with("```");
        let mark = if line.starts_with('#') && !in_code { "#" } else { "" };
        format!("{mark}{line}\n")
    });
    lines.collect()
}

#[test]
fn the_form_of_lint_json_is_documented() {
    let schema = serde_json::to_string_pretty(&secateur::report::json::schema()).unwrap();
    check("docs/schema/lint.schema.json", &(schema + "\n"));
}

#[test]
fn the_commands_in_the_readme_exist() {
    let mut commands = 0;
    for line in readme().lines() {
        let line = line.trim().trim_start_matches("$ ");
        let args =
            line.strip_prefix("secateur ").or_else(|| line.strip_prefix("cargo run --release -- "));
        let Some(args) = args else { continue };
        let args = args.split(['#', '>', '|']).next().unwrap().split_whitespace();
        let args = std::iter::once("secateur").chain(args.map(|arg| arg.trim_matches('\'')));
        let parsed = Arguments::try_parse_from(args);
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        commands += 1;
    }
    assert!(commands > 5, "only {commands} commands found");
}

#[test]
fn the_example_in_the_readme_is_what_the_sample_gives() {
    let Outcome { out, .. } = secateur(repository(), "-C sample-repos/ml-monorepo lint");
    let readme = readme();
    let example =
        readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    for part in example.split("[…]\n") {
        assert!(out.contains(part), "not in the output:\n{part}");
    }
}

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).unwrap()
}
