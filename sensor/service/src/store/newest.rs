//! The newest connections of a user or a device, read once, and what they have in common: where from, with what, when.
//! A page of somebody busy counts them in nine ways, and each of them would be a walk through thousands of rows.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    rc::Rc,
};

use rusqlite::Row;

use super::{
    LocationRow, PlaceRow, SessionFilter, SpotCount, SpotRow, StoreError, StoreReader,
    row::{PLACE_COLUMNS, Share, place_from, rfc3339},
};

/// So many of somebody's connections are counted for shares and spots, the newest: what a page shows is then bounded by an
/// index, also of an account that a machine uses each minute.
pub const NEWEST_COUNTED: usize = 2_000;

/// What connections have in common with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Places.
    Place,
    /// Networks: autonomous systems.
    Network,
    /// Addresses.
    Remote,
    /// Devices.
    Device,
    /// Client software.
    Software,
    /// VPN servers.
    Server,
    /// Users.
    User,
}

/// Where a connection came from.
#[derive(Debug)]
struct Place {
    row: PlaceRow,
    network: Option<String>,
}

/// What makes a place the same one for people: name, country, site, network.
type PlaceKey<'p> = (&'p str, Option<&'p str>, Option<&'p str>, Option<i64>);

impl Place {
    fn key(&self) -> PlaceKey<'_> {
        (&self.row.name, self.row.country.as_deref(), self.row.site.as_deref(), self.row.asn)
    }
}

#[derive(Debug)]
struct Counted {
    start: i64,
    last_seen: i64,
    user: Option<String>,
    remote: Option<String>,
    device: Option<String>,
    software: Option<String>,
    server: Option<Rc<str>>,
    place: Option<Rc<Place>>,
}

/// The newest [`NEWEST_COUNTED`] connections that a filter takes.
#[derive(Debug)]
pub struct Newest {
    /// The newest first.
    connections: Vec<Counted>,
}

/// Connections that have something in common.
#[derive(Clone, Copy)]
struct Group {
    connections: i64,
    first: i64,
    last: i64,
}

impl Group {
    const NONE: Group = Group { connections: 0, first: i64::MAX, last: i64::MIN };

    fn add(&mut self, connection: &Counted) {
        self.connections += 1;
        self.first = self.first.min(connection.start);
        self.last = self.last.max(connection.last_seen);
    }
}

/// The same that came from one address and place.
struct Located<'p> {
    group: Group,
    place: Option<&'p Place>,
}

impl StoreReader {
    /// Reads them. For filters by user or device, whose index has the start.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest(&self, filter: &SessionFilter) -> Result<Newest, StoreError> {
        let (condition, values) = filter.condition();
        let query = format!(
            "SELECT start, last_seen, user, remote, device, software, session.server, session.place FROM {}
             WHERE {condition} ORDER BY start DESC, session.number DESC LIMIT {NEWEST_COUNTED}",
            filter.tables()
        );
        let rows = self.rows(&query, &values, |row| {
            Ok((counted(row)?, row.get::<_, i64>(6)?, row.get::<_, Option<i64>>(7)?))
        })?;
        // Few, each of many connections.
        let mut servers: HashMap<i64, Option<Rc<str>>> = HashMap::new();
        let mut places: HashMap<i64, Option<Rc<Place>>> = HashMap::new();
        let mut connections = Vec::with_capacity(rows.len());
        for (mut connection, server, place) in rows {
            connection.server = match servers.entry(server) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(unknown) => unknown.insert(self.server_name(server)?).clone(),
            };
            connection.place = match place.map(|id| places.entry(id)) {
                None => None,
                Some(Entry::Occupied(known)) => known.get().clone(),
                Some(Entry::Vacant(unknown)) => {
                    let place = self.place_of(*unknown.key())?;
                    unknown.insert(place).clone()
                }
            };
            connections.push(connection);
        }
        Ok(Newest { connections })
    }

    fn server_name(&self, number: i64) -> Result<Option<Rc<str>>, StoreError> {
        let query = "SELECT coalesce(identifier, address, client) FROM server WHERE number = ?1";
        let found = self.rows(query, &[Box::new(number)], |row| row.get::<_, String>(0))?;
        Ok(found.into_iter().next().map(Rc::from))
    }

    fn place_of(&self, id: i64) -> Result<Option<Rc<Place>>, StoreError> {
        let query = format!("SELECT {PLACE_COLUMNS} FROM place WHERE id = ?1");
        let found = self.rows(&query, &[Box::new(id)], |row| place_from(row, 0))?;
        Ok(found.into_iter().next().map(|row| Rc::new(Place { network: row.network(), row })))
    }
}

fn counted(row: &Row<'_>) -> rusqlite::Result<Counted> {
    Ok(Counted {
        start: row.get(0)?,
        last_seen: row.get(1)?,
        user: row.get(2)?,
        remote: row.get(3)?,
        device: row.get(4)?,
        software: row.get(5)?,
        server: None,
        place: None,
    })
}

impl Newest {
    /// Whether there may be older ones, which are not counted.
    pub fn is_cut(&self) -> bool {
        self.connections.len() == NEWEST_COUNTED
    }

    /// How they are spread over a feature: the latest seen first.
    pub fn shares(&self, feature: Feature, limit: usize) -> Vec<Share> {
        let mut groups: HashMap<&str, Group> = HashMap::new();
        for connection in &self.connections {
            if let Some(name) = connection.feature(feature) {
                groups.entry(name).or_insert(Group::NONE).add(connection);
            }
        }
        let mut groups: Vec<(&str, Group)> = groups.into_iter().collect();
        groups.sort_unstable_by(|(one, a), (other, b)| b.last.cmp(&a.last).then_with(|| one.cmp(other)));
        groups.truncate(limit);
        let share = |(name, group): (&str, Group)| Share {
            name: name.to_owned(),
            connections: group.connections,
            first_seen: rfc3339(group.first),
            last_seen: rfc3339(group.last),
        };
        groups.into_iter().map(share).collect()
    }

    /// Where they came from, address by address: the latest seen first. One that moved, or is another network's now, is
    /// there twice; one of which another build of a database says the same is not.
    pub fn locations(&self, limit: usize) -> Vec<LocationRow> {
        let mut groups: BTreeMap<(&str, Option<PlaceKey<'_>>), Located<'_>> = BTreeMap::new();
        for connection in &self.connections {
            if let Some(remote) = &connection.remote {
                let place = connection.place.as_deref();
                let key = (&**remote, place.map(Place::key));
                let located = groups.entry(key).or_insert(Located { group: Group::NONE, place });
                located.group.add(connection);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        // Stable: behind that by address and place.
        groups.sort_by_key(|(_, located)| std::cmp::Reverse(located.group.last));
        groups.truncate(limit);
        let location = |((remote, _), Located { group, place }): ((&str, _), Located<'_>)| LocationRow {
            address: remote.to_owned(),
            place: place.map(|place| place.row.name.clone()),
            network: place.and_then(|place| place.network.clone()),
            connections: group.connections,
            last_seen: rfc3339(group.last),
        };
        groups.into_iter().map(location).collect()
    }

    /// How many of these [`spots`](Self::spots) there are without a limit.
    pub fn spot_count(&self) -> SpotCount {
        let spots = self.spots(usize::MAX);
        let connections = spots.iter().map(|spot| spot.connections).sum();
        let elsewhere = self.connections.len() as i64 - connections;
        SpotCount { places: spots.len(), connections, elsewhere }
    }

    /// Where they came from, as far as that has a position: the most frequent first.
    pub fn spots(&self, limit: usize) -> Vec<SpotRow> {
        type Key<'k> = (&'k str, (u64, u64), Option<i64>);
        let mut spots: BTreeMap<Key<'_>, SpotRow> = BTreeMap::new();
        for connection in &self.connections {
            let Some(Place { row: place, .. }) = connection.place.as_deref() else { continue };
            let Some((latitude, longitude)) = place.latitude.zip(place.longitude) else { continue };
            let key = (&*place.name, (latitude.to_bits(), longitude.to_bits()), place.radius_km);
            // The first that is met is the newest.
            let spot = spots.entry(key).or_insert_with(|| SpotRow {
                name: place.name.clone(),
                country: place.country.clone(),
                latitude,
                longitude,
                radius_km: place.radius_km.unwrap_or(0),
                connections: 0,
                last_start: Some(rfc3339(connection.start)),
            });
            spot.connections += 1;
        }
        let mut spots: Vec<SpotRow> = spots.into_values().collect();
        // Stable: behind that by name.
        spots.sort_by_key(|spot| std::cmp::Reverse(spot.connections));
        spots.truncate(limit);
        spots
    }
}

impl Counted {
    fn feature(&self, feature: Feature) -> Option<&str> {
        match feature {
            Feature::Place => self.place.as_deref().map(|place| &*place.row.name),
            Feature::Network => self.place.as_deref().and_then(|place| place.network.as_deref()),
            Feature::Remote => self.remote.as_deref(),
            Feature::Device => self.device.as_deref(),
            Feature::Software => self.software.as_deref(),
            Feature::Server => self.server.as_deref(),
            Feature::User => self.user.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    /// Sessions of two users from places of which three have one name, two of these one network too, some without a place, an address or a device.
    const FILL: &str = "
        INSERT INTO server (number, client, identifier, address) VALUES
            (1, 'vpn', 'gw-1', '192.0.2.1'), (2, 'vpn', NULL, '192.0.2.2'), (3, 'vpn', NULL, NULL);
        INSERT INTO place (id, whereabouts, name, country, latitude, longitude, radius_km, asn, organisation, kinds, anycast)
        VALUES (1, 'place', 'Paris', 'FR', 48.9, 2.4, 5, 3215, 'Orange', '', 0), (2, 'place', 'Paris', 'FR', 48.9, 2.4, 5, 12322, NULL, '', 0),
            (3, 'place', 'Berlin', 'DE', 52.5, 13.4, NULL, 3320, 'Telekom', '', 0), (4, 'country', 'SE', 'SE', NULL, NULL, NULL, NULL, NULL, '', 0),
            (5, 'place', 'Paris', 'FR', 48.9, 2.4, 5, 3215, 'Orange', 'mobile', 0);
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 6000)
        INSERT INTO session (number, server, session_id, start, start_source, last_seen, user, remote, assigned, device, software, place)
        SELECT n, 1 + n * 7 % 3, 's' || n, 1000000 * (n * 911 % 5003), 'start', 1000000 * (n * 911 % 5003 + n * 13 % 977), 'user' || (n % 2),
            CASE WHEN n % 11 THEN '192.0.2.' || n * 31 % 17 END, '', CASE WHEN n % 5 THEN 'PC-' || n * 37 % 13 END,
            CASE WHEN n % 3 THEN 'client ' || n % 4 END, CASE WHEN n % 9 < 4 THEN 1 + n % 5 WHEN n % 9 < 7 THEN 3 END FROM n;";

    /// What a table says, a line a row.
    fn asked(store: &Store, columns: &str, group: &str, order: &str) -> Vec<String> {
        let query = format!(
            "SELECT {columns} FROM (SELECT * FROM session WHERE user = 'user1' ORDER BY start DESC, number DESC
                 LIMIT {NEWEST_COUNTED}) AS session
             JOIN server ON server.number = session.server LEFT JOIN place ON place.id = session.place
             WHERE feature IS NOT NULL GROUP BY {group} ORDER BY {order}"
        );
        let mut select = store.connection.prepare(&query).unwrap();
        select.query_map([], |row| row.get(1)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn what_the_newest_connections_have_in_common_is_what_sql_says_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        store.connection.execute_batch(FILL).unwrap();
        let reader = StoreReader::open(&path).unwrap();
        let of = |user: &str| SessionFilter { user: Some(user.to_owned()), ..SessionFilter::default() };
        let newest = reader.newest(&of("user1")).unwrap();
        assert!(newest.is_cut() && !reader.newest(&of("nobody")).unwrap().is_cut());
        assert_eq!(newest.connections.len(), NEWEST_COUNTED);

        let network =
            "CASE WHEN asn IS NULL THEN NULL ELSE 'AS' || asn || coalesce(' ' || organisation, '') END";
        for (feature, column) in [
            (Feature::Place, "place.name"),
            (Feature::Network, network),
            (Feature::Remote, "remote"),
            (Feature::Device, "device"),
            (Feature::Software, "software"),
            (Feature::Server, "coalesce(server.identifier, server.address, server.client)"),
            (Feature::User, "user"),
        ] {
            let columns = format!(
                "{column} AS feature, {column} || ' ' || count(*) || ' ' || min(start) || ' ' || max(last_seen)"
            );
            let expected = asked(&store, &columns, "feature", "max(last_seen) DESC, feature");
            let moments = |at: &str| {
                let at: jiff::Timestamp = at.parse().unwrap();
                at.as_nanosecond()
            };
            let said = |share: Share| {
                let (first, last) = (moments(&share.first_seen), moments(&share.last_seen));
                format!("{} {} {first} {last}", share.name, share.connections)
            };
            let shares: Vec<String> = newest.shares(feature, usize::MAX).into_iter().map(said).collect();
            assert_eq!(shares, expected, "{feature:?}");
            assert_eq!(newest.shares(feature, 1).len(), 1);
        }
        let columns = "remote AS feature, remote || ' ' || coalesce(place.name, '-') || ' ' || count(*)";
        let (group, order) =
            ("remote, name, country, asn", "max(last_seen) DESC, remote, name, country, asn");
        let expected = asked(&store, columns, group, order);
        let said = |location: LocationRow| {
            let place = location.place.as_deref().unwrap_or("-");
            format!("{} {place} {}", location.address, location.connections)
        };
        let locations: Vec<String> = newest.locations(usize::MAX).into_iter().map(said).collect();
        assert_eq!(locations, expected);
        let columns = "latitude AS feature, place.name || ' ' || country || ' ' || coalesce(radius_km, 0) || ' ' || count(*)";
        let expected =
            asked(&store, columns, "place.name, latitude, longitude, radius_km", "count(*) DESC, place.name");
        let said = |spot: SpotRow| {
            format!("{} {} {} {}", spot.name, spot.country.unwrap(), spot.radius_km, spot.connections)
        };
        let spots: Vec<String> = newest.spots(usize::MAX).into_iter().map(said).collect();
        assert_eq!(spots, expected);
        assert_eq!(spots.len(), 2);
        let count = newest.spot_count();
        let (placed, _): (i64, i64) = reader
            .connection()
            .query_row(
                &format!(
                    "SELECT count(latitude), count(*) FROM (SELECT place FROM session WHERE user = 'user1'
                     ORDER BY start DESC, number DESC LIMIT {NEWEST_COUNTED}) LEFT JOIN place ON place.id = place"
                ),
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!((count.places, count.connections), (2, placed));
        assert_eq!(count.elsewhere, NEWEST_COUNTED as i64 - placed);
    }
}
