//! Which CPUs take a queue's interrupts: a worker is best on one of them, or on a neighbour.

use std::fs;

/// The interrupt of a queue, looked up by the names that drivers give in `/proc/interrupts`. `None` when the driver
/// names its interrupts in another way, and for devices without any.
pub fn queue_interrupt(interface: &str, queue: u32) -> Option<u32> {
    find(&fs::read_to_string("/proc/interrupts").ok()?, interface, queue)
}

/// The CPUs that take the queue's interrupts now.
pub fn queue_cpus(interface: &str, queue: u32) -> Option<Vec<u32>> {
    let interrupt = queue_interrupt(interface, queue)?;
    let list = fs::read_to_string(format!("/proc/irq/{interrupt}/effective_affinity_list")).ok()?;
    parse_list(list.trim())
}

/// Finds names such as `ice-eth0-TxRx-3`, `i40e-eth0-TxRx-3`, `eth0-rx-3`, `eth0-3`: the interface's name, and the
/// queue's number at the end.
fn find(interrupts: &str, interface: &str, queue: u32) -> Option<u32> {
    interrupts.lines().find_map(|line| {
        let (number, rest) = line.trim_start().split_once(':')?;
        let number: u32 = number.parse().ok()?;
        let name = rest.split_whitespace().last()?;
        let (before, tail) = name.rsplit_once(interface)?;
        let delimited = before.is_empty() || before.ends_with(['-', '@', ':']);
        let (kind, index) = tail.strip_prefix('-')?.rsplit_once('-').unwrap_or(("", &tail[1..]));
        let receives = !kind.eq_ignore_ascii_case("tx");
        (delimited && receives && index.parse() == Ok(queue)).then_some(number)
    })
}

/// Reads `0-2,7`. Bounded: a range wider than 4096 is refused.
fn parse_list(list: &str) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if last.checked_sub(first)? > 4096 {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERRUPTS: &str = "\
           CPU0       CPU1
  1:          9          0   IO-APIC   1-edge      i8042
 24:          0          0   PCI-MSI 512-edge      virtio0-config
 30:       1000          0   PCI-MSI 600-edge      ice-eth0-TxRx-0
 31:          0       1000   PCI-MSI 601-edge      ice-eth0-TxRx-1
 32:          0       1000   PCI-MSI 602-edge      eth1-tx-0
 33:          0       1000   PCI-MSI 603-edge      eth1-rx-0
 34:          0       1000   PCI-MSI 604-edge      veth0-1
 35:          0       1000   PCI-MSI 605-edge      eth2-7
NMI:          0          0   Non-maskable interrupts";

    #[test]
    fn a_queue_is_found_by_its_drivers_name() {
        assert_eq!(find(INTERRUPTS, "eth0", 1), Some(31));
        assert_eq!(find(INTERRUPTS, "eth1", 0), Some(33), "not the transmit interrupt");
        assert_eq!(find(INTERRUPTS, "eth2", 7), Some(35));
        assert_eq!(find(INTERRUPTS, "eth0", 2), None);
        assert_eq!(find(INTERRUPTS, "th0", 1), None, "part of another name");
    }

    #[test]
    fn cpu_lists_are_read() {
        assert_eq!(parse_list("0-2,7"), Some(vec![0, 1, 2, 7]));
        assert_eq!(parse_list("5"), Some(vec![5]));
        for bad in ["", "x", "3-1", "0-4294967295"] {
            assert_eq!(parse_list(bad), None, "{bad}");
        }
    }
}
