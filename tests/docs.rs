//! Documents that are made from the program. `UPDATE=1 cargo test docs` writes them anew.

use crate::support::{Outcome, Project, repository, secateur};
use clap::{Command, CommandFactory, Parser};
use secateur::checks;
use secateur::cli::Exit;
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
    let mut program = Arguments::command();
    let mut text = String::from(
        "# Command line\n\nMade from the program's own help by `UPDATE=1 cargo test docs`. The global options go with every command.\n",
    );
    section(&mut text, "secateur", &program);
    // A program that is not built yet has not handed its global options down.
    for command in program.get_subcommands_mut() {
        section(&mut text, &format!("secateur {}", command.get_name()), command);
    }
    check("docs/cli.md", &text);
}

fn section(text: &mut String, title: &str, command: &Command) {
    let mut command = command.clone().bin_name(title).term_width(100);
    let help = command.render_help().to_string();
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
fn the_form_of_lint_jsonl_is_documented() {
    let schema = serde_json::to_string_pretty(&secateur::report::json::line_schema()).unwrap();
    check("docs/schema/finding.schema.json", &(schema + "\n"));
}

#[test]
fn the_form_of_cost_json_is_documented() {
    let schema = serde_json::to_string_pretty(&secateur::report::cost_schema()).unwrap();
    check("docs/schema/cost.schema.json", &(schema + "\n"));
}

#[test]
fn the_form_of_doctor_json_is_documented() {
    let schema = serde_json::to_string_pretty(&secateur::report::doctor_schema()).unwrap();
    check("docs/schema/doctor.schema.json", &(schema + "\n"));
}

#[test]
fn the_form_of_caf_json_is_documented() {
    let schema = serde_json::to_string_pretty(&secateur::cli::caf_schema()).unwrap();
    check("docs/schema/caf.schema.json", &(schema + "\n"));
}

#[test]
fn the_commands_in_the_readme_exist() {
    let mut commands = 0;
    for line in readme_blocks("console").lines() {
        let args = ["secateur ", "cargo run --release -- "];
        let Some(args) = args.iter().find_map(|program| line.strip_prefix(program)) else {
            continue;
        };
        let args = args.split(['#', '>']).next().unwrap().split_whitespace();
        let parsed = Arguments::try_parse_from(std::iter::once("secateur").chain(args));
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        commands += 1;
    }
    assert!(commands > 5, "only {commands} commands found");
}

#[test]
fn the_settings_in_the_readme_are_valid() {
    let project = Project::new("");
    project.add("secateur.toml", &readme_blocks("toml"));
    let outcome = project.secateur("config");
    assert_eq!((outcome.exit, outcome.err.as_str()), (Exit::Clean, ""));
    assert!(outcome.out.contains("lint.fail-on = \"error\"\n"), "{}", outcome.out);
}

#[test]
fn the_example_in_the_readme_is_what_the_sample_gives() {
    let Outcome { out, .. } = secateur(repository(), "-C sample-repos/ml-monorepo lint");
    let begin = out.find("root//eta/models  owner").unwrap();
    let end = begin + out[begin..].find("\n\nwarning[duplicate-dep]").unwrap();
    let last: Vec<&str> = out.lines().rev().take_while(|line| !line.is_empty()).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    let example = format!("{}\n\n[…]\n\n{}\n", &out[begin..end], last.join("\n"));
    let readme = readme();
    let (before, rest) = readme.split_once("```text\n").unwrap();
    let (_, after) = rest.split_once("```").unwrap();
    check("README.md", &format!("{before}```text\n{example}```{after}"));
}

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The blocks of code in a language, joined.
fn readme_blocks(language: &str) -> String {
    let readme = readme();
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    blocks.filter_map(|block| block.split("```").next().map(str::to_owned)).collect()
}
