//! Strings in other encodings: `convert`, `convert_from`, `convert_to`.

use super::as_integer;
use crate::encoding::Encoding;
use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("convert_from", &[BYTEA, NAME], TEXT, |call| call.map2(convert_from)).stable(),
    function("convert_to", &[TEXT, NAME], BYTEA, |call| call.map2(convert_to)).stable(),
    function("convert", &[BYTEA, NAME, NAME], BYTEA, |call| call.map3(convert)).stable(),
    function("length", &[BYTEA, NAME], INT4, |call| call.map2(length)).stable(),
];

fn known(name: &str, kind: &str) -> Result<Encoding> {
    let unknown = || PgError::invalid_parameter(format!("invalid {kind} name \"{name}\""));
    let encoding = Encoding::named(name).ok_or_else(unknown)?;
    encoding.check_supported().map(|()| encoding)
}

fn source(name: &str) -> Result<Encoding> {
    known(name, "source encoding")
}

fn destination(name: &str) -> Result<Encoding> {
    known(name, "destination encoding")
}

/// Refuses bytes that are no text in the encoding.
fn check(bytes: &[u8], encoding: Encoding) -> Result<()> {
    match encoding {
        Encoding::SQL_ASCII if !bytes.contains(&0) => Ok(()),
        _ => encoding.decode(bytes).map(|_| ()),
    }
}

fn convert_from(bytes: &[u8], name: &str) -> Result<String> {
    Ok(source(name)?.decode(bytes)?.into_owned())
}

fn convert_to(text: &str, name: &str) -> Result<Vec<u8>> {
    Ok(destination(name)?.encode(text)?.into_owned())
}

fn convert(bytes: &[u8], from: &str, to: &str) -> Result<Vec<u8>> {
    let (from, to) = (source(from)?, destination(to)?);
    check(bytes, from)?;
    if from == Encoding::SQL_ASCII || to == Encoding::SQL_ASCII || from == to {
        return Ok(bytes.to_vec());
    }
    if from != Encoding::UTF8 && to != Encoding::UTF8 {
        let (from, to) = (from.name(), to.name());
        let message = format!("default conversion function for encoding \"{from}\" to \"{to}\" does not exist");
        return Err(PgError::new(SqlState::UNDEFINED_FUNCTION, message));
    }
    Ok(to.encode(&from.decode(bytes)?)?.into_owned())
}

/// Characters of a string in an encoding.
fn length(bytes: &[u8], name: &str) -> Result<i32> {
    let encoding = known(name, "encoding")?;
    check(bytes, encoding)?;
    match encoding {
        Encoding::SQL_ASCII => Ok(as_integer(bytes.len())),
        _ => Ok(as_integer(encoding.decode(bytes)?.chars().count())),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Value, call};
    use crate::types::*;

    fn check(name: &str, arguments: &[Value<'_>], expected: &str) {
        let found = call(name, arguments);
        let found = found.map_or_else(|error| error.message, Option::unwrap_or_default);
        assert_eq!(found, expected, "{name} {arguments:?}");
    }

    #[test]
    fn bytes_are_read_in_an_encoding() {
        let from = |bytes, encoding, expected: &str| {
            check("convert_from", &[(BYTEA, Some(bytes)), (NAME, Some(encoding))], expected);
        };
        from("\\xe4", "LATIN1", "ä");
        from("\\xa4", "iso-8859-15", "€");
        from("\\x80", "WIN1252", "€");
        from("\\xc3a4", "utf-8", "ä");
        from("\\xff", "UTF8", "invalid byte sequence for encoding \"UTF8\": 0xff");
        from("\\x61e228", "UTF8", "invalid byte sequence for encoding \"UTF8\": 0xe2 0x28");
        from("\\x00", "UTF8", "invalid byte sequence for encoding \"UTF8\": 0x00");
        from("\\x61", "foo", "invalid source encoding name \"foo\"");
        from("\\x61", "EUC_TW", "encoding \"EUC_TW\" is not supported");
        from("\\xc6fccbdc", "EUC_JP", "日本");
        from("\\xb0a1", "EUC_KR", "가");
        from("\\xb0a1", "EUC_CN", "啊");
        from("\\xb041", "EUC_CN", "invalid byte sequence for encoding \"EUC_CN\": 0xb0 0x41");
        from(
            "\\x81",
            "WIN1252",
            "character with byte sequence 0x81 in encoding \"WIN1252\" has no equivalent in encoding \"UTF8\"",
        );
        from("\\x81", "LATIN5", "\u{81}");
        from("\\x8361835c", "SJIS", "ヂソ");
        from("\\xae", "KOI8U", "╝");
        from(
            "\\xa144",
            "GBK",
            "character with byte sequence 0xa1 0x44 in encoding \"GBK\" has no equivalent in encoding \"UTF8\"",
        );
        from("\\x80", "SJIS", "invalid byte sequence for encoding \"SJIS\": 0x80");
        from("\\x83", "SJIS", "invalid byte sequence for encoding \"SJIS\": 0x83");
    }

    #[test]
    fn text_is_written_in_an_encoding() {
        let to = |text, encoding, expected: &str| {
            check("convert_to", &[(TEXT, Some(text)), (NAME, Some(encoding))], expected);
        };
        to("ä", "LATIN1", "\\xe4");
        to(
            "€",
            "LATIN1",
            "character with byte sequence 0xe2 0x82 0xac in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
        );
        to("〜¢−", "SJIS", "\\x81608191817c");
        to("丂©", "EUC_JP", "\\x8fb0a18fa2ed");
        check("convert", &[(BYTEA, Some("\\xe4")), (NAME, Some("LATIN1")), (NAME, Some("UTF8"))], "\\xc3a4");
        check("convert", &[(BYTEA, Some("\\xff")), (NAME, Some("SQL_ASCII")), (NAME, Some("LATIN1"))], "\\xff");
        check("length", &[(BYTEA, Some("\\xc3a4")), (NAME, Some("UTF8"))], "1");
    }
}
