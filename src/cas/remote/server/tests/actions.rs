//! Results of actions, whole or not at all.

use super::*;
use prost::Message;

impl Bed {
    pub(super) async fn result(&self, action: &Digest) -> Result<api::ActionResult, Status> {
        let request = api::GetActionResultRequest {
            action_digest: Some(message_of(action)),
            ..Default::default()
        };
        self.actions().get_action_result(request).await.map(tonic::Response::into_inner)
    }

    pub(super) async fn keep(&self, action: &Digest, result: &api::ActionResult) {
        let request = api::UpdateActionResultRequest {
            action_digest: Some(message_of(action)),
            action_result: Some(result.clone()),
            ..Default::default()
        };
        let kept = self.actions().update_action_result(request).await.unwrap();
        assert_eq!(kept.into_inner(), *result);
    }
}

pub(super) fn file(name: &str, digest: &Digest) -> api::FileNode {
    let digest = Some(message_of(digest));
    api::FileNode { name: name.to_owned(), digest, ..Default::default() }
}

#[tokio::test]
async fn a_result_is_given_while_all_it_names_is_there() {
    let bed = Bed::new().await;
    let action = bed.digest(b"action");
    assert_eq!(code(bed.result(&action).await), Code::NotFound);
    let (output, out, err) = (bed.put(b"output"), bed.put(b"out"), bed.put(b"err"));
    let result = api::ActionResult {
        output_files: vec![api::OutputFile {
            path: "a".to_owned(),
            digest: Some(message_of(&output)),
            ..Default::default()
        }],
        stdout_digest: Some(message_of(&out)),
        stderr_digest: Some(message_of(&err)),
        exit_code: 3,
        ..Default::default()
    };
    bed.keep(&action, &result).await;
    for gone in [output, out, err] {
        assert_eq!(bed.result(&action).await.unwrap(), result);
        let bytes = bed.store.read(&gone).unwrap().unwrap();
        std::fs::remove_file(bed.path(&gone)).unwrap();
        let refused = bed.result(&action).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        assert!(refused.message().contains(&gone.to_string()), "{refused}");
        bed.put(&bytes);
    }
}

#[tokio::test]
async fn directories_are_followed_to_their_last_file() {
    let bed = Bed::new().await;
    let text = bed.put(b"text");
    let leaf = api::Directory { files: vec![file("f", &text)], ..Default::default() };
    let below = bed.put(&leaf.encode_to_vec());
    let root = api::Directory {
        directories: vec![api::DirectoryNode {
            name: "d".to_owned(),
            digest: Some(message_of(&below)),
        }],
        ..Default::default()
    };
    let root_digest = bed.put(&root.encode_to_vec());
    let tree = api::Tree { root: Some(root), children: vec![leaf.clone()] };
    let tree = bed.put(&tree.encode_to_vec());
    let output = |tree: Option<&Digest>, root: Option<&Digest>| api::ActionResult {
        output_directories: vec![api::OutputDirectory {
            tree_digest: tree.map(message_of),
            root_directory_digest: root.map(message_of),
            ..Default::default()
        }],
        ..Default::default()
    };
    let flat = bed.digest(b"flat");
    bed.keep(&flat, &output(Some(&tree), None)).await;
    let merkle = bed.digest(b"merkle");
    bed.keep(&merkle, &output(None, Some(&root_digest))).await;
    let both = bed.digest(b"both");
    bed.keep(&both, &output(Some(&tree), Some(&root_digest))).await;
    let neither = bed.digest(b"neither");
    bed.keep(&neither, &output(None, None)).await;
    let mut found = Vec::new();
    for gone in [None, Some(text), Some(below), Some(tree)] {
        if let Some(gone) = &gone {
            std::fs::rename(bed.path(gone), bed.store.root().join("aside")).unwrap();
        }
        for action in [flat, merkle, both, neither] {
            found.push(bed.result(&action).await.is_ok());
        }
        if let Some(gone) = &gone {
            std::fs::rename(bed.store.root().join("aside"), bed.path(gone)).unwrap();
        }
    }
    let expected = [
        [true, true, true, false],
        [false, false, false, false],
        // Without its directories, the tree is enough.
        [true, false, true, false],
        [false, true, false, false],
    ];
    assert_eq!(found, expected.concat());
}

#[tokio::test]
async fn what_names_nonsense_is_no_result() {
    let bed = Bed::new().await;
    let text = bed.put(b"no directory");
    for digest in [message_of(&text), api::Digest { hash: "x".to_owned(), size_bytes: 1 }] {
        let action = bed.digest(digest.hash.as_bytes());
        let result = api::ActionResult {
            output_directories: vec![api::OutputDirectory {
                root_directory_digest: Some(digest),
                ..Default::default()
            }],
            ..Default::default()
        };
        bed.keep(&action, &result).await;
        assert_eq!(code(bed.result(&action).await), Code::NotFound);
    }
    let action = bed.digest(b"garbage");
    bed.store.put_action_result(&action, b"\xff").unwrap();
    assert_eq!(code(bed.result(&action).await), Code::NotFound);
    let none = api::UpdateActionResultRequest {
        action_digest: Some(message_of(&action)),
        ..Default::default()
    };
    assert_eq!(code(bed.actions().update_action_result(none).await), Code::InvalidArgument);
}
