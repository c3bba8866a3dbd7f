//! The one table of keys: what each does, where, and how it is called. Footer and help are made of it. Pure.

use super::message::{Message, Page, Question, Tab};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::collections::BTreeMap;

/// Where a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On every page.
    Everywhere,
    /// On the page of findings.
    Findings,
    /// On the page of the graph.
    Graph,
    /// On the page before something is written.
    Review,
}

/// One thing that keys can do.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name in `[tui.keys]` of `secateur.toml`.
    pub name: &'static str,
    /// Where.
    pub place: Place,
    /// The keys that do it.
    pub keys: Vec<Key>,
    /// In two words, for the footer; empty if it is not shown there.
    pub short: &'static str,
    /// In a few words, for help.
    pub help: &'static str,
    message: fn() -> Message,
}

/// A key with modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// Understands `a`, `A`, `ctrl-r`, `space`, `pagedown`, `f5`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (modifier, after) = match rest.split_once('-') {
                Some(("ctrl", after)) => (KeyModifiers::CONTROL, after),
                Some(("alt", after)) => (KeyModifiers::ALT, after),
                Some(("shift", after)) => (KeyModifiers::SHIFT, after),
                _ => break,
            };
            modifiers |= modifier;
            rest = after;
        }
        Some(Self { code: code(rest)?, modifiers })
    }

    fn of(event: KeyEvent) -> Self {
        // A capital letter says all that shift says.
        let modifiers = match event.code {
            KeyCode::Char(_) | KeyCode::BackTab => event.modifiers - KeyModifiers::SHIFT,
            _ => event.modifiers,
        };
        Self { code: event.code, modifiers }
    }

    /// How it is called on the screen.
    pub fn show(&self, ascii: bool) -> String {
        let sign = |pretty: &'static str, plain: &'static str| if ascii { plain } else { pretty };
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(letter) => letter.to_string(),
            KeyCode::Enter => sign("⏎", "enter").to_owned(),
            KeyCode::Esc => "esc".to_owned(),
            KeyCode::Tab => "tab".to_owned(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            KeyCode::Backspace => "backspace".to_owned(),
            KeyCode::Up => sign("↑", "up").to_owned(),
            KeyCode::Down => sign("↓", "down").to_owned(),
            KeyCode::Left => sign("←", "left").to_owned(),
            KeyCode::Right => sign("→", "right").to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
            KeyCode::Home => "home".to_owned(),
            KeyCode::End => "end".to_owned(),
            KeyCode::F(number) => format!("f{number}"),
            _ => "?".to_owned(),
        };
        let mut text = String::new();
        for (modifier, word) in [
            (KeyModifiers::CONTROL, "ctrl-"),
            (KeyModifiers::ALT, "alt-"),
            (KeyModifiers::SHIFT, "shift-"),
        ] {
            if self.modifiers.contains(modifier) {
                text.push_str(word);
            }
        }
        text + &name
    }
}

fn code(text: &str) -> Option<KeyCode> {
    Some(match text {
        "space" => KeyCode::Char(' '),
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "backspace" => KeyCode::Backspace,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "pageup" => KeyCode::PageUp,
        "pagedown" => KeyCode::PageDown,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        _ => {
            let mut letters = text.chars();
            match (letters.next()?, letters.next()) {
                (letter, None) => KeyCode::Char(letter),
                ('f', Some(_)) => KeyCode::F(text[1..].parse().ok()?),
                _ => return None,
            }
        }
    })
}

/// All actions with their keys.
#[derive(Clone, Debug)]
pub struct Keymap {
    actions: Vec<Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { actions: actions() }
    }
}

impl Keymap {
    /// The usual keys, with those of `[tui.keys]` in place of some. Fails on a name or a key that there is not.
    pub fn with(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let mut keymap = Self::default();
        for (name, keys) in overrides {
            let action = keymap.actions.iter_mut().find(|action| action.name == name);
            let action = action.ok_or_else(|| format!("there is no action `{name}`"))?;
            let parsed: Option<Vec<Key>> = keys.iter().map(|key| Key::parse(key)).collect();
            action.keys = parsed.ok_or_else(|| format!("`{}` has no such key", keys.join(", ")))?;
        }
        Ok(keymap)
    }

    /// What a key does on a page.
    pub fn message(&self, page: Page, key: KeyEvent) -> Option<Message> {
        let key = Key::of(key);
        let place = place_of(page);
        let own = |action: &&Action| action.place == place && action.keys.contains(&key);
        let general =
            |action: &&Action| action.place == Place::Everywhere && action.keys.contains(&key);
        let found = self.actions.iter().find(own).or_else(|| self.actions.iter().find(general));
        found.map(|action| (action.message)())
    }

    /// What can be done on a page, those of the page itself first.
    pub fn on(&self, page: Page) -> impl Iterator<Item = &Action> {
        let place = place_of(page);
        let own = self.actions.iter().filter(move |action| action.place == place);
        own.chain(self.actions.iter().filter(|action| action.place == Place::Everywhere))
    }

    /// Everything, in the order of the table.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }
}

fn place_of(page: Page) -> Place {
    match page {
        Page::Findings => Place::Findings,
        Page::Graph => Place::Graph,
        Page::Review => Place::Review,
    }
}

/// A row of the table.
type Row = (&'static str, Place, &'static str, &'static str, &'static str, fn() -> Message);

const TABLE: &[Row] = {
    use Place::{Everywhere, Findings, Graph, Review};
    &[
        ("accept", Findings, "space", "accept", "accept the fix, or take that back", || {
            Message::Accept
        }),
        (
            "reject",
            Findings,
            "r",
            "reject",
            "keep it as it is, with a reason that becomes a comment",
            || Message::Ask(Question::Reason),
        ),
        ("accept-safe", Findings, "a", "all safe", "accept all safe fixes of the group", || {
            Message::AcceptSafe
        }),
        ("snooze", Findings, "z", "", "put it off, for some days or until a date", || {
            Message::Ask(Question::Snooze)
        }),
        ("note", Findings, "n", "", "write a note", || Message::Ask(Question::Note)),
        (
            "filter",
            Findings,
            "/",
            "filter",
            "filter: check: pkg: owner: conf: is: and words",
            || Message::Ask(Question::Filter),
        ),
        ("review", Findings, "p", "apply…", "review what is accepted, and apply it", || {
            Message::Visit(Page::Review)
        }),
        ("group", Findings, "t", "group", "group by package, owner, target or check", || {
            Message::Group
        }),
        ("sort", Findings, "s", "sort", "sort by saving, confidence, place or check", || {
            Message::Sort
        }),
        ("open", Findings, "enter right l", "", "open the group, or go to the right side", || {
            Message::Open
        }),
        ("close", Findings, "left h", "", "close the group, or go back to the tree", || {
            Message::Close
        }),
        ("focus", Findings, "tab", "", "change between the tree and the right side", || {
            Message::Focus
        }),
        ("detail", Findings, "1", "", "show the place and the evidence", || {
            Message::Show(Tab::Detail)
        }),
        ("diff", Findings, "d 2", "diff", "show the proven edit", || Message::Show(Tab::Diff)),
        ("why", Findings, "w 3", "why", "show who needs it, and the evidence", || {
            Message::Show(Tab::Why)
        }),
        ("source", Findings, "4", "", "show the file", || Message::Show(Tab::Source)),
        ("next-tab", Findings, "]", "", "the next side of the finding", || Message::Turn(1)),
        ("previous-tab", Findings, "[", "", "the previous side of the finding", || {
            Message::Turn(-1)
        }),
        ("next-chain", Findings, "}", "", "the next chain", || Message::Chain(1)),
        ("previous-chain", Findings, "{", "", "the previous chain", || Message::Chain(-1)),
        ("scroll-down", Findings, "J ctrl-down", "", "scroll the right side down", || {
            Message::Scroll(1)
        }),
        ("scroll-up", Findings, "K ctrl-up", "", "scroll the right side up", || {
            Message::Scroll(-1)
        }),
        ("graph", Findings, "g", "graph", "explore the graph from here", || {
            Message::Visit(Page::Graph)
        }),
        ("walk", Graph, "enter right l", "walk", "go to the target at hand", || Message::Open),
        ("back", Graph, "left backspace h", "back", "go back to where you came from", || {
            Message::Close
        }),
        ("findings", Graph, "esc f", "findings", "back to the findings", || {
            Message::Visit(Page::Findings)
        }),
        ("side", Graph, "tab", "side", "change between dependencies and users", || Message::Side),
        ("jump", Graph, "/", "jump", "go to a target by its label", || {
            Message::Ask(Question::Jump)
        }),
        (
            "mark",
            Graph,
            "m",
            "mark",
            "mark one end; at the second mark the shortest path is shown",
            || Message::Mark,
        ),
        ("layer", Graph, "x", "modules", "change between targets and modules", || Message::Layer),
        (
            "finding",
            Graph,
            "w",
            "finding",
            "go to the finding that speaks of the edge at hand, or of what is shown",
            || Message::ToFinding,
        ),
        ("apply", Review, "enter y", "write", "write the files", || Message::Apply),
        ("next-scope", Review, "right l tab", "owner", "the next owner, or all", || {
            Message::Scope(1)
        }),
        ("previous-scope", Review, "left h backtab", "", "the previous owner, or all", || {
            Message::Scope(-1)
        }),
        ("export", Review, "e", "patches", "write patches into a directory instead", || {
            Message::Ask(Question::Export)
        }),
        (
            "verify",
            Review,
            "v",
            "verify",
            "run a command after writing, and show what it says",
            || Message::Ask(Question::Verify),
        ),
        ("take-back", Review, "U", "take back", "take back what was written last", || {
            Message::TakeBack
        }),
        ("leave", Review, "esc q", "back", "back to the findings; nothing is written", || {
            Message::Visit(Page::Findings)
        }),
        ("down", Everywhere, "down j", "", "down", || Message::Move(1)),
        ("up", Everywhere, "up k", "", "up", || Message::Move(-1)),
        ("page-down", Everywhere, "pagedown ctrl-d", "", "a page down", || Message::Page(1)),
        ("page-up", Everywhere, "pageup ctrl-u", "", "a page up", || Message::Page(-1)),
        ("first", Everywhere, "home", "", "to the first line", || Message::First),
        ("last", Everywhere, "end G", "", "to the last line", || Message::Last),
        ("undo", Everywhere, "u", "undo", "take the last decision back", || Message::Undo),
        ("redo", Everywhere, "ctrl-r", "", "make it again", || Message::Redo),
        ("edit", Everywhere, "o", "editor", "open the place in $EDITOR", || Message::Edit),
        ("reanalyse", Everywhere, "f5", "", "read everything again", || Message::Reanalyse),
        ("help", Everywhere, "? f1", "help", "show all keys", || Message::Help),
        ("cancel", Everywhere, "esc", "", "close what is in front; stop the analysis", || {
            Message::Cancel
        }),
        ("quit", Everywhere, "q ctrl-c", "quit", "quit; decisions are kept", || Message::Quit),
    ]
};

fn actions() -> Vec<Action> {
    let action = |(name, place, keys, short, help, message): &Row| Action {
        name,
        place: *place,
        keys: keys.split(' ').filter_map(Key::parse).collect(),
        short,
        help,
        message: *message,
    };
    TABLE.iter().map(action).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_has_keys_and_a_name_of_its_own() {
        let keymap = Keymap::default();
        let names: BTreeSet<&str> = keymap.actions.iter().map(|action| action.name).collect();
        assert_eq!(names.len(), keymap.actions.len());
        for (action, row) in keymap.actions.iter().zip(TABLE) {
            assert_eq!(action.keys.len(), row.2.split(' ').count(), "{}", action.name);
            assert!(!action.help.is_empty());
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        let keymap = Keymap::default();
        let mut seen = BTreeSet::new();
        for action in keymap.actions() {
            for key in &action.keys {
                assert!(seen.insert((action.place, key.show(true))), "{}", key.show(true));
            }
        }
    }

    #[test]
    fn keys_can_be_changed_and_mistakes_are_told() {
        let keys =
            |name: &str, key: &str| BTreeMap::from([(name.to_owned(), vec![key.to_owned()])]);
        let keymap = Keymap::with(&keys("accept", "ctrl-y")).unwrap();
        let event = KeyEvent::new(KeyCode::Char('y'), KeyModifiers::CONTROL);
        assert!(matches!(keymap.message(Page::Findings, event), Some(Message::Accept)));
        let space = KeyEvent::new(KeyCode::Char(' '), KeyModifiers::NONE);
        assert!(keymap.message(Page::Findings, space).is_none());
        assert!(Keymap::with(&keys("acept", "y")).is_err());
        assert!(Keymap::with(&keys("accept", "hyper-y")).is_err());
    }
}
