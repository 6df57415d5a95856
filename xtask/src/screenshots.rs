//! `cargo xtask screenshots`: takes the pictures of the portal anew that README and guide show.

use anyhow::ensure;

use crate::{
    program::{self, cargo, succeed},
    test,
};

/// Where the guide finds them, from the root of the repository.
const FOLDER: &str = "sensor/docs/screenshots";

pub(crate) fn run() -> anyhow::Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "the company of the pictures is in network namespaces: run this as root"
    );
    test::install_missing()?;
    let program = program::build(false)?;
    let folder = std::path::absolute(FOLDER)?;
    succeed(
        cargo()
            .args(["run", "--package", "browser", "--bin", "screenshots", "--"])
            .arg(folder)
            .env("VPN_SENSOR_BIN", program),
    )
}
