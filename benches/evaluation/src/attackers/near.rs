//! Attackers who know where the victim lives and with which provider: from a proxy on a line near by.

use crate::chance::Chance;

use super::{Scene, Stroke, remote::strokes};

/// The same region and provider, a common client, a device of the attacker's.
pub(super) fn targeted(scene: &Scene<'_>, victim: usize, chance: &mut Chance) -> Option<Vec<Stroke>> {
    let times = scene.times(victim, 0.7, chance);
    let at_s = *times.first()?;
    let (_, _, home) = scene.people[victim].home(at_s / super::DAY_S);
    let address = home.neighbour(scene.world, chance, false)?.address(scene.world, at_s, false)?;
    let (device, software) = scene.own_device(victim, at_s, chance);
    Some(strokes(times, address, &device, &software, chance))
}

/// The same town; client and device as the victim's last connection at that time told them.
pub(super) fn very_targeted(scene: &Scene<'_>, victim: usize, chance: &mut Chance) -> Option<Vec<Stroke>> {
    let times = scene.times(victim, 0.8, chance);
    let at_s = *times.first()?;
    let (_, _, home) = scene.people[victim].home(at_s / super::DAY_S);
    let address = home.neighbour(scene.world, chance, true)?.address(scene.world, at_s, false)?;
    let last = scene.own(victim).iter().rev().find(|own| own.start_s < at_s)?;
    Some(strokes(times, address, &last.device, &last.software, chance))
}
