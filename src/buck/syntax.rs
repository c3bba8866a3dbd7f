//! What one pass over a build file's syntax finds: literals, loads, names. Pure functions of syntax and text.

use super::comments::{self, Directives};
use super::parse::{Literal, LoadStatement, LoadSymbol};
use super::pieces::Origin;
use crate::source::{LineIndex, Span};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use starlark::codemap::Span as StarSpan;
use starlark::syntax::AstModule;
use starlark::syntax::ast::{
    ArgumentP, AssignOp, AssignTargetP, AstExpr, AstLiteral, AstStmt, ClauseP, ExprP, ForClauseP,
    ParameterP, StmtP,
};
use std::ops::Range;

/// What a file's syntax holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Collected {
    pub(super) literals: Vec<Literal>,
    pub(super) loads: Vec<LoadStatement>,
    /// Names that expressions read.
    pub(super) used: FxHashSet<String>,
    /// Names in annotations, which are never evaluated here.
    pub(super) annotating: FxHashSet<String>,
    /// Names that some statement, parameter or comprehension binds, in any scope.
    pub(super) bound: FxHashSet<String>,
    pub(super) comments: Vec<Span>,
    pub(super) directives: Directives,
    /// Where in the file the piece began that is being read.
    base: u32,
    in_annotation: bool,
}

impl Collected {
    fn span(&self, span: StarSpan) -> Span {
        to_span(span, self.base)
    }

    /// Reads the comments, and gives literals those that stand beside them.
    pub(super) fn attach_comments(&mut self, text: &str, lines: &LineIndex) {
        self.literals.sort_by_key(|literal| literal.span);
        self.literals.dedup_by_key(|literal| literal.span);
        self.directives = comments::read(text, lines, &self.comments);
        for literal in &mut self.literals {
            comments::attach(literal, &self.directives, lines);
        }
    }
}

/// Adds what `ast` holds.
pub(super) fn collect(ast: &AstModule, into: &mut Collected) {
    into.base = base(ast);
    let comments = ast.comments().iter().map(|span| into.span(*span));
    let comments: Vec<Span> = comments.collect();
    into.comments.extend(comments);
    statement(ast.statement(), into);
}

/// The spans of the top-level statements.
pub(super) fn top_level_spans(ast: &AstModule) -> Vec<Range<usize>> {
    fn walk(statement: &AstStmt, base: u32, spans: &mut Vec<Range<usize>>) {
        if let StmtP::Statements(inner) = &statement.node {
            inner.iter().for_each(|inner| walk(inner, base, spans));
        } else {
            spans.push(to_span(statement.span, base).range());
        }
    }
    let mut spans = Vec::new();
    walk(ast.statement(), base(ast), &mut spans);
    spans
}

/// The offset in `ast`'s piece of a `*=`, if there is one.
pub(super) fn multiplication_in_place(ast: &AstModule) -> Option<usize> {
    fn walk(statement: &AstStmt, found: &mut Option<usize>) {
        if let StmtP::AssignModify(_, AssignOp::Multiply, _) = &statement.node {
            found.get_or_insert(statement.span.begin().get() as usize);
        }
        statement.node.visit_stmt(|inner| walk(inner, found));
    }
    let mut found = None;
    walk(ast.statement(), &mut found);
    found
}

/// Where in the file a piece began.
fn base(ast: &AstModule) -> u32 {
    Origin::of(ast.file_span(ast.statement().span).filename()).offset
}

fn to_span(span: StarSpan, base: u32) -> Span {
    Span::new(span.begin().get() + base, span.end().get() + base)
}

fn statement(node: &AstStmt, into: &mut Collected) {
    match &node.node {
        StmtP::Load(load) => {
            let base = into.base;
            let symbols = load.args.iter().map(|arg| LoadSymbol {
                local: arg.local.ident.as_str().into(),
                remote: arg.their.node.as_str().into(),
                span: to_span(arg.span(), base),
            });
            into.bound.extend(load.args.iter().map(|arg| arg.local.ident.clone()));
            into.loads.push(LoadStatement {
                module: load.module.node.as_str().into(),
                span: into.span(node.span),
                symbols: symbols.collect(),
            });
        }
        StmtP::Def(def) => {
            into.bound.insert(def.name.ident.clone());
            for parameter in &def.params {
                bind_parameter(&parameter.node, into);
            }
        }
        StmtP::Assign(assign) => target(&assign.lhs.node, into),
        StmtP::AssignModify(lhs, _, _) => {
            target(&lhs.node, into);
            // `x += …` reads x too.
            if let AssignTargetP::Identifier(name) = &lhs.node {
                into.used.insert(name.ident.clone());
            }
        }
        StmtP::For(each) => target(&each.var.node, into),
        _ => {}
    }
    node.node.visit_stmt(|inner| statement(inner, into));
    visit_own_expressions(node, into);
}

/// Visits the expressions of a statement, but not those of statements within it.
fn visit_own_expressions(node: &AstStmt, into: &mut Collected) {
    match &node.node {
        StmtP::Return(Some(value)) | StmtP::Expression(value) => {
            expression(value, Context::Other, into);
        }
        StmtP::Assign(assign) => {
            expression(&assign.rhs, Context::Other, into);
            if let Some(ty) = &assign.ty {
                annotation(&ty.node.expr, into);
            }
        }
        StmtP::AssignModify(_, _, value) => expression(value, Context::Other, into),
        StmtP::If(condition, _) => expression(condition, Context::Other, into),
        StmtP::IfElse(condition, _) => expression(condition, Context::Other, into),
        StmtP::For(each) => expression(&each.over, Context::Other, into),
        StmtP::Def(def) => {
            def.params.iter().for_each(|parameter| parameter_expressions(&parameter.node, into));
            if let Some(ty) = &def.return_type {
                annotation(&ty.node.expr, into);
            }
        }
        StmtP::Return(None)
        | StmtP::Break
        | StmtP::Continue
        | StmtP::Pass
        | StmtP::Statements(_)
        | StmtP::Load(_) => {}
    }
}

type Parameter = starlark::syntax::ast::Parameter;

fn bind_parameter(parameter: &Parameter, into: &mut Collected) {
    if let Some(name) = parameter.ident() {
        into.bound.insert(name.ident.clone());
    }
}

fn parameter_expressions(parameter: &Parameter, into: &mut Collected) {
    let (ty, default) = match parameter {
        ParameterP::Normal(_, ty, default) => (ty, default.as_ref()),
        ParameterP::Args(_, ty) | ParameterP::KwArgs(_, ty) => (ty, None),
        ParameterP::NoArgs | ParameterP::Slash => return,
    };
    if let Some(ty) = ty {
        annotation(&ty.node.expr, into);
    }
    if let Some(default) = default {
        expression(default, Context::Other, into);
    }
}

fn annotation(node: &AstExpr, into: &mut Collected) {
    into.in_annotation = true;
    expression(node, Context::Other, into);
    into.in_annotation = false;
}

fn target(node: &starlark::syntax::ast::AssignTarget, into: &mut Collected) {
    match node {
        AssignTargetP::Tuple(parts) => parts.iter().for_each(|part| target(&part.node, into)),
        AssignTargetP::Index(parts) => {
            expression(&parts.0, Context::Other, into);
            expression(&parts.1, Context::Other, into);
        }
        AssignTargetP::Dot(object, _) => expression(object, Context::Other, into),
        AssignTargetP::Identifier(name) => {
            into.bound.insert(name.ident.clone());
        }
    }
}

/// Where an expression stands, as far as that decides whether its literals may be marked.
#[derive(Clone, Copy)]
enum Context {
    /// An element of the list, tuple or dictionary given.
    Element(Span, u32),
    /// The value of a keyword argument.
    Argument,
    /// Patterns of files, names of visibility: never marked.
    Unmarked,
    /// Anywhere else.
    Other,
}

impl Context {
    fn inside(self, container: Span, elements: usize) -> Self {
        match self {
            Self::Unmarked => Self::Unmarked,
            _ => Self::Element(container, elements as u32),
        }
    }

    fn plain(self) -> Self {
        match self {
            Self::Unmarked => Self::Unmarked,
            _ => Self::Other,
        }
    }
}

fn expression(node: &AstExpr, context: Context, into: &mut Collected) {
    let span = into.span(node.span);
    match &node.node {
        ExprP::Literal(AstLiteral::String(text)) => literal(&text.node, span, context, into),
        ExprP::Identifier(name) => {
            let names = if into.in_annotation { &mut into.annotating } else { &mut into.used };
            names.insert(name.ident.clone());
        }
        ExprP::List(items) | ExprP::Tuple(items) => {
            let inner = context.inside(span, items.len());
            items.iter().for_each(|item| expression(item, inner, into));
        }
        ExprP::Dict(entries) => {
            let inner = context.inside(span, entries.len());
            for (key, value) in entries {
                expression(key, context.plain(), into);
                expression(value, inner, into);
            }
        }
        ExprP::Call(callee, arguments) => call(callee, &arguments.args, context, into),
        ExprP::Op(left, operator, right) => {
            use starlark::syntax::ast::BinOp;
            let inner = if matches!(operator, BinOp::Add | BinOp::BitOr) {
                context.plain()
            } else {
                Context::Unmarked
            };
            expression(left, inner, into);
            expression(right, inner, into);
        }
        ExprP::If(parts) => {
            expression(&parts.0, Context::Unmarked, into);
            expression(&parts.1, context, into);
            expression(&parts.2, context, into);
        }
        ExprP::ListComprehension(element, first, clauses) => {
            comprehension(first, clauses, context.plain(), into);
            expression(element, context.inside(span, 1), into);
        }
        ExprP::DictComprehension(entry, first, clauses) => {
            comprehension(first, clauses, context.plain(), into);
            expression(&entry.0, context.plain(), into);
            expression(&entry.1, context.inside(span, 1), into);
        }
        ExprP::Lambda(lambda) => {
            for parameter in &lambda.params {
                bind_parameter(&parameter.node, into);
                parameter_expressions(&parameter.node, into);
            }
            expression(&lambda.body, context.plain(), into);
        }
        other => other.visit_expr(|inner| expression(inner, context.plain(), into)),
    }
}

fn comprehension(
    first: &ForClauseP<starlark::syntax::ast::AstNoPayload>,
    clauses: &[ClauseP<starlark::syntax::ast::AstNoPayload>],
    context: Context,
    into: &mut Collected,
) {
    target(&first.var.node, into);
    expression(&first.over, context, into);
    for clause in clauses {
        match clause {
            ClauseP::For(each) => {
                target(&each.var.node, into);
                expression(&each.over, context, into);
            }
            ClauseP::If(condition) => expression(condition, Context::Unmarked, into),
        }
    }
}

fn call(
    callee: &AstExpr,
    arguments: &[starlark::syntax::ast::AstArgument],
    context: Context,
    into: &mut Collected,
) {
    expression(callee, Context::Unmarked, into);
    let name = match &callee.node {
        ExprP::Identifier(name) => name.ident.as_str(),
        ExprP::Dot(_, name) => name.node.as_str(),
        _ => "",
    };
    // Patterns and configuration are compared by the functions that take them.
    let opaque = name.ends_with("glob") || name.starts_with("read_") || name == "fail";
    for argument in arguments {
        let (value, inner) = match &argument.node {
            ArgumentP::Named(key, value) => (value, argument_context(&key.node)),
            ArgumentP::Positional(value) => (value, context.plain()),
            ArgumentP::Args(value) | ArgumentP::KwArgs(value) => (value, context.plain()),
        };
        let inner = if opaque { Context::Unmarked } else { inner };
        expression(value, inner, into);
    }
}

fn argument_context(name: &str) -> Context {
    match name {
        "name" | "visibility" | "within_view" | "labels" | "main_module" | "main_function"
        | "base_module" | "contacts" => Context::Unmarked,
        _ => Context::Argument,
    }
}

fn literal(text: &str, span: Span, context: Context, into: &mut Collected) {
    let container = match context {
        Context::Element(container, elements) => Some((container, elements)),
        Context::Argument => None,
        Context::Unmarked | Context::Other => return,
    };
    if names_target_or_file(text) {
        let text = text.into();
        into.literals.push(Literal { text, span, container, manual: false, keep: None });
    }
}

/// Whether a literal looks like a label or a Python file, and like nothing that code takes apart.
fn names_target_or_file(text: &str) -> bool {
    let label = text.contains(':') || text.contains("//");
    let python = text.ends_with(".py") || text.ends_with(".pyi");
    (label || python)
        && !text.ends_with("...")
        && !text.contains([' ', '*', '\n', '{', '%', '$', '\u{E000}', '\u{E001}'])
}

/// Splits text into top-level statements by its lines alone, for files that do not parse as a whole.
///
/// A statement begins where a line begins with neither blank, comment nor closing bracket, and is not a branch
/// (`else`, `elif`) of the one before. Brackets do not count: an unclosed one must not swallow the rest of the file.
pub(super) fn split_statements(text: &str) -> Vec<Range<usize>> {
    // What stands before the first statement is comments, or wrong.
    let mut starts = vec![0];
    scan(text, |at, in_string| {
        let rest = &text[at..];
        let first = rest.chars().next();
        let continues = ["else", "elif"].iter().any(|word| rest.starts_with(word));
        let begins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | '[');
        if at > 0 && !in_string && !continues && first.is_some_and(begins) {
            starts.push(at);
        }
    });
    let ends = starts.iter().copied().skip(1).chain(std::iter::once(text.len()));
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// Walks over the lines of a text, telling whether each starts within a string.
fn scan(text: &str, mut on: impl FnMut(usize, bool)) {
    let bytes = text.as_bytes();
    // The quote that ends the current string, and whether it is tripled.
    let mut string: Option<(u8, bool)> = None;
    let mut at = 0;
    let mut line_start = true;
    while at < bytes.len() {
        if line_start {
            on(at, string.is_some());
            line_start = false;
        }
        let byte = bytes[at];
        match (string, byte) {
            (Some(_), b'\\') => at += 1,
            (Some((quote, true)), _) if byte == quote && bytes[at..].starts_with(&[quote; 3]) => {
                string = None;
                at += 2;
            }
            (Some((quote, false)), _) if byte == quote || byte == b'\n' => string = None,
            (None, b'"' | b'\'') => {
                let triple = bytes[at..].starts_with(&[byte; 3]);
                string = Some((byte, triple));
                at += if triple { 2 } else { 0 };
            }
            (None, b'#') => {
                at += memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                continue;
            }
            _ => {}
        }
        line_start = bytes.get(at) == Some(&b'\n');
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_split_at_lines_that_begin_one() {
        let text = "load(\"x\")\na(\n    b = [\n],\n)\n# c\nx = 1\nif x:\n    y\nelse:\n    z\n";
        let pieces: Vec<_> = split_statements(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(pieces.len(), 4, "{pieces:?}");
        assert!(pieces[3].contains("else"));
    }

    #[test]
    fn an_unclosed_bracket_does_not_swallow_the_next_statement() {
        let text = "a(name = [\nb(name = \"y\")\n";
        assert_eq!(split_statements(text).len(), 2);
    }
}
