//! Each detection at its threshold, bad days, an organisation with attackers among its people, snapshots, properties.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod organisation;
