//! Of which values the records of an Avro file are made, as far as one has to know it to go over them.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use serde_json::Value;

use super::BATCH_ROWS;
use super::arrow_ipc::not_supported;
use super::columnar::damaged;

/// Values inside each other.
const DEPTH_MAX: usize = 64;
/// Values in a record, those in its records and unions included: a schema can name a record, in others, very often.
const PARTS_MAX: usize = 20_000;
/// Values of a block that take no bytes, beside some for each byte: nobody writes millions of nothings, but one number can say
/// that they are there.
const NOTHINGS_MAX: usize = 1 << 20;
/// How many there may be for each byte.
const NOTHINGS_PER_BYTE: usize = 16;

/// Longest values of one length: a NULL takes as much in memory.
const FIXED_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of memory that the NULLs of a batch may take, which take a byte each in the file. Rows in which no array is get by
/// with it, since batches of wide ones have fewer.
const NULL_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// What a number takes, a place in a list of texts or lists, or any other small value.
const SLOT_BYTES: u64 = 16;

/// Knows where a record ends, and what its NULLs take.
pub(super) struct AvroShape {
    record: Arc<Shape>,
    /// Of the batch that is being filled.
    rows: usize,
    null_bytes_left: u64,
}

enum Shape {
    /// Nothing is written.
    Null,
    /// So many bytes.
    Fixed(u64),
    /// `int`, `long`, `enum`
    Long,
    /// `bytes` and `string`: their length, and they
    Bytes,
    /// Blocks of values
    Array(Arc<Shape>),
    /// Blocks of texts and values
    Map(Arc<Shape>),
    /// The number of one, and it; a NULL takes as much as the widest
    Union { branches: Vec<Arc<Shape>>, width: u64 },
    /// One after the other, which take so much together
    Record { fields: Vec<Arc<Shape>>, width: u64 },
}

/// Where one is in a block.
struct Walk<'a> {
    rest: &'a [u8],
    /// Values that may still take no bytes.
    nothings_left: usize,
    /// Bytes that NULLs may still take.
    null_bytes_left: u64,
}

/// What a schema has named, with how many parts it has.
#[derive(Default)]
struct Named {
    shapes: HashMap<String, (Arc<Shape>, usize)>,
    parts: usize,
}

impl AvroShape {
    /// That of the records of a file with this schema.
    ///
    /// # Errors
    /// It is no schema, one of something else than records, or one of values without end.
    pub(super) fn new(schema: &[u8]) -> io::Result<Self> {
        let schema: Value = serde_json::from_slice(schema).map_err(|_| damaged("its schema is no JSON"))?;
        match Named::default().shape(&schema, "", 0)? {
            record if matches!(*record, Shape::Record { .. }) => {
                Ok(AvroShape { record, rows: 0, null_bytes_left: NULL_BYTES_MAX })
            }
            _ => Err(not_supported("Avro of other values than records")),
        }
    }

    /// Rows in a batch: of wide ones fewer, so that they may all be NULL.
    pub(super) fn batch_rows(&self) -> usize {
        let rows = NULL_BYTES_MAX / self.record.width().max(1);
        usize::try_from(rows).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS)
    }

    /// The next record that is checked is the first of a batch.
    pub(super) fn begin_batch(&mut self) {
        (self.rows, self.null_bytes_left) = (0, NULL_BYTES_MAX);
    }

    /// That a block is so many records, and nothing else.
    ///
    /// # Errors
    /// It is not, or its NULLs take too much.
    pub(super) fn check(&mut self, block: &[u8], count: i64) -> io::Result<()> {
        if count < 0 {
            return Err(damaged("a block of it has less than no records"));
        }
        if count > 0 && block.is_empty() {
            return Err(not_supported("Avro of records without values"));
        }
        let nothings_left = block.len().saturating_mul(NOTHINGS_PER_BYTE).saturating_add(NOTHINGS_MAX);
        let (batch_rows, record) = (self.batch_rows(), self.record.clone());
        let mut walk = Walk { rest: block, nothings_left, null_bytes_left: self.null_bytes_left };
        for _ in 0..count {
            if self.rows == batch_rows {
                self.begin_batch();
                walk.null_bytes_left = self.null_bytes_left;
            }
            self.rows += 1;
            // A record of nothing but NULLs takes no bytes; behind the others it would go on for ever.
            if walk.rest.is_empty() {
                return Err(damaged("a block of it has fewer records than it says"));
            }
            record.go_over(&mut walk)?;
        }
        self.null_bytes_left = walk.null_bytes_left;
        if walk.rest.is_empty() { Ok(()) } else { Err(damaged("a block of it has more records than it says")) }
    }
}

impl Named {
    fn shape(&mut self, schema: &Value, namespace: &str, depth: usize) -> io::Result<Arc<Shape>> {
        self.parts += 1;
        if depth > DEPTH_MAX || self.parts > PARTS_MAX {
            return Err(too_many_parts());
        }
        match schema {
            Value::String(name) => self.of_name(name, namespace, depth),
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| self.shape(branch, namespace, depth + 1));
                let branches: Vec<Arc<Shape>> = branches.collect::<io::Result<_>>()?;
                let width = branches.iter().map(|branch| branch.width()).max().unwrap_or(0);
                Ok(Arc::new(Shape::Union { branches, width }))
            }
            Value::Object(object) => match object.get("type") {
                Some(Value::String(kind)) => self.complex(kind, schema, namespace, depth),
                Some(inner) => self.shape(inner, namespace, depth + 1),
                None => Err(damaged("its schema has a value without a type")),
            },
            _ => Err(damaged("its schema is none")),
        }
    }

    fn of_name(&mut self, name: &str, namespace: &str, depth: usize) -> io::Result<Arc<Shape>> {
        Ok(Arc::new(match name {
            "null" => Shape::Null,
            "boolean" => Shape::Fixed(1),
            "int" | "long" => Shape::Long,
            "float" => Shape::Fixed(4),
            "double" => Shape::Fixed(8),
            "bytes" | "string" => Shape::Bytes,
            name => {
                let known = self.shapes.get(&full_name(name, namespace)).or_else(|| self.shapes.get(name));
                // One that is not known yet may be the one around it, which has no end.
                let known = known.ok_or_else(|| not_supported(&format!("the Avro type \"{name}\" within itself")));
                let (shape, parts) = known?.clone();
                self.parts += parts;
                if depth + shape.height() > DEPTH_MAX {
                    return Err(too_many_parts());
                }
                return Ok(shape);
            }
        }))
    }

    fn complex(&mut self, kind: &str, schema: &Value, namespace: &str, depth: usize) -> io::Result<Arc<Shape>> {
        let before = self.parts;
        let part = |key: &str| schema.get(key).ok_or_else(|| damaged(format!("its schema has a type without {key}")));
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let name = || full_name(text("name").unwrap_or_default(), text("namespace").unwrap_or(namespace));
        let shape = match kind {
            "array" => return Ok(Arc::new(Shape::Array(self.shape(part("items")?, namespace, depth + 1)?))),
            "map" => return Ok(Arc::new(Shape::Map(self.shape(part("values")?, namespace, depth + 1)?))),
            "enum" => Arc::new(Shape::Long),
            "fixed" => {
                let size = part("size")?.as_u64().ok_or_else(|| damaged("its schema has a type without a size"))?;
                if size > FIXED_BYTES_MAX {
                    return Err(not_supported(&format!("an Avro type of {size} bytes")));
                }
                Arc::new(Shape::Fixed(size))
            }
            "record" | "error" => {
                let name = name();
                let inside = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
                let fields = part("fields")?.as_array().ok_or_else(|| damaged("its schema has no fields"))?;
                let field = |field: &Value| {
                    let schema = field.get("type").ok_or_else(|| damaged("its schema has a field without a type"))?;
                    self.shape(schema, inside, depth + 1)
                };
                let fields: Vec<Arc<Shape>> = fields.iter().map(field).collect::<io::Result<_>>()?;
                let width = fields.iter().map(|field| field.width()).sum();
                Arc::new(Shape::Record { fields, width })
            }
            simple => return self.of_name(simple, namespace, depth),
        };
        self.shapes.insert(name(), (shape.clone(), self.parts - before));
        Ok(shape)
    }
}

fn too_many_parts() -> io::Error {
    not_supported("an Avro schema with so many parts")
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

impl Shape {
    /// Bytes that a value takes in memory which is not there.
    fn width(&self) -> u64 {
        match self {
            Shape::Null => 0,
            Shape::Fixed(count) => (*count).max(SLOT_BYTES),
            Shape::Long | Shape::Bytes | Shape::Array(_) | Shape::Map(_) => SLOT_BYTES,
            Shape::Union { width, .. } | Shape::Record { width, .. } => *width,
        }
    }

    /// Values inside each other, at most. It looks at as many parts as the shape has, which are counted where it is named.
    fn height(&self) -> usize {
        let highest = |parts: &[Arc<Shape>]| parts.iter().map(|part| 1 + part.height()).max().unwrap_or(0);
        match self {
            Shape::Null | Shape::Fixed(_) | Shape::Long | Shape::Bytes => 0,
            Shape::Array(inner) | Shape::Map(inner) => 1 + inner.height(),
            Shape::Union { branches, .. } => highest(branches),
            Shape::Record { fields, .. } => highest(fields),
        }
    }

    /// Goes over one value.
    fn go_over(&self, walk: &mut Walk<'_>) -> io::Result<()> {
        match self {
            Shape::Null => walk.nothing(),
            Shape::Fixed(count) => walk.skip(i64::try_from(*count).unwrap_or(i64::MAX)),
            Shape::Long => walk.long().map(drop),
            Shape::Bytes => {
                let count = walk.long()?;
                walk.skip(count)
            }
            Shape::Array(element) => walk.blocks(|walk| element.go_over(walk)),
            Shape::Map(value) => walk.blocks(|walk| {
                Shape::Bytes.go_over(walk)?;
                value.go_over(walk)
            }),
            Shape::Union { branches, width } => {
                let branch = usize::try_from(walk.long()?).ok().and_then(|number| branches.get(number));
                let branch = branch.ok_or_else(|| damaged("a value of it is of no type"))?;
                if matches!(**branch, Shape::Null) {
                    walk.null(*width)?;
                }
                branch.go_over(walk)
            }
            Shape::Record { fields, .. } if fields.is_empty() => walk.nothing(),
            Shape::Record { fields, .. } => fields.iter().try_for_each(|field| field.go_over(walk)),
        }
    }
}

impl Walk<'_> {
    fn long(&mut self) -> io::Result<i64> {
        long(&mut self.rest)
    }

    fn skip(&mut self, count: i64) -> io::Result<()> {
        if count == 0 {
            return self.nothing();
        }
        let behind = usize::try_from(count).ok().and_then(|count| self.rest.get(count..));
        self.rest = behind.ok_or_else(|| damaged("a value of it is not within its block"))?;
        Ok(())
    }

    /// Goes over a value that takes no bytes.
    fn nothing(&mut self) -> io::Result<()> {
        let left = self.nothings_left.checked_sub(1);
        self.nothings_left = left.ok_or_else(|| damaged("a block of it has too many values without bytes"))?;
        Ok(())
    }

    /// A NULL in the place of a value that takes so many bytes.
    fn null(&mut self, width: u64) -> io::Result<()> {
        let left = self.null_bytes_left.checked_sub(width);
        self.null_bytes_left =
            left.ok_or_else(|| not_supported("Avro with so many NULLs in the place of wide values"))?;
        Ok(())
    }

    /// Goes over the blocks of an array or a map.
    fn blocks(&mut self, mut element: impl FnMut(&mut Self) -> io::Result<()>) -> io::Result<()> {
        loop {
            let mut count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                self.long()?;
                count = count.saturating_neg();
            }
            for _ in 0..count {
                element(self)?;
            }
        }
    }
}

/// A whole number: seven bits in a byte, the lowest first, and the sign in the lowest of all.
pub(super) fn long(input: &mut impl Read) -> io::Result<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        input.read_exact(&mut byte).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged("it ends early"),
            _ => error,
        })?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    Err(damaged("a number of it is too long"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn is_fine(schema: &str, block: &[u8], count: i64) -> bool {
        AvroShape::new(schema.as_bytes()).unwrap().check(block, count).is_ok()
    }

    fn record(fields: &[&str]) -> String {
        let field = |(place, schema): (usize, &&str)| format!(r#"{{"name": "f{place}", "type": {schema}}}"#);
        let fields: Vec<_> = fields.iter().enumerate().map(field).collect();
        format!(r#"{{"type": "record", "name": "n.r", "fields": [{}]}}"#, fields.join(", "))
    }

    #[test]
    fn a_block_is_its_records() {
        let all = record(&[
            r#""boolean""#,
            r#"["null", "double"]"#,
            r#"{"type": "map", "values": "int"}"#,
            r#"{"type": "enum", "name": "e", "symbols": ["a"]}"#,
            r#"{"type": "fixed", "name": "f", "size": 2}"#,
            r#""n.f""#,
            r#"{"type": {"type": "bytes", "logicalType": "decimal"}}"#,
        ]);
        let one = b"\x01\x00\x02\x02a\x04\x00\x00ABCD\x02x";
        assert!(is_fine(&all, one, 1));
        assert!(is_fine(&all, &one.repeat(3), 3));
        assert!(!is_fine(&all, &one.repeat(3), 2));
        assert!(!is_fine(&all, one, 2));
        assert!(!is_fine(&all, b"\x01\x04", 1), "no such branch");
        assert!(!is_fine(&all, b"\x01\x00\x02\x7f", 1), "a text that is longer than the block");
        let nothings = record(&[r#"{"type": "array", "items": "null"}"#]);
        assert!(is_fine(&nothings, b"\x06\x00", 1));
        assert!(!is_fine(&nothings, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 1), "very many of nothing");
        assert!(!is_fine(&nothings, &[0xfe, 0xff, 0x7f, 0x00].repeat(20), 20), "many of nothing, often");
        assert!(!is_fine(&record(&[r#""null""#]), b"", 1 << 40));
    }

    #[test]
    fn nulls_in_the_place_of_wide_values_have_a_limit() {
        let wide = r#"["null", {"type": "fixed", "name": "w", "size": 65536}]"#;
        let (one, many) = (record(&[wide]), record(&[&format!(r#"{{"type": "array", "items": {wide}}}"#)]));
        assert!(is_fine(&one, &[0; 20_000], 20_000), "batches of wide rows have fewer");
        let nulls = |count: usize| {
            let mut block = Vec::new();
            let mut left = (count as u64) << 1;
            while left >= 0x80 {
                block.push(left as u8 | 0x80);
                left >>= 7;
            }
            block.push(left as u8);
            block.extend(vec![0; count + 1]);
            block
        };
        assert!(is_fine(&many, &nulls(4000), 1));
        assert!(!is_fine(&many, &nulls(5000), 1));
        assert!(!is_fine(&many, &nulls(1000).repeat(5), 5), "of all rows of a batch");
        let longs: Vec<_> = std::iter::repeat_n(r#""long""#, 10_000).collect();
        let record_of_longs = record(&longs).replace("n.r", "n.longs");
        assert!(is_fine(&record(&[&format!("[\"null\", {record_of_longs}]")]), &[0; 20_000], 20_000));
        let wider = r#"{"type": "fixed", "name": "w", "size": 65537}"#;
        assert!(AvroShape::new(record(&[wider]).as_bytes()).is_err());
    }

    #[test]
    fn a_schema_without_end_is_refused() {
        let list = record(&[r#"["null", "r"]"#]);
        let mut many = record(&[r#""int""#]);
        for level in 0..12 {
            many = format!(
                r#"{{"type": "record", "name": "m{level}", "fields": [{{"name": "a", "type": {many}}}{}]}}"#,
                r#", {"name": "b", "type": "NAME"}"#
                    .replace("NAME", &if level == 0 { "n.r".to_owned() } else { format!("m{}", level - 1) })
                    .repeat(4)
            );
        }
        let deep = format!("{}\"int\"{}", r#"{"type": "array", "items": "#.repeat(100), "}".repeat(100));
        // Each half of it is not too deep.
        let half = |inner: &str| format!("{}{inner}{}", r#"{"type": "array", "items": "#.repeat(40), "}".repeat(40));
        let named = record(&[&half("\"int\"")]).replace("n.r", "n.inner");
        let twice = record(&[&named, &half("\"n.inner\"")]);
        for schema in [&list, &many, &record(&[&deep]), &twice, "\"int\"", "{", "[]", "{\"type\": 5}"] {
            assert!(AvroShape::new(schema.as_bytes()).is_err(), "{schema}");
        }
    }
}
