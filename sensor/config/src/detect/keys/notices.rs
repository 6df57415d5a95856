//! The keys of `[detect]` that bound how often people are told of one alert.

use policy::Detecting;

use super::{DAY, Key, Value};

/// Of one alert, in the order of the documentation; `notices_per_day` and `accept_after` stand before them.
pub(in crate::detect) fn of_notices(detecting: &mut Detecting) -> Vec<Key<'_>> {
    vec![
        Key {
            name: "notices_per_alert",
            reason: "So often one alert is told as it grows; beyond, only if it gets more urgent, and the rest is listed as \
                     held back. 32: somebody who has something new in each connection fills neither a mailbox nor the \
                     store.",
            // What an alert keeps of what it was told with is bounded for these.
            value: Value::Count(&mut detecting.notices_per_alert, 1..=100),
        },
        Key {
            name: "high_within",
            reason: "What an alert of high severity gathers so is sent within this. One hour: as long as a person may look \
                     away, and two rows an hour of a flood that goes on.",
            value: Value::Seconds(&mut detecting.high_within_s, 600..=DAY),
        },
    ]
}
