//! The portal beyond loopback: TLS alone, by a made or a given certificate, which a SIGHUP changes.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use end_to_end::{
    Wire,
    config::Config,
    sensor::Home,
    tools::{need_program, output},
    wire::SENSOR_V4,
};

/// What `curl` of another host gets: head and body, or what it says.
fn curl(wire: &Wire, url: &str, authority: &Path) -> Result<String, String> {
    need_program("curl", "curl");
    let mut command = wire.nas.command("curl");
    command.args(["--silent", "--show-error", "--include", "--max-time", "20", "--cacert"]);
    let output = output(command.arg(authority).arg(url));
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    Err(String::from_utf8(output.stderr).unwrap())
}

#[test]
fn another_host_is_served_over_tls_alone_and_a_sighup_brings_another_certificate() {
    let wire = Wire::new();
    let address = format!("{SENSOR_V4}:8813");
    let config = |more: &str| Config::udp().lines(&format!("[portal]\naddress = {address:?}\n{more}"));
    let home = Home::new(&config(""));
    let sensor = home.start(&wire.sensor);
    let made = home.state().join("portal.pem");
    assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
    let page = format!("https://{address}/sign-in");

    let answer = curl(&wire, &page, &made).unwrap();
    assert!(answer.contains("Password"), "{answer}");
    assert!(answer.to_lowercase().contains("strict-transport-security: max-age=31536000"), "{answer}");
    curl(&wire, &format!("http://{address}/sign-in"), &made).unwrap_err();

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let given = rcgen::generate_simple_self_signed([SENSOR_V4.to_string()]).unwrap();
    fs::write(path("cert.pem"), given.cert.pem()).unwrap();
    fs::write(path("key.pem"), given.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(path("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    let keys = |certificate: &str| {
        let (certificate, key) = (path(certificate), path("key.pem"));
        config(&format!("certificate = {certificate:?}\nkey = {key:?}\n"))
    };
    home.configure(&keys("cert.pem"));
    sensor.reload("the configuration is in force");
    let answer = curl(&wire, &page, &path("cert.pem")).unwrap();
    assert!(answer.contains("Password"), "{answer}");
    let refused = curl(&wire, &page, &made).unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");

    // The certificate of another key: what was in force stays.
    let other = rcgen::generate_simple_self_signed([SENSOR_V4.to_string()]).unwrap();
    fs::write(path("other.pem"), other.cert.pem()).unwrap();
    home.configure(&keys("other.pem"));
    sensor.reload("certificate and key do not go together");
    curl(&wire, &page, &path("cert.pem")).unwrap();

    // Renewed in place, as programs do that fetch certificates.
    let renewed = rcgen::generate_simple_self_signed([SENSOR_V4.to_string()]).unwrap();
    fs::write(path("cert.pem"), renewed.cert.pem()).unwrap();
    fs::write(path("key.pem"), renewed.signing_key.serialize_pem()).unwrap();
    home.configure(&keys("cert.pem"));
    sensor.reload("the configuration is in force");
    curl(&wire, &page, &path("cert.pem")).unwrap();
}
