//! Every command in the README and the guides is run as it stands there, against a sensor started by the README's own
//! first command, in network and mount namespaces of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The commands of a page: the lines of its `sh` blocks, and inline code that begins with our program or task runner.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fence: Option<bool> = None;
    for line in page.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = match fence {
                Some(_) => None,
                None => Some(language == "sh"),
            };
            continue;
        }
        match fence {
            Some(true) => found.push(line.to_owned()),
            Some(false) => {}
            None => found.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .filter(|code| code.starts_with("vpn-sensor ") || code.starts_with("cargo xtask "))
                    .map(str::to_owned),
            ),
        }
    }
    found
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn pages() -> Vec<(PathBuf, String)> {
    let root = repository();
    let mut paths = vec![root.join("README.md")];
    for entry in fs::read_dir(root.join("sensor/docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// As a person at a shell has it: cargo tells its tests of their package, and what it builds below them would be built
/// anew for that. What `cargo xtask test` says of the release profile stays, so that nothing is built twice.
fn as_from_a_shell(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.current_dir(repository())
}

/// Runs a shell script as root of fresh network, mount and process namespaces, with an empty /var/lib and /etc/vpn-sensor.
/// Nor has it the names of our network namespaces: to what it runs they would be left behind by processes that are no more.
fn isolated(script: &str) -> Output {
    let output = as_from_a_shell(&mut Command::new("unshare"))
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-euo", "pipefail", "-c"])
        .arg(format!(
            "ip link set lo up; mount -t tmpfs tmpfs /var/lib; mkdir -p /run/vpn-sensor-documentation /run/netns\n\
             mount -t tmpfs tmpfs /run/netns\n{script}"
        ))
        .output()
        .expect("unshare (util-linux) runs: install util-linux");
    assert!(
        output.status.success(),
        "{}\nstdout:\n{}\nstderr:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[test]
fn every_command_of_the_sensor_in_the_documentation_runs() {
    let stage = Stage::new();
    let mut script = stage.script();
    let mut started = false;
    let mut count = 0;
    for (path, command) in all_commands().filter(|(_, command)| !is_task(command)) {
        count += 1;
        let mut command = command
            .replace("--config FILE", &format!("--config {}", stage.configuration().display()))
            .replace("--out DIR", &format!("--out {}", stage.folder.path().join("man").display()));
        if command.ends_with("vpn-sensor -- run") {
            assert!(!started, "{}: only one command may start the sensor", path.display());
            started = true;
            command = format!("{command} &\nready");
        }
        script += &shown(&command);
    }
    assert!(started, "no page starts the sensor");
    assert!(count >= 6, "only {count} commands were found: has the pages' form changed?");
    let output = isolated(&script);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("\"alice\""), "journal dump shows the request that the README sends:\n{stdout}");
}

#[test]
fn every_task_in_the_documentation_runs() {
    let stage = Stage::new();
    let mut script = stage.script();
    let mut count = 0;
    for (_, command) in all_commands().filter(|(_, command)| is_task(command)) {
        // The test command cannot run itself, and the eBPF object is not to be rebuilt by a test: the gate runs both.
        if ["cargo xtask test", "cargo xtask ebpf"].contains(&&*command) {
            continue;
        }
        count += 1;
        script += &shown(&match &*command {
            // All benches take a quarter of an hour: one of them proves the command.
            "cargo xtask bench" => format!("{command} digest --quick"),
            "cargo xtask evaluate" => format!("{command} --quick"),
            // The pictures that are there stay as they are.
            "cargo xtask screenshots" => {
                format!("{command} --out {}", stage.folder.path().join("pictures").display())
            }
            _ => command,
        });
    }
    assert!(count >= 6, "only {count} commands were found: has the pages' form changed?");
    isolated(&script);
}

fn all_commands() -> impl Iterator<Item = (PathBuf, String)> {
    let all = pages()
        .into_iter()
        .flat_map(|(path, page)| commands(&page).into_iter().map(move |command| (path.clone(), command)));
    all.filter(|(_, command)| !command.trim().is_empty())
}

fn is_task(command: &str) -> bool {
    command.starts_with("cargo xtask")
}

/// A command, behind a line that shows it.
fn shown(command: &str) -> String {
    // In quotes that keep the shell from running it for the sake of showing it.
    format!("echo '$ {}' >&2\n{command} </dev/null\n", command.replace('\'', r"'\''"))
}

/// What the commands need: a program that is built, and a configuration.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Stage {
        // What the first command builds may take minutes, and readiness is waited for by the second.
        let built = as_from_a_shell(&mut Command::new("cargo"))
            .args(["build", "--quiet", "--release", "--bin", "vpn-sensor"])
            .status();
        assert!(built.expect("cargo").success(), "the release build");
        let stage = Stage { folder: tempfile::tempdir().unwrap() };
        let secret = stage.folder.path().join("branch.secret");
        fs::write(&secret, "sixteen octets or more").unwrap();
        let text = format!(
            "state_dir = \"/var/lib/vpn-sensor\"\n[[client]]\nname = \"branch\"\naddress = [\"127.0.0.0/8\"]\nsecret_file = \"{}\"\n",
            secret.display()
        );
        fs::write(stage.configuration(), text).unwrap();
        stage
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("sensor.toml")
    }

    /// What a script begins with.
    fn script(&self) -> String {
        format!(
            "vpn-sensor() {{ {} \"$@\"; }}\nready() {{ for i in $(seq 600); do \
             if (exec 3<>/dev/tcp/127.0.0.1/9813 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '200 OK' <&3) 2>/dev/null; \
             then return; fi; sleep 0.1; done; echo 'the sensor is not ready after 60 s' >&2; exit 1; }}\n",
            end_to_end::sensor::program().display()
        )
    }
}

#[test]
fn the_readme_configuration_is_valid() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let block = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("branch.secret");
    fs::write(&secret, "sixteen octets or more").unwrap();
    let configuration = folder.path().join("sensor.toml");
    fs::write(&configuration, block.replace("/etc/vpn-sensor/branch.secret", &secret.display().to_string()))
        .unwrap();
    let output = Command::new(end_to_end::sensor::program())
        .arg("check")
        .arg("--config")
        .arg(&configuration)
        .output()
        .unwrap();
    // 3 says that this host lacks something for XDP; 2 would say that the file is wrong.
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn links_between_pages_lead_somewhere() {
    for (path, page) in pages() {
        for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !target.contains("://") && !target.starts_with('#') {
                let file = path.parent().unwrap().join(target.split('#').next().unwrap());
                assert!(file.exists(), "{}: {target} leads nowhere", path.display());
            }
        }
    }
}

#[test]
fn r73_the_readme_says_that_accounting_over_udp_is_in_clear() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let limits = readme.split("## Limits").nth(1).unwrap().split("\n## ").next().unwrap();
    for said in
        ["user names and addresses in clear", "management network", "IPsec", "protection against replay"]
    {
        assert!(limits.contains(said), "the README's limits do not speak of: {said}");
    }
}

#[test]
fn every_rule_of_the_conformance_page_has_a_test_with_its_number() {
    let root = repository();
    let page = fs::read_to_string(root.join("sensor/docs/conformance.md")).unwrap();
    let rules: Vec<u32> =
        page.lines().filter_map(|line| line.strip_prefix("| R")?.split(' ').next()?.parse().ok()).collect();
    assert_eq!(rules, (1..=76).collect::<Vec<_>>(), "the page's rules");
    let mut tested = std::collections::BTreeSet::new();
    let mut folders = vec![root.join("sensor"), root.join("tests/tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).unwrap();
                // `fn r44_r51_a_name()`: every leading part that is a number counts.
                for name in text.split("\nfn r").chain(text.split("    fn r")).skip(1) {
                    let parts =
                        name.split('_').map(|part| part.strip_prefix('r').unwrap_or(part).parse::<u32>());
                    tested.extend(parts.map_while(Result::ok));
                }
            }
        }
    }
    let missing: Vec<u32> = rules.into_iter().filter(|rule| !tested.contains(rule)).collect();
    assert!(missing.is_empty(), "rules without a test: {missing:?}");
}
