//! The interpreter that compiles what is pushed. Starts a process.

use crate::bundle::pyc::Python;
use crate::cas::store::failed;
use crate::cli::surroundings::variable_names;
use crate::error::{Error, Result};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

/// A program that is a Python.
pub(super) struct Interpreter(pub(super) PathBuf);

impl Python for Interpreter {
    fn run(&mut self, script: &str, input: &[u8]) -> Result<Vec<u8>> {
        let fail = |error| {
            failed("run the interpreter", &self.0, error).hint("pass another one as `--python`")
        };
        let mut command = Command::new(&self.0);
        command.args(["-s", "-S", "-B", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        for name in variable_names().filter(|name| name.to_string_lossy().starts_with("PYTHON")) {
            command.env_remove(name);
        }
        command.env("PYTHONHASHSEED", "0");
        let mut child = command.spawn().map_err(fail)?;
        let output = thread::scope(|scope| {
            if let Some(mut to) = child.stdin.take() {
                // Why it stopped reading, it says itself.
                scope.spawn(move || to.write_all(input));
            }
            child.wait_with_output()
        });
        let output = output.map_err(fail)?;
        if !output.status.success() {
            return Err(Error::new(format!("the interpreter failed: {}", output.status))
                .at(self.0.display().to_string())
                .hint("pass another one as `--python`"));
        }
        Ok(output.stdout)
    }
}
