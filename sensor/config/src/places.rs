//! The keys that say where addresses are: `[geo]` and `[[site]]`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use insight::geo::{Position, SITE_RADIUS_KM, Site, Sites};

use super::{Config, document::Section, values};

/// Half of the earth's circumference: farther is nowhere.
const RADIUS_KM_MAX: u64 = 20_038;

/// The database files, relative ones from the folder of the configuration.
pub(super) fn read_geo(section: Section<'_, '_>, base: &Path) -> Option<Vec<PathBuf>> {
    let path = |text: &str| match text {
        "" => Err("a path must not be empty".to_owned()),
        _ => Ok(base.join(text)),
    };
    let databases = section.list("databases", path);
    section.finish();
    Some(databases?.into_iter().map(|(path, _)| path).collect())
}

/// The sites of a layer behind those of the layers before it.
pub(super) fn read_sites(top: &Section<'_, '_>, config: &mut Config) {
    let mut sites: Vec<Site> = config.sites.iter().cloned().collect();
    let mut last = 0..0;
    for section in top.sections("site") {
        let (name, _) = section.string("name").unwrap_or_default();
        let prefixes = section.list("address", values::prefix).unwrap_or_default();
        let radius_km =
            section.integer("radius_km", 1..RADIUS_KM_MAX + 1).unwrap_or(SITE_RADIUS_KM.into()) as u16;
        let position = section.parsed("position", |text| position(text, radius_km));
        sites.push(Site {
            name: name.to_owned(),
            prefixes: prefixes.into_iter().map(|(prefix, _)| prefix).collect(),
            position,
        });
        last = section.span.clone();
        section.finish();
    }
    config.sites = Arc::new(Sites::new(sites).unwrap_or_else(|error| {
        top.problem(last, error.to_string());
        Sites::default()
    }));
}

/// `52.52, 13.40`: degrees north and east.
fn position(text: &str, radius_km: u16) -> Result<Position, String> {
    let degrees = text.split_once(',').and_then(|(latitude, longitude)| {
        Some((latitude.trim().parse().ok()?, longitude.trim().parse().ok()?))
    });
    degrees
        .and_then(|(latitude, longitude)| Position::new(latitude, longitude, radius_km))
        .ok_or_else(|| format!("{text:?} is not degrees north and east, like \"52.52, 13.40\""))
}
