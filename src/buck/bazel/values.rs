//! Values that only Bazel's build files have: labels, `requirement`. Touch nothing.
#![expect(
    unsafe_code,
    reason = "starlark's value traits are unsafe markers; the derives write them"
)]

use crate::buck::marks;
use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::eval::{Arguments, Evaluator};
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use std::fmt;

/// `Label("//a:b")`, made absolute.
#[derive(
    Clone, Debug, PartialEq, Eq, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic,
)]
pub(in crate::buck) struct LabelValue {
    /// The label with its repository and package.
    pub(in crate::buck) text: String,
}

starlark::starlark_simple_value!(LabelValue);

impl fmt::Display for LabelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[starlark_value(type = "Label")]
impl<'v> StarlarkValue<'v> for LabelValue {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let (repository, rest) = self.text.split_once("//")?;
        let (package, name) =
            rest.split_once(':').unwrap_or((rest, rest.rsplit('/').next().unwrap_or(rest)));
        let part = match attribute {
            "name" => name,
            "package" => package,
            "workspace_name" | "repo_name" => repository.trim_start_matches('@'),
            "workspace_root" => "",
            _ => return None,
        };
        Some(heap.alloc(part))
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        use starlark::values::ValueLike;
        Ok(other.downcast_ref::<Self>().is_some_and(|other| other == self))
    }

    fn write_hash(
        &self,
        hasher: &mut starlark::collections::StarlarkHasher,
    ) -> starlark::Result<()> {
        use std::hash::Hash;
        self.text.hash(hasher);
        Ok(())
    }
}

/// `requirement` of a `requirements.bzl`: the label of a distribution in the repository it was loaded from.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(in crate::buck) struct Requirement {
    repository: String,
}

starlark::starlark_simple_value!(Requirement);

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("requirement")
    }
}

impl Requirement {
    /// The function that `load` brings.
    pub(super) fn of_load(load: &str) -> Self {
        let repository = load.split_once("//").map_or(load, |(repository, _)| repository);
        Self { repository: repository.to_owned() }
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Requirement {
    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let name: Value<'v> = args.positional1(eval.heap())?;
        let name = marks::strip(name.unpack_str().unwrap_or_default()).into_owned();
        // An extra, `requests[socks]`, is part of the same distribution.
        let name = name.split('[').next().unwrap_or_default();
        let name = name.replace(['-', '.'], "_").to_lowercase();
        Ok(eval.heap().alloc(format!("{}//{name}:pkg", self.repository)))
    }
}
