//! The error of the library: what happened, where, and what to do about it. Pure values; touches nothing.

use std::fmt;

/// Why a command could not run at all. Trouble in single files is a [`crate::source::Problem`] instead.
#[derive(Debug)]
pub struct Error {
    message: String,
    place: Option<String>,
    hint: Option<String>,
    cause: Option<std::io::Error>,
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with a message: a lower-case fragment without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hint: None, cause: None }
    }

    /// Where it happened, as `file:line`.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The operating system's error beneath.
    #[must_use]
    pub fn cause(mut self, cause: std::io::Error) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The hint alone, for renderers that set it apart.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
