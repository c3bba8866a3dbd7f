//! What long work notes down beside the journal, in `.secateur/`, so that it can go on after a stop. Touches that directory,
//! through `disk`.

use super::apply::project;
use super::disk::{self, File};
use super::journal::{self, OURS};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Files of ours in a project. Each is the old or the new one, whenever the program stops.
pub struct Records {
    dir: PathBuf,
}

/// As long as it lives, no other process gets it.
pub struct RecordsLock {
    _lock: disk::Lock,
}

impl Records {
    /// The records of the project at `root`; makes the directory if it is not there.
    pub fn open(root: &Path) -> Result<Self> {
        let root = project(root)?;
        journal::ensure(&root)?;
        Ok(Self { dir: root.join(OURS) })
    }

    /// Reads a file, `None` if it is not there.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match disk::read(&self.dir.join(name)) {
            Err(error) if disk::is_absence(&error) => Ok(None),
            read => read.map(Some).map_err(|error| cannot("be read", name, error)),
        }
    }

    /// Replaces a file; it is on disk when this returns.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        disk::replace(&self.dir.join(name), bytes)
            .map_err(|error| cannot("be written", name, error))
    }

    /// Writes a file for a program to read, and says where it is, relative to the project root.
    pub fn write_script(&self, name: &str, bytes: &[u8]) -> Result<String> {
        self.write(name, bytes).map(|()| format!("{OURS}/{name}"))
    }

    /// An empty file for a program to write into, and where it is, relative to the project root.
    pub fn log(&self, name: &str) -> Result<(File, String)> {
        let name = format!("logs/{name}.log");
        let file = disk::create_dir(&self.dir.join("logs"))
            .and_then(|()| disk::create(&self.dir.join(&name)));
        let file = file.map_err(|error| cannot("be written", &name, error))?;
        Ok((file, format!("{OURS}/{name}")))
    }

    /// Removes a log that nobody will ask for.
    pub fn drop_log(&self, name: &str) -> Result<()> {
        let name = format!("logs/{name}.log");
        disk::remove(&self.dir.join(&name)).map_err(|error| cannot("be removed", &name, error))
    }

    /// Locks a file against other processes; `None` if one has it.
    pub fn lock(&self, name: &str) -> Result<Option<RecordsLock>> {
        let lock = disk::lock(&self.dir.join(name));
        let lock = lock.map_err(|error| cannot("be locked", name, error))?;
        Ok(lock.map(|lock| RecordsLock { _lock: lock }))
    }
}

/// Reads one of the records of a project, and makes none.
pub fn read_record(root: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    if !journal::is_there(root)? {
        return Ok(None);
    }
    Records { dir: root.join(OURS) }.read(name)
}

fn cannot(what: &str, name: &str, cause: std::io::Error) -> Error {
    Error::new(format!("cannot {what}")).at(format!("{OURS}/{name}")).cause(cause)
}
