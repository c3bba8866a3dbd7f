//! What the conditions around an import say: type checking, dead code, caught import errors. Pure functions; touches nothing.

use ruff_python_ast::{BoolOp, ExceptHandler, Expr, Number, Stmt, StmtTry, UnaryOp, WithItem};

use super::names::Names;

/// Which branches of a test only a type checker (or nobody) takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TypeOnly {
    /// The branch taken when the test holds.
    pub when_true: bool,
    /// The branch taken when it does not.
    pub when_false: bool,
}

impl TypeOnly {
    /// The test is about type checking and nothing else, so it is no condition of interest.
    pub(super) fn decides(self) -> bool {
        self.when_true || self.when_false
    }
}

/// Reads an `if` test.
pub(super) fn type_only(test: &Expr, names: &Names<'_>) -> TypeOnly {
    match test {
        Expr::UnaryOp(not) if not.op == UnaryOp::Not => {
            let inner = type_only(&not.operand, names);
            // At run time `not TYPE_CHECKING` holds; that its other branch is type-only follows from `when_true`.
            TypeOnly { when_true: inner.when_false, when_false: inner.when_true }
        }
        Expr::BoolOp(join) => {
            let parts: Vec<TypeOnly> =
                join.values.iter().map(|value| type_only(value, names)).collect();
            match join.op {
                BoolOp::And => TypeOnly {
                    when_true: parts.iter().any(|part| part.when_true),
                    when_false: parts.iter().all(|part| part.when_false),
                },
                BoolOp::Or => TypeOnly {
                    when_true: parts.iter().all(|part| part.when_true),
                    when_false: parts.iter().any(|part| part.when_false),
                },
            }
        }
        _ if is_type_checking(test, names) || is_constant(test, false) => {
            TypeOnly { when_true: true, when_false: false }
        }
        _ if is_constant(test, true) => TypeOnly { when_true: false, when_false: true },
        _ => TypeOnly::default(),
    }
}

fn is_type_checking(test: &Expr, names: &Names<'_>) -> bool {
    let name = match test {
        Expr::Name(name) => names.last_name(&name.id),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    matches!(name, "TYPE_CHECKING" | "MYPY")
}

fn is_constant(test: &Expr, value: bool) -> bool {
    match test {
        Expr::BooleanLiteral(literal) => literal.value == value,
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(number) => number.as_u8().is_some_and(|number| (number != 0) == value),
            _ => false,
        },
        Expr::NoneLiteral(_) => !value,
        _ => false,
    }
}

/// The body of `guarded` may fail to import without harm.
pub(super) fn catches_import_error(guarded: &StmtTry, names: &Names<'_>) -> bool {
    guarded.handlers.iter().any(|ExceptHandler::ExceptHandler(handler)| match &handler.type_ {
        None => true,
        Some(caught) => is_import_error(caught, names),
    })
}

/// Whether a body has an import statement of its own, within whatever branches.
pub(super) fn imports_something(body: &[Stmt]) -> bool {
    body.iter().any(|statement| match statement {
        Stmt::Import(_) | Stmt::ImportFrom(_) => true,
        Stmt::If(branch) => {
            imports_something(&branch.body)
                || branch.elif_else_clauses.iter().any(|clause| imports_something(&clause.body))
        }
        Stmt::Try(inner) => imports_something(&inner.body),
        Stmt::With(with) => imports_something(&with.body),
        _ => false,
    })
}

/// `with contextlib.suppress(ImportError)`
pub(super) fn suppresses_import_error(items: &[WithItem], names: &Names<'_>) -> bool {
    items.iter().any(|item| match &item.context_expr {
        Expr::Call(call) => {
            names.canonical(&call.func).as_deref() == Some("contextlib.suppress")
                && call.arguments.args.iter().any(|caught| is_import_error(caught, names))
        }
        _ => false,
    })
}

fn is_import_error(caught: &Expr, names: &Names<'_>) -> bool {
    if let Expr::Tuple(tuple) = caught {
        return tuple.elts.iter().any(|caught| is_import_error(caught, names));
    }
    let Some(name) = names.canonical(caught) else { return false };
    let name = name.strip_prefix("builtins.").unwrap_or(&name);
    matches!(name, "ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException")
}
