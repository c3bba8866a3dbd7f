//! The formats of a lint report. Pure values; touches nothing.

/// The formats of a lint report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: findings with the source line, evidence and hint, and a summary.
    #[default]
    Text,
    /// `path:line:column: severity[check] message`, one finding a line.
    Concise,
    /// One JSON object; its schema is `docs/schema/lint.schema.json`.
    Json,
    /// One JSON object a finding and line; its schema is `docs/schema/finding.schema.json`.
    Jsonl,
    /// [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), for code scanning.
    Sarif,
    /// Workflow commands, which GitHub Actions shows beside the lines of a change.
    Github,
    /// The [Reviewdog Diagnostic Format](https://github.com/reviewdog/reviewdog/tree/master/proto/rdf).
    Rdjson,
    /// [GitLab's Code Quality report](https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format).
    Gitlab,
    /// `JUnit` XML: a test suite for each package, a failing test for each finding.
    Junit,
    /// For comments on a change, in the Markdown of GitHub and GitLab.
    Markdown,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Concise,
        Self::Json,
        Self::Jsonl,
        Self::Sarif,
        Self::Github,
        Self::Rdjson,
        Self::Gitlab,
        Self::Junit,
        Self::Markdown,
    ];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Rdjson => "rdjson",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
        }
    }

    /// Whether it shows edits.
    pub fn has_edits(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl | Self::Sarif | Self::Rdjson)
    }

    /// Whether it says who answers for a finding.
    pub fn has_owners(self) -> bool {
        self != Self::Concise
    }
}
