//! What the process knows about its surroundings. The only file that reads the environment.

use crate::workspace::Environment;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Directories, terminals and the variables that speak of colour.
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
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set, and neither empty nor `0`.
    pub force_color: bool,
    /// `TERM` is `dumb`.
    pub dumb_terminal: bool,
}

impl Surroundings {
    /// Reads those of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
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
            no_color: variable("NO_COLOR").is_some(),
            force_color: variable("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            dumb_terminal: variable("TERM").is_some_and(|term| term == "dumb"),
        }
    }

    /// Whether results are coloured where the user does not say.
    pub(super) fn stdout_color(&self) -> bool {
        self.color(self.stdout_is_terminal)
    }

    /// Whether messages are coloured.
    pub(super) fn stderr_color(&self) -> bool {
        self.color(self.stderr_is_terminal)
    }

    fn color(&self, is_terminal: bool) -> bool {
        !self.no_color && (self.force_color || (is_terminal && !self.dumb_terminal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_beats_force_which_beats_the_terminal() {
        for (no_color, force_color, terminal, dumb, expected) in [
            (false, false, false, false, false),
            (false, false, true, false, true),
            (false, false, true, true, false),
            (false, true, false, false, true),
            (false, true, true, true, true),
            (true, false, true, false, false),
            (true, true, true, false, false),
        ] {
            let surroundings = Surroundings {
                stdout_is_terminal: terminal,
                no_color,
                force_color,
                dumb_terminal: dumb,
                ..Surroundings::default()
            };
            assert_eq!(surroundings.stdout_color(), expected, "{surroundings:?}");
        }
    }
}
