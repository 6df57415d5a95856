//! The sensor as it runs, over real wires: each test in network namespaces of its own. One program, so that those which wait
//! are beside those which work.
//!
//! | file | what lives there |
//! |---|---|
//! | `records`, `wire_forms`, `duplicates`, `silence`, `radclient` | what is recorded and answered, and what is not |
//! | `lifecycle`, `choices`, `queues`, `system_calls` | starting, reloading, devices, queues, what a packet costs |
//! | `crash`, `disk_faults` | bad days of the host |
//! | `events`, `service/`, `alerts`, `forget` | what becomes of records: sessions, store, alerts; persons forgotten |
//! | `sinks/`, `health` | what is told, and where to |
//! | `settings`, `set_in_portal`, `secrets_and_tabs`, `lists`, `portal_tls` | the portal of a running sensor |
//! | `top`, `documentation` | the command line, and each command of the documentation |
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod alerts;
mod choices;
mod crash;
mod disk_faults;
mod documentation;
mod duplicates;
mod events;
mod forget;
mod health;
mod lifecycle;
mod lists;
mod portal_tls;
mod queues;
mod radclient;
mod records;
mod secrets_and_tabs;
mod service;
mod set_in_portal;
mod settings;
mod silence;
mod sinks;
mod system_calls;
mod top;
mod wire_forms;
