//! All that there is about one user, on one page.

use insight::profile::Learning;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AlertFilter, AlertState, Feature, LocationRow, SessionFilter, StoreError, StoreReader,
    days::{STARTS_COUNTED, Starts, days, hours, utc},
    row::{SessionRow, Share, UserRow, rfc3339},
    spot::{SpotCount, SpotRow},
    usual::UsualPage,
};
use crate::alert::AlertRow;

const DAY_NS: i64 = 86_400_000_000_000;

/// Most rows of one table of the page. Nobody reads more; the sessions can be asked for page by page.
pub const SHARES_MAX: usize = 50;

/// Most points of the map.
const SPOTS_MAX: usize = 200;

/// A user's page. Where and with what is counted over the newest 2,000 connections, days and hours over the newest 40,000.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UserPage {
    /// Who it is.
    #[serde(flatten)]
    pub user: UserRow,
    /// Alerts that nobody has closed, the newest first.
    pub alerts: Vec<AlertRow>,
    /// What is usual: thirty days.
    pub usual: UsualPage,
    /// From which addresses, and where those are: the latest first.
    pub locations: Vec<LocationRow>,
    /// Where from, the latest first.
    pub places: Vec<Share>,
    /// Through whose networks.
    pub networks: Vec<Share>,
    /// From which addresses.
    pub addresses: Vec<Share>,
    /// With which devices.
    pub devices: Vec<Share>,
    /// With which client software.
    pub software: Vec<Share>,
    /// Through which VPN servers.
    pub servers: Vec<Share>,
    /// How many connections began in each hour of the week, Monday 0 h UTC first.
    pub hours: Vec<u64>,
    /// Where from, as points of a map: the most frequent first.
    pub spots: Vec<SpotRow>,
    /// How many points there are, of which those are the first.
    #[serde(skip)]
    pub spot_count: SpotCount,
    /// How many connections began on each day, UTC; days without any are left out.
    pub days: Vec<DayRow>,
    /// When connections began: for who lays out days and hours of another zone.
    #[serde(skip)]
    pub starts: Starts,
    /// The newest connections.
    pub sessions: Vec<SessionRow>,
}

/// A day and how many connections began on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayRow {
    /// UTC: `2026-11-23`.
    pub day: String,
    /// Connections.
    pub connections: u64,
}

impl StoreReader {
    /// The page of the user with this key at this time, with the newest `sessions`; `None` if nobody is known by it.
    /// `learning`: the rule that is in force.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn user_page(
        &self,
        key: &str,
        sessions: usize,
        learning: Learning,
        now_unix_ns: u64,
    ) -> Result<Option<UserPage>, StoreError> {
        let Some(user) = self.user(key)? else { return Ok(None) };
        let filter = SessionFilter { user: Some(key.to_owned()), ..SessionFilter::default() };
        let newest = self.newest(&filter)?;
        let open = Some(AlertState::Open);
        let alerts = AlertFilter { user: Some(key.to_owned()), state: open, ..AlertFilter::default() };
        let shares = |feature| newest.shares(feature, SHARES_MAX);
        let starts = self.starts(key, STARTS_COUNTED)?;
        Ok(Some(UserPage {
            alerts: self.alert_rows(&alerts, SHARES_MAX)?,
            usual: self.usual(key, user.first_unix_ns, learning, now_unix_ns)?,
            user,
            locations: newest.locations(SHARES_MAX),
            places: shares(Feature::Place),
            networks: shares(Feature::Network),
            addresses: shares(Feature::Remote),
            devices: shares(Feature::Device),
            software: shares(Feature::Software),
            servers: shares(Feature::Server),
            hours: hours(&starts.unix_ns, utc),
            spots: newest.spots(SPOTS_MAX),
            spot_count: newest.spot_count(),
            days: days(&starts.unix_ns, utc).into_iter().map(day).collect(),
            starts,
            sessions: self.sessions(&filter, sessions)?,
        }))
    }
}

fn day((unix_day, connections): (i64, u64)) -> DayRow {
    let day = rfc3339(unix_day.saturating_mul(DAY_NS)).get(..10).unwrap_or("-").to_owned();
    DayRow { day, connections }
}
