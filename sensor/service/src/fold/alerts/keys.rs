//! By what reasons of one alert are the same, and which are news.

use insight::detect::{Detection, Reason, ReasonFeature};

/// What keys of the score of somebody who is not learned begin with.
const UNLEARNED: &str = "unlearned ";

/// By what two reasons are one: another place is another one.
pub(super) fn key(reason: &Reason) -> String {
    use Detection::{AddressChange, ImpossibleTravel, SimultaneousSessions};
    let feature = reason.feature.map_or("", ReasonFeature::name);
    match reason.detection {
        // Once its user is learned, people are told by the name that they know.
        Detection::UnlearnedUser if is_of_value(reason) => format!("{UNLEARNED}{feature} {}", reason.seen),
        Detection::UnlearnedUser => format!("{UNLEARNED}{feature}"),
        Detection::SuspiciousConnection if is_of_value(reason) => format!("{feature} {}", reason.seen),
        Detection::SuspiciousConnection => feature.to_owned(),
        detection @ (AddressChange | ImpossibleTravel | SimultaneousSessions) => {
            format!("{} {}", detection.name(), reason.seen)
        }
        detection => detection.name().to_owned(),
    }
}

/// Whether what a reason adds to the score was counted with one of this key. That somebody travels too fast counts once,
/// wherever to.
pub(super) fn counts_as(known: &str, reason: &Reason) -> bool {
    match reason.detection {
        detection if detection.is_by_score() => {
            let key = key(reason);
            known.strip_prefix(UNLEARNED).unwrap_or(known) == key.strip_prefix(UNLEARNED).unwrap_or(&key)
        }
        detection => known.split(' ').next() == Some(detection.name()),
    }
}

/// Whether a reason that an alert does not have is worth another word: not the hour, nor another address of a network.
pub(super) fn is_news(reason: &Reason) -> bool {
    !reason.detection.is_by_score() || is_of_value(reason)
}

/// Of these another value is another reason.
fn is_of_value(reason: &Reason) -> bool {
    use ReasonFeature::{Country, Device, Network, Place};
    matches!(reason.feature, Some(Country | Place | Network | Device))
}
