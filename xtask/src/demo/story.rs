//! The account of one of the users is stolen: what the attacker does, and what the sensor says of it.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{Counters, PATIENCE, Wire};
use crate::program::succeed;

/// Whose account it is.
const USER: &str = "alice";
/// What the ASA says of the attacker's connection: a server for rent in Singapore, a computer that nobody knows.
const THEFT: [&str; 12] = [
    "--vendor",
    "asa",
    "--user",
    USER,
    "--calling-station-id",
    "128.199.64.23",
    "--attribute",
    "Cisco-AVPair=mdm-tlv=device-uid=DESKTOP-4F8K2",
    "--attribute",
    "Cisco-AVPair=mdm-tlv=device-platform=win",
    "--attribute",
    "Cisco-AVPair=mdm-tlv=ac-user-agent=AnyConnect Windows 4.10.04065",
];
/// What an alert may take behind its datagram.
const IN_TIME: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

/// Tells it, once all that was recorded of the month is in the store.
pub(super) fn tell(wire: &Wire, configuration: &Path, agent: &ureq::Agent) -> anyhow::Result<()> {
    let begin = Instant::now();
    while Counters::read(agent, wire.metrics)?.lag != Some(0.0) {
        ensure!(begin.elapsed() < PATIENCE, "the store does not catch up with the records");
        thread::sleep(LOOK);
    }
    let alerts = alerts(wire, configuration)?;
    ensure!(alerts.is_empty(), "the month raised alerts, and none of it was a stranger: {alerts:#?}");
    println!(
        "\nforty people worked for a month, from home, on trains, in hotels, one in California: no alert"
    );

    println!(
        "\nnow somebody else has {USER}'s password, and connects to the ASA from a rented server in Singapore:"
    );
    println!("$ vpn-sensor send {}", shown(&THEFT));
    let mut theft = wire.send_from("asa", &THEFT)?;
    ensure!(theft.stdout(Stdio::null()).status()?.success(), "the attacker's connection was not answered");
    let answered = Instant::now();
    let alerts = loop {
        let alerts = self::alerts(wire, configuration)?;
        if !alerts.is_empty() {
            break alerts;
        }
        ensure!(answered.elapsed() < IN_TIME, "no alert within {IN_TIME:?}");
        thread::sleep(LOOK);
    };
    let seconds = answered.elapsed().as_secs_f64();
    let [alert] = &alerts[..] else { anyhow::bail!("one theft raised {} alerts: {alerts:#?}", alerts.len()) };
    let number = alert["number"].as_u64().context("an alert without a number")?;
    println!("the alert is there, {seconds:.1} s behind the answer to the ASA. {USER}'s page has it on top:");

    let ask = |arguments: &str| {
        println!("\n$ vpn-sensor {arguments}");
        succeed(&mut program(wire, arguments, configuration))
    };
    ask(&format!("user {USER}"))?;
    ask(&format!("alerts show {number}"))?;
    println!(
        "\nthat was the only alert of the month. On a sensor of yours you would now call {USER}, and close it:\n\
         vpn-sensor alerts close {number} --as malicious --comment \"not her\"   what it taught is taken back\n\
         vpn-sensor alerts close {number} --as usual --comment \"a trip\"        from then on it is expected"
    );
    Ok(())
}

fn alerts(wire: &Wire, configuration: &Path) -> anyhow::Result<Vec<serde_json::Value>> {
    let output = program(wire, "alerts --format json", configuration).output()?;
    ensure!(output.status.success(), "vpn-sensor alerts: {}", String::from_utf8_lossy(&output.stderr));
    let lines = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    lines.collect::<Result<_, _>>().context("vpn-sensor alerts prints no JSON")
}

fn program(wire: &Wire, arguments: &str, configuration: &Path) -> Command {
    let mut command = Command::new(&wire.program);
    command.args(arguments.split(' ')).arg("--config").arg(configuration);
    command
}

/// As it would be typed.
fn shown(arguments: &[&str]) -> String {
    let mut text = String::new();
    for argument in arguments {
        let begin = if *argument == "--attribute" { " \\\n    " } else { " " };
        let quote = if argument.contains(' ') { "'" } else { "" };
        text += &format!("{begin}{quote}{argument}{quote}");
    }
    text.trim_start().to_owned()
}
