//! FreeRADIUS 3 as Debian ships it, with the least configuration that does accounting.

use std::{fs, net::Ipv4Addr, path::Path};

use anyhow::Context as _;

/// Debian's name for `radiusd`.
pub(super) const PROGRAM: &str = "/usr/sbin/freeradius";
/// What it logs when it has begun.
pub(super) const READY: &str = "Ready to process requests";

pub(super) fn is_installed() -> bool {
    Path::new(PROGRAM).is_file()
}

/// Writes its configuration into `folder`: one accounting port, one client network, and either the `detail` module or
/// nothing. The module, with the name of its file, is that of Debian's `mods-available/detail`; threads and limits are those
/// of Debian's `radiusd.conf` but for two. `max_requests` is 256 for each source that the load has at most, as that file's
/// comment says how to choose it: with the 16,384 that stand there it answered 16,385 requests of a full load in 0.4 s and
/// then none for more than a second. The receive buffer is the largest that `net.core.rmem_max` allows by default, twice
/// the usual one.
pub(super) fn configure(
    folder: &Path,
    address: Ipv4Addr,
    port: u16,
    secret: &str,
    detail: bool,
) -> anyhow::Result<()> {
    let module = if detail { "detail" } else { "ok" };
    let folder_name = folder.display();
    let text = format!(
        r#"
prefix = /usr
logdir = {folder_name}
run_dir = {folder_name}
libdir = /usr/lib/freeradius
pidfile = {folder_name}/pid
max_request_time = 30
cleanup_delay = 5
max_requests = 262144
hostname_lookups = no
log {{
    destination = stdout
    stripped_names = no
    auth = no
}}
security {{
    allow_core_dumps = no
    max_attributes = 200
    reject_delay = 1
    status_server = no
}}
proxy_requests = no
thread pool {{
    start_servers = 5
    max_servers = 32
    min_spare_servers = 3
    max_spare_servers = 10
    max_requests_per_server = 0
    auto_limit_acct = no
}}
client all {{
    ipaddr = 0.0.0.0/0
    secret = "{secret}"
}}
modules {{
    always ok {{
        rcode = ok
    }}
    detail {{
        filename = {folder_name}/%{{%{{Packet-Src-IP-Address}}:-%{{Packet-Src-IPv6-Address}}}}/detail-%Y%m%d
        escape_filenames = no
        permissions = 0600
        header = "%t"
    }}
}}
server default {{
    listen {{
        type = acct
        ipaddr = {address}
        port = {port}
        recv_buff = 212992
    }}
    preacct {{
        ok
    }}
    accounting {{
        {module}
    }}
}}
"#
    );
    fs::write(folder.join("radiusd.conf"), &text)
        .and_then(|()| fs::write(folder.join("freeradius.conf"), &text))
        .context("writing FreeRADIUS' configuration")
}
