//! Aggregates of booleans and of bits.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::bound::{Shape, unordered};
use super::saved::{Saved, saved};
use super::state::{One, State};
use crate::error::Result;
use crate::function::{Aggregate, Argument, ResultValue, aggregate};
use crate::types::*;

macro_rules! bits {
    ($($name:literal $operation:ident;)*) => {
        &[$(
            aggregate($name, &[INT2], INT2, |call| unordered::<Bits<i16, $operation>>($name, call)),
            aggregate($name, &[INT4], INT4, |call| unordered::<Bits<i32, $operation>>($name, call)),
            aggregate($name, &[INT8], INT8, |call| unordered::<Bits<i64, $operation>>($name, call)),
        )*]
    };
}

/// `bool_and` and `bool_or`; `every` is SQL's name.
pub(super) static BOOLEANS: &[Aggregate] = &[
    aggregate("bool_and", &[BOOL], BOOL, |call| unordered::<Truths<All>>("bool_and", call)),
    aggregate("every", &[BOOL], BOOL, |call| unordered::<Truths<All>>("every", call)),
    aggregate("bool_or", &[BOOL], BOOL, |call| unordered::<Truths<Any>>("bool_or", call)),
];

/// `bit_and`, `bit_or` and `bit_xor`.
pub(super) static BITS: &[Aggregate] = bits! {
    "bit_and" And;
    "bit_or" Or;
    "bit_xor" Xor;
};

/// Which question is asked of booleans.
pub(super) trait Question: Debug + 'static {
    /// The answer, for so many true values and so many false ones.
    fn answer(truths: i64, falsehoods: i64) -> bool;
}

/// Whether all are true.
#[derive(Debug)]
pub(super) struct All;

impl Question for All {
    fn answer(_truths: i64, falsehoods: i64) -> bool {
        falsehoods == 0
    }
}

/// Whether any is true.
#[derive(Debug)]
pub(super) struct Any;

impl Question for Any {
    fn answer(truths: i64, _falsehoods: i64) -> bool {
        truths > 0
    }
}

/// How many are true and how many are not.
#[derive(Debug)]
pub(super) struct Truths<Q> {
    truths: i64,
    falsehoods: i64,
    question: PhantomData<fn() -> Q>,
}

impl<Q> Clone for Truths<Q> {
    fn clone(&self) -> Self {
        Truths { truths: self.truths, falsehoods: self.falsehoods, question: PhantomData }
    }
}

impl<Q> Default for Truths<Q> {
    fn default() -> Self {
        Truths { truths: 0, falsehoods: 0, question: PhantomData }
    }
}

impl<Q> Truths<Q> {
    fn counter(&mut self, value: bool) -> &mut i64 {
        if value { &mut self.truths } else { &mut self.falsehoods }
    }
}

impl<Q: Question> State for Truths<Q> {
    type Input<'a> = One<bool>;
    type Output = Option<bool>;
    const REMOVABLE: bool = true;

    fn add(&mut self, One(value): One<bool>) -> Result<()> {
        *self.counter(value) += 1;
        Ok(())
    }

    fn remove(&mut self, One(value): One<bool>) -> Result<()> {
        *self.counter(value) -= 1;
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        self.truths += later.truths;
        self.falsehoods += later.falsehoods;
        Ok(())
    }

    saved!(truths, falsehoods);

    fn finish(self, _shape: &Shape) -> Result<Option<bool>> {
        let any = self.truths + self.falsehoods > 0;
        Ok(any.then(|| Q::answer(self.truths, self.falsehoods)))
    }
}

/// An operation on bits.
pub(super) trait Operation<A>: Debug + 'static {
    /// Both together.
    fn apply(a: A, b: A) -> A;
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident $operator:tt;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(super) struct $name;

            operations!(@each $name $operator i16 i32 i64);
        )*
    };
    (@each $name:ident $operator:tt $($integer:ty)*) => {
        $(
            impl Operation<$integer> for $name {
                fn apply(a: $integer, b: $integer) -> $integer {
                    a $operator b
                }
            }
        )*
    };
}

operations! {
    /// `&`
    And &;
    /// `|`
    Or |;
    /// `#`
    Xor ^;
}

/// All bits together.
#[derive(Debug)]
pub(super) struct Bits<A, O> {
    bits: Option<A>,
    operation: PhantomData<fn() -> O>,
}

impl<A: Clone, O> Clone for Bits<A, O> {
    fn clone(&self) -> Self {
        Bits { bits: self.bits.clone(), operation: PhantomData }
    }
}

impl<A, O> Default for Bits<A, O> {
    fn default() -> Self {
        Bits { bits: None, operation: PhantomData }
    }
}

impl<A, O> State for Bits<A, O>
where
    A: for<'a> Argument<'a> + ResultValue + Saved + Debug + Copy + Send + Sync + 'static,
    O: Operation<A>,
{
    type Input<'a> = One<A>;
    type Output = Option<A>;

    fn add(&mut self, One(value): One<A>) -> Result<()> {
        self.bits = Some(self.bits.map_or(value, |bits| O::apply(bits, value)));
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        later.bits.map_or(Ok(()), |bits| self.add(One(bits)))
    }

    saved!(bits);

    fn finish(self, _shape: &Shape) -> Result<Option<A>> {
        Ok(self.bits)
    }
}
