//! The tree of findings: what is alone shares a row with its group, and what one edit settles is decided and counted once.

use super::looks::go_to;
use super::samples::{settled, tell};
use secateur::tui::rows::{Grouping, RowId, weight_of};
use secateur::tui::{Item, Message, Model};

fn lone(model: &Model) -> Vec<&str> {
    let is_lone = |row: &&secateur::tui::rows::Row| matches!(row.id, RowId::Finding(_));
    model.rows.iter().filter(is_lone).map(|row| row.lead.as_str()).collect()
}

#[test]
fn a_group_with_one_thing_in_it_is_one_row_with_it() {
    let mut model = settled(120, 30);
    loop {
        for (at, row) in model.rows.iter().enumerate() {
            let inside = model.rows[at + 1..].iter().take_while(|it| it.depth > row.depth).count();
            let is_category = row.depth == 0
                && matches!(model.arrangement.grouping, Grouping::Owner | Grouping::Check);
            let is_group = matches!(row.id, RowId::Group(_));
            assert!(!is_group || is_category || inside > 1, "{row:?}");
        }
        let items: usize =
            model.rows.iter().filter(|row| row.depth == 0).map(|row| row.items.len()).sum();
        assert_eq!(items, model.items.len(), "each finding is there once");
        match model.arrangement.grouping {
            Grouping::Package => {
                assert!(lone(&model).contains(&":zoo"));
                assert!(lone(&model).contains(&"platform//flags:gflags_compat"));
                assert!(lone(&model).contains(&"migrate_2024.py"), "a file without a target");
            }
            Grouping::Owner | Grouping::Target => {
                assert!(lone(&model).contains(&"root//eta/models:zoo"));
            }
            Grouping::Check => assert!(lone(&model).iter().all(|lead| !lead.is_empty())),
        }
        tell(&mut model, Message::Group);
        if model.arrangement.grouping == Grouping::Package {
            return;
        }
    }
}

#[test]
fn findings_of_one_edit_are_accepted_together_and_count_once() {
    let mut model = settled(120, 30);
    go_to(&mut model, "platform//flags");
    let edit = model.item().unwrap().edit;
    let same = model.items.iter().filter(|item| item.edit == edit).count();
    assert!(edit.is_some() && same > 1);
    tell(&mut model, Message::Accept);
    assert_eq!(model.accepted().filter(|item| item.edit == edit).count(), same);
    assert_eq!(model.totals.accepted, same);
    tell(&mut model, Message::Undo);
    assert_eq!(model.totals.accepted, 0, "one step");
    let weighty: &Item = model.items.iter().max_by_key(|item| item.weight()).unwrap();
    assert_eq!(weight_of([weighty, weighty]), weighty.weight());
}
