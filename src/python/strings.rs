//! Strings that name modules, files and types. Pure functions; touches nothing.

use super::modules::is_identifier;

/// Longer strings are prose or data.
const MAX_LENGTH: usize = 256;

/// What a string looks like.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape<'s> {
    /// `a.b.c`
    Dotted,
    /// `a.b:c`
    EntryPoint,
    /// `tools/gen.py`
    Path,
    /// `python -m a.b`: the module.
    Command(&'s str),
}

/// What `text` looks like, if it is of interest. Most strings leave at their first odd byte.
pub(super) fn shape(text: &str) -> Option<Shape<'_>> {
    if text.len() < 3 || text.len() > MAX_LENGTH {
        return None;
    }
    if text.strip_suffix(".py").is_some() {
        let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
        let plain =
            !text.contains(|c: char| c.is_whitespace() || matches!(c, '*' | '{' | '%' | '<'));
        return (plain && name.len() > ".py".len()).then_some(Shape::Path);
    }
    let mut dots = 0;
    let mut colon = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | 0x80.. => {}
            b'.' => dots += 1,
            b':' if colon.is_none() && dots > 0 => colon = Some(at),
            b' ' => return command(text).map(Shape::Command),
            _ => return None,
        }
    }
    match colon {
        _ if dots == 0 => None,
        None => text.split('.').all(is_identifier).then_some(Shape::Dotted),
        Some(at) => {
            let (module, attribute) = text.split_at_checked(at)?;
            let dotted = |name: &str| name.split('.').all(is_identifier);
            (dotted(module) && dotted(attribute.get(1..)?)).then_some(Shape::EntryPoint)
        }
    }
}

/// The module of a `python -m module` command line.
fn command(text: &str) -> Option<&str> {
    let (before, after) = text.split_once(" -m ")?;
    let program = before.split_whitespace().next()?;
    let is_python = program.rsplit('/').next()?.starts_with("python");
    let module = after.split_whitespace().next()?;
    (is_python && super::modules::is_dotted_name(module)).then_some(module)
}

/// The dotted names in a type expression such as `Optional[a.b.C]`.
pub(super) fn names_in_type(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c == '_' || c == '.' || c.is_alphanumeric();
    let words = text.split(move |c| !is_name(c));
    words.filter(|word| word.contains('.') && word.split('.').all(is_identifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_strings() {
        assert_eq!(shape("a.b"), Some(Shape::Dotted));
        assert_eq!(shape("pkg.mod:Class.method"), Some(Shape::EntryPoint));
        assert_eq!(shape("tools/gen.py"), Some(Shape::Path));
        assert_eq!(shape("python3 -m a.b --flag"), Some(Shape::Command("a.b")));
        for other in [
            "a",
            "1.0",
            "v1.2",
            "a..b",
            ".a",
            "a.b.",
            "a b.c",
            ".py",
            "*.py",
            "http://a.b/c",
            "a.b:",
            "x: y",
        ] {
            assert_eq!(shape(other), None, "{other}");
        }
    }

    #[test]
    fn type_expressions_yield_dotted_names_only() {
        let names = |text| names_in_type(text).collect::<Vec<_>>();
        assert_eq!(names("Optional[a.b.C] | Dict[str, x.Y]"), ["a.b.C", "x.Y"]);
        assert_eq!(names("Tuple[int, ...]"), [""; 0]);
    }
}
