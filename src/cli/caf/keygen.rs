//! `caf keygen`. Writes two files.

use super::args::Keygen;
use super::output::Output;
use crate::bundle::sign::PrivateKey;
use crate::cas::store::failed;
use crate::cli::context::Context;
use crate::error::Result;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub(super) fn run(args: &Keygen, context: &Context<'_>) -> Result<Output> {
    let key = PrivateKey::generate()?;
    let private = context.dir().join(&args.file);
    let mut public = private.clone().into_os_string();
    public.push(".pub");
    let public = PathBuf::from(public);
    write(&private, &key.to_pem()?, 0o600)?;
    write(&public, &key.public().to_pem()?, 0o644)?;
    Ok(Output::Keygen {
        private_key: private.display().to_string(),
        public_key: public.display().to_string(),
        key: key.public().id().to_string(),
    })
}

/// Writes a new file; one that is there may be a key that others need.
fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    let open = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written =
        open.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| {
        failed("write a new file", path, error).hint("name a file that is not there yet")
    })
}
