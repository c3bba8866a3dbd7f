//! Where the parts of a build file stand: statements, calls, lists, dictionaries, and their elements. Pure functions of text.

use super::pieces::{self, Origin};
use crate::source::{LineIndex, ProjectPath, Span};
use starlark::codemap::Span as StarSpan;
use starlark::syntax::AstModule;
use starlark::syntax::ast::{ArgumentP, AstExpr, AstLiteral, AstStmt, BinOp, ExprP, StmtP};

/// The parts of a file, as far as it parses. All in the order in which they begin; what lies within comes after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Statements at the top level.
    pub statements: Vec<Statement>,
    /// Lists, tuples and dictionaries.
    pub sequences: Vec<Sequence>,
    /// Calls.
    pub calls: Vec<Call>,
    /// Sums: `a + b`.
    pub sums: Vec<Sum>,
}

/// A statement at the top level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its bytes.
    pub span: Span,
    /// It is a `load`.
    pub is_load: bool,
}

/// A list, tuple or dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// With its brackets.
    pub span: Span,
    /// It is written in square brackets.
    pub is_list: bool,
    /// Its elements; a dictionary's with key and value.
    pub elements: Vec<Element>,
}

/// An element of a list, tuple or dictionary, or an argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// All of it.
    pub span: Span,
    /// The key, or the argument's name.
    pub key: Option<Span>,
    /// The value: all of it, where there is no key.
    pub value: Span,
    /// The value if it is nothing but a string literal.
    pub text: Option<Box<str>>,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// All of it.
    pub span: Span,
    /// What is called.
    pub callee: Span,
    /// Its arguments.
    pub arguments: Vec<Element>,
}

/// Two values joined by `+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// All of it.
    pub span: Span,
    /// The left value.
    pub left: Span,
    /// The right value.
    pub right: Span,
}

impl Outline {
    /// Reads a text. What does not parse is left out.
    pub fn of(path: &ProjectPath, text: &str) -> Self {
        let lines = LineIndex::new(text);
        let start = text.len() - text.trim_start_matches('\u{FEFF}').len();
        let (asts, _) = pieces::parse_all(path, text, start, &lines, &mut |_, _, _| {});
        let mut outline = Self::default();
        for ast in &asts {
            Reader { base: base(ast), text, outline: &mut outline }.top(ast.statement());
        }
        outline
    }

    /// The call with these bytes.
    pub fn call(&self, span: Span) -> Option<&Call> {
        self.calls.iter().find(|call| call.span == span)
    }

    /// The list, tuple or dictionary of which an element, a key or a value has these bytes, and the element's position.
    pub fn holder(&self, span: Span) -> Option<(&Sequence, usize)> {
        self.sequences.iter().find_map(|sequence| {
            let is_it = |e: &Element| e.span == span || e.value == span || e.key == Some(span);
            Some((sequence, sequence.elements.iter().position(is_it)?))
        })
    }
}

fn base(ast: &AstModule) -> u32 {
    Origin::of(ast.file_span(ast.statement().span).filename()).offset
}

struct Reader<'a> {
    base: u32,
    text: &'a str,
    outline: &'a mut Outline,
}

impl Reader<'_> {
    /// Statements may carry white space and comments behind them, which are not theirs.
    fn span(&self, span: StarSpan) -> Span {
        let (start, end) = (span.begin().get() + self.base, span.end().get() + self.base);
        let text = self.text.get(start as usize..end as usize).unwrap_or("");
        Span::new(start, start + text.trim_end().len() as u32)
    }

    fn top(&mut self, node: &AstStmt) {
        if let StmtP::Statements(inner) = &node.node {
            inner.iter().for_each(|inner| self.top(inner));
            return;
        }
        let is_load = matches!(node.node, StmtP::Load(_));
        let span = self.span(node.span);
        self.outline.statements.push(Statement { span, is_load });
        self.statement(node);
    }

    fn statement(&mut self, node: &AstStmt) {
        node.node.visit_expr(|expression| self.expression(expression));
    }

    fn expression(&mut self, node: &AstExpr) {
        let span = self.span(node.span);
        match &node.node {
            ExprP::List(items) => {
                let elements = items.iter().map(|item| self.element(item)).collect();
                self.outline.sequences.push(Sequence { span, is_list: true, elements });
            }
            ExprP::Tuple(items) => {
                let elements = items.iter().map(|item| self.element(item)).collect();
                if let Some(span) = self.with_brackets(span) {
                    self.outline.sequences.push(Sequence { span, is_list: false, elements });
                }
            }
            ExprP::Dict(entries) => {
                let entry = |(key, value): &(AstExpr, AstExpr)| {
                    let (key, value_span) = (self.span(key.span), self.span(value.span));
                    let span = Span::new(key.start, value_span.end);
                    Element { span, key: Some(key), value: value_span, text: text_of(value) }
                };
                let elements = entries.iter().map(entry).collect();
                self.outline.sequences.push(Sequence { span, is_list: false, elements });
            }
            ExprP::Call(callee, arguments) => {
                let arguments = arguments.args.iter().map(|argument| {
                    let span = self.span(argument.span);
                    let (key, value) = match &argument.node {
                        ArgumentP::Named(name, value) => (Some(self.span(name.span)), value),
                        ArgumentP::Positional(value)
                        | ArgumentP::Args(value)
                        | ArgumentP::KwArgs(value) => (None, value),
                    };
                    Element { span, key, value: self.span(value.span), text: text_of(value) }
                });
                let arguments = arguments.collect();
                let callee = self.span(callee.span);
                self.outline.calls.push(Call { span, callee, arguments });
            }
            ExprP::Op(left, BinOp::Add, right) => {
                let (left, right) = (self.span(left.span), self.span(right.span));
                self.outline.sums.push(Sum { span, left, right });
            }
            _ => {}
        }
        node.node.visit_expr(|inner| self.expression(inner));
    }

    /// The brackets of a tuple are not part of its node; it may have none.
    fn with_brackets(&self, span: Span) -> Option<Span> {
        let before = self.text.get(..span.start as usize)?.trim_end().strip_suffix('(')?;
        let behind = self.text.get(span.end as usize..)?.trim_start();
        let behind = behind.strip_prefix(',').unwrap_or(behind).trim_start().strip_prefix(')')?;
        Some(Span::new(before.len() as u32, (self.text.len() - behind.len()) as u32))
    }

    fn element(&self, item: &AstExpr) -> Element {
        let span = self.span(item.span);
        Element { span, key: None, value: span, text: text_of(item) }
    }
}

fn text_of(node: &AstExpr) -> Option<Box<str>> {
    match &node.node {
        ExprP::Literal(AstLiteral::String(text)) => Some(text.node.as_str().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_the_bytes_they_are_written_with() {
        let text = "load(\":a.bzl\", \"x\")\n\nx(\n    name = \"n\",\n    deps = [\":a\", f(1)] + select({\"k\": [\":b\"]}),\n)\n# end\n";
        let outline = Outline::of(&ProjectPath::new("BUCK"), text);
        let show = |span: Span| &text[span.range()];
        assert!(outline.statements[0].is_load);
        assert!(show(outline.statements[1].span).ends_with("}),\n)"));
        let call = &outline.calls[0];
        assert_eq!(show(call.arguments[0].span), "name = \"n\"");
        assert_eq!(call.arguments[0].text.as_deref(), Some("n"));
        assert_eq!(show(outline.sums[0].left), "[\":a\", f(1)]");
        let (dict, at) = outline.holder(outline.sequences[1].elements[0].value).unwrap();
        assert_eq!((show(dict.elements[at].span), dict.is_list), ("\"k\": [\":b\"]", false));
    }

    #[test]
    fn tuples_have_their_brackets() {
        let text = "a = (\":a\", \":b\")\nb = ( (\":c\", ) , )\nc, d = \":d\", \":e\"\nf((\":f\"), \":g\")\n";
        let outline = Outline::of(&ProjectPath::new("BUCK"), text);
        let found: Vec<&str> = outline.sequences.iter().map(|s| &text[s.span.range()]).collect();
        assert_eq!(found, ["(\":a\", \":b\")", "( (\":c\", ) , )", "(\":c\", )"]);
    }
}
