//! The watch on links and addresses, over real devices in namespaces of the test's own. Needs root.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::time::Duration;

use end_to_end::{
    PATIENCE, Wire, wait_for,
    wire::{NAS_DEVICE, SENSOR_DEVICE, SENSOR_V4, SENSOR_V6},
};
use ingest::capture::netlink::{Address, Event, Link, Watch};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Waits for the event for which `wanted` has an answer; the watch's descriptor has to say that it is there.
fn event<T>(watch: &mut Watch, description: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
    wait_for(description, PATIENCE, || {
        let timeout = Timespec { tv_sec: 1, tv_nsec: 0 };
        poll(&mut [PollFd::new(&*watch, PollFlags::IN)], Some(&timeout)).unwrap();
        watch.events().unwrap().iter().find_map(&wanted)
    })
}

fn link(watch: &mut Watch, name: &str) -> Link {
    watch.links().unwrap().into_iter().find(|link| link.name == name).unwrap()
}

#[test]
fn links_and_addresses_are_told_at_start() {
    let wire = Wire::new();
    let mut watch = wire.sensor.enter(Watch::open).unwrap();
    let sensor = link(&mut watch, SENSOR_DEVICE);
    assert_eq!((sensor.mtu, sensor.up, &sensor.xdp_program_ids[..]), (1500, true, &[][..]));
    let addresses = watch.addresses().unwrap();
    for (address, prefix_length) in [(SENSOR_V4.into(), 24), (SENSOR_V6.into(), 64)] {
        let expected = Address { interface: sensor.index, address, prefix_length };
        assert!(addresses.contains(&expected), "{expected:?} in {addresses:?}");
    }
    assert!(addresses.iter().any(|held| held.address.is_loopback()));
}

#[test]
fn a_deleted_device_is_an_event() {
    let wire = Wire::new();
    let mut watch = wire.sensor.enter(Watch::open).unwrap();
    let index = link(&mut watch, SENSOR_DEVICE).index;
    wire.nas.ip(&format!("link delete {NAS_DEVICE}"));
    let name = event(&mut watch, "the device's removal", |event| match event {
        Event::LinkRemoved { index: removed, name } if *removed == index => Some(name.clone()),
        _ => None,
    });
    assert_eq!(name, SENSOR_DEVICE);
    assert!(watch.links().unwrap().iter().all(|link| link.index != index));
}

#[test]
fn down_and_up_again_are_events_of_a_link_that_stays() {
    let wire = Wire::new();
    let mut watch = wire.sensor.enter(Watch::open).unwrap();
    for (state, up) in [("down", false), ("up", true)] {
        wire.sensor.ip(&format!("link set {SENSOR_DEVICE} {state}"));
        event(&mut watch, state, |event| match event {
            Event::Link(link) if link.name == SENSOR_DEVICE && link.up == up => Some(()),
            Event::LinkRemoved { .. } => panic!("{event:?}"),
            _ => None,
        });
    }
}

#[test]
fn added_and_removed_addresses_are_events() {
    let wire = Wire::new();
    let mut watch = wire.sensor.enter(Watch::open).unwrap();
    let interface = link(&mut watch, SENSOR_DEVICE).index;
    for (text, prefix_length) in [("198.51.100.9", 25), ("2001:db8:5::9", 64)] {
        let expected = Address { interface, address: text.parse().unwrap(), prefix_length };
        let nodad = if expected.address.is_ipv6() { "nodad" } else { "" };
        wire.sensor.ip(&format!("address add {text}/{prefix_length} dev {SENSOR_DEVICE} {nodad}"));
        event(&mut watch, "the address", |event| (*event == Event::AddressAdded(expected)).then_some(()));
        assert!(watch.addresses().unwrap().contains(&expected));
        wire.sensor.ip(&format!("address delete {text}/{prefix_length} dev {SENSOR_DEVICE}"));
        event(&mut watch, "its end", |event| (*event == Event::AddressRemoved(expected)).then_some(()));
        assert!(!watch.addresses().unwrap().contains(&expected));
    }
}

#[test]
fn without_news_nothing_blocks() {
    let wire = Wire::new();
    let mut watch = wire.sensor.enter(Watch::open).unwrap();
    // What making the wire still has to say.
    std::thread::sleep(Duration::from_millis(200));
    watch.events().unwrap();
    assert_eq!(watch.events().unwrap(), []);
}
