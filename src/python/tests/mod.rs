//! Facts of small files, one situation a test.

use super::{Base, DynamicTarget, Facts, ImportKind, SourceKind, facts};
use crate::source::ProjectPath;

mod comments;
mod dynamic;
mod imports;
mod names;
mod robust;

fn read(text: &str) -> Facts {
    read_bytes(text.as_bytes())
}

fn read_bytes(bytes: &[u8]) -> Facts {
    facts(&ProjectPath::new("m.py"), bytes, SourceKind::Module)
}

/// Each import as `..module:name,name` with its kind.
fn imports(facts: &Facts) -> Vec<(String, ImportKind)> {
    let show = |import: &super::Import| {
        let names: Vec<&str> = import.names.iter().map(|name| &*name.name).collect();
        let colon = if import.from { ":" } else { "" };
        let dots = ".".repeat(import.level as usize);
        (format!("{dots}{}{colon}{}", import.module, names.join(",")), import.kind)
    };
    facts.imports.iter().map(show).collect()
}

/// The imported things alone.
fn modules(facts: &Facts) -> Vec<String> {
    imports(facts).into_iter().map(|(name, _)| name).collect()
}

/// Each dynamic target as text: `=a.b` is a module, `<a` all under it, `!` anything; `~` means the own
/// name, dots a package.
fn loads(text: &str) -> Vec<String> {
    let name = |base: Base, name: &str| match base {
        Base::Absolute => name.to_owned(),
        Base::OwnName => format!("~{name}"),
        Base::Package(level) => format!("{}{name}", ".".repeat(level as usize)),
    };
    let show = |target: &DynamicTarget| match target {
        DynamicTarget::Module { base, name: text } => format!("={}", name(*base, text)),
        DynamicTarget::Under { base, prefix } => format!("<{}", name(*base, prefix)),
        DynamicTarget::Unbounded => "!".to_owned(),
    };
    read(text).dynamic.iter().map(|load| show(&load.target)).collect()
}
