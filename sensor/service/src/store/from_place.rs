//! Connections from one place, or from one country, the newest first. Such a place has thousands of rows, perhaps, and the
//! index of sessions has each by itself, in the order in which they began. Of each row the newest connection is looked up;
//! only those rows are read on whose newest is as new as what is shown. Before that, where there are many rows, the newest
//! connections of all are looked through: a place of so many has enough among them, as a rule.

use rusqlite::ToSql;

use super::{
    SessionFilter, SessionRow, StoreError, StoreReader,
    row::{SESSION_COLUMNS, session},
};

/// From so many rows of a place on the newest connections of all are looked through first.
const ROWS_MANY: usize = 500;
/// So many of all are, for each that is asked for.
const LOOKED_THROUGH: usize = 20;

/// The rows `same` of the place with the number ?, whatever network they are of and whatever database gave them.
pub(super) const OF_PLACE: &str = "place AS one CROSS JOIN place AS same INDEXED BY place_by_name
     ON same.name = one.name COLLATE NOCASE AND same.country IS one.country AND same.site IS one.site
     WHERE one.id = ?";
const OF_COUNTRY: &str = "place AS same WHERE same.country = ?";

impl SessionFilter {
    /// Whether a place or a country is asked for, and nothing else by which connections could be found.
    pub(super) fn is_of_a_place_alone(&self) -> bool {
        (self.place.is_some() || self.country.is_some())
            && !self.open
            && [&self.user, &self.device, &self.remote, &self.assigned, &self.session, &self.server]
                .iter()
                .all(|asked| asked.is_none())
            && self.server_number.is_none()
    }

    /// Which rows of places, as SQL, with the values for its parameters in their order.
    fn places(&self) -> (String, Vec<Box<dyn ToSql>>) {
        match (self.place, &self.country) {
            (Some(place), None) => (OF_PLACE.replace('?', "?1"), vec![Box::new(place)]),
            (Some(place), Some(country)) => {
                let both = format!("{} AND same.country = ?2", OF_PLACE.replace('?', "?1"));
                (both, vec![Box::new(place), Box::new(country.clone())])
            }
            (None, country) => (OF_COUNTRY.replace('?', "?1"), vec![Box::new(country.clone())]),
        }
    }

    /// Between which moments they began, and behind which one, as SQL about one row of a place. All of it are numbers.
    fn within(&self) -> String {
        let mut conditions = String::new();
        if let Some(since) = self.since_unix_ns {
            conditions += &format!(" AND start >= {since}");
        }
        if let Some(until) = self.until_unix_ns {
            conditions += &format!(" AND start < {until}");
        }
        if let Some((at, number)) = self.after {
            conditions += &format!(" AND start <= {at} AND (start < {at} OR number < {number})");
        }
        conditions
    }

    /// The newest connections from the rows ?1, a list in JSON, among the newest of all.
    fn newest_among_all(&self, limit: usize) -> String {
        let (within, looked_through) = (self.within(), limit.saturating_mul(LOOKED_THROUGH));
        format!(
            "SELECT start, number FROM
                 (SELECT start, number, place FROM session INDEXED BY session_by_start WHERE TRUE{within}
                  ORDER BY start DESC, number DESC LIMIT {looked_through})
             WHERE place IN (SELECT value FROM json_each(?1)) ORDER BY start DESC, number DESC LIMIT {limit}"
        )
    }

    /// When the newest connection of each row of the place began.
    fn newest_of_each(&self) -> (String, Vec<Box<dyn ToSql>>) {
        let (places, values) = self.places();
        let within = self.within();
        let query = format!(
            "SELECT same.id, (SELECT start FROM session INDEXED BY session_by_place
                 WHERE session.place = same.id{within} ORDER BY start DESC LIMIT 1) FROM {places}"
        );
        (query, values)
    }

    /// The newest connections of the row ?1 of a place that began at ?2 or later.
    fn newest_of_one(&self, limit: usize) -> String {
        let within = self.within();
        format!(
            "SELECT start, number FROM session INDEXED BY session_by_place
             WHERE place = ?1 AND start >= ?2{within} ORDER BY start DESC, number DESC LIMIT {limit}"
        )
    }
}

impl StoreReader {
    /// When they began, and their numbers: those among the newest of all, if the place has many rows.
    fn newest_among_all(&self, filter: &SessionFilter, limit: usize) -> Result<Vec<(i64, i64)>, StoreError> {
        let (places, values) = filter.places();
        let query = format!("SELECT same.id FROM {places}");
        let rows: Vec<i64> = self.rows(&query, &values, |row| row.get(0))?;
        if rows.len() < ROWS_MANY {
            return Ok(Vec::new());
        }
        // Numbers can always be written.
        let rows = serde_json::to_string(&rows).unwrap_or_default();
        self.rows(&filter.newest_among_all(limit), &[Box::new(rows)], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The same of all.
    fn newest_from_place(&self, filter: &SessionFilter, limit: usize) -> Result<Vec<(i64, i64)>, StoreError> {
        let (query, values) = filter.newest_of_each();
        let rows =
            self.rows(&query, &values, |row| Ok((row.get::<_, Option<i64>>(1)?, row.get::<_, i64>(0)?)))?;
        let mut places: Vec<(i64, i64)> =
            rows.into_iter().filter_map(|(newest, place)| Some((newest?, place))).collect();
        places.sort_unstable_by(|one, other| other.cmp(one));
        let query = filter.newest_of_one(limit);
        let mut found: Vec<(i64, i64)> = Vec::new();
        for (newest, place) in places {
            let last = match found.get(limit.saturating_sub(1)) {
                // The places behind this one have only older ones.
                Some((last, _)) if newest < *last => break,
                Some((last, _)) => *last,
                None => i64::MIN,
            };
            let values: [Box<dyn ToSql>; 2] = [Box::new(place), Box::new(last)];
            found.extend(self.rows(&query, &values, |row| Ok((row.get(0)?, row.get(1)?)))?);
            found.sort_unstable_by(|one, other| other.cmp(one));
            found.truncate(limit);
        }
        Ok(found)
    }

    /// Those of a filter that is of a place alone.
    pub(super) fn sessions_from_place(
        &self,
        filter: &SessionFilter,
        limit: usize,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let among_all = self.newest_among_all(filter, limit)?;
        let found = if among_all.len() == limit { among_all } else { self.newest_from_place(filter, limit)? };
        let numbers: Vec<i64> = found.into_iter().map(|(_, number)| number).collect();
        let query = format!(
            "SELECT {SESSION_COLUMNS} FROM json_each(?1) AS wanted CROSS JOIN session ON session.number = wanted.value
             LEFT JOIN server ON server.number = session.server LEFT JOIN place ON place.id = session.place
             ORDER BY wanted.key"
        );
        // Numbers can always be written.
        self.rows(&query, &[Box::new(serde_json::to_string(&numbers).unwrap_or_default())], session)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    /// Lyon by two networks and two builds of a database, Paris, and a site; connections of which many began at once.
    const FILL: &str = "
        INSERT INTO server (number, client) VALUES (1, 'vpn');
        INSERT INTO place (id, whereabouts, name, site, country, asn, kinds, anycast, database) VALUES
            (1, 'place', 'Lyon, FR', NULL, 'FR', 3215, '', 0, 'a'), (2, 'place', 'Lyon, FR', NULL, 'FR', 12322, '', 0, 'a'),
            (3, 'place', 'Lyon, FR', NULL, 'FR', 3215, '', 0, 'b'), (4, 'place', 'Paris, FR', NULL, 'FR', 3215, '', 0, 'a'),
            (5, 'site', 'Lyon, FR', 'Lyon, FR', NULL, NULL, '', 0, NULL), (6, 'place', 'Lyon, FR', NULL, 'FR', 5410, '', 0, 'b'),
            (7, 'place', 'Lyon, FR', NULL, 'FR', 1, '', 0, 'b');
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 900)
        INSERT INTO session (number, server, session_id, start, start_source, last_seen, assigned, place, user)
        SELECT n, 1, 's', n * 7919 % 61, 'start', 0, '', 1 + n * n % 7 % 6, 'user' || (n % 2) FROM n;
        UPDATE session SET start = 7, place = 6 WHERE number = 450;";

    #[test]
    fn all_connections_from_a_place_are_found_through_whatever_network_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        store.connection.execute_batch(FILL).unwrap();
        check(&StoreReader::open(&path).unwrap());
        // By so many networks that all connections are looked through first.
        let many = "WITH RECURSIVE n (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM n WHERE n < 100 + ?1)
             INSERT INTO place (id, whereabouts, name, country, asn, kinds, anycast) SELECT n, 'place', 'Lyon, FR', 'FR', n, '', 0 FROM n";
        store.connection.execute(many, [ROWS_MANY as i64]).unwrap();
        check(&StoreReader::open(&path).unwrap());
    }

    fn check(reader: &StoreReader) {
        let (lyon, france) = ("place IN (1, 2, 3, 6, 7)", "place IN (1, 2, 3, 4, 6, 7)");
        let filter = |place, country: Option<&str>| SessionFilter {
            place,
            country: country.map(str::to_owned),
            ..SessionFilter::default()
        };
        for (asked, within) in [
            (filter(Some(1), None), lyon),
            (filter(Some(3), None), lyon),
            (filter(Some(7), None), lyon),
            (filter(Some(5), None), "place = 5"),
            (filter(Some(99), None), "FALSE"),
            (filter(None, Some("FR")), france),
            (filter(None, Some("DE")), "FALSE"),
            (filter(Some(2), Some("FR")), lyon),
            (filter(Some(2), Some("DE")), "FALSE"),
            (
                SessionFilter { since_unix_ns: Some(20), until_unix_ns: Some(40), ..filter(Some(2), None) },
                "place IN (1, 2, 3, 6) AND start >= 20 AND start < 40",
            ),
            // By another index, with the place looked at in each.
            (
                SessionFilter { user: Some("user1".to_owned()), ..filter(Some(2), None) },
                "place IN (1, 2, 3, 6) AND user = 'user1'",
            ),
            (SessionFilter { server_number: Some(1), ..filter(Some(2), None) }, lyon),
            (SessionFilter { open: true, ..filter(Some(2), None) }, lyon),
        ] {
            let query = format!("SELECT number FROM session WHERE {within} ORDER BY start DESC, number DESC");
            let expected: Vec<i64> = reader.rows(&query, &[], |row| row.get(0)).unwrap();
            assert!(within == "FALSE" || expected.len() > 60, "{within}");
            for limit in [1_000, 13, 2] {
                let mut seen = Vec::new();
                let mut after = None;
                loop {
                    let rows = reader.sessions(&SessionFilter { after, ..asked.clone() }, limit).unwrap();
                    seen.extend(rows.iter().map(|row| row.number));
                    let Some(last) = rows.last() else { break };
                    assert!(rows.len() <= limit);
                    after = Some((last.start_unix_ns, last.number));
                }
                assert_eq!(seen, expected, "{asked:?}");
            }
        }
    }

    #[test]
    fn a_place_is_read_from_indexes_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        drop(Store::open(&path).unwrap());
        let reader = StoreReader::open(&path).unwrap();
        let after = Some((40, 7));
        let of_place = SessionFilter { place: Some(1), after, ..SessionFilter::default() };
        let of_country = SessionFilter { country: Some("FR".to_owned()), after, ..SessionFilter::default() };
        for (filter, index) in [
            (&of_place, "place_by_name (name=? AND country=? AND site=?)"),
            (&of_country, "place_by_country (country=?)"),
        ] {
            let (query, values) = filter.newest_of_each();
            let plan = reader.plan(&query, &values);
            for part in [index, "COVERING INDEX session_by_place (place=? AND start<?)"] {
                assert!(plan.iter().any(|step| step.contains(part)), "{part}: {plan:?}");
            }
            assert!(
                !plan.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")),
                "{plan:?}"
            );
        }
        let plan = reader.plan(&of_place.newest_among_all(50), &[Box::new("[]")]);
        assert!(plan.iter().any(|step| step.contains("session_by_start (start<?)")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
        let plan = reader.plan(&of_place.newest_of_one(50), &[Box::new(1), Box::new(0)]);
        assert_eq!(
            plan,
            ["SEARCH session USING COVERING INDEX session_by_place (place=? AND start>? AND start<?)"]
        );
    }
}
