//! Strings in other encodings: `convert`, `convert_from`, `convert_to`.

use super::as_integer;
use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("convert_from", &[BYTEA, NAME], TEXT, |call| call.map2(convert_from)).stable(),
    function("convert_to", &[TEXT, NAME], BYTEA, |call| call.map2(convert_to)).stable(),
    function("convert", &[BYTEA, NAME, NAME], BYTEA, |call| call.map3(convert)).stable(),
    function("length", &[BYTEA, NAME], INT4, |call| call.map2(length)).stable(),
    function("pg_client_encoding", &[], NAME, |call| call.map0(|| "UTF8")).stable(),
    function("getdatabaseencoding", &[], NAME, |call| call.map0(|| "UTF8")).stable(),
];

/// An encoding that strings can be converted from and to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    Utf8,
    SqlAscii,
    Latin1,
    Latin9,
    Windows1252,
}

/// Windows-1252 from 0x80 to 0x9f; a zero where it has no character.
const WINDOWS_1252: [u16; 32] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0,
    0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
];

/// Where Latin 9 (ISO 8859-15) differs from Latin 1.
const LATIN_9: [(u8, char); 8] =
    [(0xa4, '€'), (0xa6, 'Š'), (0xa8, 'š'), (0xb4, 'Ž'), (0xb8, 'ž'), (0xbc, 'Œ'), (0xbd, 'œ'), (0xbe, 'Ÿ')];

/// Encodings PostgreSQL knows and this server does not convert, without punctuation.
const NOT_CONVERTED: &str = " eucjp euccn euckr euctw eucjis2004 latin2 iso88592 latin3 iso88593 latin4 iso88594 latin5 \
    iso88599 latin6 iso885910 latin7 iso885913 latin8 iso885914 latin10 iso885916 iso88595 iso88596 iso88597 iso88598 \
    koi8 koi8r koi8u win866 alt windows866 win874 windows874 win1250 windows1250 win1251 windows1251 win windows1253 \
    win1253 win1254 windows1254 win1255 windows1255 win1256 windows1256 win1257 windows1257 win1258 windows1258 abc tcvn \
    tcvn5712 vscii sjis mskanji shiftjis win932 windows932 big5 win950 windows950 gbk win936 windows936 uhc win949 \
    windows949 gb18030 johab shiftjis2004 muleinternal ";

impl Encoding {
    /// The encoding with this name; punctuation and case do not count.
    fn named(name: &str, unknown: impl Fn() -> PgError) -> Result<Self> {
        let clean: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Ok(match clean.to_ascii_lowercase().as_str() {
            "utf8" | "unicode" => Encoding::Utf8,
            "sqlascii" => Encoding::SqlAscii,
            "latin1" | "iso88591" => Encoding::Latin1,
            "latin9" | "iso885915" => Encoding::Latin9,
            "win1252" | "windows1252" => Encoding::Windows1252,
            clean if !clean.is_empty() && NOT_CONVERTED.contains(&format!(" {clean} ")) => {
                return Err(PgError::not_supported(format!("encoding \"{name}\"")));
            }
            _ => return Err(unknown()),
        })
    }

    fn source(name: &str) -> Result<Self> {
        Encoding::named(name, || PgError::invalid_parameter(format!("invalid source encoding name \"{name}\"")))
    }

    fn destination(name: &str) -> Result<Self> {
        Encoding::named(name, || PgError::invalid_parameter(format!("invalid destination encoding name \"{name}\"")))
    }

    fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF8",
            Encoding::SqlAscii => "SQL_ASCII",
            Encoding::Latin1 => "LATIN1",
            Encoding::Latin9 => "LATIN9",
            Encoding::Windows1252 => "WIN1252",
        }
    }

    /// The character of a byte in an encoding of single bytes.
    fn character(self, byte: u8) -> Option<char> {
        let special = match self {
            Encoding::Latin9 => LATIN_9.iter().find(|(code, _)| *code == byte).map(|(_, c)| *c),
            Encoding::Windows1252 if (0x80..0xa0).contains(&byte) => {
                let code = WINDOWS_1252[usize::from(byte - 0x80)];
                return char::from_u32(u32::from(code)).filter(|c| *c != '\0');
            }
            _ => None,
        };
        Some(special.unwrap_or_else(|| char::from(byte)))
    }

    /// The byte of a character in an encoding of single bytes.
    fn byte(self, c: char) -> Option<u8> {
        if c.is_ascii() {
            return u8::try_from(c).ok();
        }
        (0x80..=0xff).find(|byte| self.character(*byte) == Some(c))
    }
}

/// The bytes as UTF-8 text, or PostgreSQL's words for what is not.
fn checked_utf8(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes);
    let bad = text.err().map(|error| error.valid_up_to());
    let zero = bytes.iter().position(|byte| *byte == 0);
    match (text, zero, bad) {
        (Ok(text), None, _) => Ok(text),
        (_, zero, bad) => {
            let at = zero.unwrap_or(usize::MAX).min(bad.unwrap_or(usize::MAX));
            Err(invalid_bytes(Encoding::Utf8, bytes.get(at..).unwrap_or(&[])))
        }
    }
}

/// `invalid byte sequence …`, with as many bytes as the first of them announces.
fn invalid_bytes(encoding: Encoding, bytes: &[u8]) -> PgError {
    let announced = match (encoding, bytes.first()) {
        (Encoding::Utf8, Some(0xc0..=0xdf)) => 2,
        (Encoding::Utf8, Some(0xe0..=0xef)) => 3,
        (Encoding::Utf8, Some(0xf0..=0xf7)) => 4,
        _ => 1,
    };
    let message =
        format!("invalid byte sequence for encoding \"{}\": {}", encoding.name(), listed(bytes.iter().take(announced)));
    PgError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
}

fn listed<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.map(|byte| format!("{byte:#04x}")).collect::<Vec<_>>().join(" ")
}

fn no_equivalent(bytes: &[u8], from: Encoding, to: Encoding) -> PgError {
    let message = format!(
        "character with byte sequence {} in encoding \"{}\" has no equivalent in encoding \"{}\"",
        listed(bytes.iter()),
        from.name(),
        to.name(),
    );
    PgError::new(SqlState::UNTRANSLATABLE_CHARACTER, message)
}

/// Refuses bytes that are no text in the encoding.
fn check(bytes: &[u8], encoding: Encoding) -> Result<()> {
    match encoding {
        Encoding::Utf8 => checked_utf8(bytes).map(|_| ()),
        single if bytes.contains(&0) => Err(invalid_bytes(single, &[0])),
        _ => Ok(()),
    }
}

/// The text that the bytes are in the encoding.
fn decoded(bytes: &[u8], encoding: Encoding) -> Result<String> {
    check(bytes, encoding)?;
    match encoding {
        Encoding::Utf8 | Encoding::SqlAscii => Ok(checked_utf8(bytes)?.to_owned()),
        single => {
            let missing = |byte: u8| no_equivalent(&[byte], single, Encoding::Utf8);
            bytes.iter().map(|byte| single.character(*byte).ok_or_else(|| missing(*byte))).collect()
        }
    }
}

fn encoded(text: &str, encoding: Encoding) -> Result<Vec<u8>> {
    match encoding {
        Encoding::Utf8 | Encoding::SqlAscii => Ok(text.as_bytes().to_vec()),
        single => {
            let mut utf8 = [0; 4];
            let missing =
                |c: char, utf8: &mut [u8; 4]| no_equivalent(c.encode_utf8(utf8).as_bytes(), Encoding::Utf8, single);
            text.chars().map(|c| single.byte(c).ok_or_else(|| missing(c, &mut utf8))).collect()
        }
    }
}

fn convert_from(bytes: &[u8], source: &str) -> Result<String> {
    decoded(bytes, Encoding::source(source)?)
}

fn convert_to(text: &str, destination: &str) -> Result<Vec<u8>> {
    encoded(text, Encoding::destination(destination)?)
}

fn convert(bytes: &[u8], source: &str, destination: &str) -> Result<Vec<u8>> {
    let (source, destination) = (Encoding::source(source)?, Encoding::destination(destination)?);
    check(bytes, source)?;
    if source == Encoding::SqlAscii || destination == Encoding::SqlAscii || source == destination {
        return Ok(bytes.to_vec());
    }
    if source != Encoding::Utf8 && destination != Encoding::Utf8 {
        let message = format!(
            "default conversion function for encoding \"{}\" to \"{}\" does not exist",
            source.name(),
            destination.name(),
        );
        return Err(PgError::new(SqlState::UNDEFINED_FUNCTION, message));
    }
    encoded(&decoded(bytes, source)?, destination)
}

/// Characters of a string in an encoding.
fn length(bytes: &[u8], encoding: &str) -> Result<i32> {
    let unknown = || PgError::invalid_parameter(format!("invalid encoding name \"{encoding}\""));
    let encoding = Encoding::named(encoding, unknown)?;
    check(bytes, encoding)?;
    Ok(match encoding {
        Encoding::Utf8 => as_integer(checked_utf8(bytes)?.chars().count()),
        _ => as_integer(bytes.len()),
    })
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
        from("\\x61", "EUC_JP", "encoding \"EUC_JP\" is not supported");
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
        check("convert", &[(BYTEA, Some("\\xe4")), (NAME, Some("LATIN1")), (NAME, Some("UTF8"))], "\\xc3a4");
        check("convert", &[(BYTEA, Some("\\xff")), (NAME, Some("SQL_ASCII")), (NAME, Some("LATIN1"))], "\\xff");
        check("length", &[(BYTEA, Some("\\xc3a4")), (NAME, Some("UTF8"))], "1");
    }
}
