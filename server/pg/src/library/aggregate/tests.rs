//! Aggregates through the engine's interfaces, with the answers that PostgreSQL 15 gives.
//!
//! Each is computed at once, in two parts, by the accumulator of all groups, and in a frame that moves: all must agree.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, StructArray, new_empty_array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion_common::ScalarValue;
use datafusion_expr::expr::{AggregateFunction, Sort};
use datafusion_expr::function::{AccumulatorArgs, PartitionEvaluatorArgs};
use datafusion_expr::{Accumulator, EmitTo, Expr, WindowFunctionDefinition, col};

use super::{Bound, Exclusion, Frame, FrameUnits, Framed};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Aggregate, AggregateCall, ArgumentShape};
use crate::types::*;
use crate::{SessionValues, input, library, testing};

type Column<'a> = (Type, &'a [&'a str]);

const NULL: &str = "NULL";

fn ty(oid: u32) -> Type {
    Type::of(oid)
}

fn decimal(precision: i32, scale: i32) -> Type {
    Type::with_typmod(NUMERIC, ((precision << 16) | scale) + 4)
}

fn array(column: &Column<'_>) -> ArrayRef {
    let (ty, texts) = column;
    let values: Vec<_> = texts.iter().map(|text| scalar(ty, text)).collect();
    if values.is_empty() { new_empty_array(&ty.arrow) } else { ScalarValue::iter_to_array(values).unwrap() }
}

fn scalar(ty: &Type, text: &str) -> ScalarValue {
    if text == NULL {
        return ScalarValue::try_from(&ty.arrow).unwrap();
    }
    if let Some(element) = ty.element() {
        let texts = text.trim_matches(['{', '}']).split(',').filter(|text| !text.is_empty());
        let elements: Vec<_> = texts.map(|text| scalar(&element, text)).collect();
        return ScalarValue::List(ScalarValue::new_list_nullable(&elements, &element.arrow));
    }
    if ty.oid == TIMETZ {
        let (time, hours) = text.split_once('+').unwrap();
        let time = scalar(&Type::of(TIME), time).to_array().unwrap();
        let offset: i32 = hours.parse().unwrap();
        let columns = vec![time, Arc::new(Int32Array::from(vec![offset * 3600])) as ArrayRef];
        let DataType::Struct(fields) = &ty.arrow else { panic!() };
        return ScalarValue::Struct(Arc::new(StructArray::try_new(fields.clone(), columns, None).unwrap()));
    }
    input::value(ty, text, &SessionValues::default()).unwrap().1.cast_to(&ty.arrow).unwrap()
}

fn fits(expected: u32, oid: u32) -> bool {
    let is_array = element_type(oid).is_some();
    match expected {
        ANYARRAY => is_array,
        ANYNONARRAY => !is_array,
        ANY | ANYELEMENT => true,
        _ => expected == oid,
    }
}

fn pick(name: &str, columns: &[Column<'_>]) -> &'static Aggregate {
    let fits = |entry: &&&'static Aggregate| {
        let declared: Vec<u32> = entry.direct.iter().chain(entry.arguments).copied().collect();
        entry.variadic && columns.len() >= declared.len()
            || declared.len() == columns.len()
                && declared.iter().zip(columns).all(|(expected, column)| fits(*expected, column.0.oid))
    };
    library::aggregates(name).iter().find(fits).unwrap()
}

/// A call over columns: `DISTINCT`, and columns that the rows are ordered by, descending ones as negative numbers.
struct Test<'a> {
    columns: &'a [Column<'a>],
    distinct: bool,
    order_by: &'a [i32],
    /// Columns that the call does not have as arguments.
    extra: &'a [Column<'a>],
}

struct Prepared {
    function: AggregateFunction,
    columns: Vec<ArrayRef>,
    fields: Vec<FieldRef>,
    result: Type,
}

impl Test<'_> {
    fn prepare(&self, name: &str) -> Result<Prepared> {
        let entry = pick(name, self.columns);
        let types: Vec<Type> = self.columns.iter().map(|(ty, _)| ty.clone()).collect();
        let shapes: Vec<_> = types.iter().map(|ty| ArgumentShape { ty, constant: None }).collect();
        let result = match entry.shape {
            Some(shape) => shape(&shapes)?,
            None => Type::of(entry.result),
        };
        let order_by = self.order_by.iter().map(|key| {
            let descending = *key < 0;
            Sort::new(col(format!("c{}", key.abs() - 1)), !descending, descending)
        });
        let call = AggregateCall {
            arguments: (0..types.len()).map(|position| col(format!("c{position}"))).collect(),
            types,
            result: result.clone(),
            distinct: self.distinct,
            filter: None,
            order_by: order_by.collect(),
        };
        let all: Vec<ArrayRef> = self.columns.iter().chain(self.extra).map(array).collect();
        let Expr::AggregateFunction(function) = (entry.build)(call)? else {
            return Err(PgError::internal("not a plain aggregate"));
        };
        let rows = all.first().map_or(3, |column| column.len());
        let columns: Vec<ArrayRef> = function
            .params
            .args
            .iter()
            .map(|argument| match argument {
                Expr::Column(column) => all[column.name[1..].parse::<usize>().unwrap()].clone(),
                Expr::Literal(value, _) => value.to_array_of_size(rows).unwrap(),
                other => panic!("{other}"),
            })
            .collect();
        let fields = columns.iter().enumerate();
        let fields =
            fields.map(|(position, it)| Arc::new(Field::new(format!("c{position}"), it.data_type().clone(), true)));
        let fields = fields.collect();
        Ok(Prepared { function, columns, fields, result })
    }
}

impl Prepared {
    fn with<R>(&self, run: impl FnOnce(AccumulatorArgs) -> R) -> R {
        let schema = Schema::new(self.fields.clone());
        let params = &self.function.params;
        run(AccumulatorArgs {
            return_field: self.function.func.return_field(&self.fields).unwrap(),
            schema: &schema,
            ignore_nulls: params.null_treatment.is_some(),
            order_bys: &[],
            is_reversed: false,
            name: "test",
            is_distinct: params.distinct,
            exprs: &[],
            expr_fields: &self.fields,
        })
    }

    fn accumulator(&self) -> Box<dyn Accumulator> {
        self.with(|arguments| self.function.func.accumulator(arguments)).unwrap()
    }

    fn slice(&self, from: usize, to: usize) -> Vec<ArrayRef> {
        self.columns.iter().map(|column| column.slice(from, to - from)).collect()
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.len())
    }

    fn text(&self, value: &ScalarValue) -> Result<Option<String>> {
        assert_eq!(value.data_type(), self.result.arrow, "{}", self.function.func.name());
        testing::text(&value.to_array()?, &self.result, 0)
    }

    fn at_once(&self) -> Result<Option<String>> {
        let mut accumulator = self.accumulator();
        accumulator.update_batch(&self.columns)?;
        self.text(&accumulator.evaluate()?)
    }

    fn in_parts(&self) -> Result<Option<String>> {
        let mut whole = self.accumulator();
        let middle = self.rows() / 2;
        for (from, to) in [(0, middle), (middle, self.rows()), (0, 0)] {
            let mut part = self.accumulator();
            part.update_batch(&self.slice(from, to))?;
            let state: Vec<ArrayRef> =
                part.state()?.iter().map(|value| value.to_array()).collect::<datafusion_common::Result<_>>()?;
            whole.merge_batch(&state)?;
        }
        self.text(&whole.evaluate()?)
    }

    fn by_groups(&self) -> Result<Option<String>> {
        let func = &self.function.func;
        // The engine makes no group without a row.
        if self.rows() == 0 || !self.with(|arguments| func.groups_accumulator_supported(arguments)) {
            return self.at_once();
        }
        let create = || self.with(|arguments| func.create_groups_accumulator(arguments));
        let mut part = create()?;
        part.update_batch(&self.columns, &vec![0; self.rows()], None, 1)?;
        let mut whole = create()?;
        whole.merge_batch(&part.state(EmitTo::All)?, &[0], 1)?;
        let result = whole.evaluate(EmitTo::First(1))?;
        let merged = self.text(&ScalarValue::try_from_array(&result, 0)?)?;
        let mut other = create()?;
        let converted = other.convert_to_state(&self.columns, None)?;
        other.merge_batch(&converted, &vec![0; self.rows()], 1)?;
        let result = other.evaluate(EmitTo::All)?;
        assert_close(&merged, &self.text(&ScalarValue::try_from_array(&result, 0)?)?, "converted");
        Ok(merged)
    }

    fn in_a_frame(&self) -> Result<Option<String>> {
        let func = &self.function.func;
        let Ok(mut accumulator) = self.with(|arguments| func.create_sliding_accumulator(arguments)) else {
            return self.at_once();
        };
        if !accumulator.supports_retract_batch() {
            return self.at_once();
        }
        accumulator.update_batch(&self.columns)?;
        accumulator.update_batch(&self.columns)?;
        accumulator.evaluate().ok();
        accumulator.retract_batch(&self.columns)?;
        self.text(&accumulator.evaluate()?)
    }
}

fn assert_close(actual: &Option<String>, expected: &Option<String>, name: &str) {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
    if let (Some(a), Some(b)) = (number(actual), number(expected))
        && (a - b).abs() <= b.abs() * 1e-14
    {
        return;
    }
    assert_eq!(actual, expected, "{name}");
}

fn run(name: &str, test: &Test<'_>) -> Result<Option<String>> {
    let prepared = test.prepare(name)?;
    let answer = prepared.at_once()?;
    assert_close(&prepared.in_parts()?, &answer, name);
    assert_close(&prepared.by_groups()?, &answer, name);
    assert_close(&prepared.in_a_frame()?, &answer, name);
    Ok(answer)
}

fn check_columns(name: &str, columns: &[Column<'_>], expected: &str) {
    check_test(name, &Test { columns, distinct: false, order_by: &[], extra: &[] }, expected);
}

fn check_test(name: &str, test: &Test<'_>, expected: &str) {
    let actual = run(name, test);
    let actual = match actual {
        Ok(Some(text)) => text,
        Ok(None) => NULL.to_owned(),
        Err(error) => format!("{}: {}", error.sqlstate.code(), error.message),
    };
    assert_eq!(actual, expected, "{name} {:?}", test.columns);
}

fn check(name: &str, of: Type, values: &[&str], expected: &str) {
    check_columns(name, &[(of, values)], expected);
}

fn check_within(name: &str, fraction: (u32, &str), of: u32, values: &[&str], order: i32, expected: &str) {
    let fractions = vec![fraction.1; values.len()];
    let columns = [(ty(fraction.0), &fractions[..]), (ty(of), values)];
    check_test(name, &Test { columns: &columns, distinct: false, order_by: &[order], extra: &[] }, expected);
}

#[test]
fn sums_of_integers_do_not_wrap() {
    check("sum", ty(INT2), &["32767", "32767", NULL], "65534");
    check("sum", ty(INT4), &["2147483647", "2147483647", NULL], "4294967294");
    check("sum", ty(INT8), &["9223372036854775807", "9223372036854775807"], "18446744073709551614");
    check("sum", ty(INT8), &[NULL, NULL], NULL);
    check("sum", ty(INT4), &[], NULL);
    check("avg", ty(INT4), &["1", "2", NULL], "1.5");
    check("avg", ty(INT8), &["9223372036854775807", "9223372036854775807"], "9223372036854775807");
    check("avg", ty(INT2), &["-1", "-1", "0"], "-0.6666666666666667");
    check("avg", ty(INT2), &[], NULL);
}

#[test]
fn sums_of_numerics_are_exact() {
    check("sum", decimal(10, 2), &["1.10", "2.25", NULL], "3.35");
    check(
        "sum",
        decimal(38, 2),
        &["999999999999999999999999999999999999.99"; 3],
        "2999999999999999999999999999999999999.97",
    );
    check("sum", ty(NUMERIC), &["1.5", "2.25"], "3.75");
    check("avg", decimal(10, 2), &["1.10", "2.25", "1"], "1.45");
    check("avg", decimal(20, 18), &["0.1", "0.2"], "0.15");
    check(
        "avg",
        decimal(38, 0),
        &["99999999999999999999999999999999999999"; 2],
        "99999999999999999999999999999999999999",
    );
    check("sum", decimal(10, 2), &[], NULL);
    let both =
        Test { columns: &[(decimal(10, 2), &["1.10", "1.1", "2", NULL])], distinct: true, order_by: &[], extra: &[] };
    check_test("sum", &both, "3.1");
    check_test("avg", &both, "1.55");
    check_test("count", &both, "2");
}

#[test]
fn sums_of_floats_overflow_as_in_postgresql() {
    check("sum", ty(FLOAT8), &["1.5", NULL, "2"], "3.5");
    check("sum", ty(FLOAT8), &["1e308", "1e308"], "22003: value out of range: overflow");
    check("avg", ty(FLOAT8), &["1e308", "1e308"], "22003: value out of range: overflow");
    check("sum", ty(FLOAT4), &["3e38", "3e38"], "22003: value out of range: overflow");
    check("sum", ty(FLOAT4), &["0.1", "0.2"], "0.3");
    check("sum", ty(FLOAT8), &["Infinity", "-Infinity"], "NaN");
    check("avg", ty(FLOAT8), &["Infinity", "1"], "Infinity");
    check("var_pop", ty(FLOAT8), &["Infinity", "1"], "NaN");
    check("stddev", ty(FLOAT8), &["NaN", "1"], "NaN");
    check("var_pop", ty(FLOAT8), &["1", "2", "4"], "1.5555555555555556");
    check("var_samp", ty(FLOAT8), &["1"], NULL);
    check("variance", ty(FLOAT4), &["1", "2", "4"], "2.3333333333333335");
    check("stddev_pop", ty(FLOAT8), &["1"], "0");
    check("stddev_pop", ty(FLOAT8), &[], NULL);
}

#[test]
fn variances_of_numbers_are_exact() {
    check("variance", ty(INT4), &["1", "2", "4"], "2.3333333333333333");
    check("stddev", ty(INT4), &["1", "2", "4"], "1.5275252316519467");
    check("var_pop", ty(INT4), &["1", "2", "4"], "1.5555555555555556");
    check("stddev_pop", ty(INT2), &["1", "2", "4"], "1.2472191289246471");
    check("stddev", ty(INT8), &["1"], NULL);
    check("stddev_pop", ty(INT8), &["1"], "0");
    let values = &["1.5", "2.25", "1000000"];
    check("variance", decimal(10, 2), values, "333332083334.6458333333333333");
    check("stddev_samp", decimal(10, 2), values, "577349.1866579928190116");
    check(
        "var_pop",
        ty(INT8),
        &["9223372036854775807", "-9223372036854775808"],
        "85070591730234615856620279821087277056.25",
    );
}

#[test]
fn regressions_follow_youngs_and_cramer() {
    let columns: &[Column<'_>] = &[(ty(FLOAT8), &["1", "2", "3", NULL]), (ty(FLOAT8), &["2", "3.5", "7", "1"])];
    for (name, expected) in [
        ("regr_count", "3"),
        ("regr_r2", "0.949367088607595"),
        ("regr_slope", "0.379746835443038"),
        ("corr", "0.9743547036924464"),
        ("covar_pop", "1.6666666666666667"),
        ("covar_samp", "2.5"),
        ("regr_avgx", "4.166666666666667"),
        ("regr_avgy", "2"),
        ("regr_syy", "2"),
    ] {
        check_columns(name, columns, expected);
    }
    let flat: &[Column<'_>] = &[(ty(FLOAT8), &["1", "1"]), (ty(FLOAT8), &["2", "3"])];
    check_columns("regr_r2", flat, "1");
    check_columns("corr", flat, NULL);
    let none: &[Column<'_>] = &[(ty(FLOAT8), &[NULL]), (ty(FLOAT8), &["2"])];
    check_columns("regr_count", none, "0");
    check_columns("regr_sxx", none, NULL);
}

#[test]
fn the_least_and_the_greatest_are_postgresqls() {
    check("max", ty(FLOAT8), &["1", "NaN", "2"], "NaN");
    check("min", ty(FLOAT8), &["NaN", "-Infinity", "2"], "-Infinity");
    check("max", ty(FLOAT8), &["-Infinity"], "-Infinity");
    check("max", ty(INTERVAL), &["1 month", "31 days", "29 days"], "31 days");
    check("max", ty(INTERVAL), &["1 month", "30 days"], "30 days");
    check("min", ty(INTERVAL), &["1 month", "30 days"], "30 days");
    check("min", ty(INTERVAL), &["1 day", "23:00", NULL], "23:00:00");
    let times: &[Column<'_>] = &[(ty(TIMETZ), &["01:00:00+01", "00:00:00+00", "02:00:00+02"])];
    let prepared = Test { columns: times, distinct: false, order_by: &[], extra: &[] }.prepare("max").unwrap();
    let mut accumulator = prepared.accumulator();
    accumulator.update_batch(&prepared.columns).unwrap();
    assert_eq!(accumulator.evaluate().unwrap(), scalar(&ty(TIMETZ), "00:00:00+00"));
    check("max", ty(INT4_ARRAY), &["{1,2}", "{1,NULL}", "{1}", "{}"], "{1,NULL}");
    check("min", ty(INT4_ARRAY), &["{1,2}", "{1,NULL}", NULL], "{1,2}");
    check("max", ty(TEXT), &["a", "b", NULL], "b");
    check("min", decimal(10, 2), &["1.5", "-2", NULL], "-2");
    check("max", ty(DATE), &[], NULL);
    check("any_value", ty(TEXT), &[NULL, "x"], "x");
}

#[test]
fn bits_and_truths() {
    check("bit_and", ty(INT4), &["5", "7", NULL], "5");
    check("bit_or", ty(INT8), &["5", "7", NULL], "7");
    check("bit_xor", ty(INT2), &["5", "7", NULL], "2");
    check("bit_xor", ty(INT2), &[NULL], NULL);
    check("bool_and", ty(BOOL), &["t", NULL, "t"], "t");
    check("every", ty(BOOL), &["t", "f"], "f");
    check("bool_or", ty(BOOL), &["f", "f"], "f");
    check("bool_or", ty(BOOL), &[NULL], NULL);
}

#[test]
fn intervals_are_summed_field_by_field() {
    check("sum", ty(INTERVAL), &["1 day", "1 month 3 days", "-25:00"], "1 mon 4 days -25:00:00");
    check("avg", ty(INTERVAL), &["1 day", "1 month 3 days", "-25:00"], "11 days -00:20:00");
    check("avg", ty(INTERVAL), &["1 month", "1 month 3 days", "1 day 10 hours 11 seconds"], "21 days 11:20:03.666667");
    check("sum", ty(INTERVAL), &["178000000 years", "178000000 years"], "22008: interval out of range");
    check("count", ty(INTERVAL), &["1 day", NULL], "1");
    let equal =
        Test { columns: &[(ty(INTERVAL), &["1 day", "24:00", NULL])], distinct: true, order_by: &[], extra: &[] };
    check_test("count", &equal, "1");
}

#[test]
fn strings_are_joined_in_order() {
    let columns: &[Column<'_>] = &[(ty(TEXT), &["a", NULL, "b", "c"]), (ty(TEXT), &["1", "2", "3", NULL])];
    check_columns("string_agg", columns, "a3bc");
    check_test("string_agg", &Test { columns, distinct: false, order_by: &[-1], extra: &[] }, "c3b1a");
    let equal: &[Column<'_>] = &[(ty(TEXT), &["a", "b", "b"]), (ty(TEXT), &[",", ",", ","])];
    check_test("string_agg", &Test { columns: equal, distinct: true, order_by: &[-1], extra: &[] }, "b,a");
    check_test("string_agg", &Test { columns: equal, distinct: true, order_by: &[], extra: &[] }, "a,b");
    check_columns("string_agg", &[(ty(TEXT), &[NULL]), (ty(TEXT), &[","])], NULL);
    check_columns("listagg", &[(ty(TEXT), &["a", NULL, "b"])], "ab");
    let bytes: &[Column<'_>] = &[(ty(BYTEA), &["\\x01", "\\xff"]), (ty(BYTEA), &["\\x00", "\\x00"])];
    check_columns("string_agg", bytes, "\\x0100ff");
}

#[test]
fn arrays_keep_nulls_and_order() {
    check("array_agg", ty(INT4), &["3", NULL, "1"], "{3,NULL,1}");
    check("array_agg", ty(INT4), &[], NULL);
    let distinct =
        Test { columns: &[(ty(INT4), &["3", NULL, "1", "1", NULL])], distinct: true, order_by: &[], extra: &[] };
    check_test("array_agg", &distinct, "{1,3,NULL}");
    let keyed = Test {
        columns: &[(ty(INT4), &["1", "2", "3", "4"])],
        distinct: false,
        order_by: &[-2, 1],
        extra: &[(ty(INT4), &["2", "2", "5", NULL])],
    };
    check_test("array_agg", &keyed, "{4,3,1,2}");
    check("array_agg", ty(INT4_ARRAY), &["{1,2}", "{3,4}"], "{{1,2},{3,4}}");
    check(
        "array_agg",
        ty(INT4_ARRAY),
        &["{1,2}", "{3}"],
        "2202E: cannot accumulate arrays of different dimensionality",
    );
    check("array_agg", ty(INT4_ARRAY), &["{1,2}", NULL], "22004: cannot accumulate null arrays");
    check("array_agg", ty(INT4_ARRAY), &["{}", "{}"], "2202E: cannot accumulate empty arrays");
}

#[test]
fn percentiles_and_modes() {
    let values = &["10", "20", NULL, "40"];
    check_within("percentile_cont", (FLOAT8, "0.5"), FLOAT8, values, 2, "20");
    check_within("percentile_cont", (FLOAT8, "0.25"), FLOAT8, values, -2, "30");
    check_within(
        "percentile_cont",
        (FLOAT8, "2"),
        FLOAT8,
        values,
        2,
        "22003: percentile value 2 is not between 0 and 1",
    );
    check_within("percentile_cont", (FLOAT8, NULL), FLOAT8, values, 2, NULL);
    check_within("percentile_cont", (FLOAT8_ARRAY, "{0.5,NULL,1}"), FLOAT8, values, 2, "{20,NULL,40}");
    let spans = &["1 day", "1 month 3 days"];
    check_within("percentile_cont", (FLOAT8, "0.5"), INTERVAL, spans, 2, "17 days");
    check_within("percentile_cont", (FLOAT8, "0.3"), INTERVAL, spans, 2, "10 days 14:24:00");
    check_within("percentile_disc", (FLOAT8, "0.5"), TEXT, &["a", "b", "c"], 2, "b");
    check_within("percentile_disc", (FLOAT8_ARRAY, "{0,0.5,1}"), TEXT, &["a", "b", "c"], 2, "{a,b,c}");
    check_within("percentile_disc", (FLOAT8, "0"), TEXT, &[NULL], 2, NULL);
    let mode = |order: &[i32], expected: &str| {
        let columns: &[Column<'_>] = &[(ty(TEXT), &["a", "b", "b", "a", NULL, NULL, NULL])];
        check_test("mode", &Test { columns, distinct: false, order_by: order, extra: &[] }, expected);
    };
    mode(&[1], "a");
    mode(&[-1], "b");
    check("median", ty(FLOAT8), &["1", "4", "2", NULL, "3"], "2.5");
    check("median", ty(INTERVAL), &["1 month", "1 day", "2 days"], "2 days");
    check("median", ty(TIMESTAMP), &["2024-01-01", "2024-01-02"], "2024-01-01 12:00:00");
}

#[test]
fn hypothetical_rows_are_ranked() {
    let rank = |name: &str, row: &str, expected: &str| {
        let values: &[&str] = &["1", "1", "2", "3", NULL];
        let rows = vec![row; values.len()];
        let columns: &[Column<'_>] = &[(ty(INT4), &rows), (ty(INT4), values)];
        check_test(name, &Test { columns, distinct: false, order_by: &[2], extra: &[] }, expected);
    };
    rank("rank", "2", "3");
    rank("dense_rank", "2", "2");
    rank("percent_rank", "2", "0.4");
    rank("cume_dist", "2", "0.6666666666666666");
    rank("rank", NULL, "5");
    rank("percent_rank", "5", "0.8");
    let none: &[Column<'_>] = &[(ty(INT4), &[]), (ty(INT4), &[])];
    for (name, expected) in [("rank", "1"), ("percent_rank", "0"), ("cume_dist", "1")] {
        check_test(name, &Test { columns: none, distinct: false, order_by: &[2], extra: &[] }, expected);
    }
}

/// What an aggregate of a column answers for every row of a frame that is the whole partition, without some rows.
fn check_excluding(name: &str, exclusion: Exclusion, expected: &str) {
    let values: Column<'_> = (ty(INT4), &["1", "2", "2", "3"]);
    let prepared = Test { columns: std::slice::from_ref(&values), distinct: false, order_by: &[], extra: &[] };
    let prepared = prepared.prepare(name).unwrap();
    let function = WindowFunctionDefinition::AggregateUDF(prepared.function.func.clone());
    let frame = Frame {
        units: FrameUnits::Rows,
        start: Bound::UnboundedPreceding,
        end: Bound::UnboundedFollowing,
        exclusion: Some(exclusion),
        order: SortOptions::default(),
    };
    let framed = Framed { function, width: 1, filtered: false, frame };
    let WindowFunctionDefinition::WindowUDF(function) = framed.definition() else { panic!() };
    let arguments = PartitionEvaluatorArgs::new(&[], &prepared.fields, false, false);
    let mut evaluator = function.partition_evaluator_factory(arguments).unwrap();
    let column = array(&values);
    let answers = evaluator.evaluate_all(&[column.clone(), column], 4).unwrap();
    let texts =
        (0..4).map(|row| testing::text(&answers, &prepared.result, row).unwrap().unwrap_or_else(|| NULL.to_owned()));
    assert_eq!(texts.collect::<Vec<_>>().join(" "), expected, "{name} {exclusion:?}");
}

#[test]
fn rows_are_taken_out_of_frames() {
    check_excluding("array_agg", Exclusion::CurrentRow, "{2,2,3} {1,2,3} {1,2,3} {1,2,2}");
    check_excluding("array_agg", Exclusion::Group, "{2,2,3} {1,3} {1,3} {1,2,2}");
    check_excluding("array_agg", Exclusion::Ties, "{1,2,2,3} {1,2,3} {1,2,3} {1,2,2,3}");
    check_excluding("sum", Exclusion::CurrentRow, "7 6 6 5");
    check_excluding("count", Exclusion::Group, "3 2 2 3");
}

/// What a window function answers for every row; a frame from the partition's first row to this one, if it has one.
fn windowed(name: &str, columns: &[Column<'_>], ignore_nulls: bool) -> Result<String> {
    let types: Vec<Type> = columns.iter().map(|(ty, _)| ty.clone()).collect();
    let entry = library::window_functions(name).iter().find(|it| it.arguments.len() == columns.len()).unwrap();
    let shapes: Vec<_> = types.iter().map(|ty| ArgumentShape { ty, constant: None }).collect();
    let result = entry.shape.map_or_else(|| Ok(Type::of(entry.result)), |shape| shape(&shapes))?;
    let WindowFunctionDefinition::WindowUDF(function) = (entry.build)(&types, &result)? else { panic!() };
    let arguments = PartitionEvaluatorArgs::new(&[], &[], false, ignore_nulls);
    let mut evaluator = function.partition_evaluator_factory(arguments)?;
    let values: Vec<ArrayRef> = columns.iter().map(array).collect();
    let rows = values.first().map_or(3, |column| column.len());
    let results = if evaluator.uses_window_frame() {
        let results = (0..rows).map(|row| evaluator.evaluate(&values, &(0..row + 1)));
        ScalarValue::iter_to_array(results.collect::<datafusion_common::Result<Vec<_>>>()?)?
    } else {
        evaluator.evaluate_all(&values, rows)?
    };
    assert_eq!(results.data_type(), &result.arrow);
    let texts = (0..rows).map(|row| Ok(testing::text(&results, &result, row)?.unwrap_or_else(|| NULL.to_owned())));
    Ok(texts.collect::<Result<Vec<_>>>()?.join(" "))
}

fn check_window(name: &str, columns: &[Column<'_>], expected: &str) {
    let actual = windowed(name, columns, false);
    let actual = actual.unwrap_or_else(|error| format!("{}: {}", error.sqlstate.code(), error.message));
    assert_eq!(actual, expected, "{name}");
}

#[test]
fn window_functions() {
    let values: Column<'_> = (ty(INT4), &["1", "2", "3", "4"]);
    let four = |text: &'static str| -> Column<'static> {
        (
            ty(INT4),
            match text {
                "1" => &["1"; 4],
                "-1" => &["-1"; 4],
                "2" => &["2"; 4],
                "0" => &["0"; 4],
                _ => &[NULL; 4],
            },
        )
    };
    check_window("row_number", &[], "1 2 3");
    check_window("lag", std::slice::from_ref(&values), "NULL 1 2 3");
    check_window("lead", std::slice::from_ref(&values), "2 3 4 NULL");
    check_window("lag", &[values.clone(), four("-1")], "2 3 4 NULL");
    check_window("lag", &[values.clone(), four(NULL)], "NULL NULL NULL NULL");
    check_window("lag", &[values.clone(), values.clone()], "NULL NULL NULL NULL");
    check_window("lag", &[values.clone(), four("2"), four("0")], "0 0 1 2");
    let wide: Column<'_> = (decimal(2, 1), &["9.5"; 4]);
    check_window("lead", &[(decimal(4, 0), &["1", "2", "3", "4"]), four("1"), wide], "2 3 4 9.5");
    check_window("ntile", &[(ty(INT4), &["3"; 7])], "1 1 1 2 2 3 3");
    check_window("ntile", &[(ty(INT4), &["4", "3", "2"])], "1 2 3");
    check_window("ntile", &[four("0")], "22014: argument of ntile must be greater than zero");
    check_window("ntile", &[four(NULL)], "NULL NULL NULL NULL");
    check_window("first_value", std::slice::from_ref(&values), "1 1 1 1");
    check_window("last_value", std::slice::from_ref(&values), "1 2 3 4");
    check_window("nth_value", &[values.clone(), four("2")], "NULL 2 2 2");
    check_window("nth_value", &[values.clone(), four(NULL)], "NULL NULL NULL NULL");
    check_window("nth_value", &[values, four("0")], "22016: argument of nth_value must be greater than zero");
}

#[test]
fn nulls_can_be_ignored() {
    let values: &[Column<'_>] = &[(ty(INT4), &[NULL, "1", NULL, "3"])];
    assert_eq!(windowed("first_value", values, true).unwrap(), "NULL 1 1 1");
    assert_eq!(windowed("last_value", values, true).unwrap(), "NULL 1 1 3");
    assert_eq!(windowed("lag", values, true).unwrap(), "NULL NULL 1 1");
    assert_eq!(windowed("lead", values, true).unwrap(), "1 3 3 NULL");
}

#[test]
fn an_empty_group_has_its_default() {
    for (name, of, expected) in [("sum", INT4, DataType::Int64), ("max", FLOAT8, DataType::Float64)] {
        let columns: &[Column<'_>] = &[(ty(of), &[])];
        let prepared = Test { columns, distinct: false, order_by: &[], extra: &[] }.prepare(name).unwrap();
        let default = prepared.function.func.default_value(&expected).unwrap();
        assert!(default.is_null() && default.data_type() == expected, "{name}");
    }
    let columns: &[Column<'_>] = &[(ty(FLOAT8), &[]), (ty(FLOAT8), &[])];
    let prepared = Test { columns, distinct: false, order_by: &[], extra: &[] }.prepare("regr_count").unwrap();
    assert_eq!(prepared.function.func.default_value(&DataType::Int64).unwrap(), ScalarValue::Int64(Some(0)));
}
