//! The 64 steps of RFC 1321 section 3.4 in one list, which each kernel expands with a step of its own.

/// Where a digest begins: the words A, B, C, D of RFC 1321 section 3.3.
pub(crate) const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// How many rounds there are, of 16 steps each.
#[cfg(target_arch = "x86_64")]
pub(crate) const ROUNDS: usize = 4;

/// Steps of a round after which the shifts and the places of a, b, c and d repeat.
#[cfg(target_arch = "x86_64")]
pub(crate) const PERIOD: usize = 4;

/// Expands `$step!(number, function a b c d, word, shift, constant)` for the 16 steps of a round (0 to 3):
/// `a = b + ((a + function(b, c, d) + words[word] + constant) <<< shift)`, with the functions F, G, H and I.
#[rustfmt::skip]
macro_rules! round {
    (0, $step:ident, $a:ident $b:ident $c:ident $d:ident) => {
        $step!(0, F $a $b $c $d, 0, 7, 0xd76a_a478);
        $step!(1, F $d $a $b $c, 1, 12, 0xe8c7_b756);
        $step!(2, F $c $d $a $b, 2, 17, 0x2420_70db);
        $step!(3, F $b $c $d $a, 3, 22, 0xc1bd_ceee);
        $step!(4, F $a $b $c $d, 4, 7, 0xf57c_0faf);
        $step!(5, F $d $a $b $c, 5, 12, 0x4787_c62a);
        $step!(6, F $c $d $a $b, 6, 17, 0xa830_4613);
        $step!(7, F $b $c $d $a, 7, 22, 0xfd46_9501);
        $step!(8, F $a $b $c $d, 8, 7, 0x6980_98d8);
        $step!(9, F $d $a $b $c, 9, 12, 0x8b44_f7af);
        $step!(10, F $c $d $a $b, 10, 17, 0xffff_5bb1);
        $step!(11, F $b $c $d $a, 11, 22, 0x895c_d7be);
        $step!(12, F $a $b $c $d, 12, 7, 0x6b90_1122);
        $step!(13, F $d $a $b $c, 13, 12, 0xfd98_7193);
        $step!(14, F $c $d $a $b, 14, 17, 0xa679_438e);
        $step!(15, F $b $c $d $a, 15, 22, 0x49b4_0821);
    };
    (1, $step:ident, $a:ident $b:ident $c:ident $d:ident) => {
        $step!(0, G $a $b $c $d, 1, 5, 0xf61e_2562);
        $step!(1, G $d $a $b $c, 6, 9, 0xc040_b340);
        $step!(2, G $c $d $a $b, 11, 14, 0x265e_5a51);
        $step!(3, G $b $c $d $a, 0, 20, 0xe9b6_c7aa);
        $step!(4, G $a $b $c $d, 5, 5, 0xd62f_105d);
        $step!(5, G $d $a $b $c, 10, 9, 0x0244_1453);
        $step!(6, G $c $d $a $b, 15, 14, 0xd8a1_e681);
        $step!(7, G $b $c $d $a, 4, 20, 0xe7d3_fbc8);
        $step!(8, G $a $b $c $d, 9, 5, 0x21e1_cde6);
        $step!(9, G $d $a $b $c, 14, 9, 0xc337_07d6);
        $step!(10, G $c $d $a $b, 3, 14, 0xf4d5_0d87);
        $step!(11, G $b $c $d $a, 8, 20, 0x455a_14ed);
        $step!(12, G $a $b $c $d, 13, 5, 0xa9e3_e905);
        $step!(13, G $d $a $b $c, 2, 9, 0xfcef_a3f8);
        $step!(14, G $c $d $a $b, 7, 14, 0x676f_02d9);
        $step!(15, G $b $c $d $a, 12, 20, 0x8d2a_4c8a);
    };
    (2, $step:ident, $a:ident $b:ident $c:ident $d:ident) => {
        $step!(0, H $a $b $c $d, 5, 4, 0xfffa_3942);
        $step!(1, H $d $a $b $c, 8, 11, 0x8771_f681);
        $step!(2, H $c $d $a $b, 11, 16, 0x6d9d_6122);
        $step!(3, H $b $c $d $a, 14, 23, 0xfde5_380c);
        $step!(4, H $a $b $c $d, 1, 4, 0xa4be_ea44);
        $step!(5, H $d $a $b $c, 4, 11, 0x4bde_cfa9);
        $step!(6, H $c $d $a $b, 7, 16, 0xf6bb_4b60);
        $step!(7, H $b $c $d $a, 10, 23, 0xbebf_bc70);
        $step!(8, H $a $b $c $d, 13, 4, 0x289b_7ec6);
        $step!(9, H $d $a $b $c, 0, 11, 0xeaa1_27fa);
        $step!(10, H $c $d $a $b, 3, 16, 0xd4ef_3085);
        $step!(11, H $b $c $d $a, 6, 23, 0x0488_1d05);
        $step!(12, H $a $b $c $d, 9, 4, 0xd9d4_d039);
        $step!(13, H $d $a $b $c, 12, 11, 0xe6db_99e5);
        $step!(14, H $c $d $a $b, 15, 16, 0x1fa2_7cf8);
        $step!(15, H $b $c $d $a, 2, 23, 0xc4ac_5665);
    };
    (3, $step:ident, $a:ident $b:ident $c:ident $d:ident) => {
        $step!(0, I $a $b $c $d, 0, 6, 0xf429_2244);
        $step!(1, I $d $a $b $c, 7, 10, 0x432a_ff97);
        $step!(2, I $c $d $a $b, 14, 15, 0xab94_23a7);
        $step!(3, I $b $c $d $a, 5, 21, 0xfc93_a039);
        $step!(4, I $a $b $c $d, 12, 6, 0x655b_59c3);
        $step!(5, I $d $a $b $c, 3, 10, 0x8f0c_cc92);
        $step!(6, I $c $d $a $b, 10, 15, 0xffef_f47d);
        $step!(7, I $b $c $d $a, 1, 21, 0x8584_5dd1);
        $step!(8, I $a $b $c $d, 8, 6, 0x6fa8_7e4f);
        $step!(9, I $d $a $b $c, 15, 10, 0xfe2c_e6e0);
        $step!(10, I $c $d $a $b, 6, 15, 0xa301_4314);
        $step!(11, I $b $c $d $a, 13, 21, 0x4e08_11a1);
        $step!(12, I $a $b $c $d, 4, 6, 0xf753_7e82);
        $step!(13, I $d $a $b $c, 11, 10, 0xbd3a_f235);
        $step!(14, I $c $d $a $b, 2, 15, 0x2ad7_d2bb);
        $step!(15, I $b $c $d $a, 9, 21, 0xeb86_d391);
    };
}
pub(crate) use round;

/// A step as data, for code that does not expand all 64.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// Which word of the block.
    pub(crate) word: u8,
    pub(crate) constant: u32,
}

/// The steps of the four rounds.
#[cfg(target_arch = "x86_64")]
pub(crate) static STEPS: [[Step; 16]; ROUNDS] = {
    let mut steps = [[Step { word: 0, constant: 0 }; 16]; ROUNDS];
    macro_rules! first {
        ($number:literal, $f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
            steps[0][$number] = Step { word: $word, constant: $constant };
        };
    }
    round!(0, first, a b c d);
    macro_rules! second {
        ($number:literal, $f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
            steps[1][$number] = Step { word: $word, constant: $constant };
        };
    }
    round!(1, second, a b c d);
    macro_rules! third {
        ($number:literal, $f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
            steps[2][$number] = Step { word: $word, constant: $constant };
        };
    }
    round!(2, third, a b c d);
    macro_rules! fourth {
        ($number:literal, $f:ident $a:ident $b:ident $c:ident $d:ident, $word:literal, $shift:literal, $constant:literal) => {
            steps[3][$number] = Step { word: $word, constant: $constant };
        };
    }
    round!(3, fourth, a b c d);
    steps
};
