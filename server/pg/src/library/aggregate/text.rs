//! `string_agg`, and Redshift's `listagg`.

use std::fmt::Debug;
use std::marker::PhantomData;

use datafusion_expr::{Expr, lit};

use super::bound::{Shape, ordered};
use super::saved::saved;
use super::state::{State, Two};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Aggregate, AggregateCall, Argument, ResultValue, aggregate};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The longest result.
const LENGTH_MAX: usize = 64 << 20;

/// What joins strings.
pub(super) static ENTRIES: &[Aggregate] = &[
    aggregate("string_agg", &[TEXT, TEXT], TEXT, |call| ordered::<Joined<Text>>("string_agg", call)),
    aggregate("string_agg", &[BYTEA, BYTEA], BYTEA, |call| ordered::<Joined<Bytes>>("string_agg", call)),
    aggregate("listagg", &[TEXT], TEXT, without_delimiter),
    aggregate("listagg", &[TEXT, TEXT], TEXT, |call| ordered::<Joined<Text>>("listagg", call)),
];

fn without_delimiter(mut call: AggregateCall) -> Result<Expr> {
    call.arguments.push(lit(datafusion_common::ScalarValue::Utf8View(Some(String::new()))));
    call.types.push(Type::of(TEXT));
    ordered::<Joined<Text>>("listagg", call)
}

/// What is joined.
pub(super) trait Piece: Debug + 'static {
    /// A value of a row.
    type Value<'a>: Argument<'a> + AsRef<[u8]> + 'a;
    /// The result.
    type Output: ResultValue;
    /// The result of these bytes.
    fn output(bytes: Vec<u8>) -> Result<Self::Output>;
}

/// Strings.
#[derive(Debug)]
pub(super) struct Text;

impl Piece for Text {
    type Value<'a> = &'a str;
    type Output = String;

    fn output(bytes: Vec<u8>) -> Result<String> {
        String::from_utf8(bytes).map_err(|_| PgError::internal("joined strings are not a string"))
    }
}

/// Byte strings.
#[derive(Debug)]
pub(super) struct Bytes;

impl Piece for Bytes {
    type Value<'a> = &'a [u8];
    type Output = Vec<u8>;

    fn output(bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(bytes)
    }
}

/// Each value after its delimiter. The first one's does not show, but is needed when more rows turn out to come before.
#[derive(Debug)]
pub(super) struct Joined<P> {
    bytes: Vec<u8>,
    first_delimiter: u64,
    any: bool,
    kind: PhantomData<fn() -> P>,
}

impl<P> Clone for Joined<P> {
    fn clone(&self) -> Self {
        Joined { bytes: self.bytes.clone(), first_delimiter: self.first_delimiter, any: self.any, kind: PhantomData }
    }
}

impl<P> Default for Joined<P> {
    fn default() -> Self {
        Joined { bytes: Vec::new(), first_delimiter: 0, any: false, kind: PhantomData }
    }
}

impl<P> Joined<P> {
    fn check_length(&self, more: usize) -> Result<()> {
        match self.bytes.len().saturating_add(more) > LENGTH_MAX {
            true => Err(PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "requested length too large")),
            false => Ok(()),
        }
    }
}

impl<P: Piece> State for Joined<P> {
    type Input<'a> = Two<P::Value<'a>, Option<P::Value<'a>>>;
    type Output = Option<P::Output>;

    fn add(&mut self, Two(value, delimiter): Self::Input<'_>) -> Result<()> {
        let value = value.as_ref();
        let delimiter = delimiter.as_ref().map_or(&[][..], AsRef::as_ref);
        self.check_length(value.len() + delimiter.len())?;
        if !self.any {
            self.any = true;
            self.first_delimiter = delimiter.len() as u64;
        }
        self.bytes.extend_from_slice(delimiter);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        if !self.any {
            *self = later;
            return Ok(());
        }
        self.check_length(later.bytes.len())?;
        self.bytes.extend_from_slice(&later.bytes);
        Ok(())
    }

    saved!(bytes, first_delimiter, any);

    fn finish(mut self, _shape: &Shape) -> Result<Self::Output> {
        if !self.any {
            return Ok(None);
        }
        let shown = self.bytes.split_off((self.first_delimiter as usize).min(self.bytes.len()));
        P::output(shown).map(Some)
    }

    fn heap_size(&self) -> usize {
        self.bytes.capacity()
    }
}
