//! Text and CSV, as COPY … TO writes them (copyto.c): fields in, lines out.

use bytes::{BufMut, BytesMut};

use super::{CopyFormat, CopyOptions};

/// What a line of the text format must not begin with, as it ends the data.
const END_MARKER: &[u8] = b"\\.";

/// Writes the fields of lines.
#[derive(Debug, Clone)]
pub struct FieldWriter {
    options: CopyOptions,
    /// Whether lines have a single field: in CSV, the end marker must then be quoted.
    single: bool,
}

impl FieldWriter {
    /// A writer of lines with so many fields.
    pub fn new(options: CopyOptions, fields: usize) -> Self {
        FieldWriter { options, single: fields == 1 }
    }

    /// Appends what stands between two fields.
    pub fn delimiter(&self, out: &mut BytesMut) {
        out.put_u8(self.options.delimiter);
    }

    /// Appends what stands for NULL.
    pub fn null(&self, out: &mut BytesMut) {
        out.put_slice(self.options.null.as_bytes());
    }

    /// Appends the end of a line.
    pub fn line_end(&self, out: &mut BytesMut) {
        out.put_u8(b'\n');
    }

    /// Appends a value; `quoted` has it quoted in CSV even where nothing in it asks for that.
    pub fn value(&self, value: &[u8], quoted: bool, out: &mut BytesMut) {
        match self.options.format {
            CopyFormat::Csv if quoted || self.needs_quotes(value) => self.quoted(value, out),
            CopyFormat::Csv => out.put_slice(value),
            _ => self.escaped(value, out),
        }
    }

    fn needs_quotes(&self, value: &[u8]) -> bool {
        let CopyOptions { delimiter, quote, null, .. } = &self.options;
        let special = |byte: &u8| byte == delimiter || byte == quote || matches!(byte, b'\n' | b'\r');
        value == null.as_bytes() || (self.single && value == END_MARKER) || value.iter().any(special)
    }

    fn quoted(&self, value: &[u8], out: &mut BytesMut) {
        let CopyOptions { quote, escape, .. } = self.options;
        out.put_u8(quote);
        for byte in value {
            if *byte == quote || *byte == escape {
                out.put_u8(escape);
            }
            out.put_u8(*byte);
        }
        out.put_u8(quote);
    }

    fn escaped(&self, value: &[u8], out: &mut BytesMut) {
        let mut plain = 0;
        for (at, byte) in value.iter().enumerate() {
            let written = match byte {
                8 => b'b',
                12 => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                11 => b'v',
                b'\\' => b'\\',
                other if *other == self.options.delimiter => *other,
                _ => continue,
            };
            out.put_slice(&value[plain..at]);
            out.put_slice(&[b'\\', written]);
            plain = at + 1;
        }
        out.put_slice(&value[plain..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: CopyOptions, value: &str, quoted: bool, expected: &str) {
        let mut out = BytesMut::new();
        FieldWriter::new(options, 1).value(value.as_bytes(), quoted, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{value:?}");
    }

    #[test]
    fn text_is_escaped() {
        let text = || CopyOptions::new(CopyFormat::Text);
        check(text(), "a\tb\nc\\d\u{8}\u{b}\u{c}\r\u{1}é", false, "a\\tb\\nc\\\\d\\b\\v\\f\\r\u{1}é");
        check(text(), "\\.", false, "\\\\.");
        check(CopyOptions { delimiter: b'|', ..text() }, "a|b\tc", false, "a\\|b\\tc");
    }

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        let csv = || CopyOptions::new(CopyFormat::Csv);
        check(csv(), "plain", false, "plain");
        check(csv(), "plain", true, "\"plain\"");
        check(csv(), "", false, "\"\"");
        check(csv(), "\\.", false, "\"\\.\"");
        check(csv(), "a,b\"c\nd", false, "\"a,b\"\"c\nd\"");
        check(CopyOptions { quote: b'\'', escape: b'\\', ..csv() }, "it's \\ ,", false, "'it\\'s \\\\ ,'");
        check(CopyOptions { null: "x".into(), ..csv() }, "x", false, "\"x\"");
        check(CopyOptions { null: "x".into(), ..csv() }, "", false, "");
    }
}
