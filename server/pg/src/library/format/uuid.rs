//! Functions of `uuid`.

use arrow::array::ArrayRef;
use rand::Rng;

use crate::error::Result;
use crate::function::{Call, Function, Uuid, function};
use crate::types::UUID;

/// The functions.
pub static FUNCTIONS: &[Function] = &[function("gen_random_uuid", &[], UUID, gen_random_uuid).volatile()];

/// Version 4 of RFC 4122: random but for the version and the variant.
fn gen_random_uuid(call: &Call) -> Result<ArrayRef> {
    let mut random = rand::rng();
    call.map0(|| {
        let mut bytes: [u8; 16] = random.random();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Uuid(bytes)
    })
}
