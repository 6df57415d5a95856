//! The AVX-512 kernel of md5-lanes as the compiler made it: whether the steps are still six instructions, and whether
//! vectors are kept in registers. Disassembled from the bench `digest`, which runs nothing here: this works on a machine
//! without AVX-512 too.

use std::{path::Path, process::Command};

use anyhow::{Context as _, ensure};

use super::baseline::Figure;
use crate::program;

/// Rotations of the kernel's code for four vectors: 16 steps stand in it, a loop a round, each step once a vector.
const ROTATIONS: usize = 4 * 16;

/// One function of a disassembly.
#[derive(Default)]
struct Function {
    instructions: u64,
    rotations: usize,
    /// Vectors to the stack or from it.
    spills: u64,
}

/// Counts of the largest instance, of which there is one for each kind of authenticator.
pub(super) fn avx512() -> anyhow::Result<Vec<Figure>> {
    let program = program::build("digest", true, &[])?;
    let functions = kernels(&program)?;
    let full: Vec<_> = functions.iter().filter(|function| function.rotations == ROTATIONS).collect();
    ensure!(
        !full.is_empty(),
        "no function in {} has the {ROTATIONS} rotations of the kernel for four vectors; has `turn` in \
         sensor/md5-lanes/src/x86/avx512.rs been renamed, inlined or unrolled?",
        program.display()
    );
    let most = |count: fn(&Function) -> u64| full.iter().map(|function| count(function)).max().unwrap_or(0);
    let figure = |path: &str, count: fn(&Function) -> u64, tolerance| Figure {
        bench: "avx512".to_owned(),
        path: path.to_owned(),
        instructions: most(count) as f64,
        tolerance,
    };
    Ok(vec![
        figure("code", |function| function.instructions, 0.03),
        figure("spills", |function| function.spills, 0.0),
    ])
}

/// The functions of the kernel, one for each number of vectors and kind of authenticator.
fn kernels(program: &Path) -> anyhow::Result<Vec<Function>> {
    let mut objdump = Command::new("objdump");
    objdump.args(["--disassemble", "--no-show-raw-insn", "--demangle"]).arg(program);
    let output = objdump.output().context("cannot run objdump; it is in Debian's package binutils")?;
    ensure!(output.status.success(), "objdump: {}", String::from_utf8_lossy(&output.stderr));
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

fn parse(disassembly: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut in_kernel = false;
    for line in disassembly.lines() {
        if line.ends_with(">:") {
            in_kernel = line.contains("<md5_lanes::x86::avx512::turn");
            if in_kernel {
                functions.push(Function::default());
            }
        } else if in_kernel
            && let Some(function) = functions.last_mut()
            && let Some((_, instruction)) = line.split_once(":\t")
        {
            function.instructions += 1;
            function.rotations += usize::from(instruction.starts_with("vprold"));
            function.spills += u64::from(instruction.contains("%zmm") && instruction.contains("(%rsp"));
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_only_the_kernel() {
        let disassembly = "\
0000000000001000 <md5_lanes::x86::avx512::turn>:
    1000:\tvprold $0x7,%zmm9,%zmm9
    1007:\tvmovdqu64 %zmm20,0x350(%rsp)
    100f:\tmov    %rax,0x8(%rsp)
    1014:\tret

0000000000002000 <md5_lanes::x86::avx512::load>:
    2000:\tvprold $0x7,%zmm9,%zmm9
";
        let functions = parse(disassembly);
        assert_eq!(functions.len(), 1);
        let Function { instructions, rotations, spills } = functions[0];
        assert_eq!((instructions, rotations, spills), (4, 1, 1));
    }
}
