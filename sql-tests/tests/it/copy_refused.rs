//! What COPY says of statements that PostgreSQL refuses: its words, its codes and its positions.

use crate::client::error;
use crate::support::server::TestServer;

/// Statements about a table `(a integer, b text, g GENERATED)`, a view and a sequence, and what PostgreSQL says of them.
const REFUSED: &[(&str, &str)] = &[
    ("copy sq to stdout", r#"42809 cannot copy from sequence "sq""#),
    ("copy sq from stdin", r#"42809 cannot copy to sequence "sq""#),
    ("copy nowhere to stdout", r#"42P01 relation "nowhere" does not exist"#),
    ("copy t (a, a) to stdout", r#"42701 column "a" specified more than once"#),
    ("copy t (x) to stdout", r#"42703 column "x" of relation "t" does not exist"#),
    ("copy t (g) to stdout", r#"42P10 column "g" is a generated column"#),
    ("copy t (g) from stdin", r#"42P10 column "g" is a generated column"#),
    ("copy t to stdout (format xml)", r#"22023 COPY format "xml" not recognized; position 19"#),
    ("copy t to stdout (format csv, format csv)", "42601 conflicting or redundant options; position 31"),
    ("copy t to stdout (bogus 1)", r#"42601 option "bogus" not recognized; position 19"#),
    ("copy t to stdout (format binary, delimiter ',')", "42601 cannot specify DELIMITER in BINARY mode"),
    ("copy t to stdout (format binary, null ',')", "42601 cannot specify NULL in BINARY mode"),
    ("copy t to stdout (format binary, header)", "0A000 cannot specify HEADER in BINARY mode"),
    ("copy t to stdout (delimiter ',,')", "0A000 COPY delimiter must be a single one-byte character"),
    ("copy t to stdout (delimiter '')", "0A000 COPY delimiter must be a single one-byte character"),
    (r#"copy t to stdout (delimiter e'\n')"#, "22023 COPY delimiter cannot be newline or carriage return"),
    (r#"copy t to stdout (null e'a\n')"#, "22023 COPY null representation cannot use newline or carriage return"),
    ("copy t to stdout (delimiter 'a')", r#"22023 COPY delimiter cannot be "a""#),
    (r#"copy t to stdout (delimiter '\')"#, r#"22023 COPY delimiter cannot be "\""#),
    ("copy t to stdout (delimiter '.')", r#"22023 COPY delimiter cannot be ".""#),
    (r#"copy t to stdout (quote '"')"#, "0A000 COPY quote available only in CSV mode"),
    (r#"copy t to stdout (format csv, quote '""')"#, "0A000 COPY quote must be a single one-byte character"),
    ("copy t to stdout (format csv, quote ',')", "22023 COPY delimiter and quote must be different"),
    (r#"copy t to stdout (escape '"')"#, "0A000 COPY escape available only in CSV mode"),
    (r#"copy t to stdout (format csv, escape '""')"#, "0A000 COPY escape must be a single one-byte character"),
    ("copy t to stdout (force_quote (a))", "0A000 COPY force quote available only in CSV mode"),
    ("copy t from stdin (format csv, force_quote (a))", "0A000 COPY force quote only available using COPY TO"),
    ("copy t from stdin (force_not_null (a))", "0A000 COPY force not null available only in CSV mode"),
    ("copy t to stdout (format csv, force_not_null (a))", "0A000 COPY force not null only available using COPY FROM"),
    ("copy t from stdin (force_null (a))", "0A000 COPY force null available only in CSV mode"),
    ("copy t to stdout (format csv, force_null (a))", "0A000 COPY force null only available using COPY FROM"),
    ("copy t to stdout (null 'a	b')", "0A000 COPY delimiter must not appear in the NULL specification"),
    (
        r#"copy t to stdout (format csv, null 'a"b')"#,
        "0A000 CSV quote character must not appear in the NULL specification",
    ),
    ("copy t to stdout (header match)", r#"0A000 cannot use "match" with HEADER in COPY TO"#),
    ("copy t to stdout (header foo)", r#"42601 header requires a Boolean value or "match""#),
    ("copy t to stdout (header 2)", r#"42601 header requires a Boolean value or "match""#),
    ("copy t to stdout (header 1.5)", r#"42601 header requires a Boolean value or "match""#),
    (
        "copy t to stdout (encoding 'foo')",
        r#"22023 argument to option "encoding" must be a valid encoding name; position 19"#,
    ),
    ("copy t to stdout (encoding)", "42601 encoding requires a parameter"),
    ("copy t to stdout (delimiter)", "42601 delimiter requires a parameter"),
    ("copy t to stdout (format)", "42601 format requires a parameter"),
    (
        "copy t to stdout (format csv, force_quote)",
        r#"22023 argument to option "force_quote" must be a list of column names; position 31"#,
    ),
    (
        "copy t to stdout (format csv, force_quote a)",
        r#"22023 argument to option "force_quote" must be a list of column names; position 31"#,
    ),
    ("copy t to stdout (format csv, force_quote (zz))", r#"42703 column "zz" of relation "t" does not exist"#),
    ("copy t to stdout (format csv, force_quote (g))", r#"42P10 column "g" is a generated column"#),
    ("copy t (a) to stdout (format csv, force_quote (b))", r#"42P10 FORCE_QUOTE column "b" not referenced by COPY"#),
    (
        "copy t (a) from stdin (format csv, force_not_null (b))",
        r#"42P10 FORCE_NOT_NULL column "b" not referenced by COPY"#,
    ),
    (
        "copy t from stdin (format csv, force_not_null *)",
        r#"22023 argument to option "force_not_null" must be a list of column names; position 32"#,
    ),
    ("copy t from stdin (format csv, force_null (zz))", r#"42703 column "zz" of relation "t" does not exist"#),
    ("copy t from stdin (freeze 3)", "42601 freeze requires a Boolean value"),
    ("copy t to stdout where a > 1", "42601 WHERE clause not allowed with COPY TO; position 18"),
    (
        "copy t from stdin where sum(a) > 1",
        "42803 aggregate functions are not allowed in COPY FROM WHERE conditions; position 25",
    ),
    ("copy t from stdin where g > 1", "42P10 generated columns are not supported in COPY FROM WHERE conditions"),
    ("copy t from stdin where a", "42804 argument of WHERE must be type boolean, not type integer; position 25"),
    ("copy t from stdin where zz > 1", r#"42703 column "zz" does not exist; position 25"#),
    (
        "copy t from stdin where row_number() over () > 1",
        "42P20 window functions are not allowed in COPY FROM WHERE conditions; position 25",
    ),
    (
        "copy t from stdin where generate_series(1,2) > 1",
        "0A000 set-returning functions are not allowed in COPY FROM WHERE conditions; position 25",
    ),
    ("copy (select 1) from stdin", r#"42601 syntax error at or near "from"; position 17"#),
    ("copy (insert into t values (1)) to stdout", "0A000 COPY query must have a RETURNING clause"),
    ("copy (select 1 into foo) to stdout", "0A000 COPY (SELECT INTO) is not supported"),
    ("copy (create table q (a int)) to stdout", r#"42601 syntax error at or near "create"; position 7"#),
    ("copy (select 1;) to stdout", r#"42601 syntax error at or near ";"; position 15"#),
    ("copy t to stdout csv csv", "42601 conflicting or redundant options; position 22"),
    ("copy t to stdout binary csv", "42601 conflicting or redundant options; position 25"),
    ("copy t using delimiters ',' to stdout", r#"42601 syntax error at or near "using"; position 8"#),
    ("copy t to stdout (delimiter '|', )", r#"42601 syntax error at or near ")"; position 34"#),
    ("copy t to stdout ()", r#"42601 syntax error at or near ")"; position 19"#),
    (r#"copy t to stdout ("FORMAT" csv)"#, r#"42601 option "FORMAT" not recognized; position 19"#),
    ("copy t to stdout (format 'CSV')", r#"22023 COPY format "CSV" not recognized; position 19"#),
    (r#"copy t to stdout (format "CSV")"#, r#"22023 COPY format "CSV" not recognized; position 19"#),
    ("copy t to program 'false' (bogus)", r#"42601 option "bogus" not recognized; position 28"#),
    ("copy t to '/nowhere'", "0A000 COPY TO a file is not supported"),
    ("copy t from program 'true'", "0A000 COPY FROM PROGRAM is not supported"),
    ("copy t to stdout (encoding johab)", r#"0A000 encoding "JOHAB" is not supported"#),
];

#[tokio::test]
async fn what_does_not_fit_is_refused_as_postgresql_refuses_it() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    let tables = "CREATE TABLE t (a int, b text, g int GENERATED ALWAYS AS (a * 2) STORED);
        CREATE VIEW v AS SELECT * FROM t; CREATE SEQUENCE sq";
    client.batch_execute(tables).await.unwrap();
    for (statement, expected) in REFUSED {
        let said = error(&client, statement).await.to_string();
        let said = said.replacen("ERROR (", "", 1).replacen("): ", " ", 1);
        let said = said.lines().next().unwrap_or_default();
        let said = said.split("; detail").next().and_then(|said| said.split("; hint").next()).unwrap_or_default();
        assert_eq!(said, *expected, "{statement}");
    }
}
