//! Which strings an expression can be, as far as the file tells: a small evaluator for module names. Pure; touches nothing.

use std::cell::Cell;

use ruff_python_ast::{
    Expr, ExprCall, ExprFString, FStringPart, InterpolatedStringElement, Operator, Stmt,
};

use super::facts::Base;
use super::names::{Bound, Names, Referent, Scope, binding};

/// More alternatives than this are as good as unknown.
const MAX_ALTERNATIVES: usize = 1024;
/// Steps of evaluation for one expression.
const FUEL: u32 = 4096;
/// Levels of evaluation.
const DEPTH: u32 = 64;
/// Look-ups of names in one file: each may read all statements.
pub(super) const LOOKUPS: u32 = 4096;

/// A string, or the known start of one. Behind a base other than nothing, text starts with a dot or is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_field_names, reason = "it is the text of a text behind a base")]
pub(super) struct Text {
    /// What the text stands behind: nothing, the file's package, its own name.
    pub base: Base,
    pub text: String,
    /// Nothing unknown follows.
    pub complete: bool,
}

impl Text {
    fn known(text: impl Into<String>) -> Self {
        Self { base: Base::Absolute, text: text.into(), complete: true }
    }

    fn own(base: Base) -> Self {
        Self { base, text: String::new(), complete: true }
    }

    fn hole() -> Self {
        Self { base: Base::Absolute, text: String::new(), complete: false }
    }

    fn then(&self, next: &Self) -> Self {
        let mut joined = self.clone();
        if !self.complete {
            return joined;
        }
        if next.base == Base::Absolute {
            joined.text.push_str(&next.text);
        } else if self.base == Base::Absolute && self.text.is_empty() {
            return next.clone();
        } else {
            joined.complete = false;
            return joined;
        }
        joined.complete = next.complete;
        joined
    }
}

/// Evaluates in one place of a file.
pub(super) struct Texts<'e, 'a> {
    names: &'e Names<'a>,
    scopes: &'e [Scope<'a>],
    module: &'a [Stmt],
    fuel: Cell<u32>,
    depth: Cell<u32>,
    lookups: &'e Cell<u32>,
}

impl<'e, 'a> Texts<'e, 'a> {
    pub(super) fn new(
        names: &'e Names<'a>,
        scopes: &'e [Scope<'a>],
        module: &'a [Stmt],
        lookups: &'e Cell<u32>,
    ) -> Self {
        Self { names, scopes, module, fuel: Cell::new(FUEL), depth: Cell::new(DEPTH), lookups }
    }

    /// Evaluates one level deeper, if there is fuel for it.
    fn bounded<T>(&self, evaluate: impl FnOnce() -> T) -> Option<T> {
        let depth = self.depth.get().checked_sub(1)?;
        self.fuel.set(self.fuel.get().checked_sub(1)?);
        self.depth.set(depth);
        let value = evaluate();
        self.depth.set(depth + 1);
        Some(value)
    }

    fn binding(&self, name: &str) -> Option<Bound<'a>> {
        self.lookups.set(self.lookups.get().checked_sub(1)?);
        binding(name, self.scopes, self.module)
    }

    /// Every string that `expr` can be; what is not known is a hole.
    pub(super) fn of(&self, expr: &'a Expr) -> Vec<Text> {
        let texts = self.bounded(|| self.texts(expr)).unwrap_or_else(hole);
        if texts.len() > MAX_ALTERNATIVES { hole() } else { texts }
    }

    fn texts(&self, expr: &'a Expr) -> Vec<Text> {
        match expr {
            Expr::StringLiteral(literal) => vec![Text::known(literal.value.to_str())],
            Expr::FString(literal) => self.f_string(literal),
            Expr::Name(name) => self.name(&name.id),
            Expr::Attribute(attribute) => match (&*attribute.value, attribute.attr.as_str()) {
                (Expr::Name(spec), "parent") if spec.id.as_str() == "__spec__" => {
                    vec![Text::own(Base::Package(1))]
                }
                (Expr::Name(spec), "name") if spec.id.as_str() == "__spec__" => {
                    vec![Text::own(Base::OwnName)]
                }
                (module, "__name__") => self.module(module),
                // `info.name` of `for info in walk_packages(…)`
                (info, "name") => self.walked(info),
                _ => vec![Text::hole()],
            },
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                join(&self.of(&sum.left), &self.of(&sum.right))
            }
            Expr::BinOp(format) if format.op == Operator::Mod => match &*format.right {
                Expr::Tuple(values) => self.format(&format.left, "%s", values.elts.iter()),
                value => self.format(&format.left, "%s", std::iter::once(value)),
            },
            Expr::If(choice) => [self.of(&choice.body), self.of(&choice.orelse)].concat(),
            Expr::BoolOp(choice) => choice.values.iter().flat_map(|value| self.of(value)).collect(),
            Expr::Call(call) => self.call(call),
            Expr::Subscript(lookup) => match self.table_values(&lookup.value) {
                Some(values) => values.into_iter().flat_map(|value| self.of(value)).collect(),
                None => match index_of(&lookup.slice) {
                    Some(index) => self.position(&lookup.value, index),
                    None => vec![Text::hole()],
                },
            },
            Expr::Named(named) => self.of(&named.value),
            _ => vec![Text::hole()],
        }
    }

    fn name(&self, name: &str) -> Vec<Text> {
        match name {
            "__name__" => return vec![Text::own(Base::OwnName)],
            "__package__" => return vec![Text::own(Base::Package(1))],
            _ => {}
        }
        match self.binding(name) {
            Some(Bound::Value(value, None)) => self.of(value),
            Some(Bound::Value(value, Some(index))) => self.position(value, index),
            Some(Bound::Element(iter, index)) => self.element(iter, index),
            Some(Bound::Opaque) | None => vec![Text::hole()],
        }
    }

    /// The element at `index` of what `expr` can be.
    fn position(&self, expr: &'a Expr, index: usize) -> Vec<Text> {
        self.bounded(|| self.texts_at(expr, index)).unwrap_or_else(hole)
    }

    fn texts_at(&self, expr: &'a Expr, index: usize) -> Vec<Text> {
        let each = |values: Vec<&'a Expr>| {
            values.into_iter().flat_map(|value| self.position(value, index)).collect()
        };
        match expr {
            Expr::Tuple(tuple) => self.nth(&tuple.elts, index),
            Expr::List(list) => self.nth(&list.elts, index),
            Expr::Subscript(lookup) => self.table_values(&lookup.value).map_or_else(hole, each),
            Expr::Call(call) => self.got_from(call).map_or_else(hole, each),
            Expr::Name(name) => match self.binding(&name.id) {
                Some(Bound::Value(value, None)) => self.position(value, index),
                Some(Bound::Element(iter, None)) => self.element(iter, Some(index)),
                _ => hole(),
            },
            _ => hole(),
        }
    }

    fn nth(&self, elements: &'a [Expr], index: usize) -> Vec<Text> {
        elements.get(index).map_or_else(hole, |element| self.of(element))
    }

    /// What a loop variable over `iter` can be.
    pub(super) fn element(&self, iter: &'a Expr, index: Option<usize>) -> Vec<Text> {
        if let Expr::Call(call) = iter {
            if let Some((base, package)) = self.walked_package(call) {
                let lead = if base == Base::Absolute || package.is_empty() { "" } else { "." };
                return vec![Text { base, text: format!("{lead}{package}."), complete: false }];
            }
            if let Expr::Attribute(method) = &*call.func
                && method.attr.as_str() == "items"
                && let Some(index) = index
            {
                let side = if index == 0 { Self::keys } else { Self::table_values };
                let each =
                    |values: Vec<&'a Expr>| values.into_iter().flat_map(|v| self.of(v)).collect();
                return side(self, &method.value).map_or_else(hole, each);
            }
        }
        let Some(elements) = self.elements(iter) else { return hole() };
        let of = |element| match index {
            Some(index) => self.position(element, index),
            None => self.of(element),
        };
        elements.into_iter().flat_map(of).collect()
    }

    fn elements(&self, expr: &'a Expr) -> Option<Vec<&'a Expr>> {
        self.bounded(|| self.elements_of(expr))?
    }

    fn elements_of(&self, expr: &'a Expr) -> Option<Vec<&'a Expr>> {
        match expr {
            Expr::List(list) => Some(list.elts.iter().collect()),
            Expr::Tuple(tuple) => Some(tuple.elts.iter().collect()),
            Expr::Set(set) => Some(set.elts.iter().collect()),
            Expr::Dict(_) => self.keys(expr),
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                Some([self.elements(&sum.left)?, self.elements(&sum.right)?].concat())
            }
            Expr::Name(_) => self.elements(self.value(expr)?),
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) => match method.attr.as_str() {
                    "values" => self.table_values(&method.value),
                    "keys" => self.keys(&method.value),
                    _ => None,
                },
                Expr::Name(function) => match function.id.as_str() {
                    "sorted" | "list" | "tuple" | "set" | "frozenset" | "reversed" => {
                        self.elements(call.arguments.args.first()?)
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// The one value of a name; any other expression is its own value.
    pub(super) fn value(&self, expr: &'a Expr) -> Option<&'a Expr> {
        match expr {
            Expr::Name(name) => match self.binding(&name.id)? {
                Bound::Value(value, None) => self.bounded(|| self.value(value))?,
                _ => None,
            },
            _ => Some(expr),
        }
    }

    fn table_values(&self, table: &'a Expr) -> Option<Vec<&'a Expr>> {
        let Expr::Dict(dict) = self.value(table)? else { return None };
        dict.items.iter().map(|item| item.key.as_ref().map(|_| &item.value)).collect()
    }

    fn keys(&self, table: &'a Expr) -> Option<Vec<&'a Expr>> {
        let Expr::Dict(dict) = self.value(table)? else { return None };
        dict.items.iter().map(|item| item.key.as_ref()).collect()
    }

    /// The values that `table.get(key)` chooses from.
    fn got_from(&self, call: &'a ExprCall) -> Option<Vec<&'a Expr>> {
        let Expr::Attribute(method) = &*call.func else { return None };
        matches!(method.attr.as_str(), "get" | "pop").then_some(())?;
        let mut values = self.table_values(&method.value)?;
        values.extend(call.arguments.args.get(1).filter(|default| !default.is_none_literal_expr()));
        Some(values)
    }

    fn call(&self, call: &'a ExprCall) -> Vec<Text> {
        if let Some(values) = self.got_from(call) {
            return values.into_iter().flat_map(|value| self.of(value)).collect();
        }
        if let Expr::Attribute(method) = &*call.func {
            match (method.attr.as_str(), call.arguments.args.first()) {
                ("format", _) => {
                    return self.format(&method.value, "{", call.arguments.args.iter());
                }
                ("join", Some(parts)) => return self.joined(&method.value, parts),
                _ => {}
            }
        }
        match (&*call.func, call.arguments.args.first()) {
            (Expr::Name(function), Some(value)) if function.id.as_str() == "str" => self.of(value),
            _ => hole(),
        }
    }

    fn joined(&self, separator: &'a Expr, parts: &'a Expr) -> Vec<Text> {
        let Some(parts) = self.elements(parts) else { return hole() };
        let separator = self.of(separator);
        let mut texts = vec![Text::known("")];
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                texts = join(&texts, &separator);
            }
            texts = join(&texts, &self.of(part));
        }
        texts
    }

    fn f_string(&self, literal: &'a ExprFString) -> Vec<Text> {
        let mut texts = vec![Text::known("")];
        for part in &literal.value {
            match part {
                FStringPart::Literal(literal) => {
                    texts = join(&texts, &[Text::known(&*literal.value)]);
                }
                FStringPart::FString(nested) => {
                    for element in &nested.elements {
                        texts = match element {
                            InterpolatedStringElement::Literal(literal) => {
                                join(&texts, &[Text::known(&*literal.value)])
                            }
                            InterpolatedStringElement::Interpolation(field)
                                if field.format_spec.is_none() && field.debug_text.is_none() =>
                            {
                                join(&texts, &self.of(&field.expression))
                            }
                            InterpolatedStringElement::Interpolation(_) => join(&texts, &hole()),
                        };
                    }
                }
            }
        }
        texts
    }

    /// A template whose holes begin with `mark` and are filled in order.
    fn format(
        &self,
        template: &'a Expr,
        mark: &str,
        mut values: impl Iterator<Item = &'a Expr>,
    ) -> Vec<Text> {
        let [Text { base: Base::Absolute, text: template, complete: true }] =
            &self.of(template)[..]
        else {
            return hole();
        };
        let mut texts = vec![Text::known("")];
        let mut rest = template.as_str();
        while let Some((before, after)) = rest.split_once(mark) {
            texts = join(&texts, &[Text::known(before)]);
            let (filled, after) = match mark {
                // Only `{}` is filled in order; numbered and named fields stay holes.
                "{" => after
                    .split_once('}')
                    .map_or((false, ""), |(field, after)| (field.is_empty(), after)),
                _ => (true, after),
            };
            let value = values.next().filter(|_| filled);
            texts = join(&texts, &value.map_or_else(hole, |value| self.of(value)));
            rest = after;
        }
        join(&texts, &[Text::known(rest)])
    }

    /// The name of the module that `expr` is.
    pub(super) fn module(&self, expr: &'a Expr) -> Vec<Text> {
        match expr {
            Expr::Name(name) => match self.names.get(&name.id) {
                Some(Referent::Module(module)) => vec![Text::known(module)],
                Some(Referent::Member { level, module, name }) => {
                    let dot = if module.is_empty() { "" } else { "." };
                    let base = if level == 0 { Base::Absolute } else { Base::Package(level) };
                    let lead = if level == 0 { "" } else { "." };
                    vec![Text { base, text: format!("{lead}{module}{dot}{name}"), complete: true }]
                }
                None => match self.value(expr) {
                    Some(Expr::Call(call)) => self.loaded(call),
                    _ => hole(),
                },
            },
            Expr::Attribute(attribute) => {
                let module = self.bounded(|| self.module(&attribute.value)).unwrap_or_else(hole);
                join(&module, &[Text::known(format!(".{}", attribute.attr))])
            }
            Expr::Call(call) => self.loaded(call),
            Expr::Subscript(lookup)
                if self.names.canonical(&lookup.value).as_deref() == Some("sys.modules") =>
            {
                self.of(&lookup.slice)
            }
            _ => hole(),
        }
    }

    fn loaded(&self, call: &'a ExprCall) -> Vec<Text> {
        let is_import =
            self.names.canonical(&call.func).as_deref() == Some("importlib.import_module");
        match call.arguments.args.first() {
            Some(name) if is_import => self.of(name),
            _ => hole(),
        }
    }

    fn walked(&self, info: &'a Expr) -> Vec<Text> {
        let Expr::Name(name) = info else { return hole() };
        match self.binding(&name.id) {
            Some(Bound::Element(iter @ Expr::Call(call), None))
                if self.walked_package(call).is_some() =>
            {
                self.element(iter, None)
            }
            _ => hole(),
        }
    }

    /// The package whose modules this call lists, if it is `pkgutil.walk_packages` or `iter_modules`.
    pub(super) fn walked_package(&self, call: &'a ExprCall) -> Option<(Base, String)> {
        let function = self.names.canonical(&call.func)?;
        matches!(&*function, "pkgutil.walk_packages" | "pkgutil.iter_modules").then_some(())?;
        self.package_of_path(call.arguments.find_argument_value("path", 0)?)
    }

    /// The package that a `__path__` belongs to.
    fn package_of_path(&self, path: &'a Expr) -> Option<(Base, String)> {
        if matches!(path, Expr::Name(name) if name.id.as_str() == "__path__") {
            return Some((Base::OwnName, String::new()));
        }
        let path = self.value(path)?;
        match path {
            Expr::Attribute(attribute) if attribute.attr.as_str() == "__path__" => {
                match &self.module(&attribute.value)[..] {
                    [Text { base, text, complete: true }] => {
                        Some((*base, text.trim_start_matches('.').to_owned()))
                    }
                    _ => None,
                }
            }
            _ if mentions_file(path) => Some((Base::Package(1), String::new())),
            Expr::List(list) => match &list.elts[..] {
                [one] => self.bounded(|| self.package_of_path(one))?,
                _ => None,
            },
            _ => None,
        }
    }
}

fn hole() -> Vec<Text> {
    vec![Text::hole()]
}

fn join(left: &[Text], right: &[Text]) -> Vec<Text> {
    if left.len().saturating_mul(right.len()) > MAX_ALTERNATIVES {
        return hole();
    }
    left.iter().flat_map(|left| right.iter().map(|right| left.then(right))).collect()
}

fn index_of(slice: &Expr) -> Option<usize> {
    match slice {
        Expr::NumberLiteral(number) => match &number.value {
            ruff_python_ast::Number::Int(index) => index.as_u8().map(usize::from),
            _ => None,
        },
        _ => None,
    }
}

/// `[os.path.dirname(__file__)]`, `[str(Path(__file__).parent)]`
fn mentions_file(expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => name.id.as_str() == "__file__",
        Expr::Attribute(attribute) => mentions_file(&attribute.value),
        Expr::List(list) => list.elts.iter().any(mentions_file),
        Expr::Call(call) => {
            mentions_file(&call.func) || call.arguments.args.iter().any(mentions_file)
        }
        _ => false,
    }
}
