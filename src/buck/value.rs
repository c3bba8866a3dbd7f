//! Attribute values as Rust data, free of the evaluator's heap. Pure values; touches nothing.

use super::marks::LiteralId;
use serde::{Deserialize, Serialize};

/// A string of a build file, and the literal it was written as, where that is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Text {
    /// The value after evaluation.
    pub text: Box<str>,
    /// The one literal that the value came from.
    pub literal: Option<LiteralId>,
    /// Where each literal ends, in a text that is more than one of them.
    pub joined: Vec<(u32, LiteralId)>,
}

/// What an attribute was set to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// `None`: the attribute keeps its default.
    None,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A string.
    Str(Text),
    /// A list, tuple or set.
    List(Vec<Self>),
    /// A dictionary in its own order.
    Dict(Vec<(Self, Self)>),
    /// `select({...})`: keys and values of the branches.
    Select(Vec<(Box<str>, Self)>),
    /// Parts joined by `+` of which at least one is a `select`.
    Sum(Vec<Self>),
    /// Something that evaluation could not tell, with the name it had.
    Unknown(Box<str>),
    /// A value that holds no labels: a float, a function, a struct.
    Other(Box<str>),
}

/// Equal as Buck2 would see them: where a string was written plays no part.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Text {
    /// The literals that end where a part of the text does.
    pub fn literals_at<'t>(&'t self, part: &str) -> impl Iterator<Item = LiteralId> + 't {
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let end = start + part.len();
        let ends = self.joined.iter().filter(move |(at, _)| *at as usize == end);
        ends.map(|(_, literal)| *literal)
    }
}

impl Value {
    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(&text.text),
            _ => None,
        }
    }

    /// Calls `visit` with every string within, dictionary keys and all select branches included.
    pub fn for_each_text<'a>(&'a self, visit: &mut impl FnMut(&'a Text)) {
        match self {
            Self::Str(text) => visit(text),
            Self::List(items) | Self::Sum(items) => {
                items.iter().for_each(|item| item.for_each_text(visit));
            }
            Self::Dict(entries) => {
                for (key, value) in entries {
                    key.for_each_text(visit);
                    value.for_each_text(visit);
                }
            }
            Self::Select(branches) => {
                branches.iter().for_each(|(_, value)| value.for_each_text(visit));
            }
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Unknown(_) | Self::Other(_) => {}
        }
    }

    /// Whether some part could not be told.
    pub fn has_unknown(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::List(items) | Self::Sum(items) => items.iter().any(Self::has_unknown),
            Self::Dict(entries) => {
                entries.iter().any(|(key, value)| key.has_unknown() || value.has_unknown())
            }
            Self::Select(branches) => branches.iter().any(|(_, value)| value.has_unknown()),
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Str(_) | Self::Other(_) => false,
        }
    }
}
