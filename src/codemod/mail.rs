//! The head of a patch as a mail: who, when, subject and message, so that `git am` reads out what was put in. Pure;
//! touches nothing.

use super::patch::{Author, Message, Number};

/// Columns after which a header is folded.
const WIDTH: usize = 76;
/// All that stands before the first diff.
pub(super) fn head(number: Number, author: &Author, message: &Message) -> String {
    let Number { this, of } = number;
    // The date is a mark by which `file` and git know the form.
    let mut head = format!("From {} Mon Sep 17 00:00:00 2001\n", "0".repeat(40));
    let name =
        header_text("From:", &one_line(&author.name.replace(['<', '>', '"', '\\'], "")), true);
    let email: String = author.email.chars().filter(|c| !"<> \r\n".contains(*c)).collect();
    head.extend([&name, " <", &email, ">\n"]);
    head += &author.date.strftime("Date: %a, %-d %b %Y %H:%M:%S +0000\n").to_string();
    head += &header_text(&format!("Subject: [PATCH {this}/{of}]"), &subject(message), false);
    head += "\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n";
    head += "Content-Transfer-Encoding: 8bit\n\n";
    let body = body(&message.body);
    if !body.is_empty() {
        head += &body;
        head.push('\n');
    }
    head + "---\n\n"
}

/// The subject as git keeps it.
pub(super) fn subject(message: &Message) -> String {
    let subject = one_line(&message.subject);
    if subject.is_empty() { "(no subject)".to_owned() } else { subject }
}

/// The words of a text with single spaces between them, and no control characters.
fn one_line(text: &str) -> String {
    let text = text.replace(|c: char| c.is_control(), " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of a message, none of which ends the message or begins another mail. Those that would are indented.
fn body(text: &str) -> String {
    let mut body = String::new();
    for line in text.trim().lines() {
        let line: String = line.chars().filter(|c| *c == '\t' || !c.is_control()).collect();
        if is_special(&line) {
            body.push(' ');
        }
        body += line.trim_end();
        body.push('\n');
    }
    body
}

/// Whether `git mailsplit` or `git mailinfo` would act upon a line of the message.
fn is_special(line: &str) -> bool {
    let begins = |words: &[&str]| {
        let begins =
            |word: &&str| line.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word));
        words.iter().any(begins)
    };
    let is_cut = line.contains(">8") || line.contains("8<");
    let headers = ["from:", "subject:", "date:", "[patch]", ">from", "content-", "in-reply-to:"];
    begins(&["from ", "diff -", "index: ", "---"])
        || begins(&headers)
        || is_cut && begins(&["-", ">8", "8<"])
}

/// A header, folded; encoded as in RFC 2047 if it is not plain ASCII, and quoted as in RFC 5322 if `is_name` and there
/// are special characters in it.
fn header_text(header: &str, text: &str, is_name: bool) -> String {
    if !text.is_ascii() || text.contains("=?") {
        return encoded(header, text);
    }
    if is_name && text.contains(|c| "()@,;:.[]".contains(c)) {
        return format!("{header} \"{text}\"");
    }
    let mut folded = header.to_owned();
    let mut column = folded.len();
    for word in text.split(' ') {
        if column + 1 + word.len() > WIDTH {
            folded.push('\n');
            column = 0;
        }
        folded.push(' ');
        folded += word;
        column += 1 + word.len();
    }
    folded
}

/// Encoded words, none of which cuts a character in two.
fn encoded(header: &str, text: &str) -> String {
    const BEGIN: &str = " =?UTF-8?q?";
    const END: &str = "?=";
    let mut folded = format!("{header}{BEGIN}");
    let mut column = folded.len();
    for c in text.chars() {
        let c = encoded_char(c);
        if column + c.len() + END.len() > WIDTH {
            folded += END;
            folded.push('\n');
            folded += BEGIN;
            column = BEGIN.len();
        }
        column += c.len();
        folded += &c;
    }
    folded + END
}

fn encoded_char(c: char) -> String {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => c.to_string(),
        _ => {
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).bytes().map(|byte| format!("={byte:02X}"));
            bytes.collect::<Vec<_>>().concat()
        }
    }
}
