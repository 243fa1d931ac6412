//! Expressions with their types.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use pg::Type;
use pg::types::{TEXT, UNKNOWN};

/// An expression of the engine's with the type it has by PostgreSQL's rules.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The expression; its Arrow type is the type's.
    pub expr: Expr,
    /// The type.
    pub ty: Type,
}

impl Typed {
    /// An expression of this type.
    pub fn new(expr: Expr, ty: Type) -> Self {
        Typed { expr, ty }
    }

    /// A constant.
    pub fn constant(value: ScalarValue, ty: Type) -> Self {
        Typed { expr: Expr::Literal(value, None), ty }
    }

    /// A string constant, which becomes whatever it is used as.
    pub fn unknown(text: impl Into<String>) -> Self {
        Typed::constant(ScalarValue::Utf8View(Some(text.into())), unknown_type())
    }

    /// `NULL`, which becomes whatever it is used as.
    pub fn null() -> Self {
        Typed::constant(ScalarValue::Null, Type { arrow: DataType::Null, ..unknown_type() })
    }

    /// `true` or `false`
    pub fn boolean(value: bool) -> Self {
        Typed::constant(ScalarValue::Boolean(Some(value)), Type::of(pg::types::BOOL))
    }

    /// Whether nothing has given it a type yet.
    pub fn is_unknown(&self) -> bool {
        self.ty.oid == UNKNOWN
    }

    /// The value of a constant.
    pub fn value(&self) -> Option<&ScalarValue> {
        match &self.expr {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        }
    }

    /// The text of a string constant.
    pub fn text(&self) -> Option<&str> {
        match self.value() {
            Some(ScalarValue::Utf8View(Some(text)) | ScalarValue::Utf8(Some(text))) => Some(text),
            _ => None,
        }
    }
}

/// The type of a constant that nothing has given a type yet.
pub fn unknown_type() -> Type {
    Type { oid: UNKNOWN, ..Type::of(TEXT) }
}
