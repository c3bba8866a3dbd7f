//! What names mean in one file: import aliases, and assignments looked up on demand. Pure values; touches nothing.

use ruff_python_ast::{Comprehension, ExceptHandler, Expr, Stmt, StmtFunctionDef, StmtImport};
use ruff_python_ast::{ExprAttribute, StmtImportFrom};
use rustc_hash::FxHashMap;

/// What an import bound a name to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Referent<'a> {
    /// A module, by its real dotted name.
    Module(&'a str),
    /// A member of a module, or a submodule.
    Member { level: u32, module: &'a str, name: &'a str },
}

/// The names that imports bind, over all scopes: the last import seen wins.
#[derive(Default)]
pub(super) struct Names<'a> {
    map: FxHashMap<&'a str, Referent<'a>>,
}

impl<'a> Names<'a> {
    pub(super) fn import(&mut self, statement: &'a StmtImport) {
        for alias in &statement.names {
            let module = alias.name.as_str();
            let top = module.split('.').next().unwrap_or(module);
            let (name, module) = match &alias.asname {
                Some(name) => (name.as_str(), module),
                None => (top, top),
            };
            self.map.insert(name, Referent::Module(module));
        }
    }

    pub(super) fn import_from(&mut self, statement: &'a StmtImportFrom) {
        let module = statement.module.as_ref().map_or("", |module| module.as_str());
        for alias in &statement.names {
            let name = alias.name.as_str();
            let bound = alias.asname.as_ref().map_or(name, |name| name.as_str());
            let referent = Referent::Member { level: statement.level, module, name };
            self.map.insert(bound, referent);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Referent<'a>> {
        self.map.get(name).copied()
    }

    /// The real dotted name of the module that a plain `import` bound to `name`.
    pub(super) fn module(&self, name: &str) -> Option<&'a str> {
        match self.get(name)? {
            Referent::Module(module) => Some(module),
            Referent::Member { .. } => None,
        }
    }

    /// The name that `name` has where it was imported from.
    pub(super) fn last_name<'n>(&self, name: &'n str) -> &'n str
    where
        'a: 'n,
    {
        match self.get(name) {
            Some(Referent::Member { name, .. }) => name,
            _ => name,
        }
    }

    /// The dotted name that `expr` stands for, import aliases resolved: `il.import_module` gives
    /// `importlib.import_module`. `None` if it is more than names and dots.
    pub(super) fn canonical(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(name) => Some(match self.get(&name.id) {
                None => name.id.to_string(),
                Some(Referent::Module(module)) => module.to_owned(),
                Some(Referent::Member { level, module, name }) => {
                    let dots = ".".repeat(level as usize);
                    let dot = if module.is_empty() { "" } else { "." };
                    format!("{dots}{module}{dot}{name}")
                }
            }),
            Expr::Attribute(attribute) => {
                let mut name = self.canonical(&attribute.value)?;
                name.push('.');
                name.push_str(&attribute.attr);
                Some(name)
            }
            _ => None,
        }
    }

    /// Appends the chain to `out` if it starts at a module bound by a plain `import`.
    pub(super) fn module_chain(&self, attribute: &ExprAttribute, out: &mut String) -> bool {
        let known = match &*attribute.value {
            Expr::Name(name) => {
                self.module(&name.id).inspect(|module| out.push_str(module)).is_some()
            }
            Expr::Attribute(inner) => self.module_chain(inner, out),
            _ => false,
        };
        if known {
            out.push('.');
            out.push_str(&attribute.attr);
        }
        known
    }
}

/// A function or comprehension around the current place.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    Function(&'a StmtFunctionDef),
    Comprehension(&'a [Comprehension]),
}

/// How a name gets its value.
#[derive(Clone, Copy)]
pub(super) enum Bound<'a> {
    /// The value, or its element at an index.
    Value(&'a Expr, Option<usize>),
    /// Each element of the iterable in turn, or the element's own element at an index.
    Element(&'a Expr, Option<usize>),
    /// In a way that is not followed.
    Opaque,
}

/// The one binding of `name` that holds in the innermost of `scopes`; `None` if there is none.
pub(super) fn binding<'a>(
    name: &str,
    scopes: &[Scope<'a>],
    module: &'a [Stmt],
) -> Option<Bound<'a>> {
    for scope in scopes.iter().rev() {
        let mut found = Vec::new();
        match scope {
            Scope::Function(function) => {
                if function.parameters.includes(name) {
                    found.push(Bound::Opaque);
                }
                in_body(&function.body, name, &mut found);
            }
            Scope::Comprehension(generators) => {
                for generator in *generators {
                    in_target(&generator.target, &generator.iter, name, true, &mut found);
                }
            }
        }
        if !found.is_empty() {
            return Some(only(&found));
        }
    }
    let mut found = Vec::new();
    in_body(module, name, &mut found);
    (!found.is_empty()).then(|| only(&found))
}

fn only<'a>(found: &[Bound<'a>]) -> Bound<'a> {
    match found {
        [one] => *one,
        _ => Bound::Opaque,
    }
}

fn in_body<'a>(body: &'a [Stmt], name: &str, found: &mut Vec<Bound<'a>>) {
    for statement in body {
        in_statement(statement, name, found);
    }
}

fn in_statement<'a>(statement: &'a Stmt, name: &str, found: &mut Vec<Bound<'a>>) {
    match statement {
        Stmt::Assign(assign) => {
            for target in &assign.targets {
                in_target(target, &assign.value, name, false, found);
            }
        }
        Stmt::AnnAssign(assign) => {
            if let Some(value) = &assign.value {
                in_target(&assign.target, value, name, false, found);
            }
        }
        Stmt::AugAssign(assign) if is_name(&assign.target, name) => found.push(Bound::Opaque),
        Stmt::For(each) => {
            in_target(&each.target, &each.iter, name, true, found);
            in_body(&each.body, name, found);
            in_body(&each.orelse, name, found);
        }
        Stmt::While(each) => {
            in_body(&each.body, name, found);
            in_body(&each.orelse, name, found);
        }
        Stmt::If(branch) => {
            in_body(&branch.body, name, found);
            for clause in &branch.elif_else_clauses {
                in_body(&clause.body, name, found);
            }
        }
        Stmt::With(with) => {
            let bound = with.items.iter().filter_map(|item| item.optional_vars.as_deref());
            found.extend(bound.filter(|target| is_name(target, name)).map(|_| Bound::Opaque));
            in_body(&with.body, name, found);
        }
        Stmt::Try(guarded) => {
            in_body(&guarded.body, name, found);
            for ExceptHandler::ExceptHandler(handler) in &guarded.handlers {
                in_body(&handler.body, name, found);
            }
            in_body(&guarded.orelse, name, found);
            in_body(&guarded.finalbody, name, found);
        }
        Stmt::Match(choice) => {
            for case in &choice.cases {
                in_body(&case.body, name, found);
            }
        }
        Stmt::FunctionDef(function) if function.name.as_str() == name => found.push(Bound::Opaque),
        Stmt::ClassDef(class) if class.name.as_str() == name => found.push(Bound::Opaque),
        _ => {}
    }
}

fn in_target<'a>(
    target: &'a Expr,
    value: &'a Expr,
    name: &str,
    element: bool,
    found: &mut Vec<Bound<'a>>,
) {
    let bind = |index| {
        if element { Bound::Element(value, index) } else { Bound::Value(value, index) }
    };
    match target {
        Expr::Name(target) if target.id.as_str() == name => found.push(bind(None)),
        Expr::Tuple(targets) => in_targets(&targets.elts, bind, name, found),
        Expr::List(targets) => in_targets(&targets.elts, bind, name, found),
        _ => {}
    }
}

fn in_targets<'a>(
    targets: &[Expr],
    bind: impl Fn(Option<usize>) -> Bound<'a>,
    name: &str,
    found: &mut Vec<Bound<'a>>,
) {
    for (index, target) in targets.iter().enumerate() {
        match target {
            target if is_name(target, name) => found.push(bind(Some(index))),
            // Deeper patterns bind names too, but nobody writes module names there.
            Expr::Tuple(nested) if nested.elts.iter().any(|target| is_name(target, name)) => {
                found.push(Bound::Opaque);
            }
            _ => {}
        }
    }
}

fn is_name(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Name(target) => target.id.as_str() == name,
        Expr::Starred(starred) => is_name(&starred.value, name),
        _ => false,
    }
}
