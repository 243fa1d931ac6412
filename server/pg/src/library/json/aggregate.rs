//! `json_agg`, `jsonb_agg`, `json_object_agg` and `jsonb_object_agg`.
//!
//! A row becomes text as it comes. `ORDER BY` and `DISTINCT` are not left to the engine, which can not combine them: what
//! is ordered by travels as further arguments, and each row keeps bytes that order as it does.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, ListArray, StringViewArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::row::{RowConverter, SortField};
use datafusion_common::{Result as EngineResult, ScalarValue};
use datafusion_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility};

use super::build::ObjectText;
use super::convert::{JsonWriter, Target};
use super::value::{Json, capped};
use crate::error::{PgError, Result};
use crate::expression_type::{Type, list_of};
use crate::function::{Aggregate, AggregateCall, AggregateKind};
use crate::session::SessionValues;
use crate::types::*;

pub(super) static AGGREGATES: &[Aggregate] = &[
    aggregate("json_agg", &[ANYELEMENT], JSON, |call| build("json_agg", Shape::Array, Target::Json, call)),
    aggregate("jsonb_agg", &[ANYELEMENT], JSONB, |call| build("jsonb_agg", Shape::Array, Target::Jsonb, call)),
    aggregate("json_object_agg", &[ANY, ANY], JSON, |call| build("json_object_agg", Shape::Object, Target::Json, call)),
    aggregate("jsonb_object_agg", &[ANY, ANY], JSONB, |call| {
        build("jsonb_object_agg", Shape::Object, Target::Jsonb, call)
    }),
];

const fn aggregate(
    name: &'static str,
    arguments: &'static [u32],
    result: u32,
    build: fn(AggregateCall) -> Result<Expr>,
) -> Aggregate {
    let kind = AggregateKind::Normal;
    Aggregate { name, direct: &[], arguments, variadic: false, result, shape: None, kind, build }
}

/// What the rows become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    Array,
    Object,
}

/// One of the aggregates, with the types it was resolved for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct JsonAggregate {
    name: &'static str,
    shape: Shape,
    target: Target,
    /// The types of the values; further arguments are what the rows are ordered by.
    types: Vec<Type>,
    distinct: bool,
    order: Vec<KeyOrder>,
    signature: Signature,
}

/// How one of the expressions orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct KeyOrder {
    descending: bool,
    nulls_first: bool,
}

fn build(name: &'static str, shape: Shape, target: Target, call: AggregateCall) -> Result<Expr> {
    let order = call.order_by.iter().map(|it| KeyOrder { descending: !it.asc, nulls_first: it.nulls_first }).collect();
    let mut arguments = call.arguments;
    arguments.extend(call.order_by.into_iter().map(|it| it.expr));
    let signature = Signature::any(arguments.len(), Volatility::Stable);
    let function = JsonAggregate { name, shape, target, types: call.types, distinct: call.distinct, order, signature };
    let function = Arc::new(AggregateUDF::new_from_impl(function));
    Ok(Expr::AggregateFunction(AggregateFunction::new_udf(function, arguments, false, call.filter, vec![], None)))
}

impl JsonAggregate {
    fn has_keys(&self) -> bool {
        self.distinct || !self.order.is_empty()
    }
}

impl AggregateUDFImpl for JsonAggregate {
    fn name(&self) -> &str {
        self.name
    }

    /// The order and `DISTINCT` are part of the name, or two calls that differ in them would be taken for one.
    fn schema_name(&self, params: &AggregateFunctionParams) -> EngineResult<String> {
        let mut name = format!("{}({}", self.name, if self.distinct { "DISTINCT " } else { "" });
        for (position, argument) in params.args.iter().enumerate() {
            if position > 0 {
                name.push_str(if position == self.types.len() { " ORDER BY " } else { ", " });
            }
            name.push_str(&argument.schema_name().to_string());
            if let Some(order) = position.checked_sub(self.types.len()).and_then(|position| self.order.get(position)) {
                name.push_str(if order.descending { " DESC" } else { "" });
                name.push_str(if order.nulls_first { " NULLS FIRST" } else { "" });
            }
        }
        name.push(')');
        if let Some(filter) = &params.filter {
            name.push_str(&format!(" FILTER (WHERE {filter})"));
        }
        Ok(name)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> EngineResult<DataType> {
        Ok(DataType::Utf8View)
    }

    fn return_field(&self, _arguments: &[FieldRef]) -> EngineResult<FieldRef> {
        let oid = if self.target == Target::Jsonb { JSONB } else { JSON };
        Ok(Arc::new(Type::of(oid).field(self.name)))
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> EngineResult<Box<dyn Accumulator>> {
        Ok(Box::new(JsonAccumulator {
            function: self.clone(),
            converter: None,
            entries: VecDeque::new(),
            bytes: 0,
            nested: false,
        }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> EngineResult<Vec<FieldRef>> {
        let field = |name, element| {
            let name = format_state_name(arguments.name, name);
            Arc::new(Field::new(name, list_of(element), true))
        };
        Ok(vec![
            field("texts", DataType::Utf8View),
            field("keys", DataType::Binary),
            Arc::new(Field::new(format_state_name(arguments.name, "nested"), DataType::Boolean, true)),
        ])
    }
}

/// One row as it is written, and the bytes it is ordered by.
#[derive(Debug)]
struct Entry {
    key: Box<[u8]>,
    text: Box<str>,
}

struct JsonAccumulator {
    function: JsonAggregate,
    converter: Option<RowConverter>,
    entries: VecDeque<Entry>,
    /// Bytes of the entries.
    bytes: usize,
    /// Whether the values are arrays or records.
    nested: bool,
}

impl std::fmt::Debug for JsonAccumulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonAccumulator").field("function", &self.function).finish_non_exhaustive()
    }
}

impl JsonAccumulator {
    fn push(&mut self, key: &[u8], text: &str) {
        self.bytes += size_of::<Entry>() + key.len() + text.len();
        self.entries.push_back(Entry { key: key.into(), text: text.into() });
    }

    fn pop(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= size_of::<Entry>() + entry.key.len() + entry.text.len();
        }
    }

    /// The bytes that each row is ordered by; of equal rows `DISTINCT` keeps one.
    fn keys(&mut self, values: &[ArrayRef]) -> Result<Option<BinaryArray>> {
        let function = &self.function;
        if !function.has_keys() {
            return Ok(None);
        }
        let (arguments, ordered_by) = values.split_at(function.types.len().min(values.len()));
        let mut columns = ordered_by.to_vec();
        let mut options: Vec<SortOptions> =
            function.order.iter().map(|it| SortOptions::new(it.descending, it.nulls_first)).collect();
        if function.distinct {
            for (array, ty) in arguments.iter().zip(&function.types) {
                columns.push(comparable(array, ty)?);
                options.push(SortOptions::new(false, false));
            }
        }
        let converter = match &mut self.converter {
            Some(converter) => converter,
            none => {
                let fields = columns.iter().zip(options);
                let fields = fields.map(|(it, options)| SortField::new_with_options(it.data_type().clone(), options));
                none.insert(RowConverter::new(fields.collect())?)
            }
        };
        let rows = converter.convert_columns(&columns)?;
        Ok(Some(rows.iter().map(|row| Some(row.data().to_vec())).collect()))
    }

    fn update(&mut self, values: &[ArrayRef]) -> Result<()> {
        let keys = self.keys(values)?;
        // The session's time zone does not reach an aggregate.
        let session = SessionValues::default();
        let function = self.function.clone();
        let writers: Vec<JsonWriter<'_>> = values
            .iter()
            .zip(&function.types)
            .map(|(array, ty)| JsonWriter::new(array.as_ref(), ty, function.target, &session))
            .collect::<Result<_>>()?;
        let rows = values.first().map_or(0, |array| array.len());
        self.nested = writers.first().is_some_and(JsonWriter::is_nested);
        for row in 0..rows {
            let text = entry_text(function.target, &writers, row)?;
            self.push(keys.as_ref().map_or(&[], |keys| keys.value(row)), &text);
        }
        Ok(())
    }

    /// The texts in their order.
    fn texts(&mut self) -> impl Iterator<Item = &str> {
        let distinct = self.function.distinct;
        let entries = self.entries.make_contiguous();
        if self.function.has_keys() {
            entries.sort_by(|left, right| left.key.cmp(&right.key));
        }
        let mut last: Option<&[u8]> = None;
        entries.iter().filter_map(move |entry| {
            let repeated = distinct && last == Some(&*entry.key);
            last = Some(&entry.key);
            (!repeated).then_some(&*entry.text)
        })
    }

    fn result(&mut self) -> Result<Option<String>> {
        if self.entries.is_empty() {
            return Ok(None);
        }
        let (shape, target) = (self.function.shape, self.function.target);
        let lines = self.nested && shape == Shape::Array && target == Target::Json;
        let mut text = String::with_capacity(self.bytes.min(1 << 20));
        for (position, entry) in self.texts().enumerate() {
            if position > 0 {
                text.push_str(if lines { ", \n " } else { ", " });
            }
            text.push_str(entry);
            if text.len() > super::value::RESULT_BYTES_MAX {
                return capped(text).map(Some);
            }
        }
        match shape {
            Shape::Array => capped(["[", &text, "]"].concat()).map(Some),
            Shape::Object => {
                let mut object = ObjectText::new(target);
                object.text = text;
                object.finish("{ ", " }").map(Some)
            }
        }
    }
}

/// A row: an array's element, or an object's member.
fn entry_text(target: Target, writers: &[JsonWriter<'_>], row: usize) -> Result<String> {
    match writers {
        [key, value] => {
            if key.is_null(row) {
                return Err(PgError::invalid_parameter("field name must not be null"));
            }
            let mut member = ObjectText::new(target);
            member.key(&key.key(row)?);
            value.write(row, &mut member.text)?;
            Ok(member.text)
        }
        [element] => {
            let mut text = String::new();
            element.write(row, &mut text)?;
            Ok(text)
        }
        _ => Err(PgError::internal("a JSON aggregate has one argument or two")),
    }
}

/// The column with the order of its type.
fn comparable(array: &ArrayRef, ty: &Type) -> Result<ArrayRef> {
    if ty.oid != JSONB {
        return Ok(array.clone());
    }
    let texts = arrow::compute::cast(array, &DataType::Utf8View)?;
    let orders =
        texts.as_string_view().iter().map(|text| text.map(|text| Json::parse(text).map(|it| it.order())).transpose());
    Ok(Arc::new(orders.collect::<Result<BinaryViewArray>>()?))
}

fn list(values: ArrayRef) -> EngineResult<ScalarValue> {
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Ok(ScalarValue::List(Arc::new(ListArray::try_new(field, offsets, values, None)?)))
}

impl Accumulator for JsonAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        Ok(self.update(values)?)
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        Ok(ScalarValue::Utf8View(self.result()?))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes + self.converter.as_ref().map_or(0, RowConverter::size)
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let texts: StringViewArray = self.entries.iter().map(|entry| Some(&*entry.text)).collect();
        let keys: BinaryArray = self.entries.iter().map(|entry| Some(&*entry.key)).collect();
        Ok(vec![list(Arc::new(texts))?, list(Arc::new(keys))?, ScalarValue::Boolean(Some(self.nested))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        let [texts, keys, nested] = states else {
            return Err(PgError::internal("a JSON aggregate has three states").into());
        };
        let (texts, keys, nested) = (texts.as_list::<i32>(), keys.as_list::<i32>(), nested.as_boolean());
        for row in (0..texts.len()).filter(|row| texts.is_valid(*row)) {
            let (texts, keys) = (texts.value(row), keys.value(row));
            let texts = arrow::compute::cast(&texts, &DataType::Utf8View)?;
            let keys = arrow::compute::cast(&keys, &DataType::Binary)?;
            for (text, key) in texts.as_string_view().iter().zip(keys.as_binary::<i32>().iter()) {
                self.push(key.unwrap_or_default(), text.unwrap_or_default());
            }
            self.nested |= nested.is_valid(row) && nested.value(row);
        }
        Ok(())
    }

    /// A window frame that moves on loses its first rows. In a window there is neither an order nor `DISTINCT`.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        for _ in 0..values.first().map_or(0, |array| array.len()) {
            self.pop();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        !self.function.has_keys()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::Int32Array;

    use super::*;

    fn accumulator(function: &JsonAggregate) -> JsonAccumulator {
        JsonAccumulator {
            function: function.clone(),
            converter: None,
            entries: VecDeque::new(),
            bytes: 0,
            nested: false,
        }
    }

    /// The result over the values, in one part and in two that are merged.
    fn check(function: JsonAggregate, values: &[ArrayRef], expected: Option<&str>) {
        let mut whole = accumulator(&function);
        whole.update_batch(values).unwrap();
        assert_eq!(whole.evaluate().unwrap(), ScalarValue::Utf8View(expected.map(str::to_owned)));
        let middle = values[0].len() / 2;
        let mut merged = accumulator(&function);
        for (from, length) in [(0, middle), (middle, values[0].len() - middle)] {
            let mut part = accumulator(&function);
            let values: Vec<ArrayRef> = values.iter().map(|array| array.slice(from, length)).collect();
            part.update_batch(&values).unwrap();
            let states: Vec<ArrayRef> = part.state().unwrap().iter().map(|state| state.to_array().unwrap()).collect();
            merged.merge_batch(&states).unwrap();
        }
        assert_eq!(merged.evaluate().unwrap(), ScalarValue::Utf8View(expected.map(str::to_owned)));
    }

    fn function(shape: Shape, target: Target, types: &[u32]) -> JsonAggregate {
        let types: Vec<Type> = types.iter().map(|oid| Type::of(*oid)).collect();
        let signature = Signature::any(types.len(), Volatility::Stable);
        JsonAggregate { name: "json_agg", shape, target, types, distinct: false, order: vec![], signature }
    }

    fn numbers(values: &[Option<i32>]) -> ArrayRef {
        Arc::new(Int32Array::from(values.to_vec()))
    }

    fn strings(values: &[&str]) -> ArrayRef {
        Arc::new(values.iter().map(Some).collect::<StringViewArray>())
    }

    #[test]
    fn rows_become_an_array() {
        let values = [numbers(&[Some(2), None, Some(1), Some(2)])];
        let plain = function(Shape::Array, Target::Json, &[INT4]);
        check(plain.clone(), &values, Some("[2, null, 1, 2]"));
        check(plain.clone(), &[numbers(&[])], None);
        let distinct = JsonAggregate { distinct: true, ..plain.clone() };
        check(distinct.clone(), &values, Some("[1, 2, null]"));
        let order = vec![KeyOrder { descending: true, nulls_first: true }];
        let keyed = [values[0].clone(), values[0].clone()];
        check(JsonAggregate { order: order.clone(), ..plain }, &keyed, Some("[null, 2, 2, 1]"));
        check(JsonAggregate { order, ..distinct }, &keyed, Some("[null, 2, 1]"));
        let jsonb = JsonAggregate { distinct: true, ..function(Shape::Array, Target::Jsonb, &[JSONB]) };
        check(jsonb, &[strings(&["1", "1.0", "[]", "null"])], Some("[[], null, 1]"));
    }

    #[test]
    fn rows_become_an_object() {
        let values = [strings(&["bb", "a", "bb"]), numbers(&[Some(1), Some(2), None])];
        let json = function(Shape::Object, Target::Json, &[TEXT, INT4]);
        check(json.clone(), &values, Some(r#"{ "bb" : 1, "a" : 2, "bb" : null }"#));
        check(JsonAggregate { target: Target::Jsonb, ..json.clone() }, &values, Some(r#"{"a": 2, "bb": null}"#));
        let nulls: ArrayRef = Arc::new(StringViewArray::new_null(1));
        let error = accumulator(&json).update_batch(&[nulls, numbers(&[Some(1)])]).unwrap_err();
        assert_eq!(PgError::from(error).message, "field name must not be null");
    }

    #[test]
    fn a_moving_frame_loses_its_first_rows() {
        let mut frame = accumulator(&function(Shape::Array, Target::Json, &[INT4]));
        frame.update_batch(&[numbers(&[Some(1), Some(2), Some(3)])]).unwrap();
        frame.retract_batch(&[numbers(&[Some(1)])]).unwrap();
        assert_eq!(frame.evaluate().unwrap(), ScalarValue::Utf8View(Some("[2, 3]".to_owned())));
    }
}
