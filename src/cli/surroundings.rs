//! What the process knows about its surroundings. The only file that reads the environment and the clock.

use crate::workspace::Environment;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

/// Directories, terminals, the day, and what the variables say about colour.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Directories.
    pub environment: Environment,
    /// Whether results go to a terminal.
    pub stdout_is_terminal: bool,
    /// Whether messages go to a terminal.
    pub stderr_is_terminal: bool,
    /// Columns of the terminal.
    pub width: Option<usize>,
    /// What the variables say about colour.
    pub color: Color,
    /// The day it is, in UTC.
    pub today: jiff::civil::Date,
    /// The user's editor, as a command for the shell.
    pub editor: Option<OsString>,
    /// The file that takes the summary of this step of a GitHub job, as `GITHUB_STEP_SUMMARY` names it.
    pub step_summary: Option<PathBuf>,
    /// Whether the terminal has more than sixteen colours.
    pub has_true_color: bool,
    /// Whether the terminal shows no more than ASCII.
    pub is_ascii: bool,
    /// The directories that hold programs.
    pub path: Option<OsString>,
    /// The directory for what every program may lose: `XDG_CACHE_HOME`, else `.cache` in the user's home. Nothing is kept
    /// between runs without one.
    pub cache_dir: Option<PathBuf>,
    /// When the process began, since the epoch.
    pub started: Duration,
}

/// The names of all variables, for programs that must not see some of them.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn variable_names() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name)
}

/// The time, in seconds since 1970, for what outlasts a moment: credentials expire.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On terminals.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Surroundings {
    /// Reads those of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let started = jiff::Timestamp::now();
        let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
        let in_home = || std::env::home_dir().map(|home| home.join(".cache"));
        let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        Self {
            environment: Environment {
                home: std::env::home_dir(),
                // A directory that is gone is told by whoever opens it.
                current_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
                system_config_dir: cfg!(unix).then(|| PathBuf::from("/etc")),
            },
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            width,
            color: Color::of_variables(variable),
            today: started.to_zoned(jiff::tz::TimeZone::UTC).date(),
            started: Duration::try_from(started.duration_since(jiff::Timestamp::UNIX_EPOCH))
                .unwrap_or_default(),
            cache_dir: variable("XDG_CACHE_HOME").and_then(absolute).or_else(in_home),
            editor: variable("VISUAL").or_else(|| variable("EDITOR")),
            step_summary: variable("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            path: variable("PATH"),
            has_true_color: variable("COLORTERM")
                .is_some_and(|value| value == "truecolor" || value == "24bit"),
            is_ascii: !says_utf8(
                variable("LC_ALL").or_else(|| variable("LC_CTYPE")).or_else(|| variable("LANG")),
            ),
        }
    }

    /// A variable whose name the user gave, since what is in it is no one's to see on a command line.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(super) fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// The program that a name means; `None` if it is in none of the directories of `path`.
    #[expect(clippy::disallowed_methods, reason = "programs lie outside of the project")]
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        let dirs = std::env::split_paths(self.path.as_ref()?);
        dirs.map(|dir| dir.join(name)).find(|file| file.is_file())
    }

    /// Whether results are coloured, given what the command line says.
    pub(super) fn stdout_color(&self, option: Color) -> bool {
        option.or(self.color).applies(self.stdout_is_terminal)
    }

    /// Whether messages are coloured, given what the command line says.
    pub(super) fn stderr_color(&self, option: Color) -> bool {
        option.or(self.color).applies(self.stderr_is_terminal)
    }
}

/// Whether a locale is one of UTF-8.
fn says_utf8(locale: Option<OsString>) -> bool {
    let locale = locale.map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    locale.contains("utf-8") || locale.contains("utf8")
}

impl Color {
    /// `NO_COLOR` beats `CLICOLOR_FORCE`, which beats a dumb terminal. `variable` gives those that are set and not empty.
    fn of_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        if variable("NO_COLOR").is_some() {
            Self::Never
        } else if variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            Self::Always
        } else if variable("TERM").is_some_and(|term| term == "dumb") {
            Self::Never
        } else {
            Self::Auto
        }
    }

    fn or(self, other: Self) -> Self {
        if self == Self::Auto { other } else { self }
    }

    fn applies(self, is_terminal: bool) -> bool {
        match self {
            Self::Auto => is_terminal,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_beats_force_which_beats_a_dumb_terminal() {
        for (set, expected) in [
            ("", Color::Auto),
            ("TERM=xterm", Color::Auto),
            ("TERM=dumb", Color::Never),
            ("TERM=dumb CLICOLOR_FORCE=1", Color::Always),
            ("CLICOLOR_FORCE=0", Color::Auto),
            ("CLICOLOR_FORCE=1 NO_COLOR=0", Color::Never),
        ] {
            let variables = set.split_whitespace().filter_map(|pair| pair.split_once('='));
            let variables: Vec<_> = variables.collect();
            let variable = |name: &str| {
                let found = variables.iter().find(|(set, _)| *set == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(Color::of_variables(variable), expected, "{set}");
        }
    }
}
