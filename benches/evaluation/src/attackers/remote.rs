//! Attackers who know little of where the victim is.

use std::net::IpAddr;

use crate::{chance::Chance, organisation::person::Access};

use super::{Scene, Stroke, length_s};

/// Any address in the world; half of them change it between connections.
pub(super) fn naive(scene: &Scene<'_>, victim: usize, chance: &mut Chance) -> Option<Vec<Stroke>> {
    let (_, mut address) = scene.world.anywhere(chance)?;
    let changes = chance.happens(0.5);
    let times = scene.times(victim, 0.3, chance);
    let (device, software) = scene.own_device(victim, *times.first()?, chance);
    let mut strokes = Vec::new();
    for start_s in times {
        strokes.push(Stroke {
            start_s,
            length_s: length_s(chance),
            address,
            device: device.clone(),
            software: software.clone(),
        });
        if changes {
            address = scene.world.anywhere(chance)?.1;
        }
    }
    Some(strokes)
}

/// The victim's country: two in three from a rented server or a VPN's exit, one from somebody's line.
pub(super) fn vpn(scene: &Scene<'_>, victim: usize, chance: &mut Chance) -> Option<Vec<Stroke>> {
    let times = scene.times(victim, 0.6, chance);
    let (device, software) = scene.own_device(victim, *times.first()?, chance);
    let address = in_country(scene, victim, *times.first()?, chance)?;
    Some(strokes(times, address, &device, &software, chance))
}

/// While the victim is connected: from any of the ways above.
pub(super) fn session_overlap(scene: &Scene<'_>, victim: usize, chance: &mut Chance) -> Option<Vec<Stroke>> {
    let earliest_s = (super::LEARNING_DAYS + 1) * super::DAY_S;
    let latest_s = (scene.shape.days - 1) * super::DAY_S;
    let open: Vec<_> = scene
        .own(victim)
        .iter()
        .filter(|own| {
            own.start_s >= earliest_s && own.start_s < latest_s && own.length_s() >= 1800 && !own.lost_start
        })
        .collect();
    let first = chance.pick(&open)?;
    let near: Vec<_> =
        open.iter().filter(|own| (own.start_s - first.start_s).abs() <= 3 * super::DAY_S).collect();
    let mut times = vec![first.start_s + first.length_s() * chance.between(10, 80) / 100];
    for _ in 0..chance.between(0, 2) {
        let own = chance.pick(&near)?;
        times.push(own.start_s + own.length_s() * chance.between(10, 80) / 100);
    }
    times.sort_unstable();
    times.dedup();
    let (device, software) = scene.own_device(victim, times[0], chance);
    let address = match chance.weighted(&[1.0, 2.0]) {
        0 => scene.world.anywhere(chance)?.1,
        _ => in_country(scene, victim, times[0], chance)?,
    };
    Some(strokes(times, address, &device, &software, chance))
}

/// A rented server in the victim's country, or one in three a line of any provider there.
pub(super) fn in_country(scene: &Scene<'_>, victim: usize, at_s: i64, chance: &mut Chance) -> Option<IpAddr> {
    let country = &scene.people[victim].country;
    if chance.happens(2.0 / 3.0) {
        return Some(Access::rented(scene.world, country, chance)?.1);
    }
    Access::home(scene.world, country, chance, 0.0)?.address(scene.world, at_s, false)
}

pub(super) fn strokes(
    times: Vec<i64>,
    address: IpAddr,
    device: &Option<String>,
    software: &Option<String>,
    chance: &mut Chance,
) -> Vec<Stroke> {
    times
        .into_iter()
        .map(|start_s| Stroke {
            start_s,
            length_s: length_s(chance),
            address,
            device: device.clone(),
            software: software.clone(),
        })
        .collect()
}
