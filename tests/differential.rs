//! Two parsers, one answer: our imports against those in rustpython-parser's tree.

use std::path::{Path, PathBuf};

use rustpython_parser::{Parse, ast};
use secateur::python::{SourceKind, facts};
use secateur::source::{LineIndex, ProjectPath};

/// One imported thing: module, level, names with their as-names, line (0 where statements share a line's place).
type Imported = (String, u32, Vec<(String, String)>, u32);

/// What came of comparing a tree.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Files that both parsers read.
    pub compared: usize,
    /// Files that the second parser cannot read, mostly because their syntax is newer than it.
    pub unread: usize,
    /// One line for each file where the two differ.
    pub differences: Vec<String>,
}

#[test]
fn imports_agree_with_rustpython() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-repos");
    // A real tree costs minutes, so it is only read when asked for.
    let trees = std::env::var_os("SECATEUR_TREE").map(PathBuf::from);
    for root in std::iter::once(samples).chain(trees) {
        let comparison = compare_tree(&root);
        println!(
            "{}: {} compared, {} unread",
            root.display(),
            comparison.compared,
            comparison.unread
        );
        assert_eq!(comparison.differences, [""; 0], "{}", root.display());
    }
}

#[test]
fn imports_of_every_form_agree_with_rustpython() {
    let text = "\
import a, b.c as d
if x:
    from . import e
elif y:
    from ..f import (g as h,
        i)
else:
    for z in w:
        from j import *
try:
    import k
except ImportError:
    import l as m
else:
    with n: import o
finally:
    while p: import q.r
def s():
    class T:
        async def u(self):
            match v:
                case 1: import aa.bb.cc
";
    assert_eq!(theirs(text).map(|imports| imports.len()), Some(10));
    assert_eq!(theirs(text), Some(ours(text)));
}

/// Compares every `.py` file below `root`.
pub fn compare_tree(root: &Path) -> Comparison {
    let mut comparison = Comparison::default();
    for path in python_files(root) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        match theirs(&text) {
            None => comparison.unread += 1,
            Some(theirs) => {
                comparison.compared += 1;
                let ours = ours(&text);
                if ours != theirs {
                    let only = |these: &[Imported], those: &[Imported]| -> Vec<Imported> {
                        these.iter().filter(|import| !those.contains(import)).cloned().collect()
                    };
                    comparison.differences.push(format!(
                        "{}: only ours {:?}, only theirs {:?}",
                        path.display(),
                        only(&ours, &theirs),
                        only(&theirs, &ours)
                    ));
                }
            }
        }
    }
    comparison
}

fn python_files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn ours(text: &str) -> Vec<Imported> {
    let facts = facts(&ProjectPath::new("m.py"), text.as_bytes(), SourceKind::Module);
    let mut imports: Vec<Imported> = facts
        .imports
        .iter()
        .map(|import| {
            let names =
                import.names.iter().map(|name| (name.name.to_string(), name.bound.to_string()));
            let names: Vec<_> = match &import.bound {
                Some(bound) => vec![(String::new(), bound.to_string())],
                None => names.collect(),
            };
            let first = text[import.span.range()].split_whitespace().next();
            let alone = import.from || first == Some("import");
            (import.module.to_string(), import.level, names, if alone { import.line } else { 0 })
        })
        .collect();
    imports.sort();
    imports
}

fn theirs(text: &str) -> Option<Vec<Imported>> {
    let suite = ast::Suite::parse(text, "m.py").ok()?;
    let mut imports = Vec::new();
    collect(&suite, &LineIndex::new(text), &mut imports);
    imports.sort();
    Some(imports)
}

fn collect(body: &[ast::Stmt], lines: &LineIndex, out: &mut Vec<Imported>) {
    let line = |start: rustpython_parser::text_size::TextSize| lines.line(start.into());
    for statement in body {
        match statement {
            ast::Stmt::Import(import) => {
                let line = if import.names.len() == 1 { line(import.range.start()) } else { 0 };
                out.extend(import.names.iter().map(|alias| {
                    let bound = alias.asname.iter().map(|name| (String::new(), name.to_string()));
                    (alias.name.to_string(), 0, bound.collect(), line)
                }));
            }
            ast::Stmt::ImportFrom(import) => {
                let names = import.names.iter().map(|alias| {
                    let bound = alias.asname.as_ref().unwrap_or(&alias.name);
                    (alias.name.to_string(), bound.to_string())
                });
                let module = import.module.as_ref().map(ToString::to_string).unwrap_or_default();
                let level = import.level.map_or(0, |level| level.to_u32());
                out.push((module, level, names.collect(), line(import.range.start())));
            }
            _ => bodies(statement).into_iter().for_each(|body| collect(body, lines, out)),
        }
    }
}

fn bodies(statement: &ast::Stmt) -> Vec<&[ast::Stmt]> {
    use ast::Stmt;
    fn of_try<'a>(
        body: &'a [Stmt],
        handlers: &'a [ast::ExceptHandler],
        rest: [&'a [Stmt]; 2],
    ) -> Vec<&'a [Stmt]> {
        let handlers =
            handlers.iter().map(|ast::ExceptHandler::ExceptHandler(handler)| &handler.body[..]);
        std::iter::once(body).chain(handlers).chain(rest).collect()
    }
    match statement {
        Stmt::FunctionDef(node) => vec![&node.body],
        Stmt::AsyncFunctionDef(node) => vec![&node.body],
        Stmt::ClassDef(node) => vec![&node.body],
        Stmt::For(node) => vec![&node.body, &node.orelse],
        Stmt::AsyncFor(node) => vec![&node.body, &node.orelse],
        Stmt::While(node) => vec![&node.body, &node.orelse],
        Stmt::If(node) => vec![&node.body, &node.orelse],
        Stmt::With(node) => vec![&node.body],
        Stmt::AsyncWith(node) => vec![&node.body],
        Stmt::Match(node) => node.cases.iter().map(|case| &case.body[..]).collect(),
        Stmt::Try(node) => of_try(&node.body, &node.handlers, [&node.orelse, &node.finalbody]),
        Stmt::TryStar(node) => of_try(&node.body, &node.handlers, [&node.orelse, &node.finalbody]),
        _ => Vec::new(),
    }
}
