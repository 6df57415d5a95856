//! Misuse over weeks.

use crate::chance::Chance;

use super::{DAY_S, LEARNING_DAYS, Scene, Stroke, length_s, remote};

/// One connection a week, from one address in the victim's country with one device, for three to six weeks.
pub(super) fn slow_takeover(scene: &Scene<'_>, victim: usize, chance: &mut Chance) -> Option<Vec<Stroke>> {
    let last = scene.shape.days - 1;
    let weeks = chance.between(3, 6).min((last - LEARNING_DAYS - 1) / 7);
    let first = chance.between(LEARNING_DAYS + 1, (last - weeks * 7).max(LEARNING_DAYS + 1));
    let offset_s = scene.people[victim].utc_offset_s;
    let times: Vec<_> = (0..weeks)
        .map(|week| {
            let day = (first + week * 7 + chance.between(-1, 1)).max(LEARNING_DAYS + 1);
            day * DAY_S - offset_s + chance.between(8 * 3600, 20 * 3600)
        })
        .collect();
    let at_s = *times.first()?;
    let address = remote::in_country(scene, victim, at_s, chance)?;
    let (device, software) = scene.own_device(victim, at_s, chance);
    Some(remote::strokes(times, address, &device, &software, chance))
}

/// A colleague at the same VPN server, at her own home and with her own laptop, two to six times in three weeks.
pub(super) fn shared_password(scene: &Scene<'_>, victim: usize, chance: &mut Chance) -> Option<Vec<Stroke>> {
    let gateway = scene.people[victim].gateway;
    let colleagues: Vec<_> = (0..scene.people.len())
        .filter(|it| *it != victim && scene.people[*it].gateway == gateway && !scene.own(*it).is_empty())
        .collect();
    let colleague = &scene.people[*chance.pick(&colleagues)?];
    let vendor = scene.shape.gateways[gateway].vendor;
    let first = chance.between(LEARNING_DAYS + 1, (scene.shape.days - 22).max(LEARNING_DAYS + 1));
    let mut days: Vec<_> = (0..chance.between(2, 6))
        .map(|number| first + if number == 0 { 0 } else { chance.between(0, 20) })
        .collect();
    days.sort_unstable();
    days.dedup();
    let mut strokes = Vec::new();
    for day in days {
        let start_s = day * DAY_S - colleague.utc_offset_s + chance.between(8 * 3600, 17 * 3600);
        let (_, _, home) = colleague.home(day);
        let (_, laptop) = colleague.laptop(day);
        strokes.push(Stroke {
            start_s,
            length_s: length_s(chance),
            address: home.address(scene.world, start_s, false)?,
            device: laptop.tells_name.then(|| vendor.device(laptop.key, laptop.system)).flatten(),
            software: vendor.software(laptop.system, laptop.step(&scene.shape.rollouts, day)),
        });
    }
    Some(strokes)
}
