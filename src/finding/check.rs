//! The names of the checks. Pure values; touches nothing.

use super::Severity;
use serde::{Deserialize, Serialize};

macro_rules! checks {
    ($($variant:ident $name:literal $severity:ident $summary:literal;)*) => {
        /// One of the checks.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum CheckId {
            $(#[doc = $summary] $variant,)*
        }

        impl CheckId {
            /// Every check, in the order of their names.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the command line and in reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One line that says what it finds.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// How bad its findings are unless the configuration says otherwise.
            pub fn default_severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

checks! {
    AmbiguousOwner "ambiguous-owner" Warning "Two targets provide one module to the same executable";
    BrokenLabel "broken-label" Error "A label names a target that no build file defines";
    DeadModule "dead-module" Warning "A module that nothing imports, runs or names";
    DeadTarget "dead-target" Warning "A target that nothing alive depends on";
    DuplicateDep "duplicate-dep" Warning "The same dependency twice in one attribute";
    MissingDep "missing-dep" Error "An import that fails at run time, because no owner of the module is in the closure";
    MissingSource "missing-source" Error "A source file that is not there";
    ModuleCycle "module-cycle" Note "Modules that import each other";
    StaleKeep "stale-keep" Warning "A suppression that suppresses nothing, or gives no reason";
    TestOnlyModule "test-only-module" Warning "A module that only its own tests reach";
    TransitiveDep "transitive-dep" Warning "An import whose owner is reached only through other dependencies";
    TypeOnlyDep "type-only-dep" Note "A dependency that only type checking needs";
    UmbrellaDep "umbrella-dep" Note "A dependency on a collection of targets of which only some are used";
    UnownedSource "unowned-source" Note "A Python file that no target owns";
    UnresolvedImport "unresolved-import" Error "An import of a first-party module that does not exist";
    UnusedDep "unused-dep" Warning "A dependency that nothing in the target uses";
    UnusedLoad "unused-load" Warning "A load that brings in a name nothing uses";
}

impl CheckId {
    /// Whether its findings are about whole Python files, so that a comment anywhere in one speaks of them.
    pub fn is_about_file(self) -> bool {
        matches!(self, Self::DeadModule | Self::TestOnlyModule | Self::UnownedSource)
    }

    /// Whether the evidence of its findings is a chain: each place leads to the next.
    pub fn evidence_is_chain(self) -> bool {
        self == Self::TransitiveDep
    }

    /// The check of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|check| check.as_str() == name)
    }

    /// The check that somebody may have meant who wrote another name.
    pub fn nearest(name: &str) -> Option<Self> {
        let names = Self::ALL.iter().map(|check| check.as_str());
        crate::suggestion::nearest(name, names).and_then(Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_parse_back() {
        let names: Vec<_> = CheckId::ALL.iter().map(|check| check.as_str()).collect();
        assert!(names.is_sorted());
        assert!(CheckId::ALL.iter().all(|check| CheckId::parse(check.as_str()) == Some(*check)));
        assert_eq!(CheckId::nearest("unused-deps"), Some(CheckId::UnusedDep));
        assert_eq!(CheckId::nearest("line-too-long"), None);
    }
}
