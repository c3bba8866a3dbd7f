//! The modules inside a built distribution, from the names of its files alone. Pure functions over bytes and names; never unpacks anything.

use super::modules::{ModuleFile, ModuleForm, module_of};
use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek};

/// More files than any real distribution has: beyond it an archive is refused.
const MAX_ENTRIES: usize = 200_000;

/// What a distribution holds, as far as file names tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WheelContents {
    /// The modules that an import statement can name, sorted. Namespace packages are not listed:
    /// they are the ancestors of what is. None at all means that it holds data only.
    pub modules: Vec<ModuleFile>,
    /// A `.pth` file: the distribution changes `sys.path` or runs code when the interpreter starts.
    pub has_pth: bool,
    /// It declares entry points, so that others (pytest, a plug-in host) may load it without importing it by name.
    pub has_entry_points: bool,
    /// It brings scripts, headers or data outside the library, which need no import to be used.
    pub has_external_files: bool,
    /// Files with names that no installer accepts. If any, the list of modules may lack some.
    pub rejected: usize,
}

/// Reads the file names of a wheel, egg or zip file. Fails on what is no zip archive, or an absurd one.
pub fn modules_of_wheel(bytes: &[u8]) -> Result<WheelContents, String> {
    modules_of_archive(Cursor::new(bytes))
}

/// [`modules_of_wheel`] for an archive too large to hold: reads no more than its central directory.
pub fn modules_of_archive(reader: impl Read + Seek) -> Result<WheelContents, String> {
    limited(reader, MAX_ENTRIES)
}

fn limited(reader: impl Read + Seek, max_entries: usize) -> Result<WheelContents, String> {
    let archive =
        zip::ZipArchive::new(reader).map_err(|error| format!("not a readable archive: {error}"))?;
    if archive.len() > max_entries {
        return Err(format!("{} entries, more than {max_entries}", archive.len()));
    }
    Ok(modules_of_dir(archive.file_names()))
}

/// The same for an unpacked distribution, whose files have the paths `names`, `/`-separated and
/// relative to its root.
pub fn modules_of_dir<'a>(names: impl Iterator<Item = &'a str>) -> WheelContents {
    let mut contents = WheelContents::default();
    let mut modules = BTreeSet::new();
    for name in names.filter(|name| !name.ends_with('/')) {
        if !is_safe(name) {
            contents.rejected += 1;
            continue;
        }
        match installed(name) {
            Place::Metadata(file) => contents.has_entry_points |= file == "entry_points.txt",
            Place::Elsewhere => contents.has_external_files = true,
            Place::Library(path) if is_cache(path) => {}
            Place::Library(path) => {
                contents.has_pth |= is_pth(path);
                modules.extend(module(path));
            }
        }
    }
    contents.modules = modules.into_iter().collect();
    contents
}

/// Where an installer puts a file of the archive.
enum Place<'a> {
    /// Below `site-packages`, under this path.
    Library(&'a str),
    /// Scripts, headers and data.
    Elsewhere,
    /// About the distribution; the path below its metadata directory.
    Metadata(&'a str),
}

/// The layout of the binary distribution format, and the older one of eggs.
fn installed(name: &str) -> Place<'_> {
    let Some((top, rest)) = name.split_once('/') else { return Place::Library(name) };
    let metadata = [".dist-info", ".egg-info"].iter().any(|suffix| top.ends_with(suffix));
    if metadata || top == "EGG-INFO" {
        return Place::Metadata(rest);
    }
    if top.strip_suffix(".data").is_none() {
        return Place::Library(name);
    }
    match rest.split_once('/') {
        Some(("purelib" | "platlib", path)) => Place::Library(path),
        _ => Place::Elsewhere,
    }
}

fn module(path: &str) -> Option<ModuleFile> {
    // A `.pyc` beside the sources, not in `__pycache__`, is imported like a source.
    let path = path.strip_suffix(".pyc").and_then(|_| path.strip_suffix('c')).unwrap_or(path);
    let Some(stubbed) = stub_package(path) else {
        return module_of(path).filter(|file| file.importable && !file.name.is_empty());
    };
    module_of(&stubbed).filter(|file| file.importable && file.form == ModuleForm::Stub)
}

/// `x-stubs/…` holds the stubs of `x` (PEP 561).
fn stub_package(path: &str) -> Option<String> {
    let (top, rest) = path.split_once('/')?;
    Some(format!("{}/{rest}", top.strip_suffix("-stubs")?))
}

fn is_cache(path: &str) -> bool {
    path.split('/').any(|part| part == "__pycache__")
}

/// `site` reads such files at the root of a `site-packages` only.
fn is_pth(path: &str) -> bool {
    path.strip_suffix(".pth").is_some_and(|stem| !stem.contains('/'))
}

/// Whether `name` is a relative path that stays below the root on every system.
fn is_safe(name: &str) -> bool {
    let hostile = |c: char| matches!(c, '\\' | ':') || c.is_control();
    !name.contains(hostile) && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    fn archive(names: &[&str]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(b"x").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn names(contents: &WheelContents) -> Vec<&str> {
        contents.modules.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn a_wheel_lists_its_modules_and_nothing_of_its_metadata() {
        let contents = modules_of_wheel(&archive(&[
            "yaml/__init__.py",
            "yaml/nodes.py",
            "yaml/_yaml.cpython-311-x86_64-linux-gnu.so",
            "_yaml/__init__.py",
            "yaml/__pycache__/nodes.cpython-311.pyc",
            "PyYAML-6.0.dist-info/RECORD",
            "PyYAML-6.0.dist-info/licenses/x.py",
        ]))
        .unwrap();
        assert_eq!(names(&contents), ["_yaml", "yaml", "yaml._yaml", "yaml.nodes"]);
        assert!(contents.modules[1].is_package && !contents.modules[3].is_package);
        assert_eq!(contents.modules[2].form, ModuleForm::Extension);
        let rest = WheelContents { modules: Vec::new(), ..contents };
        assert_eq!(rest, WheelContents::default());
    }

    #[test]
    fn namespaces_are_only_what_is_there() {
        let contents = modules_of_dir(["google/cloud/storage/__init__.py"].into_iter());
        assert_eq!(names(&contents), ["google.cloud.storage"]);
    }

    #[test]
    fn data_directories_are_installed_by_their_scheme() {
        let files = [
            "a-1.data/purelib/a.py",
            "a-1.data/platlib/b/_c.abi3.so",
            "a-1.data/scripts/tool.py",
            "a-1.data/headers/a.h",
        ];
        let contents = modules_of_dir(files.into_iter());
        assert_eq!(names(&contents), ["a", "b._c"]);
        assert!(contents.has_external_files);
        assert!(!modules_of_dir(files[..2].iter().copied()).has_external_files);
    }

    #[test]
    fn eggs_and_compiled_modules_count() {
        let files = ["EGG-INFO/entry_points.txt", "EGG-INFO/x.py", "six.pyc", "old.egg-info/y.py"];
        let contents = modules_of_dir(files.into_iter());
        assert_eq!(names(&contents), ["six"]);
        assert!(contents.has_entry_points && !contents.has_external_files);
    }

    #[test]
    fn stub_packages_stub_the_package_they_are_named_after() {
        let files = ["yaml-stubs/__init__.pyi", "yaml-stubs/nodes.pyi", "yaml-stubs/tool.py"];
        let contents = modules_of_dir(files.into_iter());
        assert_eq!(names(&contents), ["yaml", "yaml.nodes"]);
        assert!(contents.modules.iter().all(|file| file.form == ModuleForm::Stub));
    }

    #[test]
    fn only_pth_files_at_the_root_count() {
        assert!(modules_of_dir(["distutils-precedence.pth", "a.py"].into_iter()).has_pth);
        assert!(!modules_of_dir(["a/x.pth", "a/__init__.py"].into_iter()).has_pth);
    }

    #[test]
    fn what_no_import_can_name_is_no_module() {
        let files = ["__init__.py", "tools/foo-bar.py", "numpy.libs/libm-1.so", "a/cacert.pem"];
        assert_eq!(modules_of_dir(files.into_iter()), WheelContents::default());
    }

    #[test]
    fn names_that_leave_the_root_are_rejected_and_counted() {
        let files =
            ["../a.py", "b/../c.py", "/d.py", "e\\f.py", "C:g.py", "h//i.py", "./j.py", "k\0.py"];
        let contents = modules_of_dir(files.into_iter());
        assert_eq!(contents, WheelContents { rejected: 8, ..WheelContents::default() });
    }

    #[test]
    fn truncated_archives_are_errors() {
        let whole = archive(&["a.py", "b/__init__.py"]);
        for end in 0..whole.len() {
            assert!(modules_of_wheel(&whole[..end]).is_err(), "cut at {end}");
        }
        assert!(modules_of_wheel(b"PK\x03\x04 but no archive").is_err());
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let whole = archive(&["a.py", "b/__init__.py"]);
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                _ = modules_of_wheel(&bytes);
            }
        }
    }

    #[test]
    fn too_many_entries_are_refused() {
        let bytes = archive(&["a.py", "b.py", "c.py"]);
        assert_eq!(limited(Cursor::new(&bytes), 2).unwrap_err(), "3 entries, more than 2");
        assert_eq!(names(&limited(Cursor::new(&bytes), 3).unwrap()), ["a", "b", "c"]);
    }

    #[test]
    fn contents_are_never_unpacked() {
        // The data is damaged: unpacking it would fail, listing it does not.
        let mut bytes = archive(&["a.py"]);
        let at = bytes.windows(4).position(|four| four == b"a.py").unwrap() + 4;
        bytes[at] = !bytes[at];
        assert_eq!(names(&modules_of_wheel(&bytes).unwrap()), ["a"]);
    }
}
