//! Real `.pyc` of each version: the same source compiled twice, at different paths, the second time by a process that held
//! everything in its hands.

use super::super::header::{Header, LENGTH};
use super::*;

const FIXTURES: [(&str, &[u8], &[u8]); 7] = [
    (
        "3.7",
        include_bytes!("fixtures/cpython-37-a.pyc"),
        include_bytes!("fixtures/cpython-37-b.pyc"),
    ),
    (
        "3.8",
        include_bytes!("fixtures/cpython-38-a.pyc"),
        include_bytes!("fixtures/cpython-38-b.pyc"),
    ),
    (
        "3.9",
        include_bytes!("fixtures/cpython-39-a.pyc"),
        include_bytes!("fixtures/cpython-39-b.pyc"),
    ),
    (
        "3.10",
        include_bytes!("fixtures/cpython-310-a.pyc"),
        include_bytes!("fixtures/cpython-310-b.pyc"),
    ),
    (
        "3.11",
        include_bytes!("fixtures/cpython-311-a.pyc"),
        include_bytes!("fixtures/cpython-311-b.pyc"),
    ),
    (
        "3.12",
        include_bytes!("fixtures/cpython-312-a.pyc"),
        include_bytes!("fixtures/cpython-312-b.pyc"),
    ),
    (
        "3.13",
        include_bytes!("fixtures/cpython-313-a.pyc"),
        include_bytes!("fixtures/cpython-313-b.pyc"),
    ),
];

fn normal(pyc: &[u8], name: &str) -> Result<Vec<u8>, Malformed> {
    let layout = Header::read(pyc).unwrap().magic.layout().unwrap();
    normalize(&pyc[LENGTH..], layout, |_| Some(name.to_owned()))
}

fn holds(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    for (version, one, other) in FIXTURES {
        assert_ne!(one[LENGTH..], other[LENGTH..], "{version}");
        let normalized = normal(one, "app/sample.py").unwrap();
        assert_eq!(Ok(&normalized), normal(other, "app/sample.py").as_ref(), "{version}");
        assert_eq!(holds(&normalized, "/app/sample.py"), 0, "{version}");
        assert_eq!(holds(&normalized, "app/sample.py"), 1, "{version}");
    }
}

#[test]
fn what_is_normal_stays_as_it_is() {
    for (version, one, _) in FIXTURES {
        let once = [&one[..LENGTH], &normal(one, "app/sample.py").unwrap()].concat();
        assert_eq!(normal(&once, "app/sample.py").unwrap(), once[LENGTH..], "{version}");
    }
}

#[test]
fn names_of_every_form_can_be_given() {
    let long = format!("{}/sample.py", "x".repeat(300));
    for (version, one, _) in FIXTURES {
        for name in ["s.py", "ä/sample.py", &long] {
            let renamed = [&one[..LENGTH], &normal(one, name).unwrap()].concat();
            let layout = Header::read(&renamed).unwrap().magic.layout().unwrap();
            let mut seen = String::new();
            let back = normalize(&renamed[LENGTH..], layout, |name| {
                name.clone_into(&mut seen);
                Some("app/sample.py".to_owned())
            });
            assert_eq!((seen.as_str(), back), (name, normal(one, "app/sample.py")), "{version}");
        }
    }
}

#[test]
fn damage_is_found() {
    for (version, one, _) in FIXTURES {
        let (body, layout) = (&one[LENGTH..], Header::read(one).unwrap().magic.layout().unwrap());
        for cut in 0..body.len() {
            let result = normalize(&body[..cut], layout, |_| None);
            assert_eq!(result, Err(Malformed), "{version} cut at {cut}");
        }
        let longer = [body, b"N"].concat();
        assert_eq!(normalize(&longer, layout, |_| None), Err(Malformed), "{version}");
        // Anything may be in the bytes; nothing panics.
        for at in 0..body.len() {
            let mut damaged = body.to_vec();
            damaged[at] ^= 0x5a;
            let _ = normalize(&damaged, layout, |_| Some("x".to_owned()));
        }
    }
    let deep = [b")\x01".repeat(100_000), b"N".to_vec()].concat();
    let layout = Header::read(FIXTURES[4].1).unwrap().magic.layout().unwrap();
    assert_eq!(normalize(&deep, layout, |_| None), Err(Malformed));
}
