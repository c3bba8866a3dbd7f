//! `caf serve`: the store for others, until the process is told to stop. Talks to whoever connects.

use super::args::Serve;
use super::place::{Depot, read};
use crate::cas::remote::server::{ServeOptions, Server, TlsIdentity};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::Write;
use std::sync::Arc;
use std::thread;

pub(super) fn run(args: &Serve, depot: &Depot<'_>, context: &mut Context<'_>) -> Result<Exit> {
    let store = depot.store()?;
    let root = store.root().display().to_string();
    let mut options = ServeOptions::new(store, args.address);
    options.instance.clone_from(depot.instance());
    options.token = depot.own_token()?;
    options.is_read_only = args.read_only;
    options.durability = depot.durability();
    if let Some(max_blob) = args.max_blob {
        options.max_blob = max_blob;
    }
    if let (Some(certificate), Some(key)) = (&args.tls_certificate, &args.tls_key) {
        let (certificate, key) = (read(&depot.path(certificate))?, read(&depot.path(key))?);
        options.tls = Some(TlsIdentity { certificate, key });
    }
    let scheme = if options.tls.is_some() { "grpcs" } else { "grpc" };
    options.report = Some(Arc::new(|trouble: &str| {
        // Nobody may listen any more.
        let _ = writeln!(std::io::stderr(), "secateur: {trouble}");
    }));
    let server = Server::start(options)?;
    let address = server.address();
    let stopper = server.stopper();
    let signals = Signals::new([SIGINT, SIGTERM]);
    let mut signals =
        signals.map_err(|error| Error::new("cannot listen to signals").cause(error))?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            stopper.stop();
        }
    });
    context.write_now(|out| writeln!(out, "{scheme}://{address} serves {root}"))?;
    server.wait()?;
    Ok(Exit::Clean)
}
