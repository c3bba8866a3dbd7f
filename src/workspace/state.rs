//! Digests of what an analysis depends on besides the contents of files: settings, cells, what lies where. Pure.

use std::fmt::Write;

use super::tree::{Dir, PackageDir, Tree, child};
use super::{Cells, Workspace};
use crate::digest::{Digest, Parts};
use crate::source::ProjectPath;

impl Workspace {
    /// What the settings and the configuration of `cells` say.
    pub fn digest_of_settings(&self, cells: &Cells) -> Digest {
        let mut text = String::new();
        // All of their fields, whatever will be added to them.
        let _ = write!(text, "{:?}", self.settings);
        for cell in cells.iter() {
            let _ = write!(text, "\0{cell:?}");
        }
        let dialect = (cells.is_bazel(), cells.hubs(), cells.prelude(), &cells.root().name);
        let _ = write!(text, "\0{dialect:?}");
        Parts::new("settings").add(text).finish()
    }
}

impl Tree {
    /// Everything that a cell can see.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| self.whole_digest())
    }

    fn whole_digest(&self) -> Digest {
        let mut parts = Parts::new("tree");
        for (path, dir) in &self.dirs {
            parts.add(path.as_str());
            add_dir(dir, &mut parts);
        }
        for (path, link) in &self.symlinks {
            parts.add(path.as_str()).add_number(link.is_dir.into());
            parts.add(link.target.as_ref().map_or("\0", ProjectPath::as_str));
        }
        parts.finish()
    }

    /// The files that a package owns, and which packages are below it.
    pub fn digest_of_package(&self, package: &PackageDir) -> Digest {
        let mut parts = Parts::new("package");
        self.add_below(&package.dir, &mut parts);
        parts.finish()
    }

    fn add_below(&self, path: &ProjectPath, parts: &mut Parts) {
        let Some(dir) = self.dir(path) else { return };
        add_dir(dir, parts);
        for name in &dir.dirs {
            let path = child(path, name);
            let is_package = self.package_at(&path).is_some();
            parts.add_number(is_package.into());
            if !is_package {
                self.add_below(&path, parts);
            }
        }
    }
}

fn add_dir(dir: &Dir, parts: &mut Parts) {
    for names in [&dir.files, &dir.dirs, &dir.links] {
        parts.add_number(names.len() as u64);
        for name in names {
            parts.add(&**name);
        }
    }
    parts.add(dir.build_file.as_deref().unwrap_or_default()).add_number(dir.unread.into());
}
