//! Tests of patches with the real `git am`.

use super::*;
use proptest::prelude::*;
use std::path::Path;
use std::process::{Command, Output};

const NUMBER: Number = Number { this: 3, of: 12 };

/// Runs git without what this machine configures.
fn git(dir: &Path, args: &[&str]) -> Output {
    let mut git = Command::new("git");
    git.current_dir(dir).args([
        "-c",
        "core.autocrlf=false",
        "-c",
        "user.name=C",
        "-c",
        "apply.whitespace=nowarn",
    ]);
    git.args(["-c", "user.email=c@example.com", "-c", "commit.gpgsign=false"]).args(args);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(variable);
    }
    git.output().unwrap()
}

fn done(dir: &Path, args: &[&str]) -> String {
    let output = git(dir, args);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "git {args:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

/// A repository that holds what was before the changes.
fn repository(changes: &[FileChange]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    done(dir.path(), &["init", "-q"]);
    std::fs::write(dir.path().join("anchor"), "").unwrap();
    for FileChange { path, before, .. } in changes {
        let path = dir.path().join(path.as_str());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, before).unwrap();
    }
    done(dir.path(), &["add", "-A"]);
    done(dir.path(), &["commit", "-q", "-m", "before"]);
    dir
}

fn author() -> Author {
    let date = jiff::Timestamp::from_second(1_234_567_890).unwrap();
    Author { name: "Zoë Z. Müller".into(), email: "zoe@example.com".into(), date }
}

fn message(subject: &str, body: &str) -> Message {
    Message { subject: subject.into(), body: body.into() }
}

fn regular(_: &ProjectPath) -> Mode {
    Mode::Regular
}

/// Applies the patch of the changes and requires exactly what is to be after them.
fn am(changes: &[FileChange], author: &Author, message: &Message) -> tempfile::TempDir {
    let dir = repository(changes);
    let patch = patch(NUMBER, author, message, changes, &regular).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &patch).unwrap();
    let output = git(dir.path(), &["am", file.path().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&patch));
    assert!(!said.contains("warning"), "{said}");
    for FileChange { path, after, .. } in changes {
        let found = std::fs::read(dir.path().join(path.as_str())).ok();
        assert_eq!(&found, after, "{path}\n{}", String::from_utf8_lossy(&patch));
    }
    assert_eq!(done(dir.path(), &["status", "--porcelain"]), "");
    dir
}

fn change(path: &str, before: &[u8], after: Option<&[u8]>) -> FileChange {
    let (before, after) = (before.to_vec(), after.map(<[u8]>::to_vec));
    FileChange { path: ProjectPath::new(path), before, after }
}

fn patch_of(changes: &[FileChange]) -> String {
    let bytes = patch(NUMBER, &author(), &message("Change", ""), changes, &regular).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_patch_reads_as_git_writes_it() {
    let before = b"python_library(\n    name = \"a\",\n    deps = [\n        \"//b:b\",\n        \"//c:c\",\n    ],\n)\n";
    let after = String::from_utf8(before.to_vec()).unwrap().replace("        \"//b:b\",\n", "");
    let changes = [change("a/BUCK", before, Some(after.as_bytes())), change("a/b.py", b"x", None)];
    let author = Author { name: "A B".into(), ..author() };
    let text = message("Remove //b:b", "Nothing in //a:a uses it.\n\na/a.py:1 imports c\n");
    let bytes = patch(NUMBER, &author, &text, &changes, &regular).unwrap();
    let bytes = String::from_utf8(bytes)
        .unwrap()
        .replace(concat!("-- \nsecateur ", env!("CARGO_PKG_VERSION")), "--\nsecateur VERSION");
    insta::assert_snapshot!(bytes, @r#"
    From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
    From: A B <zoe@example.com>
    Date: Fri, 13 Feb 2009 23:31:30 +0000
    Subject: [PATCH 3/12] Remove //b:b
    MIME-Version: 1.0
    Content-Type: text/plain; charset=UTF-8
    Content-Transfer-Encoding: 8bit

    Nothing in //a:a uses it.

    a/a.py:1 imports c

    ---

    diff --git a/a/BUCK b/a/BUCK
    index 26be75cd9b4d5fe92b62e10bc12b6711813c1cff..04912fc1ded1e87f86a7054d008aa9acb3088c55
    --- a/a/BUCK
    +++ b/a/BUCK
    @@ -1,7 +1,6 @@
     python_library(
         name = "a",
         deps = [
    -        "//b:b",
             "//c:c",
         ],
     )
    diff --git a/a/b.py b/a/b.py
    deleted file mode 100644
    index c1b0730e0133447badcfd47fd144e254807b06e1..0000000000000000000000000000000000000000
    --- a/a/b.py
    +++ /dev/null
    @@ -1,1 +0,0 @@
    -x
    \ No newline at end of file
    --
    secateur VERSION
    "#);
    am(&changes, &author, &text);
}

#[test]
fn contents_of_every_kind_arrive() {
    let long: Vec<u8> =
        (0..5000_u32).flat_map(|n| format!("{}\r\n", n * n % 977).into_bytes()).collect();
    let noise: Vec<u8> =
        (0..3000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut fewer = long.clone();
    fewer.drain(400..700);
    let changes = [
        change("crlf/BUCK", b"a\r\nb\r\nc\r\n", Some(b"a\r\nc\r\n")),
        change("crlf/long", &long, Some(&fewer)),
        change("crlf/gone", b"a\r\n", None),
        change("crlf/last", b"a\nb\r", Some(b"b\r")),
        change("empty/filled", b"", Some(b"a\nb")),
        change("empty/made", b"a\nb", Some(b"")),
        change("empty/gone", b"", None),
        change("end/lost", b"a\nb\n", Some(b"a\nb")),
        change("end/won", b"a\nb", Some(b"a\nb\n")),
        change("latin", b"a\xe9\nb\n", Some(b"b\n\xff")),
        change(
            "mail",
            b"From x\n--- a\n",
            Some(b"-- \n--- a\n+++ b\nFrom x Mon Sep 17 00:00:00 2001\n"),
        ),
        // A deletion, an empty line that stays, an insertion: version 2 of `similar` gives wrong places.
        change("moved", b"a\na\na\nc\nab\n\n", Some(b"\n\n\n\naa\n\nb\nb\n\nd\n\nb\n\n\n\n\n\n\n")),
        change("nul", b"\0\n\n\0", Some(b"\0\n")),
        change("noise", &noise, Some(&noise[7..])),
        change("name with space", b"a\n", Some(b"b\n")),
        change("name with space gone", b"a\n", None),
        change("n\u{e9}\"\\\t\u{1}", b"a\n", Some(b"b\n")),
        change("-dash", b"a\n", None),
    ];
    am(&changes, &author(), &message("Change", ""));
}

#[test]
fn text_stays_readable_and_only_what_would_be_lost_is_binary() {
    let text = patch_of(&[change("a", b"a\xc3\xa9\nb", Some(b"b"))]);
    assert!(text.contains("\n-a\u{e9}\n b\n\\ No newline at end of file\n"), "{text}");
    let distant = [&b"x\n"[..], &b"a\n".repeat(9), b"\r\n"].concat();
    assert!(!patch_of(&[change("a", &distant, Some(&distant[2..]))]).contains("GIT binary patch"));
    assert!(patch_of(&[change("a", b"\r\n", Some(b"\n"))]).contains("GIT binary patch"));
}

#[test]
fn without_a_change_there_is_no_patch() {
    let same = change("a", b"a", Some(b"a"));
    assert_eq!(patch(NUMBER, &author(), &message("s", ""), &[same], &regular), None);
}

#[test]
fn an_executable_is_deleted_as_one() {
    let changes = [change("run", b"a\n", None)];
    let bytes = patch(NUMBER, &author(), &message("s", ""), &changes, &|_| Mode::Executable);
    assert!(String::from_utf8(bytes.unwrap()).unwrap().contains("\ndeleted file mode 100755\n"));
}

#[test]
fn messages_and_authors_arrive() {
    let long = "Remove ".to_owned() + &"a-long-word ".repeat(30);
    let wide = "Entfernt \u{fc}berfl\u{fc}ssige Abh\u{e4}ngigkeiten \u{1f600} ".repeat(8);
    let body = "From nobody Mon Sep 17 00:00:00 2001\n\nFrom: x@y\nSubject: z\n---\n--- a/b\ndiff --git a b\nIndex: x\n>From y\n-- >8 --\n\u{e9}\n  indented\r\n\n- item   \n# hash\n";
    let arrived = " From nobody Mon Sep 17 00:00:00 2001\n\n From: x@y\n Subject: z\n ---\n --- a/b\n diff --git a b\n Index: x\n >From y\n -- >8 --\n\u{e9}\n  indented\n\n- item\n# hash\n";
    for subject in ["Remove =?UTF-8?q?x?= \"quoted\"", "x  y\tz\nw", "", &long, &wide] {
        let dir = am(&[change("a", b"a", Some(b"b"))], &author(), &message(subject, body));
        let expected = super::super::mail::subject(&message(subject, ""));
        let commit = done(dir.path(), &["log", "-1", "--format=%an|%ae|%at|%s|%n%b"]);
        assert_eq!(
            commit.trim_end(),
            format!("Zoë Z. Müller|zoe@example.com|1234567890|{expected}|\n{arrived}").trim_end()
        );
    }
    let plain = Author { name: "B. \"Q\" O'X (z) <z>".into(), ..author() };
    let dir = am(&[change("a", b"a", Some(b"b"))], &plain, &message("s", ""));
    let commit = done(dir.path(), &["log", "-1", "--format=%an|%ae"]);
    assert_eq!(commit, "B. Q O'X (z) z|zoe@example.com\n");
}

#[test]
fn files_are_named_by_number_and_subject() {
    assert_eq!(file_name(NUMBER, "Remove //a:b, é & co."), "0003-Remove-a-b-co.patch");
    assert_eq!(file_name(NUMBER, "///"), "0003-patch.patch");
    assert!(file_name(NUMBER, &"word ".repeat(40)).len() < 70);
}

/// Contents made of lines that are likely to recur, with all ends of line.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => "[ab]{0,2}".prop_map(String::into_bytes),
        2 => "(--- a|\\+\\+\\+ b|From a|-- |diff --git a/a b/b|@@ -1 \\+1 @@)".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    let end = prop_oneof![30 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r"), 1 => Just("")];
    prop::collection::vec((line, end), 0..40).prop_map(|lines| {
        lines.into_iter().flat_map(|(line, end)| [line, end.into()].concat()).collect()
    })
}

/// A file, and the same with some of its lines gone and others put in.
fn edit() -> impl Strategy<Value = (Vec<u8>, Option<Vec<u8>>)> {
    let cuts = prop::collection::vec((any::<prop::sample::Index>(), 0..5_usize, contents()), 0..3);
    let edited = (contents(), cuts).prop_map(|(before, cuts)| {
        let mut after = before.clone();
        for (at, length, new) in cuts {
            let at = at.index(after.len() + 1);
            let end = (at + length).min(after.len());
            after.splice(at..end, new.into_iter().take(20));
        }
        (before, Some(after))
    });
    prop_oneof![6 => edited, 1 => (contents(), contents().prop_map(Some)), 1 => (contents(), Just(None))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_edits_arrive(edits in prop::collection::vec(edit(), 1..12)) {
        let changes: Vec<FileChange> = edits.iter().enumerate().map(|(number, (before, after))| {
            change(&format!("d{}/f{number}", number % 3), before, after.as_deref())
        }).collect();
        prop_assume!(changes.iter().any(|change| change.after.as_ref() != Some(&change.before)));
        am(&changes, &author(), &message("Change", "Why."));
    }
}
