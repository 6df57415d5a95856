//! Who had an address inside the tunnel, and when. It is what other devices of the company see of a connection.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use super::{StoreError, StoreReader, row::rfc3339};

/// Makes the table of all rows of `session` at once, sorted.
const FILL: &str = "INSERT OR IGNORE INTO assigned_address (address, began, session)
    SELECT assigned, start, number FROM session WHERE assigned <> '' AND instr(assigned, ' ') = 0
    UNION ALL
    SELECT listed.value, start, number
    FROM session, json_each('[\"' || replace(assigned, ' ', '\",\"') || '\"]') AS listed WHERE instr(assigned, ' ') > 0
    ORDER BY 1, 2, 3";

/// Lengths of the IPv6 prefixes that VPN servers assign, which an address is looked for in, bits.
const PREFIX_LENGTHS: [u8; 5] = [64, 62, 60, 56, 48];

/// An address or a prefix inside the tunnel, and who had it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundAssigned {
    /// The address or prefix.
    pub address: String,
    /// The key of the user whose connection it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When that connection began.
    pub start: String,
    /// When it ended; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

impl StoreReader {
    /// Addresses and prefixes inside the tunnel that begin so, ascending, each with who had it last. Before them the
    /// prefixes that an IPv6 address lies in.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn assigned_beginning(
        &self,
        beginning: &str,
        limit: usize,
    ) -> Result<Vec<FoundAssigned>, StoreError> {
        let beginning = canonical(beginning);
        let mut addresses = prefixes_of(&beginning);
        addresses.extend(self.beginning("assigned_address", "address", &beginning, limit)?);
        let query = "SELECT address, user, start, ended FROM assigned_address
             CROSS JOIN session ON session.number = assigned_address.session
             WHERE address = ?1 ORDER BY began DESC, assigned_address.session DESC LIMIT 1";
        let mut found = Vec::new();
        for address in addresses {
            found.extend(self.rows(query, &[Box::new(address)], |row| {
                Ok(FoundAssigned {
                    address: row.get(0)?,
                    user: row.get(1)?,
                    start: rfc3339(row.get(2)?),
                    end: row.get::<_, Option<i64>>(3)?.map(rfc3339),
                })
            })?);
        }
        found.truncate(limit);
        Ok(found)
    }
}

/// The names under which an address can be in the store: its own, and those of the prefixes that it lies in.
pub(super) fn names_of(address: &str) -> Vec<String> {
    let address = canonical(address);
    let mut names = prefixes_of(&address);
    names.insert(0, address);
    names
}

/// As the store writes addresses and prefixes; whatever is none stays as it is.
fn canonical(text: &str) -> String {
    if let Ok(address) = text.parse::<IpAddr>() {
        return address.to_canonical().to_string();
    }
    match text.parse::<IpNet>() {
        Ok(prefix) if prefix.prefix_len() == prefix.max_prefix_len() => {
            prefix.addr().to_canonical().to_string()
        }
        Ok(prefix) => prefix.trunc().to_string(),
        Err(_) => text.to_owned(),
    }
}

fn prefixes_of(address: &str) -> Vec<String> {
    let Ok(address) = address.parse::<Ipv6Addr>() else { return Vec::new() };
    let prefix = |length: u8| {
        let bits = address.to_bits() & (u128::MAX << (128 - u32::from(length)));
        format!("{}/{length}", Ipv6Addr::from_bits(bits))
    };
    PREFIX_LENGTHS.map(prefix).into()
}

/// Puts in what the triggers would have, in a table that is empty.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM assigned_address", [])?;
    connection.execute(FILL, []).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{SessionFilter, Store},
        *,
    };

    fn rows(store: &Store) -> Vec<(String, i64, i64)> {
        let query = "SELECT address, began, session FROM assigned_address";
        let mut select = store.connection.prepare(query).unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    fn row(address: &str, began: i64, session: i64) -> (String, i64, i64) {
        (address.to_owned(), began, session)
    }

    #[test]
    fn an_address_is_there_as_long_as_its_connection_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join(super::super::FILE)).unwrap();
        let change = |statement: &str| store.connection.execute_batch(statement).unwrap();
        let insert = |number: i64, start: i64, assigned: &str| {
            change(&format!(
                "INSERT INTO session (number, server, session_id, start, start_source, last_seen, assigned)
                 VALUES ({number}, 1, 's', {start}, 'start', {start}, '{assigned}')"
            ));
        };
        insert(1, 10, "");
        insert(2, 20, "10.1.2.3 2001:db8::/64");
        assert_eq!(rows(&store), [row("10.1.2.3", 20, 2), row("2001:db8::/64", 20, 2)]);
        change("UPDATE session SET assigned = '10.1.2.3' WHERE number = 1");
        change("UPDATE session SET start = 15, assigned = '10.1.2.4' WHERE number = 2");
        assert_eq!(rows(&store), [row("10.1.2.3", 10, 1), row("10.1.2.4", 15, 2)]);
        change("UPDATE session SET last_seen = 99");
        assert_eq!(rows(&store).len(), 2);
        insert(3, 30, "10.1.2.3 10.1.2.3 2001:db8::7");
        let live = rows(&store);
        fill(&store.connection).unwrap();
        assert_eq!(rows(&store), live, "at once it is the same");
        change("DELETE FROM session WHERE number <> 1; UPDATE session SET assigned = ''");
        assert!(rows(&store).is_empty());
    }

    #[test]
    fn a_connection_with_an_address_and_a_prefix_around_it_is_found_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        for (number, assigned) in
            [(1, "2001:db8::7 2001:db8::/64 2001:db8::/56"), (2, "2001:db8::/64"), (3, "2001:db8::7")]
        {
            store
                .connection
                .execute(
                    "INSERT INTO session (number, server, session_id, start, start_source, last_seen, assigned)
                     VALUES (?1, 1, 's', 10, 'start', 10, ?2)",
                    (number, assigned),
                )
                .unwrap();
        }
        let filter = SessionFilter { assigned: Some("2001:db8::7".to_owned()), ..SessionFilter::default() };
        let found = StoreReader::open(&path).unwrap().sessions(&filter, 10).unwrap();
        assert_eq!(found.iter().map(|session| session.number).collect::<Vec<_>>(), [3, 2, 1]);
    }

    #[test]
    fn an_ipv6_address_is_looked_for_in_what_is_assigned_as_a_prefix() {
        assert_eq!(names_of("10.1.2.3"), ["10.1.2.3"]);
        assert_eq!(names_of("::ffff:10.1.2.3"), ["10.1.2.3"]);
        assert_eq!(
            names_of("2001:DB8:1:22ff::7"),
            [
                "2001:db8:1:22ff::7",
                "2001:db8:1:22ff::/64",
                "2001:db8:1:22fc::/62",
                "2001:db8:1:22f0::/60",
                "2001:db8:1:2200::/56",
                "2001:db8:1::/48",
            ]
        );
        assert_eq!(names_of("2001:db8:1::/48"), ["2001:db8:1::/48"]);
        assert_eq!(names_of("2001:DB8:1::9/48"), ["2001:db8:1::/48"]);
        assert_eq!(names_of("10.1.2.3/32"), ["10.1.2.3"]);
    }
}
