//! How each type of setting is written in TOML. Pure; touches nothing.

use std::collections::BTreeMap;

use super::origin::Origin;
use super::path_globs::PathGlobs;
use super::settings::{
    CheckSeverity, Dialect, FailOn, KeepReason, MinConfidence, Mount, Preset, PythonVersion,
    SrcsOrder,
};
use super::settings_schema::{Data, Node, Setting};
use crate::error::Result;
use crate::suggestion::hint;

impl Setting for bool {
    fn read(node: &Node, key: &str) -> Result<Self> {
        match &node.data {
            Data::Boolean(flag) => Ok(*flag),
            _ => Err(node.wrong(key, "true or false")),
        }
    }

    fn show(&self) -> Option<toml::Value> {
        Some((*self).into())
    }
}

impl Setting for u64 {
    fn read(node: &Node, key: &str) -> Result<Self> {
        match &node.data {
            Data::Integer(number) => match Self::try_from(*number) {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(node.error(format!("`{key}` takes a number above 0, not {number}"))),
            },
            _ => Err(node.wrong(key, "a number")),
        }
    }

    fn show(&self) -> Option<toml::Value> {
        i64::try_from(*self).ok().map(toml::Value::Integer)
    }
}

impl Setting for String {
    fn read(node: &Node, key: &str) -> Result<Self> {
        match &node.data {
            Data::Text(text) => Ok(text.clone()),
            Data::Float(text) if node.origin == Origin::CommandLine => Ok(text.clone()),
            _ => Err(node.wrong(key, "a string")),
        }
    }

    fn show(&self) -> Option<toml::Value> {
        Some(self.as_str().into())
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(node: &Node, key: &str) -> Result<Self> {
        match &node.data {
            Data::Array(items) => items.iter().map(|item| T::read(item, key)).collect(),
            _ => Err(node.wrong(key, "an array")),
        }
    }

    fn show(&self) -> Option<toml::Value> {
        Some(toml::Value::Array(self.iter().filter_map(T::show).collect()))
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn read(node: &Node, key: &str) -> Result<Self> {
        let entries = node.table(key)?.iter();
        entries.map(|(name, node)| Ok((name.clone(), T::read(node, key)?))).collect()
    }

    fn show(&self) -> Option<toml::Value> {
        let shown = self.iter().filter_map(|(name, value)| Some((name.clone(), value.show()?)));
        Some(toml::Value::Table(shown.collect()))
    }
}

impl<T: Setting> Setting for Option<T> {
    fn read(node: &Node, key: &str) -> Result<Self> {
        T::read(node, key).map(Some)
    }

    fn show(&self) -> Option<toml::Value> {
        self.as_ref().and_then(T::show)
    }
}

impl Setting for PathGlobs {
    fn read(node: &Node, key: &str) -> Result<Self> {
        let bad = |error: globset::Error| node.error(format!("`{key}`: {error}"));
        Self::new(Vec::read(node, key)?).map_err(bad)
    }

    fn show(&self) -> Option<toml::Value> {
        self.patterns().to_vec().show()
    }
}

impl Setting for Mount {
    fn read(node: &Node, key: &str) -> Result<Self> {
        let text = String::read(node, key)?;
        let parts = text.split_once("//").filter(|(cell, prefix)| {
            let is_plain = |part: &str| !matches!(part, "" | "." | "..");
            is_plain(cell)
                && !cell.contains('/')
                && (prefix.is_empty() || prefix.split('/').all(is_plain))
        });
        let (cell, prefix) = parts.ok_or_else(|| {
            node.error(format!("`{key}` takes \"cell//prefix\", not \"{text}\""))
                .hint("for example mount = \"fbcode//executorch\"")
        })?;
        Ok(Self { cell: cell.to_owned(), prefix: prefix.to_owned() })
    }

    fn show(&self) -> Option<toml::Value> {
        Some(format!("{}//{}", self.cell, self.prefix).into())
    }
}

impl Setting for PythonVersion {
    fn read(node: &Node, key: &str) -> Result<Self> {
        let text = String::read(node, key)?;
        let minor = text.strip_prefix("3.").and_then(|minor| minor.parse().ok());
        let minor = minor.ok_or_else(|| {
            node.error(format!("`{key}` takes a version such as \"3.12\", not \"{text}\""))
        })?;
        Ok(Self { major: 3, minor })
    }

    fn show(&self) -> Option<toml::Value> {
        Some(format!("{}.{}", self.major, self.minor).into())
    }
}

/// Settings that are one of a few words.
macro_rules! words {
    ($type:ty { $($word:literal => $value:expr),+ $(,)? }) => {
        impl Setting for $type {
            fn read(node: &Node, key: &str) -> Result<Self> {
                let text = String::read(node, key)?;
                match text.as_str() {
                    $($word => Ok($value),)+
                    _ => Err(node
                        .error(format!("`{key}` cannot be \"{text}\""))
                        .hint(hint(&text, &[$($word),+], "values"))),
                }
            }

            fn show(&self) -> Option<toml::Value> {
                let words = [$(($value, $word)),+];
                let word = words.into_iter().find(|(value, _)| value == self);
                word.map(|(_, word)| word.into())
            }
        }
    };
}

words!(Dialect { "buck" => Self::Buck, "bazel" => Self::Bazel });
words!(Preset { "fbcode" => Self::Fbcode });
words!(MinConfidence {
    "possible" => Self::Possible,
    "likely" => Self::Likely,
    "certain" => Self::Certain,
});
words!(FailOn {
    "note" => Self::Note,
    "warning" => Self::Warning,
    "error" => Self::Error,
    "never" => Self::Never,
});
words!(KeepReason {
    "required" => Self::Required,
    "optional" => Self::Optional,
});
words!(CheckSeverity {
    "note" => Self::Note,
    "warning" => Self::Warning,
    "error" => Self::Error,
});
words!(SrcsOrder {
    "source-to-destination" => Self::SourceToDestination,
    "destination-to-source" => Self::DestinationToSource,
});
