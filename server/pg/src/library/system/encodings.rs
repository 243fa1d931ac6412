//! Character encodings. The server has one, UTF-8.

use arrow::array::ArrayRef;

use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

/// The encodings, by PostgreSQL's numbers.
const ENCODINGS: [&str; 42] = [
    "SQL_ASCII",
    "EUC_JP",
    "EUC_CN",
    "EUC_KR",
    "EUC_TW",
    "EUC_JIS_2004",
    "UTF8",
    "MULE_INTERNAL",
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "WIN1256",
    "WIN1258",
    "WIN866",
    "WIN874",
    "KOI8R",
    "WIN1251",
    "WIN1252",
    "ISO_8859_5",
    "ISO_8859_6",
    "ISO_8859_7",
    "ISO_8859_8",
    "WIN1250",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1257",
    "KOI8U",
    "SJIS",
    "BIG5",
    "GBK",
    "UHC",
    "GB18030",
    "JOHAB",
    "SHIFT_JIS_2004",
];
/// The encoding of the server and of every client.
const UTF8: &str = "UTF8";

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("getdatabaseencoding", &[], NAME, utf8).stable(),
    function("pg_client_encoding", &[], NAME, utf8).stable(),
    function("pg_encoding_to_char", &[INT4], NAME, pg_encoding_to_char).stable(),
];

fn utf8(call: &Call) -> Result<ArrayRef> {
    call.map0(|| UTF8)
}

fn pg_encoding_to_char(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| {
        usize::try_from(number).ok().and_then(|number| ENCODINGS.get(number)).copied().unwrap_or_default()
    })
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
