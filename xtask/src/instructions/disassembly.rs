//! The AVX-512 kernel of md5-lanes as the compiler made it: whether the steps are still six instructions, and whether
//! vectors are kept in registers. Disassembled from the bench `digest`, which runs nothing here: this works on a machine
//! without AVX-512 too.

use std::{path::Path, process::Command};

use anyhow::{Context as _, ensure};

use super::baseline::Figure;
use crate::program;

/// Rotations that the kernel's code for three vectors has, and for one, which is unrolled further, nearly: 16 steps
/// stand in it, a loop a round, each step once a vector. What has more is for four vectors, the one that a full batch
/// takes.
const ROTATIONS_OF_THREE: u64 = 3 * 16;

/// One function of a disassembly: instructions, of all kinds and of those that a step is made of.
#[derive(Clone, Debug, Default, PartialEq)]
struct Function {
    instructions: u64,
    /// `vprold`, one a step.
    rotations: u64,
    /// `vpternlogd`, one a step: F, G, H or I.
    logic: u64,
    /// `vpaddd`, four a step, and those at the end.
    sums: u64,
    /// A vector copied to another register.
    moves: u64,
    /// Vectors to the stack or from it.
    spills: u64,
}

/// Counts of each instance for four vectors, of which there is one for each kind of work between the steps.
pub(super) fn avx512() -> anyhow::Result<Vec<Figure>> {
    let program = program::build("digest", true, &[])?;
    let figures = figures(kernels(&program)?);
    ensure!(
        !figures.is_empty(),
        "no function in {} has more than {ROTATIONS_OF_THREE} rotations, as the kernel for four vectors has; has `turn` in \
         sensor/md5-lanes/src/x86/avx512.rs been renamed, inlined or unrolled?",
        program.display()
    );
    Ok(figures)
}

/// The instances differ in nothing that has a name in a disassembly: they are numbered by their size, the smallest
/// first, wherever the linker put them. One too many or too few is missing in the baseline, or stale.
fn figures(functions: Vec<Function>) -> Vec<Figure> {
    let mut full: Vec<_> =
        functions.into_iter().filter(|function| function.rotations > ROTATIONS_OF_THREE).collect();
    full.sort_by_key(|function| function.instructions);
    let of = |(number, function): (usize, &Function)| {
        // What stands between the steps moves with whatever the compiler does; a step has six instructions and no more.
        [
            ("code", function.instructions, 0.03),
            ("vprold", function.rotations, 0.0),
            ("vpternlogd", function.logic, 0.0),
            ("vpaddd", function.sums, 0.0),
            ("moves", function.moves, 0.0),
            ("spills", function.spills, 0.0),
        ]
        .map(|(what, count, tolerance)| Figure {
            bench: "avx512".to_owned(),
            path: format!("{what} {}", number + 1),
            instructions: count as f64,
            tolerance,
        })
    };
    full.iter().enumerate().flat_map(of).collect()
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
            let (name, operands) = instruction.split_once(' ').unwrap_or((instruction, ""));
            let vector = operands.contains("%zmm");
            match name {
                "vprold" => function.rotations += 1,
                "vpternlogd" => function.logic += 1,
                "vpaddd" => function.sums += 1,
                _ if vector && name.starts_with("vmov") && !operands.contains('(') => function.moves += 1,
                _ => {}
            }
            function.spills += u64::from(vector && operands.contains("(%rsp"));
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::{
        super::baseline::{Baseline, Verdict},
        *,
    };

    #[test]
    fn counts_only_the_kernel() {
        let disassembly = "\
0000000000001000 <md5_lanes::x86::avx512::turn>:
    1000:\tvprold $0x7,%zmm9,%zmm9
    1007:\tvmovdqu64 %zmm20,0x350(%rsp)
    100f:\tvmovdqa64 %zmm1,%zmm2
    1014:\tvpternlogd $0xca,%zmm3,%zmm2,%zmm1
    101b:\tvpaddd (%rsi,%rax,1),%zmm1,%zmm1
    1021:\tmov    %rax,0x8(%rsp)
    1026:\tret

0000000000002000 <md5_lanes::x86::avx512::load>:
    2000:\tvprold $0x7,%zmm9,%zmm9
";
        let counted = Function { instructions: 7, rotations: 1, logic: 1, sums: 1, moves: 1, spills: 1 };
        assert_eq!(parse(disassembly), [counted]);
    }

    /// Functions with their steps alone, and how many of each kind of instruction a step has.
    fn functions(steps: &[(u64, u64)]) -> Vec<Function> {
        let function = |&(vectors, sums): &(u64, u64)| Function {
            instructions: 16 * vectors * (2 + sums) + 10 * sums,
            rotations: 16 * vectors,
            logic: 16 * vectors,
            sums: 16 * vectors * sums,
            ..Function::default()
        };
        steps.iter().map(function).collect()
    }

    #[test]
    fn one_instruction_more_a_step_in_one_instance_is_above_the_baseline() {
        let usual = functions(&[(4, 4), (3, 4), (4, 4), (1, 4)]);
        let baseline = Baseline::default().replaced_by(&figures(usual.clone()));
        assert!(figures(usual).iter().all(|figure| baseline.compare(figure) == Verdict::Within));
        let verdicts = |functions: Vec<Function>| -> Vec<(String, Verdict)> {
            let all = figures(functions).into_iter();
            let all = all.map(|figure| (figure.path.clone(), baseline.compare(&figure)));
            all.filter(|(_, verdict)| *verdict != Verdict::Within).collect()
        };
        let sum = verdicts(functions(&[(4, 4), (3, 4), (4, 5), (1, 4)]));
        assert_eq!(sum, [("code 2".to_owned(), Verdict::Above), ("vpaddd 2".to_owned(), Verdict::Above)]);
        // A single one, which the tolerance of the whole code would let pass.
        let mut moved = functions(&[(4, 4), (3, 4), (4, 4), (1, 4)]);
        (moved[0].instructions, moved[0].moves) = (moved[0].instructions + 1, 1);
        assert_eq!(verdicts(moved), [("moves 2".to_owned(), Verdict::Above)]);
        // An instance more.
        let more = verdicts(functions(&[(4, 4), (4, 4), (4, 4)]));
        assert!(more.len() == 6 && more.iter().all(|(_, verdict)| *verdict == Verdict::Missing), "{more:?}");
    }
}
