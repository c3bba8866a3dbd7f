//! Models to draw and to play with: one of the sample repository, and one of as many made-up findings as wanted.

use crate::proofs::open;
use crate::support::repository;
use rayon::ThreadPoolBuilder;
use secateur::checks::{self, Selection};
use secateur::codemod::owner_of;
use secateur::codemod::owners::Codeowners;
use secateur::cost::{GraphChange, Ledger};
use secateur::edits::{Contents, FileChange, Prover};
use secateur::finding::{CheckId, Confidence, Evidence, Finding, FixSet, Region, Safety, Saving};
use secateur::graph;
use secateur::label::PackageId;
use secateur::progress::Silent;
use secateur::source::ProjectPath;
use secateur::tui::message::{Analysis, Preview};
use secateur::tui::{Decisions, Effect, Item, Keymap, Message, Model, Proof, update};
use secateur::workspace::Workspace;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Build files recurse deeply.
const STACK_BYTES: usize = 64 << 20;

pub fn sample() -> PathBuf {
    repository().join("sample-repos/ml-monorepo")
}

/// A screen on which nothing happened yet.
pub fn empty(columns: u16, lines: u16) -> Model {
    let today = jiff::civil::date(2026, 5, 17);
    let mut model =
        Model::new("ml-monorepo".to_owned(), today, Keymap::default(), Decisions::default());
    tell(&mut model, Message::Resize(columns, lines));
    model
}

/// The sample repository, read and with all fixes tried.
pub fn settled(columns: u16, lines: u16) -> Model {
    let mut model = empty(columns, lines);
    tell(&mut model, Message::Analysed(Box::new(analysis().clone())));
    tell(&mut model, Message::Settled);
    model
}

/// Gives a message to the model, and answers what it asks of the outside with the sample repository.
pub fn tell(model: &mut Model, message: Message) {
    for effect in update(model, message) {
        match effect {
            Effect::Read(path) => {
                let text = fs::read_to_string(sample().join(path.as_str())).ok();
                tell(model, Message::Text(path, text.map(Into::into)));
            }
            Effect::Combine { accepted, .. } => {
                let preview = preview(model, &accepted);
                tell(model, Message::Preview(Box::new(preview)));
            }
            _ => {}
        }
    }
}

/// What the proven fixes make of the files; of several for one file the first.
fn preview(model: &Model, accepted: &[String]) -> Preview {
    let mut preview = Preview::default();
    for item in model.items.iter().filter(|item| accepted.contains(&item.fingerprint)) {
        match &item.proof {
            Proof::Proven(changes) => {
                let is_there =
                    |path: &ProjectPath| preview.changes.iter().any(|change| change.path == *path);
                if changes.iter().any(|change| is_there(&change.path)) {
                    continue;
                }
                preview.settles.push(item.fingerprint.clone());
                preview.changes.extend(changes.iter().cloned());
                *preview.owners.entry(item.owner.clone()).or_default() += 1;
            }
            Proof::Refused(reason) => {
                preview.refused.push((item.fingerprint.clone(), reason.clone()));
            }
            Proof::Open => {}
        }
    }
    preview
}

fn analysis() -> &'static Analysis {
    static ANALYSIS: OnceLock<Analysis> = OnceLock::new();
    ANALYSIS.get_or_init(|| {
        let pool = ThreadPoolBuilder::new().stack_size(STACK_BYTES).build().unwrap();
        pool.install(analyse)
    })
}

fn analyse() -> Analysis {
    let workspace = open(&sample());
    let cells = graph::configurations(&workspace).unwrap();
    let (evaluators, graph) = graph::build_and_keep(&workspace, &cells, &Silent).unwrap();
    let graph = Arc::new(graph);
    let report = checks::run(&workspace, &graph, &Selection::default(), &Silent);
    let prover = Prover::new(&workspace, &graph, &evaluators);
    let ledger = Ledger::new(&workspace, &graph, None);
    let text = fs::read_to_string(sample().join("CODEOWNERS")).unwrap();
    let codeowners = Codeowners::parse(&ProjectPath::new("CODEOWNERS"), &text).0;
    let item = |(finding, print): (&Finding, String)| {
        let fix = finding.fix.as_ref();
        let owner = owner_of(&workspace, &graph, &codeowners, finding);
        let package = || workspace.tree.package_of(&finding.region.path);
        let package = || package().map_or_else(String::new, |package| package.id.to_string());
        Item {
            fingerprint: print,
            package: finding
                .target
                .as_ref()
                .map_or_else(package, |label| label.package.to_string()),
            owner: owner.map_or_else(|| "nobody".to_owned(), |owner| owner.to_string()),
            finding: finding.clone(),
            saving: fix.map(|fix| ledger.saving(&GraphChange::of_fixes(&graph, [fix]))),
            proof: fix.map_or(Proof::Open, |fix| match prover.propose(&fix.changes) {
                Ok(contents) => Proof::Proven(Arc::new(changes(&workspace, contents))),
                Err(reason) => Proof::Refused(reason),
            }),
            edit: None,
        }
    };
    Analysis {
        items: report.findings.iter().zip(report.fingerprints()).map(item).collect(),
        bytes: Arc::new(graph.targets.ids().map(|_| 4096).collect()),
        graph: Some(Arc::clone(&graph)),
        problems: 0,
    }
}

fn changes(workspace: &Workspace, contents: Contents) -> Vec<FileChange> {
    let change = |(path, after): (ProjectPath, Option<Vec<u8>>)| {
        let before = workspace.files.read(&path).unwrap();
        FileChange { path, before, after }
    };
    contents.into_iter().map(change).collect()
}

/// Findings as a big repository has them, of all checks, in packages of different sizes.
pub fn made_up(count: usize) -> Vec<Item> {
    (0..count).map(made_up_item).collect()
}

fn made_up_item(at: usize) -> Item {
    // Some packages have one finding, some several, of targets and of files.
    let team = if at.is_multiple_of(5) { at % 401 } else { at / 6 % 401 };
    let package = PackageId::new("root", format!("services/area{}/team{team}", team % 17));
    let path = ProjectPath::new(format!("{}/BUCK", package.path));
    let check = CheckId::ALL[at % CheckId::ALL.len()];
    let confidence = [Confidence::Certain, Confidence::Likely, Confidence::Possible][at % 3];
    let mut region = Region::line(path.clone(), (at % 90) as u32 + 1);
    (region.column, region.end_column) = (9, 30);
    let message = format!("//services/area{}:lib{at} is not needed by anything it is in", at % 17);
    let mut finding = Finding::new(check, confidence, region, message);
    finding.module = Some(format!("services.area{}.team{team}.module{at}", team % 17));
    finding.target = at.is_multiple_of(2).then(|| package.target(format!("lib{}", at % 3)));
    finding.evidence = (0..at % 7)
        .map(|line| Evidence {
            path: format!("{}/file{line}.py", package.path),
            line: line as u32 + 1,
            text: "this is where it was imported until lately".to_owned(),
        })
        .collect();
    finding.fix = (at % 4 != 3).then(|| FixSet {
        safety: if at.is_multiple_of(4) { Safety::Safe } else { Safety::Unsafe },
        changes: Vec::new(),
    });
    let lines: Vec<String> = (0..200).map(|line| format!("    \"//lib:dep{line}\",\n")).collect();
    let before = lines.concat();
    let after = before.replace("    \"//lib:dep97\",\n", "");
    let change = FileChange {
        path,
        before: before.into_bytes(),
        after: (!at.is_multiple_of(13)).then_some(after.into_bytes()),
    };
    let proof = match at % 5 {
        0 => Proof::Open,
        1 => Proof::Refused("the list is computed".to_owned()),
        _ => Proof::Proven(Arc::new(vec![change])),
    };
    Item {
        fingerprint: format!("{at:016x}"),
        finding,
        package: package.to_string(),
        owner: format!("@acme/team{}", at % 23),
        saving: Some(Saving {
            targets: at % 50,
            target_roots: at * 7919 % 1000,
            byte_roots: at as u64 * 100,
            ..Saving::default()
        }),
        proof,
        edit: None,
    }
}

pub fn as_news(items: Vec<Item>) -> Message {
    let analysis = Analysis { items, graph: None, bytes: Arc::default(), problems: 2 };
    Message::Analysed(Box::new(analysis))
}

/// What was decided, by fingerprint.
pub fn decided(model: &Model) -> BTreeMap<String, secateur::tui::Decision> {
    model.decisions.entries().clone()
}
