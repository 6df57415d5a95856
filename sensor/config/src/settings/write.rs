//! Documents and secrets on the disk: after a crash each is there whole, or not at all. For their owner alone, who is that
//! of the state directory.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown},
    path::Path,
};

use rand::distr::{Alphanumeric, SampleString as _};

use super::{SECRET_SUFFIX, SECRETS, Settings, document_path, folder};

/// Puts a document in the place of the one before, durably.
pub fn replace(state_dir: &Path, text: &str) -> Result<(), String> {
    make_folders(state_dir)?;
    let path = document_path(state_dir);
    let new = path.with_extension("new");
    // What a crash left behind.
    drop(fs::remove_file(&new));
    write_new(state_dir, &new, text.as_bytes())?;
    fs::rename(&new, &path).map_err(|error| failed(&path, &error))?;
    sync_folder(&folder(state_dir))
}

/// Keeps a secret in a file of its own, durably; its name, as the document has it.
pub fn keep_secret(state_dir: &Path, secret: &str) -> Result<String, String> {
    make_folders(state_dir)?;
    let name = format!("{SECRETS}/{}{SECRET_SUFFIX}", Alphanumeric.sample_string(&mut rand::rng(), 16));
    let path = folder(state_dir).join(&name);
    let text = zeroize::Zeroizing::new(format!("{secret}\n"));
    write_new(state_dir, &path, text.as_bytes())?;
    sync_folder(&folder(state_dir).join(SECRETS))?;
    Ok(name)
}

/// Takes secrets away that were kept for a change which was not made.
pub fn discard(state_dir: &Path, names: &[String]) {
    for name in names {
        remove(&folder(state_dir).join(name));
    }
}

/// Takes away the secrets that the document in force does not name.
pub fn remove_unused_secrets(state_dir: &Path, in_force: &Settings) {
    let used = in_force.secret_files();
    let Ok(files) = fs::read_dir(folder(state_dir).join(SECRETS)) else { return };
    for file in files.flatten() {
        let name = format!("{SECRETS}/{}", file.file_name().to_string_lossy());
        if !used.contains(&name) {
            remove(&file.path());
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!("{}: a secret that is used no more cannot be removed: {error}", path.display());
    }
}

fn make_folders(state_dir: &Path) -> Result<(), String> {
    for path in [folder(state_dir), folder(state_dir).join(SECRETS)] {
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => give_to_owner(state_dir, &path)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, &error)),
        }
    }
    Ok(())
}

fn write_new(state_dir: &Path, path: &Path, octets: &[u8]) -> Result<(), String> {
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(octets)?;
        file.sync_all()
    };
    written().map_err(|error| failed(path, &error))?;
    give_to_owner(state_dir, path)
}

fn sync_folder(path: &Path) -> Result<(), String> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| failed(path, &error))
}

/// What root makes must not keep the service from its own files.
fn give_to_owner(state_dir: &Path, path: &Path) -> Result<(), String> {
    let read = |path: &Path| fs::metadata(path).map_err(|error| failed(path, &error));
    let (model, made) = (read(state_dir)?, read(path)?);
    if (model.uid(), model.gid()) == (made.uid(), made.gid()) {
        return Ok(());
    }
    match chown(path, Some(model.uid()), Some(model.gid())) {
        // Only root may; whoever else made it is its owner.
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
