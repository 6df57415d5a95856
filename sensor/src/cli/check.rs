//! `vpn-sensor check`: is the configuration right, what does this host offer, and what would make it better.

use std::io::Write as _;

use anyhow::Context;

use super::{Common, Exit, Failure};
use crate::host::{Finding, State, findings};

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print one JSON object a finding instead of a table
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let findings = findings(&config);
        let mut out = std::io::stdout().lock();
        if self.json {
            for finding in &findings {
                writeln!(out, "{}", serde_json::to_string(finding).context("writing JSON")?)?;
            }
        } else {
            let source = config
                .path
                .as_ref()
                .map_or("built-in defaults".to_owned(), |path| path.display().to_string());
            let portal = if config.has_portal_settings() { " and what was set in the portal" } else { "" };
            writeln!(out, "configuration: {source}{portal}: valid, {} clients\n", config.clients.len())?;
            out.write_all(table(&findings).as_bytes())?;
        }
        if findings.iter().any(|finding| finding.state == State::Lacking) {
            return Err(Failure::silent(Exit::Host));
        }
        Ok(())
    }
}

fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { subject, state, found, remedy } in findings {
        let state = match state {
            State::Good => "good",
            State::Note => "note",
            State::Lacking => "LACKING",
        };
        text.push_str(&format!("{state:<8}{subject:<width$}  {found}\n"));
        if let Some(remedy) = remedy {
            text.push_str(&format!("{:<8}{:<width$}  -> {remedy}\n", "", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_aligns_and_names_the_remedy() {
        let finding = |subject: &str, state, remedy: Option<&str>| Finding {
            subject: subject.to_owned(),
            state,
            found: "found".to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let text = table(&[
            finding("kernel", State::Good, None),
            finding("interface eth0", State::Lacking, Some("change it")),
        ]);
        assert_eq!(
            text,
            "good    kernel          found\n\
             LACKING interface eth0  found\n                        -> change it\n"
        );
    }
}
