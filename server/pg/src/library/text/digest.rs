//! Digests and hashes.

use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::encode::hex;
use crate::function::{Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("md5", &[TEXT], TEXT, |call| call.map1(|s: &str| hex(&md5::Md5::digest(s)))),
    function("md5", &[BYTEA], TEXT, |call| call.map1(|s: &[u8]| hex(&md5::Md5::digest(s)))),
    function("sha224", &[BYTEA], BYTEA, |call| call.map1(|s: &[u8]| Sha224::digest(s).to_vec())),
    function("sha256", &[BYTEA], BYTEA, |call| call.map1(|s: &[u8]| Sha256::digest(s).to_vec())),
    function("sha384", &[BYTEA], BYTEA, |call| call.map1(|s: &[u8]| Sha384::digest(s).to_vec())),
    function("sha512", &[BYTEA], BYTEA, |call| call.map1(|s: &[u8]| Sha512::digest(s).to_vec())),
    // What follows is Redshift's.
    function("sha", &[TEXT], TEXT, |call| call.map1(sha1_hex)),
    function("sha1", &[TEXT], TEXT, |call| call.map1(sha1_hex)),
    function("func_sha1", &[TEXT], TEXT, |call| call.map1(sha1_hex)),
    function("sha2", &[TEXT, INT4], TEXT, |call| call.map2(sha2_hex)),
    function("crc32", &[TEXT], TEXT, |call| call.map1(|s: &str| format!("{:08x}", crc_32c(s.as_bytes())))),
    function("fnv_hash", &[TEXT], INT8, |call| call.map1(|s: &str| fnv_1a(s.as_bytes(), FNV_BASIS))),
    function("fnv_hash", &[TEXT, INT8], INT8, |call| call.map2(|s: &str, seed: i64| fnv_1a(s.as_bytes(), seed))),
    function("fnv_hash", &[INT2], INT8, |call| call.map1(|n: i16| fnv_1a(&n.to_le_bytes(), FNV_BASIS))),
    function("fnv_hash", &[INT2, INT8], INT8, |call| call.map2(|n: i16, seed: i64| fnv_1a(&n.to_le_bytes(), seed))),
    function("fnv_hash", &[INT4], INT8, |call| call.map1(|n: i32| fnv_1a(&n.to_le_bytes(), FNV_BASIS))),
    function("fnv_hash", &[INT4, INT8], INT8, |call| call.map2(|n: i32, seed: i64| fnv_1a(&n.to_le_bytes(), seed))),
    function("fnv_hash", &[INT8], INT8, |call| call.map1(|n: i64| fnv_1a(&n.to_le_bytes(), FNV_BASIS))),
    function("fnv_hash", &[INT8, INT8], INT8, |call| call.map2(|n: i64, seed: i64| fnv_1a(&n.to_le_bytes(), seed))),
];

/// What the hash begins with when there is no seed, and what each step multiplies with: FNV-1a of 64 bits.
const FNV_BASIS: i64 = 0xcbf2_9ce4_8422_2325_u64 as i64;
const FNV_PRIME: i64 = 0x0100_0000_01b3;

fn fnv_1a(bytes: &[u8], seed: i64) -> i64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ i64::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// The polynomial of CRC-32C, lowest bit first. Redshift's `crc32` is that one, not the one of zip.
const CASTAGNOLI: u32 = 0x82f6_3b78;

fn crc_32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ CASTAGNOLI } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn sha1_hex(s: &str) -> String {
    hex(&Sha1::digest(s))
}

/// The digest of so many bits, zero meaning 256; an empty string for a number there is no digest of.
fn sha2_hex(s: &str, bits: i32) -> String {
    match bits {
        0 | 256 => hex(&Sha256::digest(s)),
        224 => hex(&Sha224::digest(s)),
        384 => hex(&Sha384::digest(s)),
        512 => hex(&Sha512::digest(s)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Value, call};
    use crate::types::*;

    fn check(name: &str, arguments: &[Value<'_>], expected: &str) {
        assert_eq!(call(name, arguments), Ok(Some(expected.to_owned())), "{name} {arguments:?}");
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        check("md5", &[(TEXT, Some("abc"))], "900150983cd24fb0d6963f7d28e17f72");
        check("md5", &[(BYTEA, Some("\\x616263"))], "900150983cd24fb0d6963f7d28e17f72");
        check("sha1", &[(TEXT, Some("abc"))], "a9993e364706816aba3e25717850c26c9cd0d89d");
        let sha224 = "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7";
        check("sha2", &[(TEXT, Some("abc")), (INT4, Some("224"))], sha224);
        check("sha224", &[(BYTEA, Some("\\x616263"))], &format!("\\x{sha224}"));
        check("sha2", &[(TEXT, Some("abc")), (INT4, Some("1"))], "");
    }

    #[test]
    fn hashes_are_those_that_redshift_gives() {
        check("crc32", &[(TEXT, Some("Amazon Redshift"))], "f2726906");
        check("fnv_hash", &[(INT4, Some("1"))], "-5968735742475085980");
    }
}
