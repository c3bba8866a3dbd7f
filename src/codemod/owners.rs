//! Whose a file is: what its package says with `oncall()`, else what CODEOWNERS says. Pure; touches nothing.
//!
//! Patterns are those of [GitHub](https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners):
//! gitignore's, without negation and ranges, and with `dir/*` for the files of a directory alone. The last rule that
//! matches decides, and one without owners takes a file's owners away. Sections are those of GitLab: a heading is no rule,
//! and its owners are those of the rules below it that name none; that each section has a vote of its own is left out,
//! because a batch has one owner.

pub use crate::edits::CODEOWNERS as LOCATIONS;
use crate::source::{Problem, ProblemKind, ProjectPath};
use regex::bytes::{Regex, RegexBuilder};
use std::fmt;

/// Who answers for a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The name in `oncall("…")`.
    Oncall(String),
    /// The names that CODEOWNERS gives, in its order: `@user`, `@organisation/team`, or an address. Never empty.
    Codeowners(Vec<String>),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oncall(name) => f.write_str(name),
            Self::Codeowners(names) => f.write_str(&names.join(" ")),
        }
    }
}

impl Owner {
    /// Whether a name is that of the oncall, or of one of the code owners, with `@` or without.
    pub fn is_called(&self, name: &str) -> bool {
        match self {
            Self::Oncall(oncall) => oncall == name,
            Self::Codeowners(names) => names.iter().any(|owner| stands_for(owner, name)),
        }
    }
}

/// Whether a name of CODEOWNERS is the one that is asked for, with `@` or without.
fn stands_for(owner: &str, name: &str) -> bool {
    owner == name || owner.strip_prefix('@') == Some(name)
}

/// A CODEOWNERS file, read.
#[derive(Clone, Debug, Default)]
pub struct Codeowners {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Regex,
    owners: Vec<String>,
}

impl Codeowners {
    /// Reads the text of `path`. A line with a mistake in it is a problem, and is no rule, as with GitHub.
    pub fn parse(path: &ProjectPath, text: &str) -> (Self, Vec<Problem>) {
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        let mut section_owners = Vec::new();
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            let read = read_line(line);
            let kind = ProblemKind::Config;
            match read {
                Ok(Line::Nothing) => {}
                Ok(Line::Section(owners)) => section_owners = owners,
                Ok(Line::Rule(mut rule)) => {
                    if rule.owners.is_empty() {
                        rule.owners.clone_from(&section_owners);
                    }
                    rules.push(rule);
                }
                Err(message) => {
                    problems.push(Problem { path: path.clone(), line: number, kind, message });
                }
            }
        }
        (Self { rules }, problems)
    }

    /// The owners of a file; none if no rule matches it, or if the last one that does names none.
    ///
    /// `path` is relative to the root of the repository that the file lies in.
    pub fn owners_of(&self, path: &str) -> &[String] {
        let rule = self.rules.iter().rev().find(|rule| rule.pattern.is_match(path.as_bytes()));
        rule.map_or(&[], |rule| &rule.owners)
    }

    /// Whether some rule has a name, with `@` or without.
    pub fn knows(&self, name: &str) -> bool {
        self.names().any(|owner| stands_for(owner, name))
    }

    /// Every name that some rule has.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| &rule.owners).map(String::as_str)
    }

    /// The owner of a file whose package has this `oncall()`.
    pub fn owner_of(&self, oncall: Option<&str>, path: &ProjectPath) -> Option<Owner> {
        if let Some(name) = oncall.filter(|name| !name.is_empty()) {
            return Some(Owner::Oncall(name.to_owned()));
        }
        let owners = self.owners_of(path.as_str());
        (!owners.is_empty()).then(|| Owner::Codeowners(owners.to_vec()))
    }
}

enum Line {
    Nothing,
    Section(Vec<String>),
    Rule(Rule),
}

fn read_line(line: &str) -> Result<Line, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(Line::Nothing);
    }
    if let Some(owners) = section(line) {
        return Ok(Line::Section(read_owners(owners)?));
    }
    let (pattern, owners) = split_pattern(line);
    Ok(Line::Rule(Rule { pattern: compile(pattern)?, owners: read_owners(owners)? }))
}

/// What stands behind the heading of a GitLab section: `^[Name][2] @owner`.
fn section(line: &str) -> Option<&str> {
    let (_, rest) = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?.split_once(']')?;
    let approvals = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let rest = approvals.map_or(rest, |(_, rest)| rest);
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
}

/// The pattern ends at the first space that has no backslash before it.
fn split_pattern(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if c.is_whitespace() && !escaped {
            return line.split_at(at);
        }
        escaped = c == '\\' && !escaped;
    }
    (line, "")
}

fn read_owners(text: &str) -> Result<Vec<String>, String> {
    let words = text.split_whitespace().take_while(|word| !word.starts_with('#'));
    let owner = |word: &str| {
        let message = || format!("`{word}` is neither `@name` nor a mail address");
        word.contains('@').then(|| word.to_owned()).ok_or_else(message)
    };
    words.map(owner).collect()
}

/// Any character but a slash, in UTF-8.
const ONE_CHARACTER: &str = r"(?:[^/\x80-\xff]|[\xc0-\xff][\x80-\xbf]+)";

/// The expression that matches the paths which a pattern means.
fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.starts_with('!') {
        return Err(format!("`{pattern}`: CODEOWNERS knows no negation"));
    }
    let is_dir = pattern.ends_with('/');
    let inner = pattern.trim_end_matches('/');
    // As in .gitignore, a slash anywhere but at the end ties the pattern to the root.
    let is_anchored = inner.contains('/');
    let segments: Vec<&str> = inner.trim_start_matches('/').split('/').collect();
    let mut regex = String::from(if is_anchored { "^" } else { "^(?:.*/)?" });
    let last = segments.len() - 1;
    for (at, segment) in segments.iter().enumerate() {
        match (*segment, at == last) {
            ("**", false) => regex += "(?:.*/)?",
            ("**", true) => regex += ".*",
            (segment, is_last) => {
                regex += &segment_regex(segment, pattern)?;
                regex += if is_last { "" } else { "/" };
            }
        }
    }
    let is_files_of_dir = is_anchored && segments.last() == Some(&"*") && !is_dir;
    regex += match (is_dir, is_files_of_dir) {
        (true, _) if pattern.trim_matches('/').is_empty() => ".*$",
        (true, _) => "/.*$",
        (false, true) => "$",
        (false, false) => "(?:/.*)?$",
    };
    // Classes of characters would make the expression many times larger.
    let built = RegexBuilder::new(&regex).unicode(false).build();
    built.map_err(|_| format!("`{pattern}` is too large a pattern"))
}

fn segment_regex(segment: &str, pattern: &str) -> Result<String, String> {
    let mut regex = String::new();
    let mut chars = segment.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => regex += "[^/]*",
            '?' => regex += ONE_CHARACTER,
            '[' | ']' => return Err(format!("`{pattern}`: CODEOWNERS knows no ranges")),
            c => {
                let c = if c == '\\' { chars.next().unwrap_or(c) } else { c };
                regex += &regex::escape(c.encode_utf8(&mut [0; 4]));
            }
        }
    }
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Codeowners, Vec<(u32, String)>) {
        let (owners, problems) = Codeowners::parse(&ProjectPath::new("CODEOWNERS"), text);
        (owners, problems.into_iter().map(|problem| (problem.line, problem.message)).collect())
    }

    fn matches(pattern: &str, path: &str) -> bool {
        let (owners, problems) = read(&format!("{pattern} @x"));
        assert_eq!(problems, [], "{pattern}");
        !owners.owners_of(path).is_empty()
    }

    #[test]
    fn patterns_match_what_github_says() {
        for (pattern, yes, no) in [
            ("*", "a b/c.py", ""),
            ("**", "a/b", ""),
            ("/", "a/b", ""),
            ("*.js", "x/y/a.js", "a.jsx"),
            ("*.js", "a.js", "a.ts"),
            ("/build/logs/", "build/logs/x/y", "x/build/logs/y"),
            ("/build/logs/", "build/logs/x", "build/logs"),
            ("docs/*", "docs/getting-started.md", "docs/build-app/troubleshooting.md"),
            ("docs/*", "docs/x", "a/docs/x"),
            ("docs/*/", "docs/a/x", "docs/x"),
            ("apps/", "x/apps/y/z", "x/apps"),
            ("apps", "x/apps/y/z", "x/apps2/y"),
            ("/apps", "apps/y/z", "x/apps/y"),
            ("/apps/github", "apps/github", "apps/github2"),
            ("**/logs", "build/logs/x", "build/logs2/x"),
            ("**/logs", "logs", "log"),
            ("a/**/b", "a/b", "ab"),
            ("a/**/b", "a/x/y/b/c", "a/xb"),
            ("a/**", "a/x/y", "b/a/x"),
            ("a/b", "a/b/c", "x/a/b"),
            ("a?c.py", "abc.py", "a/c.py"),
            ("a*c.py", "ac.py", "a/c.py"),
            (r"my\ docs/", "my docs/x", "my/x"),
            (r"\#x.py", "#x.py", "x.py"),
            ("a.c+(d)", "a.c+(d)", "abc+(d)"),
            ("é/", "é/x", "e/x"),
        ] {
            assert!(matches(pattern, yes), "{pattern} matches {yes}");
            assert!(no.is_empty() || !matches(pattern, no), "{pattern} does not match {no}");
        }
    }

    #[test]
    fn the_last_rule_decides_and_may_name_nobody() {
        let text = "\u{feff}# all\n* @all\r\n/lib/ @lib/team  a@b.org # why\n\n/lib/free/\n";
        let (owners, problems) = read(text);
        assert_eq!(problems, []);
        assert_eq!(owners.owners_of("x"), ["@all"]);
        assert_eq!(owners.owners_of("lib/x"), ["@lib/team", "a@b.org"]);
        assert_eq!(owners.owners_of("lib/free/x"), [""; 0]);
    }

    #[test]
    fn sections_lend_their_owners() {
        let text =
            "[Docs] @docs\n*.md\n*.txt @text\n^[Build tools][2] @build @more\nBUCK\n[None]\nx\n";
        let (owners, problems) = read(text);
        assert_eq!(problems, []);
        assert_eq!(owners.owners_of("a.md"), ["@docs"]);
        assert_eq!(owners.owners_of("a.txt"), ["@text"]);
        assert_eq!(owners.owners_of("a/BUCK"), ["@build", "@more"]);
        assert_eq!(owners.owners_of("x"), [""; 0]);
    }

    #[test]
    fn lines_with_mistakes_are_problems_and_no_rules() {
        let (owners, problems) = read("* @all\n!x @y\nx[0-9].py @y\nx alice\n");
        assert_eq!(owners.owners_of("x"), ["@all"]);
        assert_eq!(
            problems,
            [
                (2, "`!x`: CODEOWNERS knows no negation".to_owned()),
                (3, "`x[0-9].py`: CODEOWNERS knows no ranges".to_owned()),
                (4, "`alice` is neither `@name` nor a mail address".to_owned()),
            ]
        );
    }

    #[test]
    fn oncall_comes_before_codeowners() {
        let (owners, _) = read("/a/ @x @y\n");
        let (a, b) = (ProjectPath::new("a/BUCK"), ProjectPath::new("b/BUCK"));
        assert_eq!(owners.owner_of(Some("team"), &a), Some(Owner::Oncall("team".into())));
        assert_eq!(owners.owner_of(None, &a).unwrap().to_string(), "@x @y");
        assert_eq!(owners.owner_of(Some(""), &b), None);
        let both = owners.owner_of(None, &a).unwrap();
        assert!(both.is_called("@y") && both.is_called("x") && !both.is_called("@x @y"));
        assert!(!Owner::Oncall("team".into()).is_called("@team"));
    }
}
