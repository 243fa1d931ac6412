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
/// Other names of encodings, without what is no letter or digit.
const SYNONYMS: [(&str, &str); 42] = [
    ("abc", "WIN1258"),
    ("alt", "WIN866"),
    ("big5", "BIG5"),
    ("euccn", "EUC_CN"),
    ("eucjis2004", "EUC_JIS_2004"),
    ("eucjp", "EUC_JP"),
    ("euckr", "EUC_KR"),
    ("euctw", "EUC_TW"),
    ("iso88591", "LATIN1"),
    ("iso885910", "LATIN6"),
    ("iso885913", "LATIN7"),
    ("iso885914", "LATIN8"),
    ("iso885915", "LATIN9"),
    ("iso885916", "LATIN10"),
    ("iso88592", "LATIN2"),
    ("iso88593", "LATIN3"),
    ("iso88594", "LATIN4"),
    ("iso88595", "ISO_8859_5"),
    ("iso88596", "ISO_8859_6"),
    ("iso88597", "ISO_8859_7"),
    ("iso88598", "ISO_8859_8"),
    ("iso88599", "LATIN5"),
    ("koi8", "KOI8R"),
    ("mskanji", "SJIS"),
    ("shiftjis", "SJIS"),
    ("tcvn", "WIN1258"),
    ("tcvn5712", "WIN1258"),
    ("unicode", "UTF8"),
    ("vscii", "WIN1258"),
    ("win", "WIN1251"),
    ("win932", "SJIS"),
    ("win936", "GBK"),
    ("win949", "UHC"),
    ("win950", "BIG5"),
    ("windows1250", "WIN1250"),
    ("windows1251", "WIN1251"),
    ("windows1252", "WIN1252"),
    ("windows1253", "WIN1253"),
    ("windows1254", "WIN1254"),
    ("windows1255", "WIN1255"),
    ("windows1256", "WIN1256"),
    ("windows866", "WIN866"),
];
/// The encoding of the server and of every client.
const UTF8: &str = "UTF8";

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("getdatabaseencoding", &[], NAME, utf8).stable(),
    function("pg_client_encoding", &[], NAME, utf8).stable(),
    function("pg_char_to_encoding", &[NAME], INT4, pg_char_to_encoding).stable(),
    function("pg_encoding_max_length", &[INT4], INT4, pg_encoding_max_length).stable(),
    function("pg_encoding_to_char", &[INT4], NAME, pg_encoding_to_char).stable(),
];

/// The encoding of this name; its case and what is no letter or digit do not matter.
pub fn encoding_named(name: &str) -> Option<&'static str> {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = letters(name);
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == wanted).map(|(_, encoding)| *encoding);
    synonym.or_else(|| ENCODINGS.iter().find(|encoding| letters(encoding) == wanted).copied())
}

fn utf8(call: &Call) -> Result<ArrayRef> {
    call.map0(|| UTF8)
}

fn pg_encoding_to_char(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| {
        usize::try_from(number).ok().and_then(|number| ENCODINGS.get(number)).copied().unwrap_or_default()
    })
}

fn pg_char_to_encoding(call: &Call) -> Result<ArrayRef> {
    call.map1(|name: &str| {
        let found = encoding_named(name).and_then(|found| ENCODINGS.iter().position(|encoding| *encoding == found));
        found.map_or(-1, |number| number as i32)
    })
}

/// Bytes of the longest character.
fn pg_encoding_max_length(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| {
        let encoding = usize::try_from(number).ok().and_then(|number| ENCODINGS.get(number))?;
        Some(match *encoding {
            "UTF8" | "MULE_INTERNAL" | "EUC_TW" | "GB18030" => 4,
            "EUC_JP" | "EUC_KR" | "EUC_JIS_2004" | "JOHAB" => 3,
            "EUC_CN" | "SJIS" | "BIG5" | "GBK" | "UHC" | "SHIFT_JIS_2004" => 2,
            _ => 1,
        })
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
