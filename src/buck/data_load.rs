//! `load` of JSON and TOML files: each exports one symbol, `value` (`dice_calculation_delegate.rs`). Reads the file.

use super::modules::Loaded;
use super::session::Session;
use crate::source::{Problem, ProblemKind, ProjectPath};
use starlark::environment::Module;

/// Whether a load path names data, by its extension.
pub(super) fn is_data(path: &ProjectPath) -> bool {
    let name = path.file_name();
    name.ends_with(".json") || name.ends_with(".toml")
}

/// Reads the file into a module.
pub(super) fn load(session: &Session<'_>, path: &ProjectPath) -> (Loaded, Vec<Problem>) {
    match read(session, path) {
        Ok(value) => {
            let frozen = Module::with_temp_heap(|module| {
                module.set("value", module.heap().alloc(value));
                module.freeze()
            });
            let module = frozen.unwrap_or_else(|_| session.core.empty.clone());
            (Loaded { marked: module.clone(), plain: module }, Vec::new())
        }
        Err(message) => {
            let problem = Problem { path: path.clone(), line: 0, kind: ProblemKind::Load, message };
            (session.nothing(), vec![problem])
        }
    }
}

fn read(session: &Session<'_>, path: &ProjectPath) -> Result<serde_json::Value, String> {
    let bytes =
        session.disk.files.read(path).map_err(|error| format!("cannot be read: {error}"))?;
    if path.file_name().ends_with(".json") {
        return serde_json::from_slice(&bytes).map_err(|error| format!("no valid JSON: {error}"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "no valid UTF-8".to_owned())?;
    let table = text
        .parse::<toml::Table>()
        .map_err(|error| format!("no valid TOML: {}", error.message()))?;
    serde_json::to_value(table).map_err(|error| error.to_string())
}
