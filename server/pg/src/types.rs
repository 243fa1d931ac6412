//! PostgreSQL's numbers for types, and which of them describes an Arrow column.
//!
//! An Arrow type says less than a PostgreSQL type: text, varchar and json are all strings. What it does not say is in the
//! field's metadata ([`METADATA_OID`], [`METADATA_TYPMOD`]). [`describe`] is the only place that decides which of the two
//! counts; whoever formats a value for a client must ask it, or the client is told one type and sent another.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, TimeUnit};
use catalog::types::{METADATA_NUMBER, METADATA_OID, METADATA_RELATION, METADATA_TYPMOD, NUMERIC_UNCONSTRAINED_SCALE};

use crate::names::{self, Definition};
use crate::user_types;

/// `boolean`
pub const BOOL: u32 = 16;
/// `bytea`
pub const BYTEA: u32 = 17;
/// `"char"`
pub const CHAR: u32 = 18;
/// `name`
pub const NAME: u32 = 19;
/// `bigint`
pub const INT8: u32 = 20;
/// `smallint`
pub const INT2: u32 = 21;
/// `int2vector`
pub const INT2VECTOR: u32 = 22;
/// `integer`
pub const INT4: u32 = 23;
/// `text`
pub const TEXT: u32 = 25;
/// `oid`
pub const OID: u32 = 26;
/// `oidvector`
pub const OIDVECTOR: u32 = 30;
/// `json`
pub const JSON: u32 = 114;
/// `real`
pub const FLOAT4: u32 = 700;
/// `double precision`
pub const FLOAT8: u32 = 701;
/// `unknown`: the type of a literal that nothing has given a type yet
pub const UNKNOWN: u32 = 705;
/// `character`
pub const BPCHAR: u32 = 1042;
/// `character varying`
pub const VARCHAR: u32 = 1043;
/// `date`
pub const DATE: u32 = 1082;
/// `time without time zone`
pub const TIME: u32 = 1083;
/// `timestamp without time zone`
pub const TIMESTAMP: u32 = 1114;
/// `timestamp with time zone`
pub const TIMESTAMPTZ: u32 = 1184;
/// `time with time zone`
pub const TIMETZ: u32 = 1266;
/// `void`: what a function without a result returns
pub const VOID: u32 = 2278;
/// `"any"`: an argument of any type
pub const ANY: u32 = 2276;
/// `anyelement`: all arguments of it have one type, which `anyarray` is an array of
pub const ANYELEMENT: u32 = 2283;
/// `anyarray`
pub const ANYARRAY: u32 = 2277;
/// `anynonarray`
pub const ANYNONARRAY: u32 = 2776;
/// `anyenum`
pub const ANYENUM: u32 = 3500;
/// `anycompatible`: all arguments of it are brought to one type, which `anycompatiblearray` is an array of
pub const ANYCOMPATIBLE: u32 = 5077;
/// `anycompatiblearray`
pub const ANYCOMPATIBLEARRAY: u32 = 5078;
/// `anycompatiblenonarray`
pub const ANYCOMPATIBLENONARRAY: u32 = 5079;
/// `regtype`
pub const REGTYPE: u32 = 2206;
/// `regclass`
pub const REGCLASS: u32 = 2205;
/// `jsonpath`
pub const JSONPATH: u32 = 4072;
/// `boolean[]`
pub const BOOL_ARRAY: u32 = 1000;
/// `name[]`
pub const NAME_ARRAY: u32 = 1003;
/// `text[]`
pub const TEXT_ARRAY: u32 = 1009;
/// `integer[]`
pub const INT4_ARRAY: u32 = 1007;
/// `bigint[]`
pub const INT8_ARRAY: u32 = 1016;
/// `smallint[]`
pub const INT2_ARRAY: u32 = 1005;
/// `real[]`
pub const FLOAT4_ARRAY: u32 = 1021;
/// `double precision[]`
pub const FLOAT8_ARRAY: u32 = 1022;
/// `numeric[]`
pub const NUMERIC_ARRAY: u32 = 1231;
/// `interval[]`
pub const INTERVAL_ARRAY: u32 = 1187;
/// `interval`
pub const INTERVAL: u32 = 1186;
/// `numeric`
pub const NUMERIC: u32 = 1700;
/// `map`, which PostgreSQL does not have: clients are told that it is `json`
pub const MAP: u32 = catalog::types::MAP_OID;
/// `map[]`
pub const MAP_ARRAY: u32 = catalog::types::MAP_ARRAY_OID;
/// `json[]`
pub const JSON_ARRAY: u32 = 199;
/// `record[]`
pub const RECORD_ARRAY: u32 = 2287;
/// `record`
pub const RECORD: u32 = 2249;
/// `pg_node_tree`
pub const PG_NODE_TREE: u32 = 194;
/// `xid`
pub const XID: u32 = 28;
/// `cid`
pub const CID: u32 = 29;
/// `regproc`
pub const REGPROC: u32 = 24;
/// `regprocedure`
pub const REGPROCEDURE: u32 = 2202;
/// `regnamespace`
pub const REGNAMESPACE: u32 = 4089;
/// `regrole`
pub const REGROLE: u32 = 4096;
/// Number of the schema `pg_catalog`.
pub const PG_CATALOG_OID: u32 = 11;
/// `aclitem`
pub const ACLITEM: u32 = 1033;
/// `aclitem[]`
pub const ACLITEM_ARRAY: u32 = 1034;
/// `xid8`
pub const XID8: u32 = 5069;
/// `inet`
pub const INET: u32 = 869;
/// `pg_lsn`
pub const PG_LSN: u32 = 3220;
/// Numbers from here on are computed from those that the catalog gives out, which never get so far.
pub const FIRST_COMPUTED_OID: u32 = 1 << 31;
/// Number of the collation `default`, which types of text have.
pub const DEFAULT_COLLATION_OID: u32 = 100;
/// Number of the schema `information_schema`, as recorded.
pub const INFORMATION_SCHEMA_OID: u32 = 13207;
/// `uuid`
pub const UUID: u32 = 2950;
/// `jsonb`
pub const JSONB: u32 = 3802;
/// `hllsketch`, Redshift's
pub const HLLSKETCH: u32 = 2935;
/// `hllsketch[]`
pub const HLLSKETCH_ARRAY: u32 = 2936;

/// What PostgreSQL adds to a length or precision in a type modifier (`VARHDRSZ`).
const TYPMOD_HEADER: i32 = 4;
/// Bits of a numeric's type modifier that hold the scale, which may be negative.
const TYPMOD_SCALE_MASK: i32 = 0x7ff;

/// One row of `pg_type`, as far as a client sees it.
struct PgType {
    oid: u32,
    /// The type of arrays of it.
    array: u32,
    /// Bytes of a value (`typlen`): -1 when they vary, -2 for C strings.
    size: i16,
    /// As `format_type` prints it without a modifier.
    name: &'static str,
}

const fn row(oid: u32, array: u32, size: i16, name: &'static str) -> PgType {
    PgType { oid, array, size, name }
}

/// The types that can describe a column or a parameter, ordered by OID.
const TYPES: &[PgType] = &[
    row(BOOL, 1000, 1, "boolean"),
    row(BYTEA, 1001, -1, "bytea"),
    row(CHAR, 1002, 1, "\"char\""),
    row(NAME, 1003, 64, "name"),
    row(INT8, 1016, 8, "bigint"),
    row(INT2, 1005, 2, "smallint"),
    row(INT2VECTOR, 1006, -1, "int2vector"),
    row(INT4, 1007, 4, "integer"),
    row(24, 1008, 4, "regproc"),
    row(TEXT, 1009, -1, "text"),
    row(OID, 1028, 4, "oid"),
    row(28, 1011, 4, "xid"),
    row(29, 1012, 4, "cid"),
    row(OIDVECTOR, 1013, -1, "oidvector"),
    row(JSON, 199, -1, "json"),
    row(PG_NODE_TREE, 0, -1, "pg_node_tree"),
    row(FLOAT4, 1021, 4, "real"),
    row(FLOAT8, 1022, 8, "double precision"),
    row(UNKNOWN, 0, -2, "unknown"),
    row(BPCHAR, 1014, -1, "character"),
    row(VARCHAR, 1015, -1, "character varying"),
    row(DATE, 1182, 4, "date"),
    row(TIME, 1183, 8, "time without time zone"),
    row(TIMESTAMP, 1115, 8, "timestamp without time zone"),
    row(TIMESTAMPTZ, 1185, 8, "timestamp with time zone"),
    row(INTERVAL, 1187, 16, "interval"),
    row(TIMETZ, 1270, 12, "time with time zone"),
    row(NUMERIC, 1231, -1, "numeric"),
    row(2202, 2207, 4, "regprocedure"),
    row(2203, 2208, 4, "regoper"),
    row(2204, 2209, 4, "regoperator"),
    row(2205, 2210, 4, "regclass"),
    row(2206, 2211, 4, "regtype"),
    row(RECORD, 2287, -1, "record"),
    row(ANY, 0, 4, "\"any\""),
    row(ANYARRAY, 0, -1, "anyarray"),
    row(VOID, 0, 4, "void"),
    row(ANYELEMENT, 0, 4, "anyelement"),
    row(ANYNONARRAY, 0, 4, "anynonarray"),
    row(HLLSKETCH, HLLSKETCH_ARRAY, -1, "hllsketch"),
    row(UUID, 2951, 16, "uuid"),
    row(ANYENUM, 0, 4, "anyenum"),
    row(3734, 3735, 4, "regconfig"),
    row(3769, 3770, 4, "regdictionary"),
    row(JSONB, 3807, -1, "jsonb"),
    row(JSONPATH, 4073, -1, "jsonpath"),
    row(4089, 4090, 4, "regnamespace"),
    row(4096, 4097, 4, "regrole"),
    row(ANYCOMPATIBLE, 0, 4, "anycompatible"),
    row(ANYCOMPATIBLEARRAY, 0, -1, "anycompatiblearray"),
    row(ANYCOMPATIBLENONARRAY, 0, 4, "anycompatiblenonarray"),
    row(MAP, MAP_ARRAY, -1, "map"),
];

/// The types that only columns of system catalogs have: no value of them can be written. They are carried as texts.
const SYSTEM_TYPES: &[PgType] = &[
    row(27, 1010, 6, "tid"),
    row(INET, 1041, -1, "inet"),
    row(ACLITEM, ACLITEM_ARRAY, 12, "aclitem"),
    row(2275, 1263, -2, "cstring"),
    row(2279, 0, 4, "trigger"),
    row(2281, 0, 8, "internal"),
    row(PG_LSN, 3221, 8, "pg_lsn"),
    row(3361, 0, -1, "pg_ndistinct"),
    row(3402, 0, -1, "pg_dependencies"),
    row(5017, 0, -1, "pg_mcv_list"),
    row(XID8, 271, 8, "xid8"),
];

/// What a row description says of a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeDescription {
    /// Number of the type in `pg_type`.
    pub oid: u32,
    /// Bytes of a value (`typlen`), negative when they vary.
    pub size: i16,
    /// Length or precision and scale, -1 when there is none.
    pub typmod: i32,
}

/// The PostgreSQL type of a column: the one in the field's metadata when values of the Arrow type can be sent as it,
/// otherwise the nearest to the Arrow type.
pub fn describe(field: &Field) -> TypeDescription {
    let declared = metadata_number::<u32>(field, METADATA_OID);
    let (oid, typmod) = match declared.filter(|oid| fits(*oid, field.data_type())) {
        Some(oid) => (oid, metadata_number(field, METADATA_TYPMOD).unwrap_or(-1)),
        None => (oid_of(field.data_type()), typmod_of(field.data_type())),
    };
    TypeDescription { oid, size: size(oid), typmod }
}

/// The field of a result that is a column of a relation.
pub fn with_origin(field: Field, relation: u32, number: i16) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(METADATA_RELATION.to_owned(), relation.to_string());
    metadata.insert(METADATA_NUMBER.to_owned(), number.to_string());
    field.with_metadata(metadata)
}

/// The relation and the number of the column that a field of a result is; zeros when it is none.
pub fn origin_of(field: &Field) -> (u32, i16) {
    let relation = metadata_number(field, METADATA_RELATION).unwrap_or(0);
    (relation, metadata_number(field, METADATA_NUMBER).unwrap_or(0))
}

/// As [`describe`], for a client, which knows no maps: their text is JSON.
pub fn describe_for_client(field: &Field) -> TypeDescription {
    let described = describe(field);
    let oid = match described.oid {
        MAP => JSON,
        MAP_ARRAY => JSON_ARRAY,
        oid => oid,
    };
    TypeDescription { oid, ..described }
}

/// The type of arrays whose elements have type `element`; an array of arrays has the type of the array, because
/// PostgreSQL does not count dimensions. `None` for a type without arrays.
pub fn array_type(element: u32) -> Option<u32> {
    if element_type(element).is_some() {
        return Some(element);
    }
    if let Some(definition) = names::definition(element) {
        return match definition {
            Definition::User(ty) => Some(ty.array_oid.0),
            Definition::Array(_) | Definition::Row(_) => None,
        };
    }
    lookup(element).map(|found| found.array).filter(|array| *array != 0)
}

/// The element type of an array type, `None` when `oid` is not one. The vectors of the system catalogs count as arrays.
pub fn element_type(oid: u32) -> Option<u32> {
    match oid {
        INT2VECTOR => Some(INT2),
        OIDVECTOR => Some(OID),
        _ if names::is_user_number(oid) => match names::definition(oid)? {
            Definition::Array(element) => Some(element.oid.0),
            Definition::User(_) | Definition::Row(_) => None,
        },
        _ => TYPES.iter().chain(SYSTEM_TYPES).find(|it| it.array != 0 && it.array == oid).map(|it| it.oid),
    }
}

/// The name of a type as `format_type` prints it; an unknown number prints as `???`, as there.
pub fn type_name(oid: u32) -> String {
    if let Some(found) = lookup(oid) {
        return found.name.to_owned();
    }
    if let Some(definition) = names::definition(oid) {
        return definition.name();
    }
    element_type(oid).map_or_else(|| "???".to_owned(), |element| format!("{}[]", type_name(element)))
}

/// The number of the type with this name, as `format_type` prints it.
pub fn number_of_name(name: &str) -> Option<u32> {
    TYPES.iter().chain(SYSTEM_TYPES).find(|it| it.name == name).map(|it| it.oid)
}

/// The Arrow type of a parameter that a client declares with this type; `None` when the type is left to the planner (0)
/// or cannot be a parameter. `unknown` counts as text, as PostgreSQL decides in the end.
///
/// A `numeric` is planned with the digits of an unconstrained column; a bound value keeps its own.
pub fn arrow_type_of(oid: u32) -> Option<DataType> {
    Some(match oid {
        BOOL => DataType::Boolean,
        BYTEA => DataType::Binary,
        INT2 => DataType::Int16,
        INT4 => DataType::Int32,
        INT8 | OID => DataType::Int64,
        FLOAT4 => DataType::Float32,
        FLOAT8 => DataType::Float64,
        NUMERIC => DataType::Decimal128(DECIMAL128_MAX_PRECISION, NUMERIC_UNCONSTRAINED_SCALE),
        // The planner makes string literals Utf8, so a parameter that stands for one does not need a cast.
        CHAR | NAME | TEXT | UNKNOWN | BPCHAR | VARCHAR | JSON | JSONB | UUID => DataType::Utf8,
        DATE => DataType::Date32,
        TIME => DataType::Time64(TimeUnit::Microsecond),
        TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        INTERVAL => DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano),
        _ => return None,
    })
}

/// Whether values of this type are sent as the number of an object.
pub fn is_object_number(oid: u32) -> bool {
    matches!(oid, 24 | OID | 28 | 29 | 2202..=2206 | 3734 | 3769 | 4089 | 4096)
}

/// The declared length of a `character(n)` or `character varying(n)`, `None` when there is no limit.
pub fn length_of(typmod: i32) -> Option<usize> {
    usize::try_from(typmod.checked_sub(TYPMOD_HEADER)?).ok()
}

fn lookup(oid: u32) -> Option<&'static PgType> {
    let found = TYPES.binary_search_by_key(&oid, |it| it.oid).ok().map(|position| &TYPES[position]);
    found.or_else(|| system_type(oid))
}

fn system_type(oid: u32) -> Option<&'static PgType> {
    SYSTEM_TYPES.iter().find(|it| it.oid == oid)
}

fn size(oid: u32) -> i16 {
    // As large as the number of a label in `pg_enum`, which carries it there.
    if user_types::is_enum(oid) {
        return 4;
    }
    lookup(oid).map_or(-1, |found| found.size)
}

fn metadata_number<T: std::str::FromStr>(field: &Field, key: &str) -> Option<T> {
    field.metadata().get(key)?.parse().ok()
}

/// Whether values of an Arrow type can be sent as a PostgreSQL type.
fn fits(oid: u32, data_type: &DataType) -> bool {
    match (oid, data_type) {
        // What carries them was decided with the number.
        (oid, _) if names::is_user_number(oid) => true,
        (_, DataType::Null) => lookup(oid).is_some() || element_type(oid).is_some(),
        (_, DataType::Dictionary(_, values)) => fits(oid, values),
        (_, DataType::RunEndEncoded(_, values)) => fits(oid, values.data_type()),
        (_, DataType::List(element))
        | (_, DataType::LargeList(element))
        | (_, DataType::ListView(element))
        | (_, DataType::LargeListView(element))
        | (_, DataType::FixedSizeList(element, _)) => {
            element.data_type().is_list() && fits(oid, element.data_type())
                || element_type(oid).is_some_and(|it| fits(it, element.data_type()))
        }
        (BOOL, it) => *it == DataType::Boolean,
        (INT2 | INT4 | INT8, it) => it.is_integer(),
        (FLOAT4 | FLOAT8, it) => it.is_floating(),
        (NUMERIC, it) => it.is_decimal() || it.is_integer(),
        (CHAR | NAME | TEXT | UNKNOWN | BPCHAR | VARCHAR | VOID, it) => it.is_string(),
        (JSON | JSONB | JSONPATH | HLLSKETCH | PG_NODE_TREE, it) => it.is_string(),
        (BYTEA, it) => it.is_binary() || matches!(it, DataType::FixedSizeBinary(_)),
        (UUID, it) => *it == DataType::FixedSizeBinary(16) || it.is_string(),
        (DATE, it) => matches!(it, DataType::Date32 | DataType::Date64),
        (TIME, it) => matches!(it, DataType::Time32(_) | DataType::Time64(_)),
        (TIMESTAMP | TIMESTAMPTZ, it) => matches!(it, DataType::Timestamp(_, _)),
        (INTERVAL, it) => matches!(it, DataType::Interval(_) | DataType::Duration(_)),
        (RECORD, it) => matches!(it, DataType::Struct(_)),
        (MAP, it) => matches!(it, DataType::Map(_, _)),
        (TIMETZ, it) => *it == crate::expression_type::arrow_type(TIMETZ, -1),
        // A number that names an object may come as the number or as the name.
        (oid, it) if is_object_number(oid) => it.is_integer() || it.is_string(),
        (oid, it) => (oid == ANYARRAY || system_type(oid).is_some()) && it.is_string(),
    }
}

/// The nearest PostgreSQL type to an Arrow type.
fn oid_of(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Boolean => BOOL,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => INT2,
        DataType::Int32 | DataType::UInt16 => INT4,
        DataType::Int64 | DataType::UInt32 => INT8,
        DataType::UInt64 => NUMERIC,
        DataType::Decimal32(_, _)
        | DataType::Decimal64(_, _)
        | DataType::Decimal128(_, _)
        | DataType::Decimal256(_, _) => NUMERIC,
        DataType::Float16 | DataType::Float32 => FLOAT4,
        DataType::Float64 => FLOAT8,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => BYTEA,
        DataType::Date32 | DataType::Date64 => DATE,
        DataType::Time32(_) | DataType::Time64(_) => TIME,
        DataType::Timestamp(_, None) => TIMESTAMP,
        DataType::Timestamp(_, Some(_)) => TIMESTAMPTZ,
        DataType::Interval(_) | DataType::Duration(_) => INTERVAL,
        DataType::Dictionary(_, values) => oid_of(values),
        DataType::RunEndEncoded(_, values) => oid_of(values.data_type()),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element)
        | DataType::FixedSizeList(element, _) => array_type(describe(element).oid).unwrap_or(TEXT),
        DataType::Struct(_) => RECORD,
        DataType::Map(_, _) => MAP,
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Union(_, _) => TEXT,
    }
}

fn typmod_of(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            let scale = i32::from(*scale) & TYPMOD_SCALE_MASK;
            ((i32::from(*precision) << 16) | scale) + TYPMOD_HEADER
        }
        DataType::Dictionary(_, values) => typmod_of(values),
        DataType::RunEndEncoded(_, values) => typmod_of(values.data_type()),
        _ => -1,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use catalog::SqlType;
    use catalog::types::NumericSize;

    use super::*;

    fn check(data_type: DataType, metadata: &[(&str, &str)], oid: u32, size: i16, typmod: i32) {
        let metadata: HashMap<_, _> =
            metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let field = Field::new("c", data_type, true).with_metadata(metadata);
        assert_eq!(describe(&field), TypeDescription { oid, size, typmod }, "{field}");
    }

    fn list(element: DataType) -> DataType {
        DataType::List(Arc::new(Field::new("item", element, true)))
    }

    #[test]
    fn the_types_are_ordered_by_number() {
        assert!(TYPES.is_sorted_by(|a, b| a.oid < b.oid));
    }

    #[test]
    fn an_arrow_type_is_described_by_the_nearest_type() {
        check(DataType::Int8, &[], INT2, 2, -1);
        check(DataType::UInt32, &[], INT8, 8, -1);
        check(DataType::UInt64, &[], NUMERIC, -1, -1);
        check(DataType::Decimal128(10, 2), &[], NUMERIC, -1, (10 << 16 | 2) + 4);
        check(DataType::Decimal256(5, -2), &[], NUMERIC, -1, 329_730);
        check(DataType::Utf8View, &[], TEXT, -1, -1);
        check(DataType::Timestamp(TimeUnit::Nanosecond, Some("+01:00".into())), &[], TIMESTAMPTZ, 8, -1);
        check(list(DataType::Int32), &[], 1007, -1, -1);
        check(list(list(DataType::Int32)), &[], 1007, -1, -1);
        check(DataType::Null, &[], TEXT, -1, -1);
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        check(dictionary, &[], TEXT, -1, -1);
    }

    #[test]
    fn metadata_wins_where_values_can_be_sent_as_it_says() {
        check(DataType::UInt32, &[(METADATA_OID, "26")], OID, 4, -1);
        check(DataType::Int64, &[(METADATA_OID, "23")], INT4, 4, -1);
        check(DataType::Utf8View, &[(METADATA_OID, "1042"), (METADATA_TYPMOD, "7")], BPCHAR, -1, 7);
        check(DataType::Decimal128(38, 18), &[(METADATA_OID, "1700")], NUMERIC, -1, -1);
        check(list(DataType::UInt32), &[(METADATA_OID, "30")], OIDVECTOR, -1, -1);
        check(list(list(DataType::Int32)), &[(METADATA_OID, "1007")], 1007, -1, -1);
        check(DataType::Utf8View, &[(METADATA_OID, "23")], TEXT, -1, -1);
        check(DataType::Int32, &[(METADATA_OID, "nonsense")], INT4, 4, -1);
    }

    #[test]
    fn a_column_is_described_as_declared() {
        let sizes = Some(NumericSize { precision: 5, scale: 2 });
        for sql_type in [
            SqlType::Boolean,
            SqlType::SmallInt,
            SqlType::BigInt,
            SqlType::Real,
            SqlType::Numeric(sizes),
            SqlType::Numeric(None),
            SqlType::Varchar(Some(3)),
            SqlType::Char(3),
            SqlType::Bytea,
            SqlType::Date,
            SqlType::Time,
            SqlType::Timestamp,
            SqlType::TimestampTz,
        ] {
            let described = describe(&sql_type.field("c", true));
            assert_eq!((described.oid, described.typmod), (sql_type.oid().0, sql_type.typmod()));
            assert_eq!(type_name(described.oid), sql_type.base_name());
        }
    }

    #[test]
    fn array_types_and_element_types_are_inverse() {
        assert_eq!((array_type(INT4), element_type(1007)), (Some(1007), Some(INT4)));
        assert_eq!((array_type(1007), array_type(UNKNOWN), element_type(INT4)), (Some(1007), None, None));
        assert_eq!((type_name(1007), type_name(1)), ("integer[]".to_owned(), "???".to_owned()));
    }
}
