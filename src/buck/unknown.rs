//! The absorbing value that stands for whatever evaluation could not find. Touches only the recorder.
#![expect(
    unsafe_code,
    reason = "starlark's value traits are unsafe markers; the derives write them"
)]

use super::recorder::{Recorder, kwargs_of};
use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::eval::{Arguments, Evaluator};
use starlark::typing::Ty;
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use std::fmt;

/// Names grow up to here with each operation; a loop could go on for ever.
const MAX_NAME: usize = 200;

/// A name, module or result that is not known. Every operation on it gives another one, so that the code around it goes on.
/// Called with `name = "…"` it records a target of an unknown kind: macros we cannot read still define targets with deps.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(super) struct Unknown {
    name: String,
    /// Analysis-time names (providers and the like) never define targets.
    inert: bool,
}

starlark::starlark_simple_value!(Unknown);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<unknown {}>", self.name)
    }
}

impl Unknown {
    /// Stands for a macro or value that could not be found.
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), inert: false }
    }

    /// Stands for a name that only means something when rules are analysed.
    pub(super) fn inert(name: &str) -> Self {
        Self { name: name.to_owned(), inert: true }
    }

    /// The name it had.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn derived(&self, suffix: &str) -> Self {
        let mut name = self.name.clone();
        if name.len() < MAX_NAME {
            name.push_str(suffix);
        }
        Self { name, inert: self.inert }
    }
}

#[starlark_value(type = "unknown")]
impl<'v> StarlarkValue<'v> for Unknown {
    fn eval_type(&self) -> Option<Ty> {
        // Stands in annotations too.
        Some(Ty::any())
    }

    fn to_bool(&self) -> bool {
        // `x or default` and `if x` then take the side that is known.
        false
    }

    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        if !self.inert
            && let Some(recorder) = Recorder::of(eval)
        {
            let kwargs = kwargs_of(args)?;
            recorder.record_unknown(&self.name, kwargs, eval)?;
        }
        Ok(eval.heap().alloc(self.derived("()")))
    }

    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        Some(heap.alloc(self.derived(&format!(".{attribute}"))))
    }

    fn has_attr(&self, _attribute: &str, _heap: Heap<'v>) -> bool {
        true
    }

    fn at(&self, _index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(self.derived("[]")))
    }

    fn slice(
        &self,
        _start: Option<Value<'v>>,
        _stop: Option<Value<'v>>,
        _stride: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(self.derived("[]")))
    }

    fn add(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        Some(Ok(keep_known(other, heap, self)))
    }

    fn radd(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        Some(Ok(keep_known(other, heap, self)))
    }

    fn percent(&self, _other: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(self.clone()))
    }

    fn iterate_collect(&self, _heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(Vec::new())
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(0)
    }

    fn is_in(&self, _other: Value<'v>) -> starlark::Result<bool> {
        Ok(false)
    }
}

/// Adding to an unknown list keeps the known part: its labels are real.
fn keep_known<'v>(other: Value<'v>, heap: Heap<'v>, unknown: &Unknown) -> Value<'v> {
    use starlark::values::{dict::DictRef, list::ListRef};
    let known = ListRef::from_value(other).is_some()
        || DictRef::from_value(other).is_some()
        || super::select::Selector::from_value(other).is_some();
    if known { other } else { heap.alloc(unknown.clone()) }
}
