//! What keeps a build file from filling the memory or the stack. Touches nothing.
//!
//! Starlark looks at its heap only once in a thousand calls, and never at the size of what one operation makes. Here the
//! heap is measured before each statement, multiplication is refused where it would make something huge, and values are
//! copied out up to a size and depth. What is left unbounded is a single call of a method such as `str.join`.

use super::bazel::LabelValue;
use super::marks;
use super::select::{self, Parts, Selector};
use super::unknown::Unknown;
use super::value::{Text, Value};
use starlark::codemap::FileSpanRef;
use starlark::environment::GlobalsBuilder;
use starlark::eval::{BeforeStmtFunc, BeforeStmtFuncDyn, Evaluator};
use starlark::syntax::AstModule;
use starlark::values::Value as StarValue;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;

/// The largest string or list that one multiplication may make, in bytes.
const MAX_PRODUCT: usize = 64 << 20;
/// The most digits that a factor may have.
const MAX_DIGITS: usize = 1000;
/// The most values in one attribute. Lists that hold each other would grow without end when they are copied.
const MAX_VALUES: usize = 1_000_000;
/// The deepest that lists, dictionaries and `select` may nest in an attribute.
const MAX_NESTING: usize = 100;
/// The most parts of a sum with `select` in it.
pub(super) const MAX_SUM: u32 = 1000;
/// The most targets that one build file may define.
pub(super) const MAX_TARGETS: usize = 500_000;

/// Replaces `*` by a function that looks at the factors first.
pub(super) fn guard(ast: &mut AstModule) {
    ast.replace_binary_operators(&[("*".to_owned(), "__multiply__".to_owned())].into());
}

/// Adds the functions that guarded files call.
#[starlark::starlark_module]
pub(super) fn register(builder: &mut GlobalsBuilder) {
    fn __multiply__<'v>(
        #[starlark(require = pos)] left: StarValue<'v>,
        #[starlark(require = pos)] right: StarValue<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StarValue<'v>> {
        let size = repeated(left, right).max(repeated(right, left));
        if size > MAX_PRODUCT {
            return Err(exceeded(format!("a product of {size} bytes is over the limit")));
        }
        if is_huge(left) || is_huge(right) {
            let message = format!("a factor of more than {MAX_DIGITS} digits is over the limit");
            return Err(exceeded(message));
        }
        left.mul(right, eval.heap())
    }
}

/// How many bytes `sequence * count` takes, 0 if it is no such product.
fn repeated(sequence: StarValue<'_>, count: StarValue<'_>) -> usize {
    let values = |count: usize| count.saturating_mul(size_of::<StarValue<'_>>());
    let length = sequence
        .unpack_str()
        .map(str::len)
        .or_else(|| ListRef::from_value(sequence).map(|list| values(list.len())))
        .or_else(|| TupleRef::from_value(sequence).map(|tuple| values(tuple.len())));
    let count = count.unpack_i32().and_then(|count| usize::try_from(count).ok());
    length.unwrap_or(0).saturating_mul(count.unwrap_or(0))
}

/// Whether a whole number is so large that its square is a matter of time.
fn is_huge(value: StarValue<'_>) -> bool {
    let is_int = value.get_type() == "int" && value.unpack_i32().is_none();
    is_int && value.to_str().len() > MAX_DIGITS
}

/// Lets no statement begin once the heap holds more than `bytes`.
pub(super) fn limit_heap(eval: &mut Evaluator<'_, '_, '_>, bytes: usize) {
    eval.before_stmt_for_dap(BeforeStmtFunc::from_dyn(Box::new(HeapLimit { bytes })));
}

struct HeapLimit {
    bytes: usize,
}

impl<'e> BeforeStmtFuncDyn<'e> for HeapLimit {
    fn call<'v>(
        &mut self,
        _span: FileSpanRef<'_>,
        _continued: bool,
        eval: &mut Evaluator<'v, '_, 'e>,
    ) -> starlark::Result<()> {
        if eval.heap().peak_allocated_bytes() > self.bytes {
            return Err(exceeded(format!("heap limit of {} MiB exceeded", self.bytes >> 20)));
        }
        Ok(())
    }
}

/// Copies a value out of the evaluator's heap, marks decoded. Fails on what is too large or refers to itself.
pub(super) fn to_value(value: StarValue<'_>) -> starlark::Result<Value> {
    Copying { left: MAX_VALUES, depth: 0 }.value(value)
}

struct Copying {
    left: usize,
    depth: usize,
}

impl Copying {
    fn value(&mut self, value: StarValue<'_>) -> starlark::Result<Value> {
        self.count()?;
        if let Some(text) = value.unpack_str() {
            let (text, marks) = marks::split(text);
            let literal = marks.first().map(|(_, literal)| *literal);
            let is_whole =
                marks.len() < 2 && marks.iter().all(|(at, _)| *at as usize == text.len());
            let joined = if is_whole { Vec::new() } else { marks };
            return Ok(Value::Str(Text { text: text.into(), literal, joined }));
        }
        if value.is_none() {
            return Ok(Value::None);
        }
        if let Some(flag) = value.unpack_bool() {
            return Ok(Value::Bool(flag));
        }
        if let Some(number) = value.unpack_i32() {
            return Ok(Value::Int(i64::from(number)));
        }
        if let Some(label) = LabelValue::from_value(value) {
            let text = label.text.as_str().into();
            return Ok(Value::Str(Text { text, literal: None, joined: Vec::new() }));
        }
        if let Some(unknown) = Unknown::from_value(value) {
            return Ok(Value::Unknown(unknown.name().into()));
        }
        if self.depth == MAX_NESTING {
            let message = format!("a value nested more than {MAX_NESTING} deep is over the limit");
            return Err(exceeded(message));
        }
        self.depth += 1;
        let copy = self.container(value);
        self.depth -= 1;
        copy
    }

    fn container(&mut self, value: StarValue<'_>) -> starlark::Result<Value> {
        if let Some(list) = ListRef::from_value(value) {
            return Ok(Value::List(self.values(list.content())?));
        }
        if let Some(tuple) = TupleRef::from_value(value) {
            return Ok(Value::List(self.values(tuple.content())?));
        }
        if let Some(dictionary) = DictRef::from_value(value) {
            let entries = dictionary.iter();
            let entries = entries.map(|(key, value)| Ok((self.value(key)?, self.value(value)?)));
            return Ok(Value::Dict(entries.collect::<starlark::Result<_>>()?));
        }
        match Selector::from_value(value).map(super::select::SelectorGen::parts) {
            Some(Parts::Branches(branches)) => {
                let branches = select::entries(branches).into_iter().map(|(key, branch)| {
                    let key = marks::strip(key.unpack_str().unwrap_or(""));
                    Ok((key.into(), self.value(branch)?))
                });
                Ok(Value::Select(branches.collect::<starlark::Result<_>>()?))
            }
            Some(Parts::Sum(left, right)) => Ok(Value::Sum(self.parts(left, right)?)),
            None => Ok(Value::Other(value.get_type().into())),
        }
    }

    fn values(&mut self, values: &[StarValue<'_>]) -> starlark::Result<Vec<Value>> {
        values.iter().map(|value| self.value(*value)).collect()
    }

    /// The parts of a sum in order, those of sums within it among them.
    fn parts<'v>(
        &mut self,
        left: StarValue<'v>,
        right: StarValue<'v>,
    ) -> starlark::Result<Vec<Value>> {
        let mut parts = Vec::new();
        let mut open = vec![right, left];
        while let Some(part) = open.pop() {
            match Selector::from_value(part).map(super::select::SelectorGen::parts) {
                Some(Parts::Sum(left, right)) => {
                    self.count()?;
                    open.extend([right, left]);
                }
                _ => parts.push(self.value(part)?),
            }
        }
        Ok(parts)
    }

    fn count(&mut self) -> starlark::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            exceeded(format!("a value of more than {MAX_VALUES} parts is over the limit"))
        })?;
        Ok(())
    }
}

/// An error that the reports count as a limit.
pub(super) fn exceeded(message: String) -> starlark::Error {
    starlark::Error::new_other(anyhow::anyhow!(message))
}
