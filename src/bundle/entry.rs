//! What a bundle starts: a program in it, a script, a module or a function. Pure values; touches nothing.

use crate::cas::tree::Name;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

/// The file at the root of a tree whose first line says what it starts, as `--entry` does.
pub const ENTRY_FILE: &str = ".caf-entry";
/// The file at the root of a tree that is started if nothing else is said, as by `python TREE`.
const MAIN: &str = "__main__.py";

/// How something is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A file of the bundle, executed.
    Program,
    /// A file of the bundle, by the interpreter.
    Script,
    /// A module, as by `python -m`, with the root first on the path.
    Module,
    /// `module:function`, called without arguments; what it returns is the exit code, as for console scripts.
    Function,
}

/// What a bundle starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPoint {
    kind: EntryKind,
    /// A path in the bundle, a module, or `module:function`.
    start: String,
    /// The interpreter's path in the bundle, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    python: Option<String>,
}

/// What is known about a path of the bundle: whether it can be executed; `None` if no file is there. A link counts as what it
/// leads to.
pub type Executable<'a> = dyn Fn(&str) -> Option<bool> + 'a;

impl EntryPoint {
    /// Reads what `--entry` says: the path of a file in the bundle (a program if it can be executed, else a script), a dotted
    /// module, or `module:function`. `python` is the interpreter's path in the bundle, if it has its own.
    ///
    /// # Errors
    /// There is no such file, and it can be no module's name.
    pub fn new(text: &str, python: Option<&str>, files: &Executable<'_>) -> Result<Self> {
        let kind = match files(text.trim_start_matches("./")) {
            Some(true) => EntryKind::Program,
            Some(false) => EntryKind::Script,
            None if is_function(text) => EntryKind::Function,
            None if is_module(text) => EntryKind::Module,
            None => {
                return Err(Error::new(format!("`{text}` is no file of the bundle, and no module"))
                    .hint("an entry is a path in the bundle, `package.module` or `package.module:function`"));
            }
        };
        let start = match kind {
            EntryKind::Program | EntryKind::Script => text.trim_start_matches("./"),
            EntryKind::Module | EntryKind::Function => text,
        };
        if let Some(python) = python
            && files(python) != Some(true)
        {
            return Err(Error::new(format!(
                "the interpreter `{python}` is no program of the bundle"
            ))
            .hint("name its path in the bundle, such as bin/python3"));
        }
        let entry = Self { kind, start: start.to_owned(), python: python.map(str::to_owned) };
        entry.checked()
    }

    /// What a tree starts if nobody says: what the file [`ENTRY_FILE`] names, else `__main__.py`, else nothing.
    ///
    /// # Errors
    /// The file names what is not there.
    pub fn found(entry_file: Option<&str>, files: &Executable<'_>) -> Result<Option<Self>> {
        let line =
            entry_file.and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()));
        match line {
            Some(line) => {
                Self::new(line, None, files).map(Some).map_err(|error| error.at(ENTRY_FILE))
            }
            None if files(MAIN).is_some() => Ok(Some(Self::script(MAIN))),
            None => Ok(None),
        }
    }

    /// A script of the bundle, by the interpreter.
    pub(super) fn script(path: &str) -> Self {
        Self { kind: EntryKind::Script, start: path.to_owned(), python: None }
    }

    /// A program of the bundle.
    pub(super) fn program(path: &str) -> Self {
        Self { kind: EntryKind::Program, start: path.to_owned(), python: None }
    }

    /// The same if it stays in the bundle: what a server says may be anything.
    pub(super) fn checked(self) -> Result<Self> {
        let is_fine = match self.kind {
            EntryKind::Program | EntryKind::Script => is_path(&self.start),
            EntryKind::Module => is_module(&self.start),
            EntryKind::Function => is_function(&self.start),
        };
        if is_fine && self.python.as_deref().is_none_or(is_path) {
            return Ok(self);
        }
        Err(Error::new(format!("the entry point {:?} leads out of the bundle", self.start)))
    }

    /// How it is started.
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// The one text that stands for it in records, and that is signed.
    pub fn text(&self) -> String {
        // A struct of strings has no value that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`EntryPoint::text`].
    pub(super) fn of_text(text: &str) -> Result<Self> {
        let entry: Self = serde_json::from_str(text)
            .map_err(|error| Error::new(format!("the entry point cannot be read: {error}")))?;
        entry.checked()
    }

    /// The program and its first arguments that start it in a tree at `root`, which is absolute; the user's arguments come behind.
    /// `python` is the interpreter for bundles that have none.
    pub fn command(&self, root: &Path, python: &OsStr) -> Vec<OsString> {
        let python = self.python.as_ref().map_or(python.to_owned(), |path| root.join(path).into());
        let code = match self.kind {
            EntryKind::Program => return vec![root.join(&self.start).into()],
            EntryKind::Script => return vec![python, root.join(&self.start).into()],
            EntryKind::Module => format!(
                "import runpy\nrunpy.run_module({}, run_name='__main__', alter_sys=True)",
                quoted(&self.start)
            ),
            EntryKind::Function => {
                let (module, function) =
                    self.start.split_once(':').unwrap_or((&self.start, "main"));
                let (name, rest) = function.split_once('.').unwrap_or((function, ""));
                let dot = if rest.is_empty() { "" } else { "." };
                format!(
                    "sys.argv[0] = {}\nfrom {module} import {name}\nsys.exit({name}{dot}{rest}())",
                    quoted(module)
                )
            }
        };
        // The interpreter puts the directory it was started in first on the path, unless it was told not to.
        let program = format!(
            "import sys\nroot = sys.argv.pop(1)\nif sys.path[:1] == ['']: sys.path[0] = root\nelse: sys.path.insert(0, root)\n{code}\n"
        );
        vec![python, "-c".into(), program.into(), root.as_os_str().to_owned()]
    }
}

impl fmt::Display for EntryPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.start)
    }
}

/// Names of modules need no more than quotes.
fn quoted(module: &str) -> String {
    format!("'{module}'")
}

fn is_path(path: &str) -> bool {
    path.split('/').all(|segment| Name::new(segment).is_ok())
}

fn is_module(text: &str) -> bool {
    text.split('.').all(|part| {
        part.chars().all(|c| c == '_' || c.is_alphanumeric())
            && part.chars().next().is_some_and(|c| !c.is_numeric())
    })
}

fn is_function(text: &str) -> bool {
    text.split_once(':').is_some_and(|(module, function)| is_module(module) && is_module(function))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    fn files(path: &str) -> Option<bool> {
        match path {
            "bin/tool" | "bin/python3" => Some(true),
            "app/main.py" | "__main__.py" => Some(false),
            _ => None,
        }
    }

    fn entry(text: &str) -> EntryPoint {
        EntryPoint::new(text, None, &files).unwrap()
    }

    #[test]
    fn an_entry_is_a_file_a_module_or_a_function() {
        for (text, kind) in [
            ("bin/tool", EntryKind::Program),
            ("./app/main.py", EntryKind::Script),
            ("app.main", EntryKind::Module),
            ("app.main:Cli.run", EntryKind::Function),
        ] {
            let entry = entry(text);
            assert_eq!(entry.kind(), kind, "{text}");
            assert_eq!(EntryPoint::of_text(&entry.text()).unwrap(), entry);
        }
        for text in ["", "bin/none", "../x", "a b", "a:b:c", "1a", "app.main:"] {
            assert!(EntryPoint::new(text, None, &files).is_err(), "{text}");
        }
        assert!(EntryPoint::new("app.main", Some("bin/none"), &files).is_err());
    }

    #[test]
    fn a_tree_says_what_it_starts() {
        assert_eq!(EntryPoint::found(None, &files).unwrap(), Some(EntryPoint::script(MAIN)));
        let found = EntryPoint::found(Some("\n app.main \n"), &files).unwrap();
        assert_eq!(found, Some(entry("app.main")));
        assert_eq!(EntryPoint::found(Some(""), &|_| None).unwrap(), None);
        let error = EntryPoint::found(Some("no/file"), &files).unwrap_err();
        assert!(error.to_string().starts_with(".caf-entry: `no/file`"));
    }

    #[test]
    fn what_a_server_says_stays_in_the_bundle() {
        for text in [
            r#"{"kind":"program","start":"../../bin/sh"}"#,
            r#"{"kind":"script","start":"/etc/x.py"}"#,
            r#"{"kind":"module","start":"os'; import evil; '"}"#,
            r#"{"kind":"function","start":"os:x()"}"#,
            r#"{"kind":"module","start":"app","python":"../python"}"#,
            r#"{"kind":"shell","start":"x"}"#,
        ] {
            assert!(EntryPoint::of_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_is_started_from_any_directory() {
        if Command::new("python3").arg("--version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "python3 is missing");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("it's a tree");
        fs::create_dir_all(root.join("app")).unwrap();
        fs::create_dir_all(root.join("bin")).unwrap();
        let text = "import sys\nimport app.other\ndef run():\n    print(app.other.X, *sys.argv[1:])\n    return 3\nif __name__ == '__main__': sys.exit(run())\n";
        fs::write(root.join("app/main.py"), text).unwrap();
        fs::write(root.join("app/other.py"), "X = 'there'\n").unwrap();
        fs::write(root.join("__main__.py"), "import app.main\nraise SystemExit(app.main.run())\n")
            .unwrap();
        fs::write(root.join("bin/tool"), "#!/bin/sh\necho there \"$@\"\nexit 3\n").unwrap();
        fs::set_permissions(root.join("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
        for text in ["app.main", "app.main:run", "__main__.py", "bin/tool"] {
            let command = entry(text).command(&root, OsStr::new("python3"));
            let output = Command::new(&command[0])
                .args(&command[1..])
                .args(["-x", "two words"])
                .current_dir("/")
                .output()
                .unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let problem = String::from_utf8(output.stderr).unwrap();
            assert_eq!(said, "there -x two words\n", "{text}: {problem}");
            assert_eq!(output.status.code(), Some(3), "{text}");
        }
        let own = EntryPoint::new("app.main", Some("bin/python3"), &files).unwrap();
        assert_eq!(own.command(&root, OsStr::new("no"))[0], root.join("bin/python3"));
    }
}
