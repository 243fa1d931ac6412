//! The types of generated expressions, and values at their edges.

/// A type.
#[derive(Debug)]
pub struct SqlType {
    /// As PostgreSQL's `format_type` writes it.
    pub name: &'static str,
    /// Its OID.
    pub oid: u32,
    /// Values in text form. NULL is one of every type and is not among them.
    pub values: &'static [&'static str],
}

impl SqlType {
    /// The name of the column that has values of this type in the table of edge values.
    pub fn column(&self) -> String {
        let letters = self.name.replace("[]", "_array").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        format!("c_{letters}")
    }
}

/// A type by the name that `format_type` gives it.
pub fn by_name(name: &str) -> Option<&'static SqlType> {
    TYPES.iter().find(|it| it.name == name)
}

/// A type by its OID.
pub fn by_oid(oid: u32) -> Option<&'static SqlType> {
    TYPES.iter().find(|it| it.oid == oid)
}

/// The types.
pub const TYPES: [SqlType; 24] = [
    SqlType { name: "boolean", oid: 16, values: &["t", "f"] },
    SqlType { name: "smallint", oid: 21, values: &["0", "1", "-1", "2", "7", "-13", "32767", "-32768", "100"] },
    SqlType {
        name: "integer",
        oid: 23,
        values: &["0", "1", "-1", "2", "3", "-7", "10", "64", "1000", "2147483647", "-2147483648", "46341"],
    },
    SqlType {
        name: "bigint",
        oid: 20,
        values: &[
            "0",
            "1",
            "-1",
            "2",
            "-5",
            "12",
            "3037000500",
            "4294967296",
            "9223372036854775807",
            "-9223372036854775808",
        ],
    },
    SqlType {
        name: "numeric",
        oid: 1700,
        values: &[
            "0",
            "1",
            "-1",
            "0.5",
            "-0.5",
            "1.50",
            "2",
            "3.14159",
            "-12.345",
            "99.995",
            "1000000",
            "0.000001",
            "12345678901234567890",
            "-99999999999999.9999",
            "0.00",
            "10",
        ],
    },
    SqlType {
        name: "real",
        oid: 700,
        values: &["0", "1", "-1.5", "0.1", "3.4028235e38", "1e-45", "Infinity", "-Infinity", "NaN", "16777217"],
    },
    SqlType {
        name: "double precision",
        oid: 701,
        values: &[
            "0",
            "1",
            "-1",
            "0.5",
            "-2.5",
            "0.1",
            "1e15",
            "1.7976931348623157e308",
            "5e-324",
            "Infinity",
            "-Infinity",
            "NaN",
            "3",
            "9007199254740993",
            "100",
        ],
    },
    SqlType {
        name: "text",
        oid: 25,
        values: &[
            "",
            "a",
            "A",
            "abc",
            " ab ",
            "aXbXc",
            "%",
            "_a",
            "äöü",
            "日本",
            "42",
            "-1.5",
            "true",
            "2024-02-29",
            "'",
            "\\",
            "a b  c",
            "z",
            "{1,2}",
            "x.y.z",
        ],
    },
    SqlType { name: "character varying", oid: 1043, values: &["", "a", "abc", "ab ", "Ä", "10"] },
    SqlType { name: "character", oid: 1042, values: &["a", " ", "b", "1"] },
    SqlType { name: "bytea", oid: 17, values: &["", "\\x00", "\\x616263", "\\xff00ff", "\\x2061"] },
    SqlType {
        name: "date",
        oid: 1082,
        values: &[
            "2024-02-29",
            "1970-01-01",
            "2000-01-01",
            "1999-12-31",
            "0001-01-01",
            "0044-03-15 BC",
            "9999-12-31",
            "infinity",
            "-infinity",
            "2023-03-31",
            "2020-12-28",
            "5874897-12-31",
        ],
    },
    SqlType {
        name: "time without time zone",
        oid: 1083,
        values: &["00:00", "24:00", "12:34:56.789012", "23:59:59.999999", "01:00", "13:30:00.5"],
    },
    SqlType {
        name: "time with time zone",
        oid: 1266,
        values: &["00:00+00", "24:00-12", "12:34:56.789+05:30", "23:59:59.999999-15:59", "01:00+02"],
    },
    SqlType {
        name: "timestamp without time zone",
        oid: 1114,
        values: &[
            "2024-02-29 12:34:56.789",
            "1970-01-01 00:00",
            "2000-01-01 00:00:00.000001",
            "1999-12-31 23:59:59.999999",
            "0044-03-15 06:00 BC",
            "289999-12-31 23:59:59",
            "infinity",
            "-infinity",
            "2023-01-31 10:00",
        ],
    },
    SqlType {
        name: "timestamp with time zone",
        oid: 1184,
        values: &[
            "2024-02-29 12:34:56.789+00",
            "1970-01-01 00:00+00",
            "2000-01-01 00:00+14",
            "0001-06-15 00:00 BC",
            "infinity",
            "-infinity",
            "2023-03-31 23:59:59.5-05",
        ],
    },
    SqlType {
        name: "interval",
        oid: 1186,
        values: &[
            "0",
            "1 day",
            "1 month",
            "-1 month",
            "24:00",
            "1 year 2 months 3 days 04:05:06.789",
            "-00:00:00.000001",
            "100 years",
            "30 days",
            "1 mon -30 days",
            "-1 day 25:00",
        ],
    },
    SqlType {
        name: "uuid",
        oid: 2950,
        values: &["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    },
    SqlType {
        name: "json",
        oid: 114,
        values: &["null", "1", "\"a\"", "[]", "{\"a\": 1,  \"b\": [1, 2.50]}", "[1, \"x\", null, {\"c\": false}]"],
    },
    SqlType {
        name: "jsonpath",
        oid: 4072,
        values: &[
            "$",
            "$.a",
            "$.b[*]",
            "$[0]",
            "$[*] ? (@ > 1)",
            "$.*",
            "strict $.c",
            "$[last]",
            "$.a + 1",
            "$.**",
            "$.b.size()",
            "exists($.a)",
            "$[*].type()",
            "$ == 1",
        ],
    },
    SqlType {
        name: "jsonb",
        oid: 3802,
        values: &[
            "null",
            "1.0",
            "\"a\"",
            "[]",
            "{}",
            "{\"b\": [1, 2.50], \"a\": 1}",
            "[1, \"x\", null, {\"c\": false}]",
            "true",
            "[\"a\", \"b\"]",
        ],
    },
    SqlType {
        name: "integer[]",
        oid: 1007,
        values: &["{}", "{1}", "{1,2,3}", "{3,NULL,1}", "{NULL}", "{2147483647,-1}"],
    },
    SqlType { name: "text[]", oid: 1009, values: &["{}", "{a}", "{a,b,NULL}", "{\"\",\"x y\"}", "{b,a}", "{a,b}"] },
    SqlType { name: "numeric[]", oid: 1231, values: &["{}", "{1.5}", "{1,2,3}", "{0.1,NULL}"] },
];
