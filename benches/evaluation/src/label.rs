//! What each Start truly was. Kept apart from the events: whoever scores never sees it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{attackers::Model, organisation::Difficulty};

/// One line of the labels: a Start of the events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The line of the events, from 1.
    pub n: usize,
    /// The account.
    pub user: String,
    /// Whether somebody else than the account's owner connected.
    pub label: Truth,
    /// Who: one attacker has one name in all of an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attacker: Option<String>,
    /// By which model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// What makes a genuine connection look unusual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub difficulties: Vec<Difficulty>,
}

/// Whose connection it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// The account's owner.
    Genuine,
    /// Somebody else.
    Attack,
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Truth::Genuine => "genuine",
            Truth::Attack => "attack",
        })
    }
}
