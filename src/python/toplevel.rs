//! The module's top level in one quick pass: bound names, `__all__`, `__getattr__`, `pytest_plugins`. Pure; touches nothing.

use ruff_python_ast::{CmpOp, ExceptHandler, Expr, Operator, Pattern, Stmt, StmtIf};
use rustc_hash::FxHashSet;

use super::facts::DunderAll;
use super::guards;
use super::names::Names;

/// What the top level says. Function bodies and expressions are not entered.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct TopLevel<'a> {
    pub names: Names<'a>,
    pub all: Option<DunderAll>,
    pub has_getattr: bool,
    pub is_script: bool,
    /// Strings of `pytest_plugins`.
    pub plugins: Vec<&'a Expr>,
    bound: FxHashSet<&'a str>,
    /// Type-only imports bind nothing at run time.
    type_only: bool,
    /// Type-only imports bind all the same: this is a stub.
    stub: bool,
}

impl<'a> TopLevel<'a> {
    pub(super) fn read(body: &'a [Stmt], stub: bool) -> Self {
        let mut top = Self { stub, ..Self::default() };
        top.body(body);
        top
    }

    /// The bound names, sorted.
    pub(super) fn bound(&self) -> Vec<Box<str>> {
        let mut names: Vec<&str> =
            self.bound.iter().copied().filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        names.into_iter().map(Into::into).collect()
    }

    fn body(&mut self, body: &'a [Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn bind(&mut self, name: &'a str) {
        if !self.type_only || self.stub {
            self.bound.insert(name);
            self.has_getattr |= name == "__getattr__";
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Import(import) => {
                self.names.import(import);
                for alias in &import.names {
                    let top = alias.name.split('.').next().unwrap_or("");
                    self.bind(alias.asname.as_ref().map_or(top, |name| name.as_str()));
                }
            }
            Stmt::ImportFrom(import) => {
                self.names.import_from(import);
                for alias in import.names.iter().filter(|alias| alias.name.as_str() != "*") {
                    self.bind(alias.asname.as_ref().unwrap_or(&alias.name).as_str());
                }
            }
            Stmt::FunctionDef(function) => self.bind(function.name.as_str()),
            Stmt::ClassDef(class) => self.bind(class.name.as_str()),
            Stmt::TypeAlias(alias) => self.target(&alias.name),
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.target(target);
                    self.special(target, Some(&assign.value), false);
                }
            }
            Stmt::AnnAssign(assign) => {
                if assign.value.is_some() || self.stub {
                    self.target(&assign.target);
                }
                self.special(&assign.target, assign.value.as_deref(), false);
            }
            Stmt::AugAssign(assign) => {
                self.target(&assign.target);
                let value = (assign.op == Operator::Add).then_some(&*assign.value);
                self.special(&assign.target, value, true);
            }
            Stmt::Expr(statement) => self.all_method(&statement.value),
            Stmt::If(branch) => self.branches(branch),
            Stmt::For(each) => {
                self.target(&each.target);
                self.body(&each.body);
                self.body(&each.orelse);
            }
            Stmt::While(each) => {
                self.body(&each.body);
                self.body(&each.orelse);
            }
            Stmt::With(with) => {
                for target in with.items.iter().filter_map(|item| item.optional_vars.as_deref()) {
                    self.target(target);
                }
                self.body(&with.body);
            }
            Stmt::Try(guarded) => {
                self.body(&guarded.body);
                for ExceptHandler::ExceptHandler(handler) in &guarded.handlers {
                    self.body(&handler.body);
                }
                self.body(&guarded.orelse);
                self.body(&guarded.finalbody);
            }
            Stmt::Match(choice) => {
                for case in &choice.cases {
                    self.pattern(&case.pattern);
                    self.body(&case.body);
                }
            }
            _ => {}
        }
    }

    fn branches(&mut self, branch: &'a StmtIf) {
        self.is_script |= is_main_test(&branch.test);
        let outer = self.type_only;
        let test = guards::type_only(&branch.test, &self.names);
        self.type_only = outer || test.when_true;
        self.body(&branch.body);
        let mut rest = outer || test.when_false;
        for clause in &branch.elif_else_clauses {
            let test = clause.test.as_ref().map(|test| guards::type_only(test, &self.names));
            let test = test.unwrap_or_default();
            self.type_only = rest || test.when_true;
            self.body(&clause.body);
            rest |= test.when_false;
        }
        self.type_only = outer;
    }

    fn target(&mut self, target: &'a Expr) {
        match target {
            Expr::Name(name) => self.bind(name.id.as_str()),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|target| self.target(target)),
            Expr::List(list) => list.elts.iter().for_each(|target| self.target(target)),
            Expr::Starred(starred) => self.target(&starred.value),
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        match pattern {
            Pattern::MatchAs(capture) => {
                if let Some(name) = &capture.name {
                    self.bind(name.as_str());
                }
                if let Some(pattern) = &capture.pattern {
                    self.pattern(pattern);
                }
            }
            Pattern::MatchStar(star) => {
                if let Some(name) = &star.name {
                    self.bind(name.as_str());
                }
            }
            Pattern::MatchSequence(list) => list.patterns.iter().for_each(|p| self.pattern(p)),
            Pattern::MatchOr(list) => list.patterns.iter().for_each(|p| self.pattern(p)),
            Pattern::MatchMapping(map) => {
                if let Some(rest) = &map.rest {
                    self.bind(rest.as_str());
                }
                map.patterns.iter().for_each(|p| self.pattern(p));
            }
            Pattern::MatchClass(class) => {
                class.arguments.patterns.iter().for_each(|p| self.pattern(p));
                class.arguments.keywords.iter().for_each(|keyword| self.pattern(&keyword.pattern));
            }
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        }
    }

    /// Assignments to `__all__` and `pytest_plugins`.
    fn special(&mut self, target: &Expr, value: Option<&'a Expr>, adds: bool) {
        let Expr::Name(name) = target else { return };
        match (name.id.as_str(), value) {
            ("__all__", Some(value)) => {
                if !adds {
                    self.all = Some(DunderAll { names: Vec::new(), complete: true });
                }
                self.extend_all(value);
            }
            ("__all__", None) => self.all.get_or_insert_default().complete = false,
            ("pytest_plugins", Some(value)) => {
                literals(value, &mut self.plugins);
            }
            _ => {}
        }
    }

    fn extend_all(&mut self, value: &'a Expr) {
        let mut parts = Vec::new();
        let complete = literals(value, &mut parts);
        let all = self.all.get_or_insert_with(|| DunderAll { names: Vec::new(), complete: true });
        all.complete &= complete;
        all.names.extend(parts.iter().filter_map(|part| Some(string(part)?.into())));
    }

    /// `__all__.extend([…])`, `__all__.append("x")`, `__all__.remove("x")`
    fn all_method(&mut self, expr: &'a Expr) {
        let Expr::Call(call) = expr else { return };
        let Expr::Attribute(method) = &*call.func else { return };
        if !matches!(&*method.value, Expr::Name(name) if name.id.as_str() == "__all__") {
            return;
        }
        match (method.attr.as_str(), call.arguments.args.first()) {
            ("extend" | "append", Some(value)) => self.extend_all(value),
            ("remove", Some(value)) if string(value).is_some() => {
                let gone = string(value).unwrap_or("");
                if let Some(all) = &mut self.all {
                    all.names.retain(|name| &**name != gone);
                }
            }
            _ => self.all.get_or_insert_default().complete = false,
        }
    }
}

/// Collects the string literals of a list, tuple, set or sum; false if there is anything else in it.
fn literals<'a>(value: &'a Expr, out: &mut Vec<&'a Expr>) -> bool {
    match value {
        Expr::StringLiteral(_) => {
            out.push(value);
            true
        }
        Expr::List(list) => {
            list.elts.iter().fold(true, |whole, value| literals(value, out) & whole)
        }
        Expr::Tuple(tuple) => {
            tuple.elts.iter().fold(true, |whole, value| literals(value, out) & whole)
        }
        Expr::Set(set) => set.elts.iter().fold(true, |whole, value| literals(value, out) & whole),
        Expr::BinOp(sum) if sum.op == Operator::Add => {
            let left = literals(&sum.left, out);
            literals(&sum.right, out) && left
        }
        Expr::Starred(starred) => literals(&starred.value, out),
        _ => false,
    }
}

/// The value of a string literal.
pub(super) fn string(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringLiteral(literal) => Some(literal.value.to_str()),
        _ => None,
    }
}

fn is_main_test(test: &Expr) -> bool {
    let Expr::Compare(compare) = test else { return false };
    let [CmpOp::Eq] = &compare.ops[..] else { return false };
    let [right] = &compare.comparators[..] else { return false };
    let is_name = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id.as_str() == "__name__");
    let is_main = |expr: &Expr| string(expr) == Some("__main__");
    is_name(&compare.left) && is_main(right) || is_main(&compare.left) && is_name(right)
}
