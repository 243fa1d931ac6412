//! What an expression is made of: operators, functions, casts, and SQL's own syntax.
//!
//! The functions are those that PostgreSQL documents, as the list beside the library has them; the operators are asked of
//! the server that is compared with.

use std::io;

use super::types::{SqlType, TYPES, by_name, by_oid};
use super::words::{FIELDS, only_words, operator_words, pattern_words, words};
use crate::answer::Answer;
use crate::session::Session;

/// The documented functions, by kind, name, arguments and result.
const DOCUMENTED: &str = include_str!("../../../server/pg/tests-data/pg_proc.txt");

/// Functions whose answers are the session's, the moment's or chance's.
const NOT_DETERMINISTIC: [&str; 24] = [
    "age",
    "clock_timestamp",
    "current_database",
    "current_query",
    "current_schema",
    "current_schemas",
    "current_setting",
    "gen_random_uuid",
    "inet_client_addr",
    "inet_client_port",
    "inet_server_addr",
    "inet_server_port",
    "localtimestamp",
    "now",
    "random",
    "random_normal",
    "set_config",
    "setseed",
    "statement_timestamp",
    "timeofday",
    "transaction_timestamp",
    "txid_current",
    "version",
    "row_security_active",
];

/// Words that SQL gives an own syntax, so that they are no calls when they are written as such; and functions of rows,
/// of which there are none here.
const OWN_SYNTAX: [&str; 11] = [
    "extract",
    "position",
    "time",
    "timestamp",
    "interval",
    "normalize",
    "is_normalized",
    "json_populate_record",
    "jsonb_populate_record",
    "json_populate_recordset",
    "jsonb_populate_recordset",
];

/// Of so many casts that do not exist one is tried.
const MISSING_CASTS: usize = 15;

/// What polymorphic arguments stand for.
const ELEMENTS: [(&str, &str); 3] = [("integer", "integer[]"), ("text", "text[]"), ("numeric", "numeric[]")];

/// Aggregates whose answer depends on the order of their input.
const ORDERED_AGGREGATES: [&str; 8] =
    ["array_agg", "string_agg", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "xmlagg", "mode"];

/// How to write an expression around its arguments.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called in the report: `integer + integer`.
    pub label: String,
    /// The type of the result, by its OID.
    pub result: u32,
    /// The types of the arguments.
    pub arguments: Vec<u32>,
    /// The text before, between and after the arguments.
    pub pieces: Vec<String>,
    /// Words among which the arguments are chosen mostly, where there are such.
    pub words: Vec<Option<&'static [&'static str]>>,
    /// Whether nothing but words is safe there.
    pub only_words: bool,
    /// Whether its answers are known to differ.
    pub is_known: bool,
}

impl Entry {
    fn plain(label: String, result: u32, arguments: Vec<u32>, pieces: Vec<String>) -> Entry {
        Entry { label, result, arguments, pieces, words: vec![], only_words: false, is_known: false }
    }
}

/// Types whose values are written with digits, or tell nothing of them.
const WITHOUT_DIGITS: [u32; 8] = [16, 20, 21, 23, 700, 701, 1700, 1231];

impl Entry {
    /// Whether the number of digits after the point of an argument can be seen in the result.
    pub fn shows_digits(&self) -> bool {
        let of_numeric = self.arguments.iter().any(|oid| [1700, 1231].contains(oid));
        of_numeric && !WITHOUT_DIGITS.contains(&self.result) || self.label.contains("scale(")
    }

    /// Whether it is a cast of a text to something else.
    pub fn reads_text(&self) -> bool {
        let strings = [25, 1042, 1043];
        let of_text = self.arguments.first().is_some_and(|oid| strings.contains(oid));
        of_text && self.label.contains("::") && !strings.contains(&self.result)
    }
}

/// Everything that can be chosen.
#[derive(Debug, Default)]
pub struct Entries {
    /// For expressions.
    pub scalar: Vec<Entry>,
    /// Aggregates of plain arguments.
    pub aggregates: Vec<Entry>,
}

impl Entries {
    /// What PostgreSQL has; `known` says whose answers are known to differ.
    pub fn load(postgres: &mut Session, known: impl Fn(&str) -> bool) -> io::Result<Entries> {
        let mut entries = Entries { scalar: operators(postgres)?, aggregates: vec![] };
        for line in DOCUMENTED.lines() {
            let Some((kind, signature)) = line.split_once(' ') else { continue };
            match kind {
                "f" => entries.scalar.extend(instances(signature)),
                "a" => entries.aggregates.extend(instances(signature).into_iter().filter(is_plain_aggregate)),
                _ => {}
            }
        }
        entries.scalar.extend(casts(&existing_casts(postgres)?));
        entries.scalar.extend(syntax());
        for entry in &mut entries.scalar {
            entry.is_known = known(&entry.label);
        }
        Ok(entries)
    }
}

fn is_plain_aggregate(entry: &Entry) -> bool {
    let name = entry.label.split('(').next().unwrap_or_default();
    !ORDERED_AGGREGATES.contains(&name)
        && !name.starts_with("percentile")
        && !["rank", "dense_rank", "percent_rank", "cume_dist"].contains(&name)
}

fn operators(postgres: &mut Session) -> io::Result<Vec<Entry>> {
    let oids: Vec<_> = TYPES.iter().map(|it| it.oid.to_string()).collect();
    let oids = oids.join(", ");
    let sql = format!(
        "SELECT oprname, oprleft, oprright, oprresult FROM pg_catalog.pg_operator
         WHERE oprleft IN (0, {oids}) AND oprright IN ({oids}) AND oprresult IN ({oids}) AND oprcode <> 0
         AND oprname NOT LIKE '~<%' AND oprname NOT LIKE '~>%' AND oprname NOT LIKE '*%=' AND oprname NOT LIKE '*<%'
         AND oprname NOT LIKE '*>%' ORDER BY 1, 2, 3"
    );
    let Answer::Rows { rows, .. } = postgres.run(&sql)? else { return Err(io::Error::other("no operators")) };
    let entries = rows.iter().filter_map(|row| match row.as_slice() {
        [Some(name), Some(left), Some(right), Some(result)] => {
            operator(name, left.parse().ok()?, right.parse().ok()?, result.parse().ok()?)
        }
        _ => None,
    });
    Ok(entries.collect())
}

fn operator(name: &str, left: u32, right: u32, result: u32) -> Option<Entry> {
    let right_name = by_oid(right)?.name;
    if left == 0 {
        let pieces = vec![format!("({name} "), ")".to_owned()];
        return Some(Entry::plain(format!("{name} {right_name}"), result, vec![right], pieces));
    }
    let left_name = by_oid(left)?.name;
    let pieces = vec!["(".to_owned(), format!(" {name} "), ")".to_owned()];
    let plain = Entry::plain(format!("{left_name} {name} {right_name}"), result, vec![left, right], pieces);
    Some(Entry { words: vec![None, operator_words(name, left_name, right_name)], ..plain })
}

/// The entries that a line `name(arguments) result` stands for: none if a type is unknown, several if one is polymorphic.
fn instances(signature: &str) -> Vec<Entry> {
    let Some((name, rest)) = signature.split_once('(') else { return vec![] };
    let Some((arguments, result)) = rest.rsplit_once(") ") else { return vec![] };
    if NOT_DETERMINISTIC.contains(&name)
        || OWN_SYNTAX.contains(&name)
        || name.starts_with("pg_")
        || name.starts_with("has_")
    {
        return vec![];
    }
    let arguments: Vec<_> =
        arguments.split(", ").filter(|argument| !argument.is_empty() && *argument != "...").collect();
    let polymorphic = arguments.iter().any(|argument| argument.contains("any"));
    let elements = if polymorphic { ELEMENTS.as_slice() } else { ELEMENTS.get(..1).unwrap_or_default() };
    elements.iter().filter_map(|element| instance(name, &arguments, result, *element)).collect()
}

fn instance(name: &str, arguments: &[&str], result: &str, element: (&str, &str)) -> Option<Entry> {
    let oid = |text: &str| {
        let text = match text.trim_matches('"') {
            "any" | "anyelement" | "anynonarray" | "anycompatible" | "anycompatiblenonarray" => element.0,
            "anyarray" | "anycompatiblearray" => element.1,
            _ => text,
        };
        by_name(text).map(|it| it.oid)
    };
    let oids: Vec<_> = arguments.iter().map(|argument| oid(argument)).collect::<Option<_>>()?;
    let mut pieces = vec![format!("{name}(")];
    pieces.extend(std::iter::repeat_n(", ".to_owned(), oids.len().saturating_sub(1)));
    if !oids.is_empty() {
        pieces.push(")".to_owned());
    } else if let Some(first) = pieces.first_mut() {
        first.push(')');
    }
    let names: Vec<_> = oids.iter().filter_map(|oid| by_oid(*oid)).map(|it| it.name).collect();
    let label = format!("{name}({})", names.join(", "));
    let words = (0..names.len()).map(|place| words(name, place, &names)).collect();
    Some(Entry { words, only_words: only_words(name), ..Entry::plain(label, oid(result)?, oids, pieces) })
}

/// Source and target of each cast that is not by way of text.
fn existing_casts(postgres: &mut Session) -> io::Result<Vec<(u32, u32)>> {
    let Answer::Rows { rows, .. } = postgres.run("SELECT castsource, casttarget FROM pg_catalog.pg_cast")? else {
        return Err(io::Error::other("no casts"));
    };
    let pair = |row: &Vec<Option<String>>| match row.as_slice() {
        [Some(source), Some(target)] => Some((source.parse().ok()?, target.parse().ok()?)),
        _ => None,
    };
    Ok(rows.iter().filter_map(pair).collect())
}

/// Casts between pairs of types: those that exist, those by way of text, and some that do not exist.
fn casts(existing: &[(u32, u32)]) -> Vec<Entry> {
    let strings = [25, 1042, 1043];
    let pairs = TYPES.iter().flat_map(|from| TYPES.iter().map(move |to| (from, to)));
    let pairs = pairs.enumerate().filter(|(number, (from, to))| {
        existing.contains(&(from.oid, to.oid))
            || strings.contains(&from.oid)
            || strings.contains(&to.oid)
            || number % MISSING_CASTS == 0
    });
    let pairs = pairs.map(|(_, pair)| pair);
    let cast = |(from, to): (&SqlType, &SqlType)| {
        let pieces = vec!["CAST(".to_owned(), format!(" AS {})", to.name)];
        Entry::plain(format!("{}::{}", from.name, to.name), to.oid, vec![from.oid], pieces)
    };
    pairs.map(cast).chain(modified_casts()).collect()
}

fn modified_casts() -> Vec<Entry> {
    let targets = [
        ("numeric(5,2)", 1700),
        ("numeric(20,0)", 1700),
        ("numeric(38,10)", 1700),
        ("varchar(2)", 1043),
        ("char(3)", 1042),
        ("timestamp(0)", 1114),
        ("time(2)", 1083),
        ("interval(1)", 1186),
    ];
    let mut entries = Vec::new();
    for (target, result) in targets {
        for from in TYPES.iter().filter(|from| [result, 25, 701, 23].contains(&from.oid)) {
            let pieces = vec!["CAST(".to_owned(), format!(" AS {target})")];
            entries.push(Entry::plain(format!("{}::{target}", from.name), result, vec![from.oid], pieces));
        }
    }
    entries
}

/// What is no function: CASE, COALESCE, BETWEEN and the like, for each type.
fn syntax() -> Vec<Entry> {
    let mut entries = Vec::new();
    for it in &TYPES {
        let t = it.oid;
        let mut add = |label: &str, result: u32, arguments: &[u32], pieces: &[&str]| {
            let pieces = pieces.iter().map(|piece| (*piece).to_owned()).collect();
            entries.push(Entry::plain(format!("{label} {}", it.name), result, arguments.to_vec(), pieces));
        };
        add("CASE", t, &[16, t, t], &["CASE WHEN ", " THEN ", " ELSE ", " END"]);
        add("CASE operand", t, &[t, t, t], &["CASE ", " WHEN ", " THEN ", " END"]);
        add("COALESCE", t, &[t, t], &["COALESCE(", ", ", ")"]);
        add("IS NULL", 16, &[t], &["(", " IS NULL)"]);
        if it.name.starts_with("json") && it.name != "jsonb" {
            continue;
        }
        add("NULLIF", t, &[t, t], &["NULLIF(", ", ", ")"]);
        add("GREATEST", t, &[t, t, t], &["GREATEST(", ", ", ", ", ")"]);
        add("LEAST", t, &[t, t], &["LEAST(", ", ", ")"]);
        add("BETWEEN", 16, &[t, t, t], &["(", " BETWEEN ", " AND ", ")"]);
        add("NOT BETWEEN SYMMETRIC", 16, &[t, t, t], &["(", " NOT BETWEEN SYMMETRIC ", " AND ", ")"]);
        add("IN", 16, &[t, t, t], &["(", " IN (", ", ", "))"]);
        add("NOT IN", 16, &[t, t, t], &["(", " NOT IN (", ", ", "))"]);
        add("IS DISTINCT FROM", 16, &[t, t], &["(", " IS DISTINCT FROM ", ")"]);
        add("= ANY", 16, &[t, t, t], &["(", " = ANY (ARRAY[", ", ", "]))"]);
        add("row comparison", 16, &[t, t, t, t], &["((", ", ", ") < (", ", ", "))"]);
    }
    entries.extend(logic_and_patterns());
    entries.extend(fields());
    entries.extend(zones());
    entries
}

fn logic_and_patterns() -> Vec<Entry> {
    let forms: [(&str, u32, &[u32], &[&str]); 16] = [
        ("AND", 16, &[16, 16], &["(", " AND ", ")"]),
        ("OR", 16, &[16, 16], &["(", " OR ", ")"]),
        ("NOT", 16, &[16], &["(NOT ", ")"]),
        ("IS TRUE", 16, &[16], &["(", " IS TRUE)"]),
        ("IS NOT FALSE", 16, &[16], &["(", " IS NOT FALSE)"]),
        ("IS UNKNOWN", 16, &[16], &["(", " IS UNKNOWN)"]),
        ("LIKE", 16, &[25, 25], &["(", " LIKE ", ")"]),
        ("LIKE ESCAPE", 16, &[25, 25], &["(", " LIKE ", " ESCAPE 'b')"]),
        ("ILIKE", 16, &[25, 25], &["(", " ILIKE ", ")"]),
        ("SIMILAR TO", 16, &[25, 25], &["(", " SIMILAR TO ", ")"]),
        ("substring FROM FOR", 25, &[25, 23, 23], &["substring(", " FROM ", " FOR ", ")"]),
        ("position IN", 23, &[25, 25], &["position(", " IN ", ")"]),
        ("trim LEADING", 25, &[25, 25], &["trim(LEADING ", " FROM ", ")"]),
        ("overlay", 25, &[25, 25, 23], &["overlay(", " PLACING ", " FROM ", ")"]),
        ("OVERLAPS", 16, &[1082, 1082, 1082, 1186], &["((", ", ", ") OVERLAPS (", ", ", "))"]),
        ("subscript", 23, &[1007, 23], &["(", ")[", "]"]),
    ];
    let entry = |(label, result, arguments, pieces): (&str, u32, &[u32], &[&str])| {
        let pieces = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        let plain = Entry::plain(label.to_owned(), result, arguments.to_vec(), pieces);
        let is_pattern = label.contains("LIKE") || label == "SIMILAR TO";
        Entry { words: if is_pattern { vec![None, Some(pattern_words())] } else { vec![] }, ..plain }
    };
    forms.into_iter().map(entry).collect()
}

/// `extract` of each field from each type that has fields.
fn fields() -> Vec<Entry> {
    let types = TYPES.iter().filter(|it| it.name == "date" || it.name == "interval" || it.name.starts_with("time"));
    let entry = |(it, field): (&SqlType, &str)| {
        let pieces = vec![format!("extract({field} FROM "), ")".to_owned()];
        Entry::plain(format!("extract({field} FROM {})", it.name), 1700, vec![it.oid], pieces)
    };
    types.flat_map(|it| FIELDS.iter().map(move |field| entry((it, *field)))).collect()
}

/// `AT TIME ZONE` with zones that have a daylight saving time, with ones that have none, and the session's.
fn zones() -> Vec<Entry> {
    let pairs = [(1114, 1184), (1184, 1114), (1266, 1266)];
    let entry = |(from, to): (u32, u32), zone: &str| {
        let pieces = vec!["(".to_owned(), format!(" AT TIME ZONE '{zone}')")];
        Entry::plain("AT TIME ZONE".to_owned(), to, vec![from], pieces)
    };
    let zones = ["Europe/Berlin", "America/New_York", "+05:30", "UTC"];
    pairs.iter().flat_map(|pair| zones.iter().map(move |zone| entry(*pair, zone))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polymorphic_function_has_an_entry_per_type() {
        let labels: Vec<_> = instances("array_append(anycompatiblearray, anycompatible) anycompatiblearray")
            .into_iter()
            .map(|entry| entry.label)
            .collect();
        let expected =
            ["array_append(integer[], integer)", "array_append(text[], text)", "array_append(numeric[], numeric)"];
        assert_eq!(labels, expected);
        assert!(instances("now() timestamp with time zone").is_empty());
        assert!(instances("lower(int4range) integer").is_empty());
    }

    #[test]
    fn every_entry_has_a_place_for_each_argument() {
        let documented = DOCUMENTED.lines().filter_map(|line| line.split_once(' '));
        let functions = documented.flat_map(|(_, signature)| instances(signature));
        for entry in casts(&[]).into_iter().chain(syntax()).chain(functions) {
            let pieces = if entry.arguments.is_empty() { 1 } else { entry.arguments.len() + 1 };
            assert_eq!(entry.pieces.len(), pieces, "{entry:?}");
        }
    }
}
