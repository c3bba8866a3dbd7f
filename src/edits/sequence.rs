//! Elements of lists, dictionaries and calls, taken out and put in without touching their neighbours. Pure functions of text.

use super::change::TextEdit;
use crate::source::Span;
use std::collections::BTreeSet;

/// The elements of a list, tuple, dictionary or call as they stand in a text.
#[derive(Clone, Copy)]
pub(super) struct Elements<'t> {
    pub(super) text: &'t str,
    /// Their bytes, in order.
    pub(super) spans: &'t [Span],
    /// The offset of the closing bracket.
    pub(super) close: u32,
}

impl Elements<'_> {
    /// Takes out some elements, but not all. An element that has lines of its own goes with them, its comma and the comment
    /// behind it; a comment above it goes along if it can speak of nothing else.
    pub(super) fn remove(&self, gone: &BTreeSet<usize>) -> Vec<TextEdit> {
        let lines: Vec<Option<Span>> = gone.iter().map(|at| self.own_lines(*at)).collect();
        if lines.iter().all(Option::is_some) {
            let lines = gone.iter().zip(lines.into_iter().flatten());
            return lines
                .map(|(at, lines)| deletion(self.with_comment(*at, lines, gone)))
                .collect();
        }
        Self::runs(gone).into_iter().map(|(first, last)| self.remove_run(first, last)).collect()
    }

    /// Puts elements before one that stays.
    pub(super) fn insert_before(&self, at: usize, new: &[String]) -> Vec<TextEdit> {
        match self.own_lines(at) {
            Some(lines) => vec![insertion(lines.start, self.as_lines(at, lines, new))],
            None => vec![insertion(self.spans[at].start, format!("{}, ", new.join(", ")))],
        }
    }

    /// Puts elements behind one that stays.
    pub(super) fn insert_after(&self, at: usize, new: &[String]) -> Vec<TextEdit> {
        let end = self.spans[at].end;
        let Some(lines) = self.own_lines(at) else {
            return vec![insertion(end, format!(", {}", new.join(", ")))];
        };
        let mut edits = vec![insertion(lines.end, self.as_lines(at, lines, new))];
        if self.comma_after(end).is_none() {
            edits.push(insertion(end, ",".to_owned()));
        }
        edits
    }

    fn as_lines(&self, model: usize, lines: Span, new: &[String]) -> String {
        let (indent, end) = (self.indent(model), self.line_end(lines));
        let lines: Vec<String> = new.iter().map(|new| format!("{indent}{new},{end}")).collect();
        lines.concat()
    }

    /// The lines of an element that stands on them alone, line ends included.
    pub(super) fn own_lines(&self, at: usize) -> Option<Span> {
        let span = self.spans[at];
        let start = self.line_start(span.start);
        let before = &self.text[start as usize..span.start as usize];
        let comma = self.comma_after(span.end);
        let rest_at = comma.unwrap_or(span.end) as usize;
        let rest = &self.text[rest_at..];
        let line = rest.split_inclusive('\n').next().unwrap_or("");
        let content = line.trim();
        let alone = before.trim().is_empty()
            && (content.is_empty() || content.starts_with('#'))
            && line.ends_with('\n');
        alone.then(|| Span::new(start, (rest_at + line.len()) as u32))
    }

    /// Adds the comment lines above an element, if no element that stays follows right below.
    fn with_comment(&self, at: usize, lines: Span, gone: &BTreeSet<usize>) -> Span {
        let above = self.comments_above(lines.start);
        let next_stays = self.spans.get(at + 1).is_some_and(|next| {
            let between = &self.text[lines.end as usize..next.start as usize];
            !gone.contains(&(at + 1)) && between.trim().is_empty() && !between.contains('\n')
        });
        if next_stays { lines } else { Span::new(above, lines.end) }
    }

    /// Where the comment lines right above an offset begin; at most at the element before or the opening bracket.
    fn comments_above(&self, start: u32) -> u32 {
        let mut start = start;
        while start > 0 {
            let above = self.line_start(start - 1);
            let line = &self.text[above as usize..start as usize];
            if !line.trim_start().starts_with('#') {
                break;
            }
            start = above;
        }
        start
    }

    /// Neighbours among the elements that go, as first and last.
    fn runs(gone: &BTreeSet<usize>) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for at in gone {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *at => *last = *at,
                _ => runs.push((*at, *at)),
            }
        }
        runs
    }

    fn remove_run(&self, first: usize, last: usize) -> TextEdit {
        let (start, end) = (self.spans[first].start, self.spans[last].end);
        let has_comment = |from: u32, to: u32| self.text[from as usize..to as usize].contains('#');
        if let Some(next) = self.spans.get(last + 1) {
            if !has_comment(end, next.start) {
                return deletion(Span::new(start, next.start));
            }
            // What is said between the two stays, on a line of its own.
            return deletion(Span::new(start, self.comma_after(end).unwrap_or(end)));
        }
        match first.checked_sub(1).map(|previous| self.spans[previous].end) {
            Some(previous) if !has_comment(previous, start) => deletion(Span::new(previous, end)),
            _ => deletion(Span::new(start, self.comma_after(end).unwrap_or(end))),
        }
    }

    /// The offset behind the comma that follows, if only white space stands before it.
    fn comma_after(&self, offset: u32) -> Option<u32> {
        let rest = &self.text[offset as usize..self.close as usize];
        let blank = rest.len() - rest.trim_start().len();
        rest.trim_start().starts_with(',').then(|| offset + blank as u32 + 1)
    }

    fn line_start(&self, offset: u32) -> u32 {
        self.text[..offset as usize].rfind('\n').map_or(0, |at| at as u32 + 1)
    }

    fn indent(&self, at: usize) -> &str {
        let start = self.line_start(self.spans[at].start);
        &self.text[start as usize..self.spans[at].start as usize]
    }

    fn line_end(&self, lines: Span) -> &'static str {
        if self.text[lines.range()].ends_with("\r\n") { "\r\n" } else { "\n" }
    }
}

pub(super) fn deletion(span: Span) -> TextEdit {
    TextEdit { span, replacement: String::new() }
}

pub(super) fn insertion(at: u32, replacement: String) -> TextEdit {
    TextEdit { span: Span::new(at, at), replacement }
}

#[cfg(test)]
mod tests {
    use super::super::change::apply;
    use super::*;
    use crate::buck::Outline;
    use crate::source::ProjectPath;

    fn edited(text: &str, edit: impl Fn(Elements<'_>) -> Vec<TextEdit>) -> String {
        let outline = Outline::of(&ProjectPath::new("BUCK"), text);
        let sequence = &outline.sequences[0];
        let spans: Vec<Span> = sequence.elements.iter().map(|element| element.span).collect();
        let close = sequence.span.end - 1;
        apply(text, &edit(Elements { text, spans: &spans, close })).unwrap()
    }

    fn removed(text: &str, gone: &[usize]) -> String {
        edited(text, |elements| elements.remove(&gone.iter().copied().collect()))
    }

    #[test]
    fn an_element_goes_with_its_lines() {
        let text = "x = [\n    \":a\",  # why\n    \":b\",\n    \":c\"\n]\n";
        assert_eq!(removed(text, &[0]), "x = [\n    \":b\",\n    \":c\"\n]\n");
        assert_eq!(removed(text, &[2]), "x = [\n    \":a\",  # why\n    \":b\",\n]\n");
        assert_eq!(removed(text, &[0, 2]), "x = [\n    \":b\",\n]\n");
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(removed(&crlf, &[1]), "x = [\r\n    \":a\",  # why\r\n    \":c\"\r\n]\r\n");
    }

    #[test]
    fn comments_above_go_if_they_can_speak_of_nothing_else() {
        let text = "x = [\n    # of a\n    \":a\",\n    # of b\n    \":b\",\n    # of c and d\n    \":c\",\n    \":d\",\n]\n";
        assert!(!removed(text, &[0]).contains("# of a"));
        assert!(removed(text, &[0]).contains("# of b"));
        assert!(removed(text, &[2]).contains("# of c and d\n    \":d\""));
        assert!(!removed(text, &[2, 3]).contains("# of c"));
    }

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(removed("x = [\":a\", \":b\", \":c\"]", &[0]), "x = [\":b\", \":c\"]");
        assert_eq!(removed("x = [\":a\", \":b\", \":c\"]", &[1]), "x = [\":a\", \":c\"]");
        assert_eq!(removed("x = [\":a\", \":b\", \":c\",]", &[2]), "x = [\":a\", \":b\",]");
        assert_eq!(removed("x = [\":a\", \":b\", \":c\"]", &[0, 2]), "x = [\":b\"]");
        assert_eq!(removed("x = [\":a\", \":b\", \":c\"]", &[1, 2]), "x = [\":a\"]");
        assert_eq!(removed("x = {\"a\": \":a\", \"b\": \":b\"}", &[1]), "x = {\"a\": \":a\"}");
    }

    #[test]
    fn lists_that_begin_behind_the_bracket_keep_their_shape() {
        let text = "x = [\":a\",  # a\n     \":b\",  # b\n     \":c\"]\n";
        assert_eq!(removed(text, &[2]), "x = [\":a\",  # a\n     \":b\",  # b\n     ]\n");
        assert_eq!(removed(text, &[1]), "x = [\":a\",  # a\n     \":c\"]\n");
    }

    #[test]
    fn elements_come_in_the_style_of_their_neighbours() {
        let new = ["\":n\"".to_owned()];
        let before = |text: &str| edited(text, |elements| elements.insert_before(0, &new));
        let after = |text: &str| edited(text, |elements| elements.insert_after(0, &new));
        assert_eq!(before("x = [\":a\", \":b\"]"), "x = [\":n\", \":a\", \":b\"]");
        assert_eq!(after("x = [\":a\"]"), "x = [\":a\", \":n\"]");
        assert_eq!(after("x = [\n  \":a\"\n]\n"), "x = [\n  \":a\",\n  \":n\",\n]\n");
        let crlf = "x = [\r\n  \":a\",  # a\r\n]\r\n";
        assert_eq!(before(crlf), "x = [\r\n  \":n\",\r\n  \":a\",  # a\r\n]\r\n");
    }
}
