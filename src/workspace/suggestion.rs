//! "Did you mean": the nearest of a few names. Pure; touches nothing.

/// A hint for an unknown `name`: the nearest of `known` if one is near, else all of them, called `what`.
pub(super) fn hint(name: &str, known: &[&str], what: &str) -> String {
    let near = known.iter().map(|other| (strsim::jaro_winkler(name, other), *other));
    let nearest = near.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, other)) => format!("did you mean `{other}`?"),
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
