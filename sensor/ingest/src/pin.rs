//! Which core a worker runs on, which are left to others, and putting threads there.
//!
//! A worker should run on the NUMA node of its NIC, one worker a core, and leave the first core to the rest of the
//! host where there are enough. Called by the binary at start.

use std::{fs, io, path::Path};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores this process may use, by NUMA node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Per node its number and its usable cores, ascending.
    nodes: Vec<(usize, Vec<usize>)>,
}

impl Topology {
    /// Reads the host's nodes, limited to the cores this process may use (affinity, cpuset).
    pub fn read() -> io::Result<Topology> {
        let allowed = sched_getaffinity(None)?;
        let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
        Ok(Topology::from_sysfs(Path::new("/sys/devices/system/node"), &allowed))
    }

    fn from_sysfs(folder: &Path, allowed: &[usize]) -> Topology {
        let mut nodes = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("node")?.parse::<usize>().ok());
            let list = fs::read_to_string(entry.path().join("cpulist"));
            if let (Some(number), Ok(list)) = (number, list) {
                let cores: Vec<usize> =
                    cores(&list).into_iter().filter(|core| allowed.contains(core)).collect();
                if !cores.is_empty() {
                    nodes.push((number, cores));
                }
            }
        }
        nodes.sort();
        if nodes.is_empty() {
            // A kernel without NUMA: all cores are equally near.
            nodes.push((0, allowed.to_vec()));
        }
        Topology { nodes }
    }

    /// All usable cores.
    pub fn cores(&self) -> impl Iterator<Item = usize> + '_ {
        self.nodes.iter().flat_map(|(_, cores)| cores.iter().copied())
    }

    /// The core for the worker of queue `queue` of a NIC on `node` (`None`: no NIC, or it does not say). Queues
    /// beyond the number of cores share. From four cores on, core 0 is left alone: interrupts, the journal's writer
    /// and everything else of the host live there. `None` only if there is no core at all.
    pub fn choose(&self, node: Option<usize>, queue: usize) -> Option<usize> {
        let near: Vec<usize> = match node.and_then(|node| self.nodes.iter().find(|(n, _)| *n == node)) {
            Some((_, cores)) => cores.clone(),
            None => self.cores().collect(),
        };
        let spare_first = near.len() >= 4 && near.first() == Some(&0);
        let usable = if spare_first { &near[1..] } else { &near[..] };
        usable.get(queue.checked_rem(usable.len())?).copied()
    }

    /// The usable cores where no worker is, for what must take nothing from workers. Empty where they have all of them.
    pub fn beside(&self, workers: &[usize]) -> Vec<usize> {
        self.cores().filter(|core| !workers.contains(core)).collect()
    }

    /// Whether this process may use the core: for checking a configured list.
    pub fn has(&self, core: usize) -> bool {
        self.cores().any(|usable| usable == core)
    }
}

/// The NUMA node of a network interface, if the kernel knows one.
pub fn interface_node(interface: &str) -> Option<usize> {
    let path = Path::new("/sys/class/net").join(interface).join("device/numa_node");
    // A machine with one node says -1.
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Binds the calling thread to one core.
///
/// # Errors
/// When there is no such core, or this process may not use it.
pub fn pin_current(core: usize) -> io::Result<()> {
    keep_current(&[core])
}

/// Keeps the calling thread, and those that it starts from now on, on these cores.
///
/// # Errors
/// When there is no such core, or this process may use none of them.
pub fn keep_current(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        if core >= CpuSet::MAX_CPU {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("there is no core {core}")));
        }
        set.set(core);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// The kernel's list format: `0-3,8,10-11`.
fn cores(list: &str) -> Vec<usize> {
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse(), last.parse::<usize>()) {
            cores.extend(first..=last.min(CpuSet::MAX_CPU));
        }
    }
    cores
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_nodes(allowed: &[usize]) -> Topology {
        let folder = tempfile::tempdir().unwrap();
        for (node, list) in [("node0", "0-3\n"), ("node1", "4-5,7\n")] {
            fs::create_dir(folder.path().join(node)).unwrap();
            fs::write(folder.path().join(node).join("cpulist"), list).unwrap();
        }
        fs::create_dir(folder.path().join("power")).unwrap();
        Topology::from_sysfs(folder.path(), allowed)
    }

    #[test]
    fn queues_go_to_the_node_of_their_nic_and_spare_core_0() {
        let topology = two_nodes(&[0, 1, 2, 3, 4, 5, 6, 7]);
        let chosen =
            |node, queues: usize| (0..queues).map(|q| topology.choose(node, q).unwrap()).collect::<Vec<_>>();
        assert_eq!(chosen(Some(1), 4), [4, 5, 7, 4]);
        assert_eq!(chosen(Some(0), 4), [1, 2, 3, 1]);
        assert_eq!(chosen(None, 7), [1, 2, 3, 4, 5, 7, 1]);
        assert_eq!(chosen(Some(9), 1), [1], "an unknown node is no node");
    }

    #[test]
    fn cores_that_we_may_not_use_are_not_chosen() {
        let topology = two_nodes(&[0, 1]);
        assert_eq!(topology.choose(Some(0), 0), Some(0), "two cores: none to spare");
        assert_eq!(topology.choose(Some(1), 1), Some(1));
        assert!(topology.has(1) && !topology.has(4));
        assert_eq!(two_nodes(&[]).choose(None, 0), None);
    }

    #[test]
    fn beside_the_workers_are_the_cores_that_none_of_them_has() {
        let topology = two_nodes(&[0, 1, 4]);
        assert_eq!(topology.beside(&[0]), [1, 4]);
        assert_eq!(topology.beside(&[4, 1, 4]), [0]);
        assert!(topology.beside(&[0, 1, 4]).is_empty(), "the workers have all");
        assert_eq!(topology.beside(&[]), [0, 1, 4]);
    }

    #[test]
    fn this_host_has_a_core_and_a_thread_can_be_put_there() {
        let core = Topology::read().unwrap().choose(None, 0).unwrap();
        std::thread::spawn(move || {
            pin_current(core).unwrap();
            let now = sched_getaffinity(None).unwrap();
            assert_eq!(now.count(), 1);
            assert!(now.is_set(core));
        })
        .join()
        .unwrap();
        assert!(pin_current(usize::MAX).is_err());
        assert!(keep_current(&[]).is_err(), "nowhere is no place");
    }
}
