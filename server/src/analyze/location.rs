//! Where the parts of a statement stand in its text.

use sqlparser::ast::{self, Spanned};
use sqlparser::tokenizer::{Location, Span};

/// A part of a statement that stands somewhere.
pub trait Located {
    /// From where to where; nowhere when it is not known.
    fn place(&self) -> Span;

    /// Where it begins.
    fn start(&self) -> Location {
        self.place().start
    }
}

impl Located for ast::Ident {
    fn place(&self) -> Span {
        self.span
    }
}

macro_rules! located {
    ($($part:ty),*) => {
        $(
            impl Located for $part {
                fn place(&self) -> Span {
                    self.span()
                }
            }
        )*
    };
}

located!(ast::Expr, ast::ObjectName, ast::Query, ast::SetExpr, ast::TableFactor, ast::ValueWithSpan);
