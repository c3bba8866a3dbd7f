//! The script that starts a laid-out program. Pure.

use crate::graph::Main;

/// The directory of native libraries in the tree, as in Buck2's.
pub(super) const LIBRARIES: &str = "runtime/lib";

/// What the script has to know.
pub(super) struct Runner<'a> {
    /// The target, for whoever reads the script.
    pub(super) label: &'a str,
    /// The interpreter: a path, or what `env` finds.
    pub(super) python: Option<&'a str>,
    pub(super) main: &'a Main,
    /// Directories of the tree that are on the path behind its root.
    pub(super) roots: &'a [String],
    pub(super) has_libraries: bool,
}

impl Runner<'_> {
    /// The script. It stands at the root of the tree, finds itself there, and so works from any directory.
    pub(super) fn text(&self) -> String {
        let interpreter = match self.python {
            Some(path) if path.starts_with('/') => path.to_owned(),
            Some(name) => format!("/usr/bin/env {name}"),
            None => "/usr/bin/env python3".to_owned(),
        };
        let roots: Vec<String> =
            self.roots.iter().map(|root| text(root.trim_end_matches('/'))).collect();
        let libraries = if self.has_libraries { LOADER } else { "" };
        let start = self.start();
        format!(
            "#!{interpreter}\n# Starts {label}.\nimport os\nimport sys\n\nroot = os.path.dirname(os.path.realpath(__file__))\n{libraries}\
             here = [path for path in sys.path[:1] if os.path.realpath(path or \".\") == root]\n\
             sys.path[:len(here)] = [root] + [os.path.join(root, path) for path in [{roots}]]\n{start}",
            label = self.label,
            roots = roots.join(", "),
        )
    }

    fn start(&self) -> String {
        match self.main {
            Main::Module(module) => format!(
                "import runpy\n\nrunpy.run_module({}, run_name=\"__main__\", alter_sys=True)\n",
                text(module)
            ),
            Main::Script(path) => format!(
                "import runpy\n\nscript = os.path.join(root, {})\nsys.argv[0] = script\nrunpy.run_path(script, run_name=\"__main__\")\n",
                text(path)
            ),
            Main::Function { module, function } => format!(
                "import importlib\n\nsys.exit(getattr(importlib.import_module({}), {})())\n",
                text(module),
                text(function)
            ),
            Main::Tests(modules) => {
                let modules: Vec<String> = modules.iter().map(|module| text(module)).collect();
                format!(
                    "import unittest\n\nunittest.main(module=None, argv=sys.argv[:1] + (sys.argv[1:] or [{}]))\n",
                    modules.join(", ")
                )
            }
        }
    }
}

/// The loader reads its path when a program starts, so that the program is started again once.
const LOADER: &str = "libraries = os.path.join(root, \"runtime/lib\")\n\
    known = os.environ.get(\"LD_LIBRARY_PATH\", \"\")\n\
    if libraries not in known.split(os.pathsep):\n    \
    os.environ[\"LD_LIBRARY_PATH\"] = os.pathsep.join([libraries, known]) if known else libraries\n    \
    os.execv(sys.executable, [sys.executable] + sys.argv)\n";

/// A text as Python writes it; JSON's strings are Python's.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
