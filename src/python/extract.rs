//! One walk over a syntax tree that collects the facts. Touches nothing.

use std::cell::Cell;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Comprehension, Expr, ExprAttribute, ExprCall, ExprStringLiteral, ModModule, Stmt,
    StmtFunctionDef, StmtIf, StmtTry, StmtWith,
};
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashMap;

use super::decode::Source;
use super::dynamic::{self, Anchored, Load};
use super::facts::{
    AttributeUse, Base, DottedString, DynamicTarget, DynamicUse, Facts, PathString, SourceKind,
    StringKind,
};
use super::imports::{self, Context};
use super::names::{Names, Scope};
use super::strings::{self, Shape};
use super::texts::{LOOKUPS, Texts};
use super::toplevel::TopLevel;
use super::{guards, pytest};

/// Collects the facts of a parsed module.
pub(super) fn extract(module: &ModModule, source: &Source<'_>, kind: SourceKind) -> Facts {
    let stub = kind == SourceKind::Stub;
    let top = TopLevel::read(&module.body, stub);
    let mut facts = Facts {
        bound: top.bound(),
        all: top.all,
        has_getattr: top.has_getattr,
        is_script: top.is_script,
        ..Facts::default()
    };
    for plugin in &top.plugins {
        let line = source.lines.line(plugin.start().to_u32());
        facts
            .pytest
            .plugins
            .extend(super::toplevel::string(plugin).map(|name| (name.into(), line)));
    }
    let mut walk = Walk {
        source,
        module: &module.body,
        names: top.names,
        facts,
        context: Context { type_only: stub, ..Context::default() },
        scopes: Vec::new(),
        in_annotation: false,
        in_getattr: false,
        chains: FxHashMap::default(),
        chain: String::new(),
        table: Vec::new(),
        lookups: Cell::new(LOOKUPS),
        lazy: Vec::new(),
    };
    walk.visit_body(&module.body);
    walk.finish()
}

struct Walk<'s, 'a> {
    source: &'s Source<'s>,
    module: &'a [Stmt],
    names: Names<'a>,
    facts: Facts,
    context: Context,
    scopes: Vec<Scope<'a>>,
    in_annotation: bool,
    /// In the body of the module's own `__getattr__`.
    in_getattr: bool,
    /// First line and type-only-ness of each attribute chain.
    chains: FxHashMap<Box<str>, (u32, bool)>,
    /// The chain at hand; kept for its buffer.
    chain: String,
    /// Look-ups of names that are left.
    lookups: Cell<u32>,
    /// Strings of the module's tables, if it has a `__getattr__`.
    table: Vec<&'a str>,
    /// Loads whose names come from those tables.
    lazy: Vec<(Anchored, Option<Anchored>, DynamicUse)>,
}

impl<'a> Visitor<'a> for Walk<'_, 'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Import(import) => {
                self.names.import(import);
                imports::import(self.source, import, self.context, &mut self.facts.imports);
            }
            Stmt::ImportFrom(import) => {
                self.names.import_from(import);
                imports::import_from(self.source, import, self.context, &mut self.facts.imports);
            }
            // A string as a statement is a docstring or a comment.
            Stmt::Expr(statement) if statement.value.is_string_literal_expr() => {}
            Stmt::FunctionDef(function) => self.function(function, statement),
            Stmt::If(branch) => self.branches(branch),
            Stmt::Try(guarded) => self.guarded(guarded),
            Stmt::With(with) => self.with(with),
            Stmt::Assign(assign) if self.holds_tables() => self.table_value(&assign.value, true),
            Stmt::AnnAssign(assign) if self.holds_tables() => {
                self.visit_annotation(&assign.annotation);
                if let Some(value) = &assign.value {
                    self.table_value(value, true);
                }
            }
            _ => visitor::walk_stmt(self, statement),
        }
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        let outer = std::mem::replace(&mut self.in_annotation, true);
        self.visit_expr(annotation);
        self.in_annotation = outer;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::StringLiteral(literal) => self.string(literal, StringKind::Plain),
            Expr::Attribute(attribute) => self.attribute(attribute),
            Expr::Call(call) => self.call(call),
            Expr::Subscript(lookup) if self.in_annotation && is_literal_type(&lookup.value) => {
                self.visit_expr(&lookup.value);
                self.in_annotation = false;
                self.visit_expr(&lookup.slice);
                self.in_annotation = true;
            }
            Expr::List(list) => {
                self.command(&list.elts);
                visitor::walk_expr(self, expr);
            }
            Expr::Tuple(tuple) => {
                self.command(&tuple.elts);
                visitor::walk_expr(self, expr);
            }
            Expr::ListComp(comp) => self.comprehension(&comp.generators, expr),
            Expr::SetComp(comp) => self.comprehension(&comp.generators, expr),
            Expr::DictComp(comp) => self.comprehension(&comp.generators, expr),
            Expr::Generator(comp) => self.comprehension(&comp.generators, expr),
            Expr::Name(_) | Expr::NumberLiteral(_) | Expr::BytesLiteral(_) => {}
            _ => visitor::walk_expr(self, expr),
        }
    }
}

impl<'a> Walk<'_, 'a> {
    fn line(&self, range: TextRange) -> u32 {
        self.source.lines.line(range.start().to_u32())
    }

    fn within(&mut self, context: Context, body: &'a [Stmt]) {
        let outer = std::mem::replace(&mut self.context, context);
        self.visit_body(body);
        self.context = outer;
    }

    fn function(&mut self, function: &'a StmtFunctionDef, statement: &'a Stmt) {
        let lines = &self.source.lines;
        pytest::function(function, &self.names, |at| lines.line(at), &mut self.facts.pytest);
        let outer = (self.context, self.in_getattr);
        let is_getattr = self.scopes.is_empty() && function.name.as_str() == "__getattr__";
        self.in_getattr |= is_getattr;
        self.scopes.push(Scope::Function(function));
        // Decorators and defaults run outside, but nothing in them is an import statement. A body runs
        // later, when no surrounding `try` catches its errors any more. That of the module's `__getattr__` runs for those
        // who ask for a name, and without them it is not missed.
        self.context = Context { deferred: true, optional: is_getattr, ..outer.0 };
        visitor::walk_stmt(self, statement);
        self.scopes.pop();
        (self.context, self.in_getattr) = outer;
    }

    fn branches(&mut self, branch: &'a StmtIf) {
        let outer = self.context;
        let mut rest = outer;
        let clauses =
            branch.elif_else_clauses.iter().map(|clause| (clause.test.as_ref(), &clause.body));
        for (test, body) in std::iter::once((Some(&*branch.test), &branch.body)).chain(clauses) {
            let Some(test) = test else {
                self.within(rest, body);
                break;
            };
            self.visit_expr(test);
            let holds = guards::type_only(test, &self.names);
            let mut inner = Context { type_only: rest.type_only || holds.when_true, ..rest };
            rest.type_only |= holds.when_false;
            if !holds.decides() {
                inner.condition = Some((test.range(), false));
                rest.condition = Some((test.range(), true));
            }
            self.within(inner, body);
        }
    }

    fn guarded(&mut self, guarded: &'a StmtTry) {
        let optional = self.context.optional || guards::catches_import_error(guarded, &self.names);
        self.within(Context { optional, ..self.context }, &guarded.body);
        // What stands in for a failed import is needed; what follows on another failure may never run.
        let outer = self.context;
        self.context.optional |= !guards::imports_something(&guarded.body);
        for handler in &guarded.handlers {
            self.visit_except_handler(handler);
        }
        self.context = outer;
        self.visit_body(&guarded.orelse);
        self.visit_body(&guarded.finalbody);
    }

    fn with(&mut self, with: &'a StmtWith) {
        for item in &with.items {
            self.visit_with_item(item);
        }
        let optional =
            self.context.optional || guards::suppresses_import_error(&with.items, &self.names);
        self.within(Context { optional, ..self.context }, &with.body);
    }

    fn comprehension(&mut self, generators: &'a [Comprehension], expr: &'a Expr) {
        self.scopes.push(Scope::Comprehension(generators));
        visitor::walk_expr(self, expr);
        self.scopes.pop();
    }

    fn attribute(&mut self, attribute: &'a ExprAttribute) {
        self.chain.clear();
        if self.names.module_chain(attribute, &mut self.chain) {
            if attribute.attr.as_str() == "import_module" && self.chain == "importlib.import_module"
            {
                // Handed on as a value: whoever gets it may load anything.
                let call = self.load_at("importlib.import_module", attribute.range);
                self.facts.dynamic.push(call);
            }
            self.record_chain(attribute.range);
        } else {
            self.visit_expr(root(attribute));
        }
    }

    fn record_chain(&mut self, range: TextRange) {
        let type_only = self.in_annotation || self.context.type_only;
        match self.chains.get_mut(self.chain.as_str()) {
            Some((_, false)) => {}
            Some(_) if type_only => {}
            _ => {
                let line = self.line(range);
                self.chains.insert(self.chain.as_str().into(), (line, type_only));
            }
        }
    }

    fn load_at(&self, function: &str, range: TextRange) -> DynamicUse {
        DynamicUse {
            target: DynamicTarget::Unbounded,
            optional: self.context.optional,
            deferred: self.context.deferred,
            call: function.into(),
            span: self.source.span(range),
            line: self.line(range),
        }
    }

    fn call(&mut self, call: &'a ExprCall) {
        let last = match &*call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => self.names.last_name(&name.id),
            _ => "",
        };
        let mut first = StringKind::Plain;
        let mut loads = false;
        match last {
            "patch" | "multiple" | "dict" | "setattr" | "delattr" if patches(call) => {
                first = StringKind::MockPatch;
            }
            "cast" => first = StringKind::Annotation,
            "usefixtures" => {
                let line = self.line(call.range());
                pytest::use_fixtures(&call.arguments.args, line, &mut self.facts.pytest);
            }
            _ => loads = dynamic::may_load(last) && self.loads(call),
        }
        match &*call.func {
            // Called, not handed on.
            Expr::Attribute(attribute) if loads => {
                self.chain.clear();
                if self.names.module_chain(attribute, &mut self.chain) {
                    self.record_chain(attribute.range);
                } else {
                    self.visit_expr(root(attribute));
                }
            }
            function => self.visit_expr(function),
        }
        for (index, argument) in call.arguments.args.iter().enumerate() {
            match argument {
                Expr::StringLiteral(literal) if index == 0 => self.string(literal, first),
                Expr::Attribute(_) if loads && dynamic::is_import_module(&self.names, argument) => {
                }
                _ => self.visit_expr(argument),
            }
        }
        for keyword in &call.arguments.keywords {
            self.visit_expr(&keyword.value);
        }
    }

    /// Records what the call loads; false if the function is none that loads.
    fn loads(&mut self, call: &'a ExprCall) -> bool {
        let Some(function) = self.names.canonical(&call.func) else { return false };
        let texts = Texts::new(&self.names, &self.scopes, self.module, &self.lookups);
        let lazy = self.in_getattr;
        let loads = dynamic::loads(&texts, &self.names, &function, call, lazy);
        let blank = self.load_at(&function, call.range());
        for load in loads {
            match load {
                Load::Target(target, optional) => {
                    let optional = optional || blank.optional;
                    self.facts.dynamic.push(DynamicUse { target, optional, ..blank.clone() });
                }
                Load::Table { start, package } => self.lazy.push((start, package, blank.clone())),
            }
        }
        matches!(&*function, "importlib.import_module" | "map")
    }

    /// `[sys.executable, "-m", "pkg.tool"]`
    fn command(&mut self, elements: &'a [Expr]) {
        for pair in elements.windows(2) {
            let [Expr::StringLiteral(flag), Expr::StringLiteral(module)] = pair else { continue };
            if flag.value.to_str() == "-m" && super::modules::is_dotted_name(module.value.to_str())
            {
                self.run_by_command(module.value.to_str(), module.range);
            }
        }
    }

    fn run_by_command(&mut self, module: &str, range: TextRange) {
        let target = DynamicTarget::Module { base: Base::Absolute, name: module.into() };
        let load = self.load_at("python -m", range);
        self.facts.dynamic.push(DynamicUse { target, optional: true, ..load });
    }

    fn string(&mut self, literal: &'a ExprStringLiteral, kind: StringKind) {
        let text = literal.value.to_str();
        if self.in_annotation || kind == StringKind::Annotation {
            self.annotation(text, literal.range);
            return;
        }
        match strings::shape(text) {
            None => {}
            Some(Shape::Dotted) => self.dotted(text.into(), kind, literal.range),
            Some(Shape::EntryPoint) => {
                self.dotted(text.replace(':', ".").into(), StringKind::EntryPoint, literal.range);
            }
            Some(Shape::Path) => {
                let (span, line) = (self.source.span(literal.range), self.line(literal.range));
                self.facts.paths.push(PathString { text: text.into(), span, line });
            }
            Some(Shape::Command(module)) => self.run_by_command(module, literal.range),
        }
    }

    fn dotted(&mut self, text: Box<str>, kind: StringKind, range: TextRange) {
        let (span, line) = (self.source.span(range), self.line(range));
        self.facts.strings.push(DottedString { text, kind, span, line });
    }

    fn annotation(&mut self, text: &str, range: TextRange) {
        for name in strings::names_in_type(text) {
            self.dotted(name.into(), StringKind::Annotation, range);
            let (top, rest) = name.split_once('.').unwrap_or((name, ""));
            if let Some(module) = self.names.module(top) {
                self.chain = format!("{module}.{rest}");
                let outer = std::mem::replace(&mut self.in_annotation, true);
                self.record_chain(range);
                self.in_annotation = outer;
            }
        }
    }

    fn holds_tables(&self) -> bool {
        self.facts.has_getattr && self.scopes.is_empty()
    }

    /// Walks a top-level value; strings in literal tables are names that `__getattr__` may load.
    fn table_value(&mut self, value: &'a Expr, outermost: bool) {
        match value {
            Expr::Dict(dict) => {
                for item in &dict.items {
                    if let Some(key) = &item.key {
                        // `{"module": ["Name", …]}` has its modules on the left.
                        match &item.value {
                            Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) => {
                                self.table_value(key, false);
                            }
                            _ => self.visit_expr(key),
                        }
                    }
                    self.table_value(&item.value, false);
                }
            }
            Expr::List(list) => list.elts.iter().for_each(|value| self.table_value(value, false)),
            Expr::Tuple(tuple) => {
                tuple.elts.iter().for_each(|value| self.table_value(value, false));
            }
            Expr::Set(set) => set.elts.iter().for_each(|value| self.table_value(value, false)),
            Expr::StringLiteral(literal) if !outermost => {
                self.table.push(literal.value.to_str());
                self.string(literal, StringKind::LazyTable);
            }
            _ => self.visit_expr(value),
        }
    }

    fn finish(mut self) -> Facts {
        for (start, package, load) in std::mem::take(&mut self.lazy) {
            let targets = dynamic::from_table(&start, package.as_ref(), &self.table);
            let uses = targets.into_iter().map(|target| {
                let guess = matches!(target, DynamicTarget::Module { .. });
                DynamicUse { optional: load.optional || guess, target, ..load.clone() }
            });
            self.facts.dynamic.extend(uses);
        }
        self.facts.dynamic.sort_by_key(|load| load.span);
        self.facts.attribute_uses = std::mem::take(&mut self.chains)
            .into_iter()
            .map(|(chain, (line, type_only))| AttributeUse { chain, line, type_only })
            .collect();
        self.facts.attribute_uses.sort_unstable();
        pytest::finish(&mut self.facts.pytest);
        let all = self.facts.all.as_ref().map_or(&[][..], |all| &all.names);
        imports::mark_reexports(&mut self.facts.imports, all);
        self.facts
    }
}

/// What the attributes are looked up on: `a()` in `a().b.c`.
fn root(attribute: &ExprAttribute) -> &Expr {
    let mut value = &*attribute.value;
    while let Expr::Attribute(inner) = value {
        value = &inner.value;
    }
    value
}

/// `patch("a.b")`, `mock.patch.multiple("a.b")`, `monkeypatch.setattr("a.b", …)`; not the builtins `setattr` and `dict`.
fn patches(call: &ExprCall) -> bool {
    match &*call.func {
        Expr::Name(name) => {
            !matches!(name.id.as_str(), "setattr" | "delattr" | "dict" | "multiple")
        }
        Expr::Attribute(method) => match method.attr.as_str() {
            "multiple" | "dict" => match &*method.value {
                Expr::Name(name) => name.id.as_str() == "patch",
                Expr::Attribute(patch) => patch.attr.as_str() == "patch",
                _ => false,
            },
            _ => true,
        },
        _ => false,
    }
}

fn is_literal_type(expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => name.id.as_str() == "Literal",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "Literal",
        _ => false,
    }
}
