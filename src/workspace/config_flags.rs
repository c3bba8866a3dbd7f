//! `-c [cell//]section.key=value`: configuration from the command line. Pure; touches nothing.

use crate::error::{Error, Result};

/// One value of `.buckconfig` set or unset from outside of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConfigFlag {
    /// The cell it is meant for, by any alias; `None` means every cell.
    pub(super) cell: Option<String>,
    pub(super) section: String,
    pub(super) key: String,
    /// `None` unsets.
    pub(super) value: Option<String>,
}

impl ConfigFlag {
    /// Reads `[cell//]section.key=value`; an empty value unsets.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let hint = "write -c section.key=value, or -c cell//section.key=value";
        let fail = |reason: &str| Error::new(format!("bad option -c {text}: {reason}")).hint(hint);
        let (name, value) = text.split_once('=').ok_or_else(|| fail("it has no `=`"))?;
        Self::named(name, value).map_err(|reason| fail(&reason))
    }

    /// The flag that sets `[cell//]section.key`; the error is a fragment that says why the name is none.
    pub(super) fn named(name: &str, value: &str) -> std::result::Result<Self, String> {
        let (cell, name) = match name.split_once("//") {
            Some((cell, name)) => (Some(cell.to_owned()), name),
            None => (None, name),
        };
        let (section, key) = section_and_key(name)?;
        if matches!(section, "cells" | "repositories") {
            return Err(format!("[{section}] cannot be set from outside of the files"));
        }
        let value = (!value.is_empty()).then(|| value.to_owned());
        Ok(Self { cell, section: section.to_owned(), key: key.to_owned(), value })
    }
}

/// Splits `section.key` at the first dot, as Buck2 does in references and options.
pub(super) fn section_and_key(text: &str) -> std::result::Result<(&str, &str), &'static str> {
    let (section, key) = text.split_once('.').ok_or("it has no `.` between section and key")?;
    let section = section.trim_start();
    if section.contains(char::is_whitespace) || key.contains(char::is_whitespace) {
        return Err("its name holds white space");
    }
    if section.is_empty() || key.is_empty() {
        return Err("its section or key is empty");
    }
    Ok((section, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(text: &str) -> (Option<String>, String, String, Option<String>) {
        let ConfigFlag { cell, section, key, value } = ConfigFlag::parse(text).unwrap();
        (cell, section, key, value)
    }

    #[test]
    fn names_and_values_are_split_as_buck2_does() {
        let text = |s: &str| Some(s.to_owned());
        let own = |s: &str| s.to_owned();
        assert_eq!(flag("a.b.c=d=e"), (None, own("a"), own("b.c"), text("d=e")));
        assert_eq!(flag("  a.b= x "), (None, own("a"), own("b"), text(" x ")));
        assert_eq!(flag("cell//a.b=c"), (text("cell"), own("a"), own("b"), text("c")));
        assert_eq!(flag("a.b=cell//c:d"), (None, own("a"), own("b"), text("cell//c:d")));
        assert_eq!(flag("a.b="), (None, own("a"), own("b"), None));
    }

    #[test]
    fn bad_names_and_cells_are_refused() {
        for bad in ["a=b", "a.b", ".b=c", "a.=c", "a. b=c", "cells.x=y", "repositories.x=y"] {
            assert!(ConfigFlag::parse(bad).is_err(), "{bad}");
        }
    }
}
