//! Which sessions are asked for, as SQL about indexes that have them. What was there at a moment may have begun long before
//! it: what lasts has indexes of its own, so that all that was over by then is not looked at.

use rusqlite::ToSql;

use super::{
    assigned,
    from_place::OF_PLACE,
    row::{SESSION_COLUMNS, rfc3339},
};

pub(super) const SESSION_TABLES: &str = "session LEFT JOIN server ON server.number = session.server
    LEFT JOIN place ON place.id = session.place";

/// The same for those that are open, by their own index: it has start, VPN server and place.
const OPEN_TABLES: &str = "session INDEXED BY session_open LEFT JOIN server ON server.number = session.server
    LEFT JOIN place ON place.id = session.place";

/// The same for those that had an address inside the tunnel, by when they began.
const ASSIGNED_TABLES: &str =
    "assigned_address CROSS JOIN session ON session.number = assigned_address.session
    LEFT JOIN server ON server.number = session.server LEFT JOIN place ON place.id = session.place";

/// The same for those that lasted, or last, by whose they are and where they came from.
const LONG_OF_USER_TABLES: &str =
    "session INDEXED BY session_long_by_user LEFT JOIN server ON server.number = session.server
    LEFT JOIN place ON place.id = session.place";
const LONG_FROM_ADDRESS_TABLES: &str =
    "session INDEXED BY session_long_by_remote LEFT JOIN server ON server.number = session.server
    LEFT JOIN place ON place.id = session.place";

/// What is longer has those indexes, which say the same.
const LONG_NS: i64 = 86_400_000_000_000;
const IS_LONG: &str = "(ended IS NULL OR ended - start > 86400000000000)";

/// Which sessions, the newest first.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Of the user with this key.
    pub user: Option<String>,
    /// From this device.
    pub device: Option<String>,
    /// From this address.
    pub remote: Option<String>,
    /// That had this address inside the tunnel, or the prefix that it lies in.
    pub assigned: Option<String>,
    /// From this place, by any number of it: whatever network it was seen with and whatever database said so.
    pub place: Option<i64>,
    /// From this country, two letters.
    pub country: Option<String>,
    /// Through VPN servers with this client name or NAS-Identifier.
    pub server: Option<String>,
    /// Through the VPN server with this number.
    pub server_number: Option<i64>,
    /// With this Acct-Session-Id, in any case of its Latin letters.
    pub session: Option<String>,
    /// Only those that are not over.
    pub open: bool,
    /// Not over before, where this asks for a user, an address outside the tunnel or in it, or a session id: what was there
    /// then counts although it began before. Else begun then or later. Ns since 1970 UTC.
    pub since_unix_ns: Option<i64>,
    /// Begun before, ns since 1970 UTC.
    pub until_unix_ns: Option<i64>,
    /// Behind this one, by start and number: the last of the page before.
    pub after: Option<(i64, i64)>,
}

/// Which sessions of a filter, by when they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Began {
    /// Those that an index has in one piece.
    InReach,
    /// Those that began more than [`LONG_NS`] before the time that is asked for, and were there still.
    LongBefore,
}

impl SessionFilter {
    /// What it asks for besides the user, for the audit log: `country=FR, open`.
    pub fn details(&self) -> Option<String> {
        let text = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}={value}"));
        let time = |name: &str, value: Option<i64>| value.map(|at| format!("{name}={}", rfc3339(at)));
        let parts = [
            text("device", &self.device),
            text("remote", &self.remote),
            text("assigned", &self.assigned),
            self.place.map(|place| format!("place={place}")),
            text("country", &self.country),
            text("server", &self.server),
            self.server_number.map(|server| format!("server={server}")),
            text("session", &self.session),
            self.open.then(|| "open".to_owned()),
            time("since", self.since_unix_ns),
            time("until", self.until_unix_ns),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Whether open ones are asked for, and nothing by which fewer could be found.
    fn is_of_open_alone(&self) -> bool {
        self.open
            && self.user.is_none()
            && self.device.is_none()
            && self.remote.is_none()
            && self.session.is_none()
    }

    /// Whether `since` asks for whatever was there then or later, and not for what began.
    pub(crate) fn is_of_those_there(&self) -> bool {
        self.since_unix_ns.is_some()
            && (self.user.is_some()
                || self.remote.is_some()
                || self.assigned.is_some()
                || self.session.is_some())
    }

    /// Whether what began long before is looked for by itself. Of one session id there are few: all are looked at.
    pub(super) fn has_long_before(&self) -> bool {
        self.is_of_those_there() && self.session.is_none()
    }

    /// Sessions, the newest first, each as its index has it.
    pub(super) fn query(&self, began: Began, limit: usize) -> (String, Vec<Box<dyn ToSql>>) {
        let (condition, values) = self.condition_of(began);
        let by_start = "start DESC, session.number DESC";
        let (tables, order) = match self.tables() {
            // Inside the tunnel an address is one connection's at a time: not many had it before.
            ASSIGNED_TABLES => (ASSIGNED_TABLES, "began DESC, assigned_address.session DESC"),
            _ if began == Began::LongBefore && self.user.is_some() => (LONG_OF_USER_TABLES, by_start),
            _ if began == Began::LongBefore => (LONG_FROM_ADDRESS_TABLES, by_start),
            _ if self.is_of_open_alone() => (OPEN_TABLES, by_start),
            other => (other, by_start),
        };
        let query = format!(
            "SELECT {SESSION_COLUMNS} FROM {tables} WHERE {condition} ORDER BY {order} LIMIT {limit}"
        );
        (query, values)
    }

    /// What its condition is about.
    pub(super) fn tables(&self) -> &'static str {
        if self.assigned.is_some() { ASSIGNED_TABLES } else { SESSION_TABLES }
    }

    /// As SQL about its [`tables`](Self::tables), with the values for its parameters in their order. Without what began long
    /// before a time that is asked for.
    pub(super) fn condition(&self) -> (String, Vec<Box<dyn ToSql>>) {
        self.condition_of(Began::InReach)
    }

    fn condition_of(&self, began: Began) -> (String, Vec<Box<dyn ToSql>>) {
        let mut conditions = vec!["TRUE".to_owned()];
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        let mut add = |condition: &str, value: Box<dyn ToSql>| {
            values.push(value);
            conditions.push(condition.replace('?', &format!("?{}", values.len())));
        };
        // As the address' own table has it.
        let start = if self.assigned.is_some() { "began" } else { "start" };
        if let Some(address) = &self.assigned {
            match &assigned::names_of(address)[..] {
                [name] => add("assigned_address.address = ?", Box::new(name.clone())),
                // A connection that has the address and a prefix around it counts once.
                names => add(
                    "assigned_address.address IN (SELECT value FROM json_each(?)) AND NOT EXISTS
                     (SELECT 1 FROM json_each(?) AS named JOIN assigned_address AS lower ON lower.address = named.value
                      WHERE named.value < assigned_address.address AND lower.began = assigned_address.began
                      AND lower.session = assigned_address.session)",
                    // Plain data can always be written.
                    Box::new(serde_json::to_string(names).unwrap_or_default()),
                ),
            }
        }
        for (column, text) in [
            ("user = ?", &self.user),
            ("device = ?", &self.device),
            ("remote = ?", &self.remote),
            ("country = ?", &self.country),
            ("session_id = ? COLLATE NOCASE", &self.session),
            // By number, as the index has it.
            (
                "session.server IN (SELECT number FROM server AS named WHERE named.client = ? OR named.identifier = ?)",
                &self.server,
            ),
        ] {
            if let Some(text) = text {
                add(column, Box::new(text.clone()));
            }
        }
        // Fewer are found by all else that is asked for.
        let from_place = format!("+session.place IN (SELECT same.id FROM {OF_PLACE})");
        for (column, number) in [
            (&*from_place, self.place),
            ("session.server = ?", self.server_number),
            (&*format!("{start} < ?"), self.until_unix_ns),
        ] {
            if let Some(number) = number {
                add(column, Box::new(number));
            }
        }
        if let Some(since) = self.since_unix_ns {
            let in_reach = since.saturating_sub(LONG_NS);
            match began {
                _ if !self.is_of_those_there() => add(&format!("{start} >= ?"), Box::new(since)),
                _ if !self.has_long_before() => {}
                Began::InReach => add(&format!("{start} >= ?"), Box::new(in_reach)),
                Began::LongBefore => add(&format!("{start} < ?"), Box::new(in_reach)),
            }
            if self.is_of_those_there() {
                // By a clock that was set back one may end before it begins.
                add("(ended IS NULL OR max(start, ended) >= ?)", Box::new(since));
            }
        }
        if let Some((at, number)) = self.after {
            add(&format!("{start} <= ?"), Box::new(at));
            add(&format!("({start} < {at} OR session.number < ?)"), Box::new(number));
        }
        if self.open {
            conditions.push("ended IS NULL".to_owned());
        }
        if began == Began::LongBefore {
            conditions.push(IS_LONG.to_owned());
        }
        (conditions.join(" AND "), values)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Store, StoreReader},
        *,
    };

    const HOUR_NS: i64 = 3_600_000_000_000;
    const DAY_NS: i64 = 24 * HOUR_NS;

    /// A session of alice from one address, with another inside the tunnel: when it began and ended, hours.
    fn insert(store: &Store, number: i64, start_h: i64, end_h: Option<i64>) {
        store
            .connection
            .execute(
                "INSERT INTO session (number, server, session_id, start, start_source, last_seen, ended, user, remote, assigned)
                 VALUES (?1, 1, 's' || ?1, ?2, 'start', coalesce(?3, ?2), ?3, 'alice', '192.0.2.1', '10.1.2.3 2001:db8::/64')",
                (number, start_h * HOUR_NS, end_h.map(|end| end * HOUR_NS)),
            )
            .unwrap();
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    /// All ways of asking for her, by what may have begun long before.
    fn hers() -> [SessionFilter; 5] {
        [
            SessionFilter { user: text("alice"), ..SessionFilter::default() },
            SessionFilter { remote: text("192.0.2.1"), ..SessionFilter::default() },
            SessionFilter { assigned: text("10.1.2.3"), ..SessionFilter::default() },
            SessionFilter { assigned: text("2001:db8::7"), ..SessionFilter::default() },
            SessionFilter { user: text("alice"), remote: text("192.0.2.1"), ..SessionFilter::default() },
        ]
    }

    fn numbers(reader: &StoreReader, filter: &SessionFilter, limit: usize) -> Vec<i64> {
        reader.sessions(filter, limit).unwrap().iter().map(|session| session.number).collect()
    }

    #[test]
    fn whatever_was_there_is_found_however_long_before_it_began() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        // Day 50 is asked for. Over before; of 40 days, and of 45 over before; open since; an evening and the night; in it;
        // behind it.
        insert(&store, 1, 100, Some(110));
        insert(&store, 2, 10 * 24, Some(50 * 24 + 5));
        insert(&store, 3, 2 * 24, Some(47 * 24));
        insert(&store, 4, 20 * 24, None);
        insert(&store, 5, 50 * 24 - 6, Some(50 * 24 + 1));
        insert(&store, 6, 50 * 24 + 8, Some(50 * 24 + 9));
        insert(&store, 7, 51 * 24, Some(51 * 24 + 1));
        insert(&store, 8, 50 * 24 - 9, Some(50 * 24 - 1));
        let reader = StoreReader::open(&path).unwrap();
        for filter in hers() {
            let day = SessionFilter {
                since_unix_ns: Some(50 * DAY_NS),
                until_unix_ns: Some(51 * DAY_NS),
                ..filter.clone()
            };
            assert_eq!(numbers(&reader, &day, 10), [6, 5, 4, 2], "{filter:?}");
            assert_eq!(numbers(&reader, &day, 3), [6, 5, 4], "{filter:?}");
            // Page by page, also over the place where the one index ends and the other begins.
            let mut after = None;
            let mut seen = Vec::new();
            while let Some(row) =
                reader.sessions(&SessionFilter { after, ..day.clone() }, 1).unwrap().into_iter().next()
            {
                seen.push(row.number);
                after = Some((row.start_unix_ns, row.number));
            }
            assert_eq!(seen, [6, 5, 4, 2], "{filter:?}");
            assert_eq!(numbers(&reader, &SessionFilter { open: true, ..day }, 10), [4]);
        }
        let of_id = |id: &str| SessionFilter {
            session: text(id),
            since_unix_ns: Some(50 * DAY_NS),
            ..SessionFilter::default()
        };
        assert_eq!(
            (numbers(&reader, &of_id("s2"), 10), numbers(&reader, &of_id("s3"), 10)),
            (vec![2], vec![])
        );
        let anybody = SessionFilter { since_unix_ns: Some(50 * DAY_NS), ..SessionFilter::default() };
        assert_eq!(numbers(&reader, &anybody, 10), [7, 6], "of everybody what began");
    }

    #[test]
    fn what_began_long_before_is_read_from_indexes_of_what_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        drop(Store::open(&path).unwrap());
        let reader = StoreReader::open(&path).unwrap();
        let [of_user, from_address, inside, _, of_both] = hers();
        for (filter, near, before) in [
            (
                of_user,
                "session_by_user (user=? AND start>? AND start<?)",
                "session_long_by_user (user=? AND start<?)",
            ),
            (
                from_address,
                "session_by_remote (remote=? AND start>? AND start<?)",
                "session_long_by_remote (remote=? AND start<?)",
            ),
            (
                inside,
                "PRIMARY KEY (address=? AND began>? AND began<?)",
                "PRIMARY KEY (address=? AND began<?)",
            ),
            (of_both, "(", "session_long_by_user (user=? AND start<?)"),
        ] {
            let filter = SessionFilter {
                since_unix_ns: Some(50 * DAY_NS),
                until_unix_ns: Some(51 * DAY_NS),
                ..filter
            };
            for (began, index) in [(Began::InReach, near), (Began::LongBefore, before)] {
                let (query, values) = filter.query(began, 50);
                let plan = reader.plan(&query, &values);
                assert!(plan[0].contains(index), "{began:?} {filter:?}: {plan:?}");
                // Of what lasts those that began in one moment are sorted by number: the end, which is looked at, stands before it.
                let sorts = |step: &String| step.contains("TEMP B-TREE") && !step.contains("LAST TERM");
                assert!(!plan.iter().any(sorts), "{plan:?}");
            }
        }
    }
}
