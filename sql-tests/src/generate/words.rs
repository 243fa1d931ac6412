//! Arguments that mean something to a function: fields, formats, patterns, zones, small numbers.
//!
//! Most of the texts of [`types`](super::types) are no format and no unit, and most of the numbers are no month. A call
//! with one of them is refused by both servers, and shows nothing else.

/// Units of `date_trunc`, `date_part` and `extract`.
pub const FIELDS: [&str; 24] = [
    "year",
    "month",
    "day",
    "quarter",
    "week",
    "dow",
    "doy",
    "hour",
    "minute",
    "second",
    "epoch",
    "milliseconds",
    "microseconds",
    "decade",
    "century",
    "millennium",
    "isodow",
    "isoyear",
    "julian",
    "timezone",
    "timezone_hour",
    "timezone_minute",
    "MONTH",
    "fortnight",
];

/// Formats of numbers, for `to_char` and `to_number`.
const NUMBER_FORMATS: [&str; 24] = [
    "999",
    "990.99",
    "FM999999990.0099",
    "000000.000",
    "S9999.9",
    "9999.9S",
    "MI9999.99",
    "9999.99MI",
    "9999PR",
    "PL999",
    "SG99.9",
    "9G999G999D99",
    "9,999,999.99",
    "FM9,999",
    "RN",
    "FMRN",
    "999th",
    "FM99TH",
    "99V99",
    "B999.9",
    "9.99EEEE",
    "L9999.99",
    "9999999999999999999.999999",
    "\"n: \"FM990",
];

/// Formats of times, for `to_char`.
const TIME_FORMATS: [&str; 28] = [
    "YYYY-MM-DD HH24:MI:SS",
    "YYYY-MM-DD HH12:MI:SS.MS AM",
    "FMDay, FMDD FMMonth YYYY",
    "Dy DD Mon YY",
    "DAY MONTH day month",
    "Month|MON|mon|RM|rm|FMRM",
    "Day|DY|dy|D|ID",
    "DDD|IDDD|DD|J",
    "WW|IW|W|Q|CC",
    "IYYY-IW-ID|IYY|IY|I",
    "YYYY|YYY|YY|Y|Y,YYY",
    "HH|HH12|HH24|MI|SS|SSSS|SSSSS",
    "MS|US|FF1|FF2|FF3|FF4|FF5|FF6",
    "a.m.|P.M.|am|PM",
    "YYYY BC|ad|B.C.",
    "FMMM/FMDD/FMYYYY",
    "DDth|DDTH|FMDDth|MMth",
    "\"Q\"Q YYYY",
    "YYYY\"year\"MM\"month\"",
    "TZ|tz|OF|TZH:TZM",
    "FMHH24hFMMI",
    "YYYYMMDDHH24MISS",
    "TMMonth TMDay",
    "\\\"YYYY\\\"",
    "FXYYYY",
    "DDSP",
    "",
    "äYYYY",
];

/// Formats of what `to_date` and `to_timestamp` read.
const READ_FORMATS: [&str; 16] = [
    "YYYY-MM-DD",
    "YYYYMMDD",
    "DD Mon YYYY",
    "FMDD/FMMM/YY",
    "MM/DD/YYYY",
    "YYYY-DDD",
    "IYYY-IW-ID",
    "J",
    "YYYY-MM-DD HH24:MI:SS",
    "YYYY-MM-DD HH:MI AM",
    "YYYY-MM-DD HH24:MI:SS.US",
    "Month DD, YYYY",
    "YYYY-MM-DD BC",
    "FXYYYY-MM-DD",
    "YY",
    "YYYY MM",
];

/// What is read with them.
const READ_TEXTS: [&str; 18] = [
    "2024-02-29",
    "20240229",
    "29 Feb 2024",
    "1/2/03",
    "12/31/1999",
    "2024-366",
    "2024-09-4",
    "2460370",
    "2024-02-29 23:59:58",
    "2024-02-29 11:05 PM",
    "2024-02-29 01:02:03.000456",
    "February 29, 2024",
    "0044-03-15 BC",
    "2023-02-29",
    " 2024 - 2 - 9",
    "99",
    "2024-13-01",
    "",
];

/// What `to_number` reads.
const NUMBER_TEXTS: [&str; 12] =
    ["12", "-12.34", "1,234.56", "12-", "<12>", "$ 12", "1 2", "0.5", "+7", "12.345.6", "XII", ""];

/// Time zones: of the region, of an abbreviation, of an offset.
const ZONES: [&str; 10] =
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "EST", "CEST", "+02", "-05:30", "UTC+3", "Nowhere"];

/// Regular expressions.
const PATTERNS: [&str; 22] = [
    "a",
    "^a",
    "[a-z]+",
    "(a)(b)?",
    "a|b",
    "\\d+",
    "\\s",
    "(.)X(.)",
    "[[:alpha:]]",
    "[^a-c]",
    "b*",
    "a{1,2}",
    ".",
    "$",
    "",
    "(?i)ABC",
    "\\mab",
    "(a",
    "x??",
    "(?:a)b",
    "(\\w)\\1",
    "ä",
];

/// What a match is replaced with.
const REPLACEMENTS: [&str; 7] = ["", "-", "<\\1>", "\\&\\&", "\\2\\1", "\\\\", "é"];

/// Flags of regular expressions.
const FLAGS: [&str; 6] = ["", "g", "i", "gi", "n", "x"];

/// Patterns of LIKE and SIMILAR TO.
const LIKE_PATTERNS: [&str; 16] =
    ["a%", "%b%", "%c", "_b_", "a_c", "%", "", "abc", "A%", "\\%", "%X%X%", "__", "%(a|b)%", "[a-c]+", "ä%", "a\\"];

const SMALL: [&str; 8] = ["0", "1", "2", "3", "5", "-1", "10", "-3"];
const COUNTS: [&str; 6] = ["0", "1", "-1", "3", "7", "20"];
const POWERS: [&str; 8] = ["0", "1", "-1", "2", "0.5", "3.7", "-2.5", "20"];
const YEARS: [&str; 8] = ["2024", "2023", "1999", "1", "-44", "0", "9999", "300000"];
const MONTHS: [&str; 6] = ["1", "2", "6", "12", "0", "13"];
const DAYS: [&str; 6] = ["1", "15", "28", "29", "31", "0"];
const HOURS: [&str; 5] = ["0", "11", "23", "24", "-1"];
const MINUTES: [&str; 4] = ["0", "30", "59", "60"];
const SECONDS: [&str; 6] = ["0", "1.5", "59.999999", "60", "0.0000004", "61"];
const ENCODINGS: [&str; 5] = ["hex", "base64", "escape", "HEX", "none"];
const ENCODED: [&str; 6] = ["616263", "YWJj", "a\\000b", "", "zz", "YQ=="];
const CHARACTER_SETS: [&str; 5] = ["UTF8", "LATIN1", "SQL_ASCII", "utf-8", "none"];
const FORMATS: [&str; 8] = ["%s", "%I", "%L", "%%", "[%10s]", "[%-10s]", "%1$s %1$s", "%s %s"];
const DELIMITERS: [&str; 6] = [",", "X", ".", " ", "", "b"];
const SIZES: [&str; 6] = ["1 kB", "12", "-3 MB", "1.5 GB", "7 TB", "x"];
const CODES: [&str; 8] = ["65", "97", "228", "8364", "128512", "0", "-1", "55296"];
const STRIDES: [&str; 6] = ["15 minutes", "1 hour", "1 day", "7 days", "00:00:00.5", "1 month"];

/// The words for the argument of a function at a place, if it takes such; they are written as values of its type.
pub fn words(name: &str, place: usize, arguments: &[&str]) -> Option<&'static [&'static str]> {
    let type_name = *arguments.get(place)?;
    let first = arguments.first().copied().unwrap_or_default();
    let is_text = type_name == "text";
    let words: &'static [&'static str] = match (name, place) {
        ("date_trunc" | "date_part", 0) => &FIELDS,
        ("to_char", 1) if first.starts_with("timestamp") || first == "interval" => &TIME_FORMATS,
        ("to_char" | "to_number", 1) => &NUMBER_FORMATS,
        ("to_date" | "to_timestamp", 0) if is_text => &READ_TEXTS,
        ("to_date" | "to_timestamp", 1) => &READ_FORMATS,
        ("to_number", 0) => &NUMBER_TEXTS,
        ("timezone", 0) if is_text => &ZONES,
        ("date_trunc", 2) => &ZONES,
        ("make_timestamptz", 6) => &ZONES,
        ("date_bin", 0) => &STRIDES,
        ("make_date" | "make_timestamp" | "make_timestamptz", 0) => &YEARS,
        ("make_date" | "make_timestamp" | "make_timestamptz", 1) => &MONTHS,
        ("make_date" | "make_timestamp" | "make_timestamptz", 2) => &DAYS,
        ("make_timestamp" | "make_timestamptz", 3) | ("make_time", 0) => &HOURS,
        ("make_timestamp" | "make_timestamptz", 4) | ("make_time", 1) => &MINUTES,
        ("make_timestamp" | "make_timestamptz", 5) | ("make_time", 2) => &SECONDS,
        ("make_interval", _) => &SMALL,
        ("encode", 1) | ("decode", 1) => &ENCODINGS,
        ("decode", 0) => &ENCODED,
        ("convert" | "convert_from" | "convert_to", 1..) => &CHARACTER_SETS,
        ("format", 0) => &FORMATS,
        ("split_part" | "string_to_array" | "array_to_string", 1) => &DELIMITERS,
        ("pg_size_bytes", 0) => &SIZES,
        ("chr", 0) => &CODES,
        ("like" | "notlike" | "like_escape", 1) => &LIKE_PATTERNS,
        ("regexp_replace", 2) if is_text => &REPLACEMENTS,
        ("substring", 1) if is_text && arguments.len() == 2 => &PATTERNS,
        (_, 1) if is_text && name.starts_with("regexp_") => &PATTERNS,
        (_, 2..) if is_text && name.starts_with("regexp_") => &FLAGS,
        ("repeat" | "lpad" | "rpad" | "round", 1) | ("factorial", 0) => &COUNTS,
        ("trunc", 1) if is_number(type_name) => &COUNTS,
        ("power" | "pow", _) => &POWERS,
        _ if ["integer", "bigint"].contains(&type_name) && is_position(name) => &SMALL,
        _ => return None,
    };
    Some(words)
}

/// Whether the arguments that have words must be words: the result can grow with their value, up to what a machine has
/// memory for.
pub fn only_words(name: &str) -> bool {
    ["repeat", "lpad", "rpad", "factorial", "power", "pow"].contains(&name)
}

fn is_number(type_name: &str) -> bool {
    ["integer", "bigint", "numeric", "double precision"].contains(&type_name)
}

fn is_position(name: &str) -> bool {
    name.starts_with("regexp_")
        || name.starts_with("array_")
        || ["substr", "substring", "left", "right", "split_part", "overlay", "get_byte", "get_bit"].contains(&name)
}

/// The words for the right side of an operator.
pub fn operator_words(operator: &str, left: &str, right: &str) -> Option<&'static [&'static str]> {
    match (operator, left, right) {
        ("~~" | "!~~" | "~~*" | "!~~*", _, "text") => Some(&LIKE_PATTERNS),
        ("~" | "!~" | "~*" | "!~*", _, "text") => Some(&PATTERNS),
        ("->" | "->>" | "?" | "-", "json" | "jsonb", "text") => Some(&["a", "b", "c", ""]),
        ("->" | "->>" | "-", "json" | "jsonb", "integer") => Some(&SMALL),
        ("#>" | "#>>" | "#-", "json" | "jsonb", "text[]") => Some(&["{a}", "{b,1}", "{1}", "{3,c}", "{}", "{-1}"]),
        ("<<" | ">>", _, "integer") => Some(&SMALL),
        _ => None,
    }
}

/// The words for the right side of LIKE, ILIKE and SIMILAR TO.
pub fn pattern_words() -> &'static [&'static str] {
    &LIKE_PATTERNS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_and_the_types_say_which_words_fit() {
        assert_eq!(words("to_char", 1, &["numeric", "text"]), Some(NUMBER_FORMATS.as_slice()));
        assert_eq!(words("to_char", 1, &["interval", "text"]), Some(TIME_FORMATS.as_slice()));
        assert_eq!(words("lower", 0, &["text"]), None);
        assert_eq!(words("repeat", 1, &["text", "integer"]), Some(COUNTS.as_slice()));
        assert_eq!(words("lpad", 2, &["text", "integer", "text"]), None);
    }
}
