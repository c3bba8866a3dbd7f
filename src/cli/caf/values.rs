//! The words of bundles as values of options. Pure; touches nothing.

use crate::cas::digest::DigestFunction;
use crate::cas::materialize::Method;
use crate::cas::pack::OutsideLinks;
use crate::cas::store::Durability;
use clap::ValueEnum;
use clap::builder::PossibleValue;

impl ValueEnum for DigestFunction {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl ValueEnum for Durability {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::None, Self::Batch, Self::Each]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::None => "none",
            Self::Batch => "batch",
            Self::Each => "each",
        }))
    }
}

impl ValueEnum for OutsideLinks {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Follow, Self::Keep, Self::Refuse]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Follow => PossibleValue::new("follow").help("Pack what they lead to"),
            Self::Keep => PossibleValue::new("keep").help("Pack the links"),
            Self::Refuse => PossibleValue::new("refuse").help("Stop there"),
        })
    }
}

impl ValueEnum for Method {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Reflink, Self::Hardlink, Self::Copy]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => {
                PossibleValue::new("auto").help("Shared blocks, else one inode, else copies")
            }
            Self::Reflink => PossibleValue::new("reflink").help("Shared blocks, else copies"),
            Self::Hardlink => PossibleValue::new("hardlink").help("One inode for all, else copies"),
            Self::Copy => PossibleValue::new("copy").help("Copies"),
        })
    }
}
