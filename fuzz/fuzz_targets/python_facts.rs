//! Any bytes are a Python file, a stub and a notebook.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur::python::{SourceKind, doctest_imports, facts};
use secateur::source::ProjectPath;

fuzz_target!(|bytes: &[u8]| {
    let path = ProjectPath::new("fuzz.py");
    for kind in [SourceKind::Module, SourceKind::Stub, SourceKind::Notebook] {
        let found = facts(&path, bytes, kind);
        for import in &found.imports {
            assert!(import.span.end as usize <= bytes.len(), "a span leaves the file: {import:?}");
        }
    }
    doctest_imports(bytes);
});
