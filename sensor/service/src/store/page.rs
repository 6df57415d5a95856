//! All that there is about one user, on one page.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AlertFilter, AlertState, Feature, LocationRow, SessionFilter, StoreError, StoreReader,
    row::{SessionRow, Share, UserRow},
    usual::UsualPage,
};
use crate::alert::AlertRow;

/// Most rows of one table of the page. Nobody reads more; the sessions can be asked for page by page.
const SHARES_MAX: usize = 50;

/// A user's page.
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
    /// The newest connections.
    pub sessions: Vec<SessionRow>,
}

impl StoreReader {
    /// The page of the user with this key at this time, with the newest `sessions`; `None` if nobody is known by it.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn user_page(
        &self,
        key: &str,
        sessions: usize,
        now_unix_ns: u64,
    ) -> Result<Option<UserPage>, StoreError> {
        let Some(user) = self.user(key)? else { return Ok(None) };
        let filter = SessionFilter { user: Some(key.to_owned()), ..SessionFilter::default() };
        let open = Some(AlertState::Open);
        let alerts = AlertFilter { user: Some(key.to_owned()), state: open, ..AlertFilter::default() };
        let shares = |feature| self.shares(feature, &filter, SHARES_MAX);
        Ok(Some(UserPage {
            alerts: self.alert_rows(&alerts, SHARES_MAX)?,
            usual: self.usual(key, user.first_unix_ns, now_unix_ns)?,
            user,
            locations: self.locations(&filter, SHARES_MAX)?,
            places: shares(Feature::Place)?,
            networks: shares(Feature::Network)?,
            addresses: shares(Feature::Remote)?,
            devices: shares(Feature::Device)?,
            software: shares(Feature::Software)?,
            servers: shares(Feature::Server)?,
            hours: self.hours(&filter)?,
            sessions: self.sessions(&filter, sessions)?,
        }))
    }
}
