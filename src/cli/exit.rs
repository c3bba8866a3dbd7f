//! Exit codes. Pure; touches nothing.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to complain about.
    Clean,
    /// Findings at or above `--fail-on`.
    Findings,
    /// The command could not run: usage, configuration, I/O.
    Failed,
    /// Part of the repository could not be read, and no finding at or above `--fail-on` stands.
    Incomplete,
    /// The user stopped it.
    Interrupted,
}

impl Exit {
    /// The codes and what they mean, for help and manual. 130 is the shell's for a process that was interrupted.
    pub const TABLE: &'static str = "\
Exit codes:
  0    nothing found at or above --fail-on, and everything was read
  1    findings at or above --fail-on
  2    could not run: usage, configuration, input or output
  3    part of the repository could not be read, and nothing was found at or above --fail-on
  130  interrupted";

    /// The code.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Failed => 2,
            Self::Incomplete => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
