//! The value of `select()`. Touches nothing.
#![expect(
    unsafe_code,
    reason = "starlark's Coerce is an unsafe marker trait; the derive writes it"
)]

use super::bounds::{MAX_SUM, exceeded};
use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::coerce::Coerce;
use starlark::eval::Evaluator;
use starlark::starlark_complex_value;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::{
    Freeze, Heap, NoSerialize, StarlarkPagable, StarlarkValue, Trace, Value, ValueLike,
    starlark_value,
};
use std::fmt;

/// `select({...})`, or a sum with one in it (Buck2's `selector.rs`).
///
/// `right` is `None` for a plain select, whose dictionary is `left`.
#[derive(
    Clone,
    Debug,
    Trace,
    Freeze,
    Coerce,
    ProvidesStaticType,
    NoSerialize,
    Allocative,
    StarlarkPagable,
)]
#[repr(C)]
pub(super) struct SelectorGen<V> {
    left: V,
    right: V,
    /// How many sums nest, 0 for a plain select.
    sums: u32,
}

starlark_complex_value!(pub(super) Selector);

impl<V: fmt::Display> fmt::Display for SelectorGen<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sums > 0 {
            write!(f, "{} + {}", self.left, self.right)
        } else {
            write!(f, "select({})", self.left)
        }
    }
}

/// The two forms a [`Selector`] has.
pub(super) enum Parts<'v> {
    /// The branches.
    Branches(Value<'v>),
    /// The two sides of a `+`.
    Sum(Value<'v>, Value<'v>),
}

impl<'v> Selector<'v> {
    /// `select(branches)`.
    pub(super) fn branches(branches: Value<'v>) -> Self {
        Self { left: branches, right: Value::new_none(), sums: 0 }
    }

    fn sum(left: Value<'v>, right: Value<'v>) -> starlark::Result<Self> {
        let sums = |side| Selector::from_value(side).map_or(0, |selector| selector.sums);
        let sums = sums(left).max(sums(right)) + 1;
        if sums > MAX_SUM {
            return Err(exceeded(format!("a sum of more than {MAX_SUM} parts is over the limit")));
        }
        Ok(Self { left, right, sums })
    }
}

impl<'v, V: ValueLike<'v>> SelectorGen<V> {
    /// What it is made of.
    pub(super) fn parts(&self) -> Parts<'v> {
        if self.sums > 0 {
            Parts::Sum(self.left.to_value(), self.right.to_value())
        } else {
            Parts::Branches(self.left.to_value())
        }
    }

    fn to_selector(&self) -> Selector<'v> {
        Selector { left: self.left.to_value(), right: self.right.to_value(), sums: self.sums }
    }
}

#[starlark_value(type = "Select")]
impl<'v, V: ValueLike<'v>> StarlarkValue<'v> for SelectorGen<V>
where
    Self: ProvidesStaticType<'v>,
{
    fn to_bool(&self) -> bool {
        true
    }

    fn add(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        let this = heap.alloc(self.to_selector());
        Some(Selector::sum(this, other).map(|sum| heap.alloc(sum)))
    }

    fn radd(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        let this = heap.alloc(self.to_selector());
        Some(Selector::sum(other, this).map(|sum| heap.alloc(sum)))
    }
}

/// `select_map`: applies `function` to every branch and to every part that is no select.
pub(super) fn map<'v>(
    value: Value<'v>,
    function: Value<'v>,
    recurse: bool,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let Some(selector) = Selector::from_value(value) else {
        return eval.eval_function(function, &[value], &[]);
    };
    match selector.parts() {
        Parts::Sum(left, right) => {
            let left = map(left, function, recurse, eval)?;
            let right = map(right, function, recurse, eval)?;
            Ok(eval.heap().alloc(Selector::sum(left, right)?))
        }
        Parts::Branches(branches) => {
            let mut mapped = Vec::new();
            for (key, branch) in entries(branches) {
                let branch = if recurse {
                    map(branch, function, recurse, eval)?
                } else {
                    eval.eval_function(function, &[branch], &[])?
                };
                mapped.push((key, branch));
            }
            let branches = eval.heap().alloc(AllocDict(mapped));
            Ok(eval.heap().alloc(Selector::branches(branches)))
        }
    }
}

/// `select_test`: whether `function` holds for any branch or part.
pub(super) fn test<'v>(
    value: Value<'v>,
    function: Value<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<bool> {
    let Some(selector) = Selector::from_value(value) else {
        return Ok(eval.eval_function(function, &[value], &[])?.to_bool());
    };
    match selector.parts() {
        Parts::Sum(left, right) => Ok(test(left, function, eval)? || test(right, function, eval)?),
        Parts::Branches(branches) => {
            for (_, branch) in entries(branches) {
                if eval.eval_function(function, &[branch], &[])?.to_bool() {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// The entries of a dictionary; none if it is something else.
pub(super) fn entries(dictionary: Value<'_>) -> Vec<(Value<'_>, Value<'_>)> {
    DictRef::from_value(dictionary).map_or_else(Vec::new, |entries| entries.iter().collect())
}
