//! The page of the graph and the chains of findings, on the sample repository.

use super::*;
use crate::checks::{self, Selection};
use crate::graph;
use crate::progress::Silent;
use crate::tui::decisions::Decisions;
use crate::tui::item::Proof;
use crate::tui::keymap::Keymap;
use crate::tui::message::Tab;
use crate::tui::message::{Analysis, Question};
use crate::tui::model::Overlay;
use crate::tui::rows::RowId;
use crate::tui::update::update;
use crate::tui::view::{Look, draw};
use crate::workspace::{Environment, Overrides, Workspace};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::path::{Path, PathBuf};

fn analysis(dir: &Path) -> Analysis {
    let environment = Environment { current_dir: dir.to_path_buf(), ..Environment::default() };
    let workspace = Workspace::open(Path::new(""), &environment, &Overrides::default()).unwrap();
    let graph = graph::build(&workspace, &Silent).unwrap();
    let report = checks::run(&workspace, &graph, &Selection::default(), &Silent);
    let prints = report.fingerprints();
    let item = |(finding, fingerprint): (crate::finding::Finding, String)| Item {
        fingerprint,
        package: finding.target.as_ref().map(|it| it.package.to_string()).unwrap_or_default(),
        owner: "@ml".to_owned(),
        saving: None,
        proof: Proof::Open,
        edit: None,
        finding,
    };
    let items = report.findings.into_iter().zip(prints).map(item).collect();
    let bytes = Arc::new(vec![1000; graph.targets.len()]);
    Analysis { items, graph: Some(Arc::new(graph)), bytes, problems: 0 }
}

fn sample() -> Model {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample-repos/ml-monorepo");
    model(analysis(&dir))
}

fn model(analysis: Analysis) -> Model {
    let today = "2026-05-17".parse().unwrap();
    let mut model = Model::new("sample".to_owned(), today, Keymap::default(), Decisions::default());
    update(&mut model, Message::Resize(120, 30));
    update(&mut model, Message::Analysed(Box::new(analysis)));
    model
}

/// Puts a finding at hand.
fn at_finding(model: &mut Model, check: &str, target: &str) {
    let wanted = |item: &Item| item.finding.check.as_str() == check && item.target() == target;
    let item = model.items.iter().find(|item| wanted(item)).unwrap();
    let id = RowId::Finding(item.fingerprint.clone());
    let row = model.rows.iter().position(|row| row.id == id).unwrap();
    model.go_to(row);
}

fn jump_to(model: &mut Model, text: &str) {
    update(model, Message::Ask(Question::Jump));
    for letter in text.chars() {
        update(model, Message::Input(tui_input::InputRequest::InsertChar(letter)));
    }
    update(model, Message::Confirm);
}

fn here(model: &Model) -> String {
    model.walk.world.as_ref().unwrap().name(model.walk.here.unwrap())
}

fn names(model: &Model, side: Side) -> Vec<String> {
    let list = model.walk.list(side);
    let world = model.walk.world.as_ref().unwrap();
    list.nodes.iter().map(|at| world.name(Node { layer: list.layer, at: *at })).collect()
}

fn screen(model: &Model) -> String {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    let mut buffer = Buffer::empty(area);
    draw(model, Look { ascii: true, ..Look::default() }, area, &mut buffer);
    let row = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..area.height).map(|y| row(y).trim_end().to_owned() + "\n").collect()
}

#[test]
fn it_begins_at_the_finding_and_leads_back_to_it() {
    let mut model = sample();
    at_finding(&mut model, "unused-dep", "root//eta/data:sampling");
    let finding = model.item().unwrap().fingerprint.clone();
    update(&mut model, Message::Visit(Page::Graph));
    assert_eq!(here(&model), "root//eta/data:sampling");
    let world = model.walk.world.clone().unwrap();
    assert_eq!(world.name(model.walk.deps.at_hand().unwrap()), "root//eta/data:readers");
    assert_eq!(model.walk.spoken_of(Side::Deps, model.walk.deps.cursor).len(), 1);
    model.go_to(0);
    update(&mut model, Message::ToFinding);
    assert_eq!(model.page, Page::Findings);
    assert_eq!(model.item().unwrap().fingerprint, finding);
}

#[test]
fn a_finding_is_shown_even_if_it_was_hidden() {
    let mut model = sample();
    at_finding(&mut model, "unused-dep", "root//eta/data:sampling");
    let finding = model.item().unwrap().fingerprint.clone();
    update(&mut model, Message::Visit(Page::Graph));
    let groups: Vec<_> = model.rows.iter().map(|row| row.id.clone()).collect();
    for id in groups {
        if let RowId::Group(path) = id {
            model.arrangement.folded.insert(path);
        }
    }
    model.filter = "check:unused-load".to_owned();
    crate::tui::answer::set_filter(&mut model, "check:unused-load");
    update(&mut model, Message::ToFinding);
    assert_eq!(model.item().unwrap().fingerprint, finding);
}

#[test]
fn it_walks_forth_and_back() {
    let mut model = sample();
    update(&mut model, Message::Visit(Page::Graph));
    jump_to(&mut model, "eta/data:sampling");
    let start = here(&model);
    update(&mut model, Message::Last);
    let last = names(&model, Side::Deps).pop().unwrap();
    update(&mut model, Message::Open);
    assert_eq!(here(&model), last);
    assert_eq!(model.walk.users.at_hand().map(|it| it.at), model.walk.history[0].node.at.into());
    assert!(names(&model, Side::Users).contains(&start));
    update(&mut model, Message::Close);
    assert_eq!(here(&model), start);
    let world = model.walk.world.clone().unwrap();
    assert_eq!(world.name(model.walk.deps.at_hand().unwrap()), last);
    update(&mut model, Message::Close);
    update(&mut model, Message::Close);
    assert!(model.notice.is_some());
}

#[test]
fn two_marks_show_the_way_whichever_comes_first() {
    for (one, other) in [("serving:server", "data:schema"), ("data:schema", "serving:server")] {
        let mut model = sample();
        update(&mut model, Message::Visit(Page::Graph));
        jump_to(&mut model, one);
        let first = here(&model);
        update(&mut model, Message::Mark);
        jump_to(&mut model, other);
        let second = here(&model);
        update(&mut model, Message::Mark);
        assert_eq!(model.walk.side, Side::Path);
        let path = names(&model, Side::Path);
        assert!(path.len() > 1);
        let ends = [path.first().unwrap(), path.last().unwrap()];
        assert!(ends.contains(&&first) && ends.contains(&&second));
        assert!(ends[0].contains("serving"), "the one that needs the other comes first");
    }
}

#[test]
fn what_is_found_can_be_chosen_and_nothing_found_is_told() {
    let mut model = sample();
    update(&mut model, Message::Ask(Question::Jump));
    for letter in "eta".chars() {
        update(&mut model, Message::Input(tui_input::InputRequest::InsertChar(letter)));
    }
    let shown = found(&model);
    assert_eq!(shown.len(), 10);
    update(&mut model, Message::Move(1));
    update(&mut model, Message::Confirm);
    assert_eq!(here(&model), shown[1].0);
    jump_to(&mut model, "no such thing anywhere");
    assert!(matches!(&model.overlay, Some(Overlay::Asking(_, _, Some(_)))));
    update(&mut model, Message::Cancel);
    assert!(found(&model).is_empty());
}

#[test]
fn modules_have_cycles_and_targets_have_none() {
    let mut model = sample();
    at_finding(&mut model, "module-cycle", "root//eta/features:embeddings");
    update(&mut model, Message::Visit(Page::Graph));
    assert_eq!(here(&model), "eta.features.embeddings");
    assert!(model.walk.cycle().len() > 1);
    assert_eq!(model.walk.spoken_here().len(), 1);
    update(&mut model, Message::Layer);
    assert_eq!(here(&model), "root//eta/features:embeddings");
    assert!(model.walk.cycle().is_empty());
    let (path, line) = place(&model).unwrap();
    assert_eq!(path.as_str(), "eta/features/BUCK");
    assert!(line > 0);
}

#[test]
fn weights_are_those_of_the_closure() {
    let mut model = sample();
    jump_to(&mut model, "eta/data:sampling");
    let here = model.walk.here.unwrap();
    let graph = model.graph.clone().unwrap();
    let edges = graph.targets.ids().flat_map(|from| {
        let edges = graph.targets.node(from).edges.iter();
        let built = edges.filter(|edge| edge.kind != crate::graph::EdgeKind::Configuration);
        built.map(move |edge| (from.index(), edge.to.index()))
    });
    let web = crate::graph::Web::new(graph.targets.len(), edges);
    assert_eq!(model.walk.weight(here).unwrap().nodes, web.closure([here.at]).count_ones(..));
}

#[test]
fn a_new_analysis_keeps_the_place() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample-repos/ml-monorepo");
    let mut model = sample();
    jump_to(&mut model, "eta/data:sampling");
    update(&mut model, Message::Last);
    let (before, at_hand) = (screen(&model), model.walk.deps.at_hand());
    update(&mut model, Message::Analysed(Box::new(analysis(&dir))));
    assert_eq!(model.walk.deps.at_hand(), at_hand);
    model.stage = crate::tui::model::Stage::Starting;
    let after = screen(&model);
    let body = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&after), body(&before));
}

#[test]
fn empty_sides_say_so() {
    let mut model = sample();
    update(&mut model, Message::Visit(Page::Graph));
    jump_to(&mut model, "eta/training:lr_finder");
    assert!(screen(&model).contains("nothing depends on it"));
    update(&mut model, Message::Side);
    update(&mut model, Message::Open);
    assert!(model.notice.is_some());
}

#[test]
fn before_the_analysis_every_key_is_harmless() {
    let today = "2026-05-17".parse().unwrap();
    let mut model = Model::new("x".to_owned(), today, Keymap::default(), Decisions::default());
    update(&mut model, Message::Visit(Page::Graph));
    for message in [
        Message::Open,
        Message::Close,
        Message::Mark,
        Message::Layer,
        Message::ToFinding,
        Message::Side,
        Message::Move(3),
        Message::Last,
        Message::Click { column: 5, row: 9 },
        Message::Edit,
    ] {
        update(&mut model, message);
    }
    assert!(screen(&model).contains("once everything is read"));
}

#[test]
fn every_size_shows_rows_and_every_row_can_be_clicked() {
    for (columns, lines) in [(40, 10), (80, 24), (120, 30), (200, 60)] {
        let mut model = sample();
        update(&mut model, Message::Resize(columns, lines));
        at_finding(&mut model, "module-cycle", "root//eta/features:embeddings");
        update(&mut model, Message::Visit(Page::Graph));
        let text = screen(&model);
        let first = names(&model, Side::Deps).remove(0);
        let end = &first[first.len().saturating_sub(8)..];
        let lines: Vec<&str> = text.lines().collect();
        let row = lines.iter().rposition(|line| line.split('|').next().unwrap().contains(end));
        let below = row.unwrap() as u16 + 1;
        update(&mut model, Message::Click { column: 4, row: below });
        assert_eq!(model.walk.deps.cursor, 1, "{text}");
    }
}

#[test]
fn the_why_tab_shows_chains_and_evidence() {
    let mut model = sample();
    update(&mut model, Message::Show(Tab::Why));
    for (check, target) in [
        ("transitive-dep", "root//eta/training:train_lib"),
        ("dead-target", "root//eta/training:lr_finder"),
        ("dead-module", "root//eta/features:encoders"),
        ("missing-dep", "root//eta/features:store"),
    ] {
        at_finding(&mut model, check, target);
        update(&mut model, Message::Tick);
        let chains = model.chains.as_ref().unwrap();
        assert_eq!(chains.fingerprint, model.item().unwrap().fingerprint);
        insta::assert_snapshot!(format!("why_{check}"), screen(&model));
        let world = model.walk.world.clone().unwrap();
        let find = |name: &str| world.names().iter().find(|(_, it)| it == name).unwrap().0;
        for pair in chains.chains.iter().flat_map(|chain| chain.windows(2)) {
            let (from, to) = (find(&pair[0].name), find(&pair[1].name));
            assert!(world.net(from.layer).ahead(from.at).any(|at| at == to.at));
        }
    }
}

#[test]
fn chains_of_an_unused_edge_do_not_use_it() {
    let mut model = sample();
    update(&mut model, Message::Show(Tab::Why));
    at_finding(&mut model, "unused-dep", "root//eta/data:sampling");
    update(&mut model, Message::Chain(1));
    let chains = model.chains.clone().unwrap();
    assert!(!chains.chains.is_empty());
    for chain in &chains.chains {
        assert_eq!(chain.last().unwrap().name, "root//eta/data:readers");
        let uses = |pair: &[crate::tui::why::Step]| {
            pair[0].name == "root//eta/data:sampling" && pair[1].name == "root//eta/data:readers"
        };
        assert!(!chain.windows(2).any(uses));
    }
    update(&mut model, Message::Chain(1_000));
    assert_eq!(model.chain, chains.chains.len() - 1);
}
