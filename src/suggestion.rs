//! "Did you mean": the nearest of a few names. Pure; touches nothing.

/// The one of some names that somebody may have meant who wrote another; `None` if none is near.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let scored = known.into_iter().map(|other| (strsim::jaro_winkler(name, other), other));
    let near = scored.filter(|(score, _)| *score > 0.8);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, other)| other)
}

/// A hint for an unknown `name`: the nearest of `known` if one is near, else all of them, called `what`.
pub(crate) fn hint(name: &str, known: &[&str], what: &str) -> String {
    match nearest(name, known.iter().copied()) {
        Some(other) => format!("did you mean `{other}`?"),
        None if known.is_empty() => format!("there are no {what} here"),
        None => {
            let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("valid {what}: {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_listed() {
        assert_eq!(hint("pyhton", &["project", "python"], "keys"), "did you mean `python`?");
        assert_eq!(hint("xyz", &["a", "b"], "keys"), "valid keys: `a`, `b`");
        assert_eq!(hint("xyz", &[], "keys"), "there are no keys here");
    }
}
