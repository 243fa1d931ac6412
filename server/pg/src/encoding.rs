//! Character encodings: PostgreSQL's names and numbers of them, and text from and to those that clients may use
//! (`pg_wchar.h`, `encnames.c`). The server has UTF-8.
//!
//! The tables are those of `encoding_rs`, which are the Web's: those of single bytes are PostgreSQL's but for what [`Single`]
//! says; those of several bytes have characters that PostgreSQL's have not, and some others in BIG5.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use encoding_rs::{DecoderResult, EncoderResult};

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// An encoding that PostgreSQL knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(u8);

/// How the text of an encoding is found.
#[derive(Clone, Copy)]
enum Table {
    /// It is UTF-8, or not looked at.
    None,
    /// A character a byte, as the Web has it; the bytes from 0x80 to 0x9f are control characters.
    Iso(&'static encoding_rs::Encoding),
    /// The same, and where the Web has a control character there is none.
    Windows(&'static encoding_rs::Encoding),
    /// Several bytes a character.
    Several(&'static encoding_rs::Encoding),
    /// Two bytes a character, both from [`PAIR_MIN`] on; the Web has more.
    Pairs(&'static encoding_rs::Encoding),
    /// Not converted here.
    Missing,
}

/// The first byte of those that stand in pairs (EUC_CN, EUC_KR).
const PAIR_MIN: u8 = 0xa1;
/// The encoding that has a place for every character of Unicode.
const GB18030: &str = "GB18030";
/// Room for the bytes of a character, as `encoding_rs` asks for it.
const LONGEST_BYTES: usize = 16;

/// The encodings, by PostgreSQL's numbers: name, bytes of the longest character, table.
static ENCODINGS: [(&str, u8, Table); 42] = [
    ("SQL_ASCII", 1, Table::None),
    ("EUC_JP", 3, Table::Several(encoding_rs::EUC_JP)),
    ("EUC_CN", 2, Table::Pairs(encoding_rs::GBK)),
    ("EUC_KR", 3, Table::Pairs(encoding_rs::EUC_KR)),
    ("EUC_TW", 4, Table::Missing),
    ("EUC_JIS_2004", 3, Table::Missing),
    ("UTF8", 4, Table::None),
    ("MULE_INTERNAL", 4, Table::Missing),
    ("LATIN1", 1, Table::Iso(encoding_rs::WINDOWS_1252)),
    ("LATIN2", 1, Table::Iso(encoding_rs::ISO_8859_2)),
    ("LATIN3", 1, Table::Iso(encoding_rs::ISO_8859_3)),
    ("LATIN4", 1, Table::Iso(encoding_rs::ISO_8859_4)),
    ("LATIN5", 1, Table::Iso(encoding_rs::WINDOWS_1254)),
    ("LATIN6", 1, Table::Iso(encoding_rs::ISO_8859_10)),
    ("LATIN7", 1, Table::Iso(encoding_rs::ISO_8859_13)),
    ("LATIN8", 1, Table::Iso(encoding_rs::ISO_8859_14)),
    ("LATIN9", 1, Table::Iso(encoding_rs::ISO_8859_15)),
    ("LATIN10", 1, Table::Iso(encoding_rs::ISO_8859_16)),
    ("WIN1256", 1, Table::Windows(encoding_rs::WINDOWS_1256)),
    ("WIN1258", 1, Table::Windows(encoding_rs::WINDOWS_1258)),
    ("WIN866", 1, Table::Windows(encoding_rs::IBM866)),
    ("WIN874", 1, Table::Windows(encoding_rs::WINDOWS_874)),
    ("KOI8R", 1, Table::Windows(encoding_rs::KOI8_R)),
    ("WIN1251", 1, Table::Windows(encoding_rs::WINDOWS_1251)),
    ("WIN1252", 1, Table::Windows(encoding_rs::WINDOWS_1252)),
    ("ISO_8859_5", 1, Table::Iso(encoding_rs::ISO_8859_5)),
    ("ISO_8859_6", 1, Table::Iso(encoding_rs::ISO_8859_6)),
    ("ISO_8859_7", 1, Table::Iso(encoding_rs::ISO_8859_7)),
    ("ISO_8859_8", 1, Table::Iso(encoding_rs::ISO_8859_8)),
    ("WIN1250", 1, Table::Windows(encoding_rs::WINDOWS_1250)),
    ("WIN1253", 1, Table::Windows(encoding_rs::WINDOWS_1253)),
    ("WIN1254", 1, Table::Windows(encoding_rs::WINDOWS_1254)),
    ("WIN1255", 1, Table::Windows(encoding_rs::WINDOWS_1255)),
    ("WIN1257", 1, Table::Windows(encoding_rs::WINDOWS_1257)),
    ("KOI8U", 1, Table::Windows(encoding_rs::KOI8_U)),
    ("SJIS", 2, Table::Several(encoding_rs::SHIFT_JIS)),
    ("BIG5", 2, Table::Several(encoding_rs::BIG5)),
    ("GBK", 2, Table::Several(encoding_rs::GBK)),
    ("UHC", 2, Table::Several(encoding_rs::EUC_KR)),
    ("GB18030", 4, Table::Several(encoding_rs::GB18030)),
    ("JOHAB", 3, Table::Missing),
    ("SHIFT_JIS_2004", 2, Table::Missing),
];

/// Other names of encodings, without what is no letter or digit.
const SYNONYMS: [(&str, &str); 40] = [
    ("abc", "WIN1258"),
    ("alt", "WIN866"),
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
    ("windows1257", "WIN1257"),
    ("windows1258", "WIN1258"),
    ("windows866", "WIN866"),
    ("windows874", "WIN874"),
    ("windows949", "UHC"),
];

/// What the Web has and PostgreSQL has not in encodings of single bytes, and what that has instead.
const CORRECTIONS: [(&str, u8, Option<char>); 3] =
    [("KOI8U", 0xae, Some('╝')), ("KOI8U", 0xbe, Some('╬')), ("WIN1255", 0xca, None)];

/// What PostgreSQL writes in encodings of several bytes and the Web does not, or otherwise.
const ADDITIONS: [(&str, char, [u8; 2]); 10] = [
    ("SJIS", '\u{301c}', [0x81, 0x60]),
    ("SJIS", '\u{2016}', [0x81, 0x61]),
    ("SJIS", '\u{2212}', [0x81, 0x7c]),
    ("SJIS", '\u{a2}', [0x81, 0x91]),
    ("SJIS", '\u{a3}', [0x81, 0x92]),
    ("SJIS", '\u{ac}', [0x81, 0xca]),
    ("EUC_CN", '\u{2015}', [0xa1, 0xaa]),
    ("EUC_CN", '\u{30fb}', [0xa1, 0xa4]),
    ("EUC_KR", '\u{327e}', [0xa2, 0xe8]),
    ("UHC", '\u{327e}', [0xa2, 0xe8]),
];

/// The characters of EUC_JP of three bytes, which the Web reads and does not write.
static EUC_JP_SUPPLEMENT: LazyLock<HashMap<char, [u8; 3]>> = LazyLock::new(|| {
    let bytes = (0xa1..=0xfe).flat_map(|row| (0xa1..=0xfe).map(move |cell| [0x8f, row, cell]));
    let character = |bytes: [u8; 3]| {
        let text = encoding_rs::EUC_JP.decode_without_bom_handling_and_without_replacement(&bytes)?;
        Some((text.chars().next()?, bytes))
    };
    bytes.filter_map(character).collect()
});

/// The characters of an encoding of single bytes, from 0x80 on.
struct Single {
    characters: [Option<char>; 128],
    bytes: HashMap<char, u8>,
}

static SINGLE: LazyLock<Vec<Option<Single>>> =
    LazyLock::new(|| ENCODINGS.iter().map(|(name, _, table)| Single::of(name, *table)).collect());

impl Single {
    fn of(name: &str, table: Table) -> Option<Self> {
        let (web, has_controls) = match table {
            Table::Iso(web) => (web, true),
            Table::Windows(web) => (web, false),
            _ => return None,
        };
        let mut single = Single { characters: [None; 128], bytes: HashMap::new() };
        for (byte, place) in (0x80..=0xff_u8).zip(&mut single.characters) {
            let text = web.decode_without_bom_handling_and_without_replacement(std::slice::from_ref(&byte));
            let corrected = CORRECTIONS.iter().find(|(encoding, wrong, _)| *encoding == name && *wrong == byte);
            let character = match byte {
                _ if corrected.is_some() => corrected.and_then(|(.., character)| *character),
                0x80..=0x9f if has_controls => Some(char::from(byte)),
                _ => text.and_then(|text| text.chars().next()).filter(|it| has_controls || !is_control(*it)),
            };
            *place = character;
            single.bytes.extend(character.map(|character| (character, byte)));
        }
        Some(single)
    }
}

impl Encoding {
    /// The server's.
    pub const UTF8: Encoding = Encoding(6);
    /// Of those who do not say: what is no ASCII is left as it is.
    pub const SQL_ASCII: Encoding = Encoding(0);

    /// The encoding of this name; its case and what is no letter or digit do not matter.
    pub fn named(name: &str) -> Option<Self> {
        let letters = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        let wanted = letters(name);
        let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == wanted);
        let wanted = synonym.map_or(wanted, |(_, name)| letters(name));
        let number = ENCODINGS.iter().position(|(name, ..)| letters(name) == wanted)?;
        Some(Encoding(u8::try_from(number).ok()?))
    }

    /// The encoding with this number of PostgreSQL's.
    pub fn numbered(number: i32) -> Option<Self> {
        let number = u8::try_from(number).ok()?;
        (usize::from(number) < ENCODINGS.len()).then_some(Encoding(number))
    }

    /// PostgreSQL's number.
    pub fn number(self) -> i32 {
        i32::from(self.0)
    }

    /// PostgreSQL's name.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    /// Bytes of the longest character.
    pub fn character_bytes_max(self) -> u8 {
        self.entry().1
    }

    /// Whether text in it is as the server has it.
    pub fn is_plain(self) -> bool {
        matches!(self.entry().2, Table::None)
    }

    /// # Errors
    /// 0A000 for an encoding that is not converted here.
    pub fn check_supported(self) -> Result<()> {
        match self.entry().2 {
            Table::Missing => Err(PgError::not_supported(format!("encoding \"{}\"", self.name()))),
            _ => Ok(()),
        }
    }

    fn entry(self) -> &'static (&'static str, u8, Table) {
        &ENCODINGS[usize::from(self.0)]
    }

    /// The text that the bytes are.
    ///
    /// # Errors
    /// 22021 when they are none, 22P05 for a character that Unicode has not; 0A000 for an encoding that is not converted.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>> {
        self.check_supported()?;
        if self.is_plain() || bytes.is_ascii() {
            return Ok(Cow::Borrowed(utf8(bytes)?));
        }
        if let Some(zero) = memchr::memchr(0, bytes) {
            return Err(invalid_bytes(self, &bytes[zero..=zero]));
        }
        let text = match (&SINGLE[usize::from(self.0)], self.entry().2) {
            (Some(single), _) => self.decode_single(single, bytes),
            (None, Table::Pairs(web)) => match outside_pairs(bytes) {
                Some(wrong) => Err(invalid_bytes(self, wrong)),
                None => self.decode_several(web, bytes),
            },
            (None, Table::Several(web)) => self.decode_several(web, bytes),
            (None, _) => Ok(String::new()),
        };
        text.map(Cow::Owned)
    }

    fn decode_single(self, single: &Single, bytes: &[u8]) -> Result<String> {
        let character = |byte: &u8| match byte.checked_sub(0x80) {
            None => Some(char::from(*byte)),
            Some(place) => single.characters[usize::from(place)],
        };
        let missing = |byte: &u8| no_equivalent(std::slice::from_ref(byte), self, Encoding::UTF8);
        bytes.iter().map(|byte| character(byte).ok_or_else(|| missing(byte))).collect()
    }

    fn decode_several(self, web: &'static encoding_rs::Encoding, bytes: &[u8]) -> Result<String> {
        let mut decoder = web.new_decoder_without_bom_handling();
        let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len());
        let mut text = String::with_capacity(room);
        let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
        match result {
            DecoderResult::Malformed(length, behind) => {
                let end = read.saturating_sub(usize::from(behind));
                let wrong = &bytes[end.saturating_sub(usize::from(length))..end];
                // The beginning of a character is none; a whole one is of those that were never given a meaning.
                Err(match wrong.len() {
                    1 => invalid_bytes(self, wrong),
                    _ => no_equivalent(wrong, self, Encoding::UTF8),
                })
            }
            DecoderResult::InputEmpty if self.name() == GB18030 => Ok(text),
            DecoderResult::InputEmpty => match text.contains(is_untaken) {
                true => Err(self.nothing_there(web, bytes)),
                false => Ok(text),
            },
            DecoderResult::OutputFull => Err(PgError::internal("a text is longer than it can be")),
        }
    }

    /// The error for the first character whose place in the table is not taken.
    fn nothing_there(self, web: &'static encoding_rs::Encoding, bytes: &[u8]) -> PgError {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let length = if first.is_ascii() { 1 } else { 2.min(rest.len()) };
            let single = web.decode_without_bom_handling_and_without_replacement(&rest[..1]);
            let length = if single.is_some() { 1 } else { length };
            let character = web.decode_without_bom_handling_and_without_replacement(&rest[..length]);
            if character.is_some_and(|text| text.contains(is_untaken)) {
                return match length {
                    1 => invalid_bytes(self, &rest[..length]),
                    _ => no_equivalent(&rest[..length], self, Encoding::UTF8),
                };
            }
            rest = &rest[length..];
        }
        no_equivalent(bytes, self, Encoding::UTF8)
    }

    /// The bytes of a text.
    ///
    /// # Errors
    /// 22P05 for a character that the encoding has not; 0A000 for one that is not converted.
    pub fn encode(self, text: &str) -> Result<Cow<'_, [u8]>> {
        self.check_supported()?;
        if self.is_plain() || text.is_ascii() {
            return Ok(Cow::Borrowed(text.as_bytes()));
        }
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            self.encode_character(character, &mut bytes)
                .ok_or_else(|| no_equivalent(character.encode_utf8(&mut [0; 4]).as_bytes(), Encoding::UTF8, self))?;
        }
        Ok(Cow::Owned(bytes))
    }

    /// The bytes of a text, with a question mark for what the encoding has not: for messages that must arrive.
    pub fn encode_lossy(self, text: &str) -> Cow<'_, [u8]> {
        self.encode(text).unwrap_or_else(|_| {
            let mut bytes = Vec::with_capacity(text.len());
            for character in text.chars() {
                if self.encode_character(character, &mut bytes).is_none() {
                    bytes.push(b'?');
                }
            }
            Cow::Owned(bytes)
        })
    }

    /// Adds a character, if the encoding has it.
    fn encode_character(self, character: char, bytes: &mut Vec<u8>) -> Option<()> {
        if character.is_ascii() {
            bytes.push(u8::try_from(character).ok()?);
            return Some(());
        }
        let web = match (&SINGLE[usize::from(self.0)], self.entry().2) {
            (Some(single), _) => {
                bytes.push(*single.bytes.get(&character)?);
                return Some(());
            }
            (None, Table::Several(_) | Table::Pairs(_)) if self.name() != GB18030 && is_untaken(character) => {
                return None;
            }
            (None, Table::Several(web) | Table::Pairs(web)) => web,
            (None, _) => return None,
        };
        let (mut utf8, mut encoded) = ([0; 4], [0; LONGEST_BYTES]);
        let utf8: &str = character.encode_utf8(&mut utf8);
        let (result, _, written) = web.new_encoder().encode_from_utf8_without_replacement(utf8, &mut encoded, true);
        let encoded = &encoded[..written];
        let is_in_range = !matches!(self.entry().2, Table::Pairs(_)) || outside_pairs(encoded).is_none();
        if result == EncoderResult::InputEmpty && is_in_range {
            bytes.extend_from_slice(encoded);
            return Some(());
        }
        let addition = ADDITIONS.iter().find(|(name, added, _)| *name == self.name() && *added == character);
        if let Some((.., addition)) = addition {
            bytes.extend_from_slice(addition);
            return Some(());
        }
        let supplement = if self.name() == "EUC_JP" { EUC_JP_SUPPLEMENT.get(&character) } else { None };
        supplement.map(|supplement| bytes.extend_from_slice(supplement))
    }
}

fn is_control(character: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&character)
}

/// Whether a character stands for a place of a table that is not taken.
fn is_untaken(character: char) -> bool {
    is_control(character) || ('\u{e000}'..='\u{f8ff}').contains(&character)
}

/// What is neither ASCII nor one of two bytes from [`PAIR_MIN`] on.
fn outside_pairs(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        bytes = match bytes {
            [] => return None,
            [byte, rest @ ..] if byte.is_ascii() => rest,
            [first, second, rest @ ..] if *first.min(second) >= PAIR_MIN => rest,
            _ => return Some(&bytes[..bytes.len().min(2)]),
        };
    }
}

/// The bytes as UTF-8 text.
///
/// # Errors
/// 22021 for what is not, in PostgreSQL's words; a zero is none either.
pub fn utf8(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes);
    let zero = memchr::memchr(0, bytes).unwrap_or(usize::MAX);
    let wrong = text.err().map_or(usize::MAX, |error| error.valid_up_to()).min(zero);
    match text {
        Ok(text) if wrong == usize::MAX => Ok(text),
        _ => {
            let wrong = bytes.get(wrong..).unwrap_or(&[]);
            // As many bytes as the first of them announces.
            let announced = match wrong.first() {
                Some(0xc0..=0xdf) => 2,
                Some(0xe0..=0xef) => 3,
                Some(0xf0..=0xf7) => 4,
                _ => 1,
            };
            Err(invalid_bytes(Encoding::UTF8, &wrong[..wrong.len().min(announced)]))
        }
    }
}

fn invalid_bytes(encoding: Encoding, bytes: &[u8]) -> PgError {
    let message = format!("invalid byte sequence for encoding \"{}\": {}", encoding.name(), listed(bytes));
    PgError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
}

fn no_equivalent(bytes: &[u8], from: Encoding, to: Encoding) -> PgError {
    let message = format!(
        "character with byte sequence {} in encoding \"{}\" has no equivalent in encoding \"{}\"",
        listed(bytes),
        from.name(),
        to.name(),
    );
    PgError::new(SqlState::UNTRANSLATABLE_CHARACTER, message)
}

fn listed(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:#04x}")).collect::<Vec<_>>().join(" ")
}
