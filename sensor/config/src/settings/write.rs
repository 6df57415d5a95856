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

/// What a document ends with until it is whole.
const NEW: &str = "new";

/// Why a document is not durably in the place of the one before.
#[derive(Debug)]
pub struct NotReplaced {
    /// Why, in words.
    pub reason: String,
    /// Whether the new one may be there all the same, now or behind a crash; else the one before is.
    pub is_in_doubt: bool,
}

/// Puts a document in the place of the one before, durably.
///
/// # Errors
/// The disk's. While it is in doubt which document is there, the secrets of both must stay.
pub fn replace(state_dir: &Path, text: &str) -> Result<(), NotReplaced> {
    let path = document_path(state_dir);
    let new = path.with_extension(NEW);
    let written = make_folders(state_dir).and_then(|()| {
        // What a crash left behind.
        drop(fs::remove_file(&new));
        write_new(state_dir, &new, text.as_bytes())?;
        fs::rename(&new, &path).map_err(|error| {
            drop(fs::remove_file(&new));
            failed(&path, &error)
        })
    });
    written.map_err(|reason| NotReplaced { reason, is_in_doubt: false })?;
    sync_folder(&folder(state_dir)).map_err(|reason| NotReplaced { reason, is_in_doubt: true })
}

/// Keeps a secret in a file of its own, durably; its name, as the document has it. Behind an error there is no file.
pub fn keep_secret(state_dir: &Path, secret: &str) -> Result<String, String> {
    make_folders(state_dir)?;
    let name = format!("{SECRETS}/{}{SECRET_SUFFIX}", Alphanumeric.sample_string(&mut rand::rng(), 16));
    let path = folder(state_dir).join(&name);
    let text = zeroize::Zeroizing::new(format!("{secret}\n"));
    write_new(state_dir, &path, text.as_bytes())?;
    if let Err(reason) = sync_folder(&folder(state_dir).join(SECRETS)) {
        remove(&path);
        return Err(reason);
    }
    Ok(name)
}

/// Takes away what a crash left behind: half a document, and secrets that the document does not name. Where there is no
/// document, or it cannot be read, secrets stay: somebody may have moved it away for a while.
pub fn remove_leftovers(state_dir: &Path) {
    let path = document_path(state_dir);
    drop(fs::remove_file(path.with_extension(NEW)));
    let settings = fs::read_to_string(path).ok().and_then(|text| Settings::parse(&text).ok());
    if let Some(settings) = settings {
        remove_unused_secrets(state_dir, &settings);
    }
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
    for (above, path) in
        [(state_dir.to_owned(), folder(state_dir)), (folder(state_dir), folder(state_dir).join(SECRETS))]
    {
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {
                give_to_owner(state_dir, &path)?;
                sync_folder(&above)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, &error)),
        }
    }
    Ok(())
}

/// Behind an error there is no file, unless there was one before.
fn write_new(state_dir: &Path, path: &Path, octets: &[u8]) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| failed(path, &error))?;
    let written = file.write_all(octets).and_then(|()| file.sync_all()).map_err(|error| failed(path, &error));
    written.and_then(|()| give_to_owner(state_dir, path)).inspect_err(|_| drop(fs::remove_file(path)))
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
    format!("{}: {error}; the sensor's user must be able to write there, and find room", path.display())
}
