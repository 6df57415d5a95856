//! The running sensor's metrics address, as `latency` and `top` ask it.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow, ensure};

use super::{Common, Exit, Failure};

/// Where a sensor is asked, over connections that are kept.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    address: SocketAddr,
    agent: ureq::Agent,
}

impl Endpoint {
    /// The address of the command line, else the configuration's. A request that takes longer than `timeout` fails.
    pub(super) fn of(
        address: Option<SocketAddr>,
        common: &Common,
        timeout: Duration,
    ) -> Result<Endpoint, Failure> {
        let address = match address {
            Some(address) => address,
            None => common.load_config()?.metrics.ok_or_else(|| {
                Failure::new(Exit::Usage, anyhow!("the configuration serves no metrics: give --address"))
            })?,
        };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            // 503 of `/readyz` comes with the reason.
            .http_status_as_error(false)
            // The sensor is asked itself, whatever proxy the environment names.
            .proxy(None);
        Ok(Endpoint { address, agent: config.build().into() })
    }

    /// Where it asks.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The body of a path, which must be there.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<String> {
        let (status, body) = self.status_and_body(path)?;
        ensure!(status == 200, "{}{path} answers with status {status}: {}", self.address, body.trim());
        Ok(body)
    }

    /// The status and body of a path, whatever the status.
    pub(super) fn status_and_body(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let address = self.address;
        let mut response = self.agent.get(format!("http://{address}{path}")).call().with_context(|| {
            format!("asking the sensor at {address} (is it running? --address names another metrics address)")
        })?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .read_to_string()
            .with_context(|| format!("reading the answer of {address}"))?;
        Ok((status, body))
    }
}
