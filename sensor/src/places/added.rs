//! The databases that `geo add` puts below the state directory: one of each sort, the newest takes the place of the one
//! before.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use insight::geo::Contents;

use super::open;

/// Where they are.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("geo")
}

/// Those that are there, in the order in which they are asked: the finest places first.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    Ok(SORTS.iter().map(|sort| folder.join(format!("{sort}.mmdb"))).filter(|path| path.exists()).collect())
}

/// What a file is called, by what it says.
const SORTS: [&str; 4] = ["city", "country", "network", "kinds"];

fn sort(contents: Contents) -> &'static str {
    match contents {
        Contents { cities: true, .. } => "city",
        Contents { countries: true, .. } => "country",
        Contents { networks: true, .. } => "network",
        _ => "kinds",
    }
}

/// Checks a database to its last record and puts a copy of it into the folder, durably. Where it went, and whether
/// another one was there.
///
/// # Errors
/// It is no database of places or networks, a record of it is damaged, or the disk.
pub fn add(file: &Path, folder: &Path) -> anyhow::Result<(PathBuf, bool)> {
    let database = open(file)?;
    database.check()?;
    let to = folder.join(format!("{}.mmdb", sort(database.contents())));
    let write = || -> io::Result<bool> {
        DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(&fs::read(file)?)?;
        new.as_file().sync_all()?;
        let replaces = to.exists();
        new.persist(&to).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()?;
        Ok(replaces)
    };
    let replaces = write().with_context(|| format!("cannot write {}", to.display()))?;
    Ok((to, replaces))
}

/// Removes the database of this sort.
///
/// # Errors
/// There is no such sort or none of it, or the disk.
pub fn remove(name: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let name = name.strip_suffix(".mmdb").unwrap_or(name);
    if !SORTS.contains(&name) {
        bail!("{name:?} is none of {}", SORTS.join(", "));
    }
    let path = folder.join(format!("{name}.mmdb"));
    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("cannot sync {}", folder.display()))?;
    Ok(path)
}
