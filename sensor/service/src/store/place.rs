//! Places by what they are called. The store has a row of a place for each network that it was seen with, and for each build
//! of a database that said so: for people these are one place, by its name, its country and the site that it is.

use std::collections::BTreeMap;

use rusqlite::ToSql;
use serde::Serialize;
use utoipa::ToSchema;

use super::{StoreError, StoreReader, find::holding, parts::Named, row::network_name};

/// So many rows that hold a text are looked at, at most. More of them are of few places, or ten are found among these.
const ROWS_MAX: usize = 1_000;

/// A place that was found, with whatever networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundPlace {
    /// A number of it in this store: connections from it are asked for by any of them.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The network that it was seen with, if that is one, or that was looked for: `AS3320 Deutsche Telekom AG`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Whether it was seen with others as well.
    pub other_networks: bool,
}

/// What makes rows one place: the name in small letters, country, site.
type Identity = (String, Option<String>, Option<String>);

/// A row of a place.
struct Row {
    id: i64,
    name: String,
    country: Option<String>,
    site: Option<String>,
    asn: Option<i64>,
    organisation: Option<String>,
}

impl Row {
    fn identity(&self) -> Identity {
        (self.name.to_ascii_lowercase(), self.country.clone(), self.site.clone())
    }

    fn network(&self) -> Option<String> {
        Some(network_name(self.asn?, self.organisation.as_deref()))
    }
}

const COLUMNS: &str = "id, name, country, site, asn, organisation";
/// The rows of one place, by ?1, ?2 and ?3.
const OF_ONE: &str =
    "FROM place INDEXED BY place_by_name WHERE name = ?1 COLLATE NOCASE AND country IS ?2 AND site IS ?3";

impl StoreReader {
    /// Places whose name or network holds this, in any case of its Latin letters. First those that are called so: by the
    /// whole name, or its first part.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn places_with(&self, part: &str, limit: usize) -> Result<Vec<FoundPlace>, StoreError> {
        let mut found = self.places_called(part, limit)?;
        found.extend(self.place_rows_with(part)?);
        let mut first: BTreeMap<Identity, ()> = BTreeMap::new();
        found.retain(|row| first.insert(row.identity(), ()).is_none());
        found.truncate(limit);
        let lowered = part.to_ascii_lowercase();
        let mut places = Vec::with_capacity(found.len());
        for row in found {
            let [least, most] = [self.network_of(&row, "ASC")?, self.network_of(&row, "DESC")?];
            let is_by_network = !row.name.to_ascii_lowercase().contains(&lowered);
            let asn = |row: &Option<Row>| row.as_ref().and_then(|row| row.asn);
            let other_networks = asn(&least) != asn(&most);
            let network = match (is_by_network, other_networks) {
                (true, _) => row.network(),
                (false, true) => None,
                (false, false) => least.and_then(|row| row.network()),
            };
            places.push(FoundPlace { id: row.id, name: row.name, network, other_networks });
        }
        Ok(places)
    }

    /// A row of each place that has this name, or begins with it and a comma: `Lyon` of `Lyon, Rhone, FR`.
    fn places_called(&self, name: &str, limit: usize) -> Result<Vec<Row>, StoreError> {
        let called = |condition: &str, values: &[Box<dyn ToSql>]| {
            let query = format!(
                "SELECT min(id), name, country, site, NULL, NULL FROM place INDEXED BY place_by_name
                 WHERE {condition} GROUP BY name COLLATE NOCASE, country, site LIMIT {limit}"
            );
            self.rows(&query, values, row)
        };
        let mut found = called("name = ?1 COLLATE NOCASE", &[Box::new(name.to_owned())])?;
        let (begin, end) = (format!("{name}, "), format!("{name}, \u{10ffff}"));
        let begins = "name >= ?1 COLLATE NOCASE AND name < ?2 COLLATE NOCASE";
        found.extend(called(begins, &[Box::new(begin), Box::new(end)])?);
        Ok(found)
    }

    /// The first rows whose name or network holds this.
    fn place_rows_with(&self, part: &str) -> Result<Vec<Row>, StoreError> {
        let lowered = part.to_ascii_lowercase();
        let number: Option<u32> = lowered.strip_prefix("as").and_then(|number| number.parse().ok());
        let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(holding(part)), Box::new(number)];
        let among = match self.first_that_may_hold(Named::Place, part, ROWS_MAX)? {
            Some(few) => {
                // Numbers can always be written.
                values.push(Box::new(serde_json::to_string(&few).unwrap_or_default()));
                "id IN (SELECT value FROM json_each(?3)) AND"
            }
            None => "",
        };
        let query = format!(
            "SELECT {COLUMNS} FROM place
             WHERE {among} (name LIKE ?1 ESCAPE '\\' OR organisation LIKE ?1 ESCAPE '\\') OR asn = ?2
             ORDER BY id LIMIT {ROWS_MAX}"
        );
        self.rows(&query, &values, row)
    }

    /// The first or the last of a place's networks, by number.
    fn network_of(&self, place: &Row, order: &str) -> Result<Option<Row>, StoreError> {
        let query = format!("SELECT {COLUMNS} {OF_ONE} AND asn IS NOT NULL ORDER BY asn {order} LIMIT 1");
        let values: [Box<dyn ToSql>; 3] =
            [Box::new(place.name.clone()), Box::new(place.country.clone()), Box::new(place.site.clone())];
        Ok(self.rows(&query, &values, row)?.pop())
    }

    /// One place's name.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn place_name(&self, id: i64) -> Result<Option<String>, StoreError> {
        let query = "SELECT name FROM place WHERE id = ?1";
        Ok(self.rows(query, &[Box::new(id)], |row| row.get(0))?.pop())
    }

    /// Whether connections came from this country.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn has_country(&self, code: &str) -> Result<bool, StoreError> {
        let query = "SELECT 1 FROM place WHERE country = ?1 LIMIT 1";
        Ok(!self.rows(query, &[Box::new(code.to_owned())], |_| Ok(()))?.is_empty())
    }
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        name: row.get(1)?,
        country: row.get(2)?,
        site: row.get(3)?,
        asn: row.get(4)?,
        organisation: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    #[test]
    fn a_place_is_found_once_with_its_networks_and_what_is_called_so_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        // Two builds of a database, Lyon through three networks; behind a thousand others with Lyon in their name.
        store
            .connection
            .execute_batch(
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
                 INSERT INTO place (id, whereabouts, name, country, asn, organisation, kinds, anycast, database)
                     SELECT n, 'place', 'Lyons-' || (n % 12) || ', US', 'US', 7000, 'Example', '', 0, n % 2 FROM n
                     UNION ALL
                     SELECT 9000 + n, 'place', 'Lyon, Rhone, FR', 'FR', 3215 + n % 3, 'Orange', '', 0, n % 2 FROM n
                     WHERE n < 7
                     UNION ALL SELECT 9500 + n, 'place', 'Lille, FR', 'FR', 12876, 'Scaleway', '', 0, n FROM n WHERE n < 4;
                 INSERT INTO place (id, whereabouts, name, site, kinds, anycast) VALUES
                     (9900, 'site', 'Lille, FR', 'Lille, FR', '', 0), (9901, 'place', 'FR', NULL, '', 0);",
            )
            .unwrap();
        let reader = StoreReader::open(&path).unwrap();
        let found = |part: &str| reader.places_with(part, 10).unwrap();
        let names = |part: &str| found(part).into_iter().map(|place| place.name).collect::<Vec<_>>();
        let lyon = found("LYON");
        assert_eq!(
            (&*lyon[0].name, &lyon[0].network, lyon[0].other_networks),
            ("Lyon, Rhone, FR", &None, true)
        );
        assert_eq!((&*lyon[1].name, lyon.len()), ("Lyons-1, US", 10));
        assert_eq!(lyon[1].network.as_deref(), Some("AS7000 Example"), "the only one");
        assert_eq!(names("lille"), ["Lille, FR", "Lille, FR"], "the site of that name is another");
        assert_eq!(names("fr")[0], "FR");
        let by_network = found("orange");
        assert_eq!((by_network.len(), by_network[0].other_networks), (1, true));
        assert_eq!(by_network[0].network.as_deref(), Some("AS3216 Orange"), "that was looked for");
        assert_eq!(found("as12876")[0].network.as_deref(), Some("AS12876 Scaleway"));
        assert!(reader.has_country("FR").unwrap() && !reader.has_country("DE").unwrap());
    }
}
