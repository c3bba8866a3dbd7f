//! Runs one file's statements under limits, and goes on behind the ones that fail. Touches only the recorder.

use super::bounds;
use super::parse::ParsedFile;
use super::pieces::Origin;
use super::recorder::Recorder;
use super::session::{Scope, Session};
use super::unknown::Unknown;
use crate::source::{Problem, ProblemKind};
use rustc_hash::FxHashMap;
use starlark::environment::{FrozenModule, Module};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::AstModule;
use std::panic::{self, AssertUnwindSafe};

/// More unknown names than this in one statement, and the statement is given up.
const MAX_UNKNOWN_NAMES: usize = 64;

/// After this many statements that ran into a limit, the rest of a file is not run.
const MAX_STOPPED: usize = 3;

/// The modules that a file loads, by the text of its `load` statements.
#[derive(Default)]
pub(super) struct Loader {
    modules: FxHashMap<Box<str>, FrozenModule>,
}

impl Loader {
    pub(super) fn insert(&mut self, path: &str, module: FrozenModule) {
        self.modules.insert(path.into(), module);
    }
}

impl FileLoader for Loader {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        self.modules
            .get(path)
            .cloned()
            .ok_or_else(|| starlark::Error::new_other(anyhow::anyhow!("`{path}` was not loaded")))
    }
}

/// An evaluated `.bzl` file.
pub(super) struct ModuleRun {
    pub(super) module: FrozenModule,
    pub(super) problems: Vec<Problem>,
}

/// A file and what it is run with.
#[derive(Clone, Copy)]
pub(super) struct Input<'i, 'a> {
    pub(super) file: &'i ParsedFile,
    /// Whether literals carry marks.
    pub(super) marked: bool,
    pub(super) loader: &'i Loader,
    pub(super) scope: &'i Scope,
    pub(super) session: &'a Session<'a>,
}

/// Evaluates a `.bzl` file and freezes what it defines.
pub(super) fn module<'a>(input: Input<'_, 'a>, recorder: impl Fn() -> Recorder<'a>) -> ModuleRun {
    attempts(|mode| {
        let recorder = recorder();
        Module::with_temp_heap(|module| {
            let problems = Run::new(&module, input, &recorder).file(mode)?;
            let module = module.freeze().unwrap_or_else(|_| input.session.core.empty.clone());
            Ok(ModuleRun { module, problems })
        })
    })
}

/// Evaluates a build or PACKAGE file; the recorder holds what it defines. `prepare` adds names before the first statement.
pub(super) fn build_file<'a>(
    input: Input<'_, 'a>,
    recorder: impl Fn() -> Recorder<'a>,
    prepare: impl Fn(&Module<'_>),
) -> (Recorder<'a>, Vec<Problem>) {
    attempts(|mode| {
        let recorder = recorder();
        let problems = Module::with_temp_heap(|module| {
            prepare(&module);
            Run::new(&module, input, &recorder).file(mode)
        })?;
        Ok((recorder, problems))
    })
}

/// How the statements of a file are run.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// All at once: fast, and the first failure ends it.
    Whole,
    /// One by one: a failure costs its own statement.
    Statements,
}

/// Starlark has no `try`, so a file that fails as a whole is run again from the start, statement by statement.
fn attempts<T>(run: impl Fn(Mode) -> Result<T, Failed>) -> T {
    match run(Mode::Whole) {
        Ok(done) => done,
        Err(Failed) => loop {
            // `Statements` never fails as a whole.
            if let Ok(done) = run(Mode::Statements) {
                return done;
            }
        },
    }
}

struct Failed;

struct Run<'v, 'a, 'e, 'i> {
    eval: Evaluator<'v, 'a, 'e>,
    module: &'a Module<'v>,
    input: Input<'i, 'e>,
    recorder: &'a Recorder<'e>,
    problems: Vec<Problem>,
}

impl<'v, 'a, 'e: 'a, 'i: 'a> Run<'v, 'a, 'e, 'i> {
    fn new(module: &'a Module<'v>, input: Input<'i, 'e>, recorder: &'a Recorder<'e>) -> Self {
        let eval = Self::evaluator(module, input, recorder);
        Self { eval, module, input, recorder, problems: Vec::new() }
    }

    fn evaluator(
        module: &'a Module<'v>,
        input: Input<'i, 'e>,
        recorder: &'a Recorder<'e>,
    ) -> Evaluator<'v, 'a, 'e> {
        let mut eval = Evaluator::new(module);
        eval.set_loader(input.loader);
        eval.set_print_handler(&Quiet);
        eval.extra = Some(recorder);
        let limits = &input.session.workspace.settings.limits;
        // Each of these only refuses zero, or being set twice.
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX).max(1);
        let _ = eval.set_max_callstack_size(size(limits.stack));
        let _ = eval.set_max_tick_count(limits.ticks.max(1));
        let heap = size(limits.heap_mib).saturating_mul(1 << 20);
        let _ = eval.set_max_heap_size(heap);
        bounds::limit_heap(&mut eval, heap);
        eval
    }

    fn file(&mut self, mode: Mode) -> Result<Vec<Problem>, Failed> {
        self.define_free_names();
        match mode {
            Mode::Whole => self.whole()?,
            Mode::Statements => self.each_statement(),
        }
        self.report_notes();
        Ok(std::mem::take(&mut self.problems))
    }

    fn whole(&mut self) -> Result<(), Failed> {
        for ast in self.input.file.trees(self.input.marked) {
            let run = || self.eval.eval_module(ast, &self.input.scope.globals).map(|_| ());
            guarded(run).map_err(|_| Failed)?;
        }
        Ok(())
    }

    fn each_statement(&mut self) {
        let mut stopped = 0;
        for ast in &self.input.file.statements(self.input.marked) {
            let Err(failure) = guarded(|| self.statement(ast)) else { continue };
            let panicked = failure.is_none();
            let error = failure
                .unwrap_or_else(|| bounds::exceeded("a limit of the evaluator was hit".to_owned()));
            if self.report(ast, &error) == ProblemKind::Limit {
                // Ticks add up over an evaluator; the statements that follow get a budget of their own.
                self.eval = Self::evaluator(self.module, self.input, self.recorder);
                stopped += 1;
            }
            if panicked || stopped == MAX_STOPPED {
                break;
            }
        }
    }

    /// Starlark resolves every name of a file before the first statement runs, so one unknown name would cost the file.
    fn define_free_names(&mut self) {
        let names = &self.input.file.collected;
        let known = |name: &str| self.input.scope.has(name) || self.module.get(name).is_some();
        let unknown = |name: &&String| !names.bound.contains(*name) && !known(name);
        let mentioned = names.used.iter().chain(&names.annotating);
        let mut free: Vec<&String> = mentioned.filter(unknown).collect();
        free.sort();
        free.dedup();
        for name in free {
            self.define_unknown(name);
        }
    }

    fn define_unknown(&mut self, name: &str) {
        self.module.set(name, self.module.heap().alloc(Unknown::named(name)));
        self.problems.push(Problem {
            path: self.input.file.path.clone(),
            line: 0,
            kind: ProblemKind::UnknownName,
            message: format!("nothing defines `{name}`"),
        });
    }

    fn statement(&mut self, ast: &AstModule) -> starlark::Result<()> {
        for _ in 0..MAX_UNKNOWN_NAMES {
            match self.eval.eval_module(ast.clone(), &self.input.scope.globals) {
                Ok(_) => return Ok(()),
                Err(error) => match unresolved_name(&error) {
                    Some(name) => self.define_unknown(&name),
                    None => return Err(error),
                },
            }
        }
        self.eval.eval_module(ast.clone(), &self.input.scope.globals).map(|_| ())
    }

    /// Notes a failed statement; tells whether it failed or was stopped.
    fn report(&mut self, ast: &AstModule, error: &starlark::Error) -> ProblemKind {
        let file = self.input.file;
        let start = super::syntax::top_level_spans(ast).first().map_or(0, |span| span.start as u32);
        let start = if self.input.marked { file.unmark_offset(start) } else { start };
        let line = file.lines.line(start);
        let text = error.without_diagnostic().to_string();
        let message = text.lines().next().unwrap_or("failed").trim().to_owned();
        let within = error.span().map(starlark::codemap::FileSpan::resolve);
        let message = match within {
            Some(place) if Origin::of(&place.file).path != file.path.as_str() => {
                let Origin { path, lines, .. } = Origin::of(&place.file);
                format!("{message} (in {path}:{})", place.span.begin.line as u32 + lines + 1)
            }
            _ => message,
        };
        let limit = ["limit", "stack overflow", "call stack", "callstack"];
        let lowered = message.to_lowercase();
        let kind = if limit.iter().any(|word| lowered.contains(word)) {
            ProblemKind::Limit
        } else {
            ProblemKind::Statement
        };
        let message = super::marks::strip(&message).into_owned();
        self.problems.push(Problem { path: file.path.clone(), line, kind, message });
        kind
    }

    /// What the recorder found wrong, at the outermost call in this file.
    fn report_notes(&mut self) {
        let file = self.input.file;
        for note in self.recorder.notes.take() {
            let frame = note.frames.iter().find(|frame| frame.file == file.path.as_str());
            let start = frame.map_or(0, |frame| frame.start);
            let start = if self.input.marked { file.unmark_offset(start) } else { start };
            let (line, kind) = (file.lines.line(start), ProblemKind::Statement);
            let problem = Problem { path: file.path.clone(), line, kind, message: note.message };
            self.problems.push(problem);
        }
    }
}

/// Starlark asserts that no value is larger than 4 GiB: `None` if it panicked. What it leaves behind is not used again.
fn guarded(run: impl FnOnce() -> starlark::Result<()>) -> Result<(), Option<starlark::Error>> {
    match panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(done) => done.map_err(Some),
        Err(_) => Err(None),
    }
}

/// The name in starlark's "Variable `x` not found", which is only said before anything ran.
fn unresolved_name(error: &starlark::Error) -> Option<String> {
    let text = error.without_diagnostic().to_string();
    let (name, rest) = text.trim_start().strip_prefix("Variable `")?.split_once('`')?;
    rest.trim_start().starts_with("not found").then(|| name.to_owned())
}

struct Quiet;

impl starlark::PrintHandler for Quiet {
    fn println(&self, _text: &str) -> starlark::Result<()> {
        Ok(())
    }
}
