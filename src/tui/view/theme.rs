//! Colours and signs: what each thing looks like, with and without colour. Pure.

use ratatui::style::{Color, Modifier, Style};

/// How many colours there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colors {
    /// None: bold, dim, reversed and underlined say it all.
    None,
    /// The terminal's own sixteen.
    #[default]
    Sixteen,
    /// Any.
    True,
}

/// How things look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// How many colours there are.
    pub colors: Colors,
    /// Whether only ASCII can be shown.
    pub ascii: bool,
}

impl Look {
    /// A sign, or what stands for it.
    pub fn sign(self, pretty: &'static str, plain: &'static str) -> &'static str {
        if self.ascii { plain } else { pretty }
    }

    fn colored(self, sixteen: Color, any: (u8, u8, u8), else_: Modifier) -> Style {
        match self.colors {
            Colors::None => Style::new().add_modifier(else_),
            Colors::Sixteen => Style::new().fg(sixteen),
            Colors::True => Style::new().fg(Color::Rgb(any.0, any.1, any.2)),
        }
    }

    /// What is less important.
    pub fn dim(self) -> Style {
        self.colored(Color::DarkGray, (128, 134, 150), Modifier::DIM)
    }

    /// Headings.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Names of targets and files.
    pub fn name(self) -> Style {
        self.colored(Color::Cyan, (110, 190, 215), Modifier::empty())
    }

    /// What is good: what is accepted, and lines that come.
    pub fn good(self) -> Style {
        self.colored(Color::Green, (140, 200, 120), Modifier::empty())
    }

    /// What is bad: errors, and lines that go.
    pub fn bad(self) -> Style {
        self.colored(Color::Red, (230, 110, 110), Modifier::empty())
    }

    /// What to take care of.
    pub fn careful(self) -> Style {
        self.colored(Color::Yellow, (225, 185, 95), Modifier::empty())
    }

    /// What a finding is about.
    pub fn marked(self) -> Style {
        self.careful().add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
    }

    /// The line at hand.
    pub fn at_hand(self, focused: bool) -> Style {
        match (self.colors, focused) {
            (_, false) => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            (Colors::True, true) => {
                Style::new().bg(Color::Rgb(52, 60, 84)).add_modifier(Modifier::BOLD)
            }
            (_, true) => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// The chosen one of several names.
    pub fn chosen(self, focused: bool) -> Style {
        let style = Style::new().add_modifier(Modifier::REVERSED);
        if focused { style.add_modifier(Modifier::BOLD) } else { style }
    }

    /// The header.
    pub fn bar(self) -> Style {
        match self.colors {
            Colors::True => Style::new().bg(Color::Rgb(36, 40, 56)).fg(Color::Rgb(220, 224, 235)),
            _ => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// Words of a language.
    pub fn keyword(self) -> Style {
        self.colored(Color::Magenta, (195, 150, 220), Modifier::BOLD)
    }

    /// Strings.
    pub fn string(self) -> Style {
        self.colored(Color::Green, (150, 195, 130), Modifier::empty())
    }

    /// Comments.
    pub fn comment(self) -> Style {
        self.colored(Color::DarkGray, (120, 126, 142), Modifier::DIM)
    }

    /// Numbers and other constants.
    pub fn number(self) -> Style {
        self.colored(Color::Yellow, (215, 165, 110), Modifier::empty())
    }
}
