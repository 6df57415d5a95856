//! What an administrator sets. The running sensor, which holds the configuration, implements [`Administer`]; portal and API
//! call it, from threads that may block.

use std::{fmt, net::IpAddr};

pub use policy::settings::*;

/// Writes down what is going to be done. Behind an error, which says why it cannot, that is not done.
pub type Note<'a> = dyn FnMut(&Planned) -> Result<(), String> + 'a;

/// What changes the configuration of a running sensor.
pub trait Administer: Send + Sync + fmt::Debug {
    /// What is in force, and who set it.
    ///
    /// # Errors
    /// The document of what was set here cannot be read: why, in words.
    fn view(&self) -> Result<View, String>;

    /// Makes a change: all of it is in force, durably, when this returns, or nothing is. `note` is called once it is known
    /// to be sound and before anything of it is done; where it fails, nothing is. It is called once more, from the revision
    /// behind the change to the one before, if what was noted cannot be done.
    ///
    /// # Errors
    /// [`Refusal`].
    fn change(&self, change: &Change, note: &mut Note<'_>) -> Result<Saved, Refusal>;

    /// Whether accounting is on.
    fn is_accounting(&self) -> bool;

    /// Why ports of accounting are closed although it is on, if they are.
    fn closed_because(&self) -> Option<String>;

    /// Who sends without being let in, the latest first, and which clients were heard.
    fn arrivals(&self) -> Arrivals;

    /// Whether the latest request of this source was made with this secret; `None` if none of it is kept.
    fn try_secret(&self, source: IpAddr, secret: &SecretText) -> Option<bool>;

    /// A secret that nobody guesses: letters and digits.
    fn generate(&self) -> SecretText;
}
