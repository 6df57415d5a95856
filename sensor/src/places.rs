//! Databases of places, from their files. Used by `geo` and by `check`.

use std::{fs, path::Path, sync::Arc};

use anyhow::Context;
use insight::geo::{Database, Places};

use crate::config::Config;

/// Reads one file.
///
/// # Errors
/// It cannot be read, or is no database of places or networks; the error names the file and says what to do.
pub fn open(path: &Path) -> Result<Arc<Database>, anyhow::Error> {
    let octets = fs::read(path).with_context(|| {
        format!("cannot read the database {}: check its path and permissions", path.display())
    })?;
    Ok(Arc::new(Database::read(path.display().to_string(), octets)?))
}

/// All that is configured.
///
/// # Errors
/// Those of [`open`].
pub fn configured(config: &Config) -> Result<Places, anyhow::Error> {
    let databases = config.databases.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(Places::new(config.sites.clone(), databases))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_or_no_database_says_what_to_do() {
        let missing = open(Path::new("/nonexistent/a.mmdb")).unwrap_err();
        assert!(missing.to_string().contains("/nonexistent/a.mmdb: check its path"), "{missing}");
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "<html>").unwrap();
        let wrong = open(file.path()).unwrap_err();
        assert!(wrong.to_string().contains("web page"), "{wrong}");
    }
}
