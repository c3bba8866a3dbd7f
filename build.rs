//! Names this build by what it is made from, so that a cache which another build wrote is not read. Reads the sources.

#![expect(clippy::disallowed_methods, reason = "it runs before there is a program that has rules")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut files =
        vec![PathBuf::from("Cargo.lock"), PathBuf::from("Cargo.toml"), PathBuf::from("build.rs")];
    files_below(Path::new("src"), &mut files)?;
    files.sort();
    let mut all = blake3::Hasher::new();
    for file in files {
        all.update(file.to_string_lossy().as_bytes());
        // A package that was published has no lock file of its own when it is built elsewhere.
        all.update(&fs::read(&file).unwrap_or_default());
    }
    for name in ["TARGET", "PROFILE"] {
        all.update(env::var(name).unwrap_or_default().as_bytes());
    }
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    all.update(&Command::new(compiler).arg("-V").output()?.stdout);
    println!("cargo::rustc-env=SECATEUR_BUILD={}", all.finalize().to_hex());
    for path in ["src", "Cargo.lock", "Cargo.toml", "build.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    Ok(())
}

fn files_below(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
