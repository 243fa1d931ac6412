//! Character encodings, by name and number. The server has one, UTF-8.

use arrow::array::ArrayRef;

use crate::encoding::Encoding;
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("getdatabaseencoding", &[], NAME, |call| call.map0(|| Encoding::UTF8.name())).stable(),
    function("pg_client_encoding", &[], NAME, pg_client_encoding).stable(),
    function("pg_char_to_encoding", &[NAME], INT4, pg_char_to_encoding).stable(),
    function("pg_encoding_max_length", &[INT4], INT4, pg_encoding_max_length).stable(),
    function("pg_encoding_to_char", &[INT4], NAME, pg_encoding_to_char).stable(),
];

fn pg_client_encoding(call: &Call) -> Result<ArrayRef> {
    let name = call.session().client_encoding.name();
    call.map0(|| name)
}

fn pg_encoding_to_char(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| Encoding::numbered(number).map(Encoding::name).unwrap_or_default())
}

fn pg_char_to_encoding(call: &Call) -> Result<ArrayRef> {
    call.map1(|name: &str| Encoding::named(name).map_or(-1, Encoding::number))
}

/// Bytes of the longest character.
fn pg_encoding_max_length(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| Some(i32::from(Encoding::numbered(number)?.character_bytes_max())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn encodings_have_postgresql_numbers() {
        for (number, name) in [("0", "SQL_ASCII"), ("6", "UTF8"), ("8", "LATIN1"), ("41", "SHIFT_JIS_2004")] {
            assert_eq!(call("pg_encoding_to_char", &[(INT4, Some(number))]).unwrap().unwrap(), name);
        }
        for number in ["-1", "42"] {
            assert_eq!(call("pg_encoding_to_char", &[(INT4, Some(number))]).unwrap().unwrap(), "");
        }
    }
}
