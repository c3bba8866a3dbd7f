//! Which modules an installed distribution provides, and which distribution a label names. Pure tables and functions; touches nothing.

use super::modules::is_dotted_name;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// One distribution a line, sorted: `name: module.prefix …`; `name!:` provides types only, and no
/// prefix at all means that nothing of it can be imported.
const SHIPPED: &str = include_str!("data/distributions.txt");

/// What one distribution makes importable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modules {
    /// Dotted prefixes: each stands for the module of that name and for all below it that no longer
    /// prefix of another distribution claims. Sorted.
    pub modules: Vec<String>,
    /// Stubs alone: serves type checkers, satisfies no import at run time.
    pub type_only: bool,
    /// Derived from the distribution's name, not known: nobody may be certain because of it.
    pub guessed: bool,
}

/// A distribution that provides some module prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provider {
    /// Stubs alone.
    pub type_only: bool,
    /// The distribution's normalised name.
    pub distribution: String,
}

/// The table from distributions to modules and back: the shipped one, with a project's own entries over it.
#[derive(Clone, Debug)]
pub struct Distributions {
    entries: BTreeMap<String, Modules>,
    providers: FxHashMap<String, Vec<Provider>>,
}

impl Distributions {
    /// The shipped table, where each of `overrides` replaces the entry of its distribution.
    ///
    /// Keys are names in any spelling, with `!` behind those that provide types only; values are
    /// dotted prefixes. Two spellings of one name add up.
    pub fn new(overrides: &BTreeMap<String, Vec<String>>) -> Self {
        let mut entries: BTreeMap<String, Modules> = SHIPPED.lines().filter_map(entry).collect();
        let mut own: BTreeMap<String, Modules> = BTreeMap::new();
        for (key, modules) in overrides {
            let (name, type_only) = name_and_kind(key);
            let entry = own.entry(normalize(name)).or_insert_with(|| known(type_only, Vec::new()));
            entry.type_only &= type_only;
            entry.modules.extend(modules.iter().cloned());
            entry.modules.sort_unstable();
            entry.modules.dedup();
        }
        entries.extend(own);

        let mut providers: FxHashMap<String, Vec<Provider>> = FxHashMap::default();
        for (name, entry) in &entries {
            for module in &entry.modules {
                let provider = Provider { type_only: entry.type_only, distribution: name.clone() };
                providers.entry(module.clone()).or_default().push(provider);
            }
        }
        for list in providers.values_mut() {
            list.sort_unstable();
        }
        Self { entries, providers }
    }

    /// What `distribution` (any spelling of its name) provides.
    ///
    /// For one that the table lacks, a guess from its name; `None` if not even that is possible.
    pub fn modules(&self, distribution: &str) -> Option<Modules> {
        let name = normalize(distribution);
        self.entries.get(&name).cloned().or_else(|| guess(&name))
    }

    /// The longest prefix of `module` that known distributions provide, and these: those that serve
    /// at run time first, then by name. Never a guess.
    pub fn distributions_of<'a>(&self, module: &'a str) -> Option<(&'a str, &[Provider])> {
        let mut prefix = module;
        loop {
            if let Some(list) = self.providers.get(prefix) {
                return Some((prefix, list));
            }
            prefix = prefix.rsplit_once('.')?.0;
        }
    }
}

fn entry(line: &str) -> Option<(String, Modules)> {
    let (key, modules) = line.split_once(':')?;
    let (name, type_only) = name_and_kind(key);
    let modules = modules.split_whitespace().map(str::to_owned).collect();
    Some((name.to_owned(), known(type_only, modules)))
}

fn name_and_kind(key: &str) -> (&str, bool) {
    key.strip_suffix('!').map_or((key, false), |name| (name, true))
}

fn known(type_only: bool, modules: Vec<String>) -> Modules {
    Modules { modules, type_only, guessed: false }
}

/// Most distributions are named like their one package; stubs by the conventions of typeshed and PEP 561.
fn guess(name: &str) -> Option<Modules> {
    let stubbed = name.strip_prefix("types-").or_else(|| name.strip_suffix("-stubs"));
    let module = stubbed.unwrap_or(name).replace('-', "_");
    let type_only = stubbed.is_some();
    is_dotted_name(&module).then(|| Modules { modules: vec![module], type_only, guessed: true })
}

/// A distribution's name as PEP 503 compares it: lower case, each run of `-`, `_`, `.` one `-`.
pub fn normalize(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        let c = if matches!(c, '_' | '.') { '-' } else { c.to_ascii_lowercase() };
        if c != '-' || !normal.ends_with('-') {
            normal.push(c);
        }
    }
    normal
}

/// The shape of the labels under which a repository keeps its third-party distributions, such as
/// `fbsource//third-party/pypi/{dist}:{dist}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A distribution's name; wherever it stands, the same one.
    Distribution,
    /// Any text without `/`, even none.
    Any,
}

impl LabelTemplate {
    /// Reads a template with `{dist}`, at least once, and `{any}`. The error is a lower-case fragment.
    pub fn parse(template: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((literal, tail)) = rest.split_once('{') {
            let (name, tail) = tail.split_once('}').ok_or("`{` without `}`")?;
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(match name {
                "dist" => Part::Distribution,
                "any" => Part::Any,
                _ => return Err(format!("unknown `{{{name}}}`: use `{{dist}}` or `{{any}}`")),
            });
            rest = tail;
        }
        parts.push(Part::Literal(rest.to_owned()));
        if !parts.contains(&Part::Distribution) {
            return Err("no `{dist}` in the template".to_owned());
        }
        Ok(Self { parts })
    }

    /// The normalised name of the distribution behind `label` (`cell//package:name`), if it fits.
    pub fn distribution(&self, label: &str) -> Option<String> {
        bind(&self.parts, label, None)
    }
}

/// [`LabelTemplate::distribution`] for a single look-up; an invalid template fits no label.
pub fn distribution_of_label(template: &str, label: &str) -> Option<String> {
    LabelTemplate::parse(template).ok()?.distribution(label)
}

fn bind(parts: &[Part], text: &str, bound: Option<&str>) -> Option<String> {
    let Some((part, rest)) = parts.split_first() else {
        return bound.filter(|_| text.is_empty()).map(str::to_owned);
    };
    match part {
        Part::Literal(literal) => bind(rest, text.strip_prefix(literal.as_str())?, bound),
        Part::Any => splits(text, |c| c != '/').find_map(|(_, tail)| bind(rest, tail, bound)),
        Part::Distribution => {
            splits(text, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
                .filter(|(name, _)| is_distribution_name(name))
                .map(|(name, tail)| (normalize(name), tail))
                .filter(|(name, _)| bound.is_none_or(|bound| bound == name))
                .find_map(|(name, tail)| bind(rest, tail, Some(&name)))
        }
    }
}

/// Every way to cut `text` behind characters that `allowed` accepts, the longest head first.
fn splits(text: &str, allowed: fn(char) -> bool) -> impl Iterator<Item = (&str, &str)> {
    let longest = text.find(|c| !allowed(c)).unwrap_or(text.len());
    (0..=longest).rev().filter_map(|at| text.split_at_checked(at))
}

/// The rule for names in the core metadata specification: letters or digits at both ends.
fn is_distribution_name(name: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    name.starts_with(alphanumeric) && name.ends_with(alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Distributions {
        Distributions::new(&BTreeMap::new())
    }

    fn names(providers: &[Provider]) -> Vec<&str> {
        providers.iter().map(|provider| provider.distribution.as_str()).collect()
    }

    #[test]
    fn every_line_of_the_table_is_in_its_one_form() {
        let mut last = "";
        for line in SHIPPED.lines() {
            let (key, modules) = line.split_once(':').unwrap();
            let (name, _) = name_and_kind(key);
            assert!(last < name, "{name} is out of order or there twice");
            assert!(normalize(name) == name && is_distribution_name(name), "{name}");
            let modules: Vec<_> = modules.split_whitespace().collect();
            assert!(modules.iter().all(|module| is_dotted_name(module)), "{line}");
            assert!(modules.is_sorted_by(|left, right| left < right), "{line}");
            let words: Vec<&str> = std::iter::once("").chain(modules.iter().copied()).collect();
            assert_eq!(line, format!("{key}:{}", words.join(" ")));
            last = name;
        }
    }

    #[test]
    fn no_shipped_prefix_hides_behind_another_of_the_same_distribution() {
        for (name, entry) in &shipped().entries {
            for module in &entry.modules {
                let inside = |outer: &String| module.starts_with(&format!("{outer}."));
                let redundant = entry.modules.iter().any(inside);
                assert!(!redundant, "{name}: {module} says nothing new");
            }
        }
    }

    #[test]
    fn knows_what_the_name_does_not_tell() {
        let table = shipped();
        for (distribution, expected) in [
            ("PyYAML", "_yaml yaml"),
            ("scikit_learn", "sklearn"),
            ("google.cloud.storage", "google.cloud._storage_v2 google.cloud.storage"),
            ("protobuf", "google._upb google.protobuf"),
            ("attrs", "attr attrs"),
            ("setuptools", "_distutils_hack pkg_resources setuptools"),
            ("ruamel.yaml", "ruamel.yaml"),
            ("py-spy", ""),
        ] {
            let modules = table.modules(distribution).unwrap();
            assert_eq!(modules.modules.join(" "), expected);
            assert!(!modules.guessed && !modules.type_only);
        }
    }

    #[test]
    fn the_longest_prefix_wins_and_a_namespace_is_nobodys() {
        let table = shipped();
        let of = |module| table.distributions_of(module).map(|(at, list)| (at, names(list)));
        assert_eq!(of("google"), None);
        assert_eq!(of("google.cloud"), None);
        let storage = Some(("google.cloud.storage", vec!["google-cloud-storage"]));
        assert_eq!(of("google.cloud.storage.blob"), storage);
        let control = Some(("google.cloud.storage_control", vec!["google-cloud-storage-control"]));
        assert_eq!(of("google.cloud.storage_control"), control);
        assert_eq!(of("opentelemetry.instrumentation.wsgi").unwrap().0.split('.').count(), 3);
        assert!(of("cv2").unwrap().1.contains(&"opencv-python-headless"));
        assert_eq!(of("yamllint.rules").unwrap().1, ["yamllint"]);
    }

    #[test]
    fn stubs_are_told_apart_and_come_last() {
        let table = shipped();
        assert!(table.modules("types-requests").unwrap().type_only);
        let (_, list) = table.distributions_of("yaml.nodes").unwrap();
        assert_eq!(names(list), ["pyyaml", "types-pyyaml"]);
        assert_eq!(list.iter().map(|it| it.type_only).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn unknown_distributions_are_guessed_and_say_so() {
        let table = shipped();
        let guess = |name| table.modules(name).map(|it| (it.modules, it.type_only, it.guessed));
        assert_eq!(guess("Acme.Tool-Kit"), Some((vec!["acme_tool_kit".into()], false, true)));
        assert_eq!(guess("types-acme-kit"), Some((vec!["acme_kit".into()], true, true)));
        assert_eq!(guess("acme-stubs"), Some((vec!["acme".into()], true, true)));
        assert_eq!(guess("2to3"), None);
        assert_eq!(guess(""), None);
        assert_eq!(table.distributions_of("acme_tool_kit"), None);
    }

    #[test]
    fn a_projects_entry_replaces_the_shipped_one() {
        let own = [("PyYAML", vec!["fastyaml"]), ("acme!", vec!["acme.api"]), ("torch", vec![])];
        let own =
            own.map(|(key, list)| (key.to_owned(), list.into_iter().map(String::from).collect()));
        let table = Distributions::new(&BTreeMap::from(own));
        assert_eq!(table.modules("pyyaml").unwrap().modules, ["fastyaml"]);
        assert_eq!(names(table.distributions_of("yaml").unwrap().1), ["types-pyyaml"]);
        assert!(table.modules("acme").unwrap().type_only);
        assert_eq!(table.distributions_of("torch.nn"), None);
    }

    #[test]
    fn two_spellings_of_an_override_add_up() {
        let own = [("a.b", "x"), ("a-b!", "y")].map(|(key, it)| (key.into(), vec![it.into()]));
        let modules = Distributions::new(&BTreeMap::from(own)).modules("A_B").unwrap();
        assert_eq!(modules, known(false, vec!["x".into(), "y".into()]));
    }

    #[test]
    fn labels_fit_their_template() {
        let hub = "fbsource//third-party/pypi/{dist}:{dist}";
        let of = distribution_of_label;
        let label = "fbsource//third-party/pypi/PyYAML:pyyaml";
        assert_eq!(of(hub, label).as_deref(), Some("pyyaml"));
        assert_eq!(of(hub, "fbsource//third-party/pypi/a_b:a.b").as_deref(), Some("a-b"));
        assert_eq!(of(hub, "fbsource//third-party/pypi/pyyaml:pyyaml-lib"), None);
        assert_eq!(of(hub, "fbsource//third-party/pypi/a/b:b"), None);
        assert_eq!(of(hub, "root//third-party/pypi/a:a"), None);
        let any = "{any}//third-party/{any}/{dist}:{any}";
        assert_eq!(of(any, "root//third-party/python/six:lib").as_deref(), Some("six"));
        assert_eq!(of(any, "root//third-party/a/b/six:lib"), None);
        assert_eq!(of("x//{dist}:{dist}-py", "x//a-b:a-b-py").as_deref(), Some("a-b"));
        assert_eq!(of("x//:{dist}", "x//:-a-"), None);
        assert_eq!(of("x//:{any}{dist}", "x//:é-a").as_deref(), Some("a"));
    }

    #[test]
    fn wrong_templates_say_why() {
        let error = |text| LabelTemplate::parse(text).unwrap_err();
        assert_eq!(error("x//{name}:{dist}"), "unknown `{name}`: use `{dist}` or `{any}`");
        assert_eq!(error("x//:{dist"), "`{` without `}`");
        assert_eq!(error("x//{any}:lib"), "no `{dist}` in the template");
    }
}
