//! What Bazel's build files differ in: labels, the names in scope, what loads of other repositories bring. Touches nothing itself.

mod globals;
pub(super) mod labels;
mod values;

pub(super) use globals::{Shared, base, rules};
pub(super) use labels::is_external;
pub(super) use values::LabelValue;

use values::Requirement;

use super::session::Session;
use super::unknown::Unknown;
use starlark::values::{Heap, Value};

/// What a load of another repository brings under a name: a rule or function that everybody knows, or a placeholder.
///
/// The repository does not matter: rule sets are forked, mirrored and wrapped, and keep their names.
pub(super) fn external<'v>(
    session: &Session<'_>,
    load: &str,
    symbol: &str,
    heap: Heap<'v>,
) -> Value<'v> {
    if let Some(value) = session.core.bazel.as_ref().and_then(|shared| shared.get(symbol)) {
        return heap.access_owned_frozen_value(&value);
    }
    if let Some(rule) = session.named_rule(symbol) {
        return heap.alloc(rule);
    }
    match symbol {
        "requirement" => heap.alloc(Requirement::of_load(load)),
        // Providers and the functions around them have no targets to define.
        _ if symbol.ends_with("Info") => heap.alloc(Unknown::inert(symbol)),
        _ => heap.alloc(Unknown::named(symbol)),
    }
}
