//! Functions, operators, casts, aggregates and set-returning functions: what PostgreSQL keeps in `pg_proc`,
//! `pg_operator`, `pg_cast` and `pg_aggregate`, with the code that computes them.
//!
//! An entry says for which argument types it is; [`crate::library`] has them all, and the planner chooses among those of a
//! name by PostgreSQL's rules. A [`Kernel`] then computes a whole column at once, most of them by
//! [`Call::map1`] and its kin from a plain function over single values.

mod argument;
mod bound;
mod call;
pub mod value;
mod window;

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::ScalarValue;
use datafusion_expr::expr::Sort;
use datafusion_expr::{Expr, Operator, Volatility};

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::session::SessionValues;

pub use argument::Argument;
pub(crate) use argument::Column;
pub use bound::{BoundFunction, bind};
pub use call::Call;
pub(crate) use call::in_flight;
/// The values that have a struct of their own, as functions over single values see them.
pub use value::{Date, Elements, Numeric, Oid, Time, TimeTz, Timestamp, Uuid};
pub use value::{ResultBuilder, ResultValue, divide_rounding, interval_value, power_of_ten};
pub use window::WindowFunction;

/// Computes the column of results: as many rows as [`Call::rows`], of the Arrow type that [`Call::result`] says.
pub type Kernel = for<'a> fn(&'a Call) -> Result<ArrayRef>;

/// An argument as far as the type of a result can depend on it.
#[derive(Debug, Clone)]
pub struct ArgumentShape<'a> {
    /// Its type, after the casts that resolution adds.
    pub ty: &'a Type,
    /// Its value, when it is a constant.
    pub constant: Option<&'a ScalarValue>,
}

/// The type of a result that its number alone does not tell: the scale of a numeric, the fields of a record.
pub type ResultShape = fn(&[ArgumentShape<'_>]) -> Result<Type>;

/// Which values of a function's last argument give a result that is this constant: those from the first value that is
/// answered up to, but without, the second. The results of lesser arguments are less than the constant, those of greater
/// ones are greater.
pub type Preimage = fn(&[ArgumentShape<'_>], &ScalarValue) -> Option<(ScalarValue, ScalarValue)>;

/// How a function is computed.
#[derive(Debug, Clone, Copy)]
pub enum Method {
    /// By our code.
    Kernel(Kernel),
    /// By the engine's operator, which it can prune files with and join by. Both sides are brought to one Arrow type
    /// first.
    Native(Operator),
    /// By the engine's cast; of a cast whose types are carried alike, not at all.
    Cast,
}

/// A function, operator or cast over single values.
#[derive(Debug)]
pub struct Function {
    /// Its name: a word, or an operator's symbol.
    pub name: &'static str,
    /// The types of its arguments, by number; `any…` types are polymorphic as in PostgreSQL.
    pub arguments: &'static [u32],
    /// Whether the last argument may come any number of times (at least once).
    pub variadic: bool,
    /// The type of the result.
    pub result: u32,
    /// The exact type of the result, where the number does not tell it.
    pub shape: Option<ResultShape>,
    /// Of a function that never falls when its last argument rises: how a comparison of its result with a constant becomes
    /// one of the argument, by which files are pruned.
    pub preimage: Option<Preimage>,
    /// Whether the same arguments give the same result always, within a statement, or not even there.
    pub volatility: Volatility,
    /// What computes it.
    pub method: Method,
}

/// A function that is computed by a kernel; its result depends on nothing but its arguments.
pub const fn function(name: &'static str, arguments: &'static [u32], result: u32, kernel: Kernel) -> Function {
    let method = Method::Kernel(kernel);
    let volatility = Volatility::Immutable;
    Function { name, arguments, variadic: false, result, shape: None, preimage: None, volatility, method }
}

/// An operator that the engine computes.
pub const fn native(name: &'static str, arguments: &'static [u32], result: u32, operator: Operator) -> Function {
    let method = Method::Native(operator);
    let volatility = Volatility::Immutable;
    Function { name, arguments, variadic: false, result, shape: None, preimage: None, volatility, method }
}

impl Function {
    /// The last argument may come any number of times.
    #[must_use]
    pub const fn variadic(self) -> Self {
        Function { variadic: true, ..self }
    }

    /// The type of the result is computed from the arguments'.
    #[must_use]
    pub const fn shaped(self, shape: ResultShape) -> Self {
        Function { shape: Some(shape), ..self }
    }

    /// A comparison of the result with a constant can be made one of the last argument.
    #[must_use]
    pub const fn monotonic(self, preimage: Preimage) -> Self {
        Function { preimage: Some(preimage), ..self }
    }

    /// The result depends on the session too, and is the same within a statement.
    #[must_use]
    pub const fn stable(self) -> Self {
        Function { volatility: Volatility::Stable, ..self }
    }

    /// Each call may have another result.
    #[must_use]
    pub const fn volatile(self) -> Self {
        Function { volatility: Volatility::Volatile, ..self }
    }
}

/// Where a cast may be applied (`pg_cast.castcontext`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CastContext {
    /// Anywhere, without being asked for.
    Implicit,
    /// When a value is assigned to a column.
    Assignment,
    /// When it is written.
    Explicit,
}

/// A cast. Its function has one argument; the wanted modifier is in [`Call::result`].
#[derive(Debug)]
pub struct Cast {
    /// What computes it.
    pub function: Function,
    /// Where it may be applied.
    pub context: CastContext,
}

/// A cast that is computed by a kernel.
pub const fn cast(source: &'static [u32; 1], target: u32, context: CastContext, kernel: Kernel) -> Cast {
    Cast { function: function("cast", source, target, kernel), context }
}

/// A cast that the engine computes, or that needs no computing.
pub const fn native_cast(source: &'static [u32; 1], target: u32, context: CastContext) -> Cast {
    let volatility = Volatility::Immutable;
    let function = Function {
        name: "cast",
        arguments: source,
        variadic: false,
        result: target,
        shape: None,
        preimage: None,
        volatility,
        method: Method::Cast,
    };
    Cast { function, context }
}

/// What kind of aggregate it is (`pg_aggregate.aggkind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateKind {
    /// `sum(x)`
    Normal,
    /// `percentile_cont(direct) WITHIN GROUP (ORDER BY x)`
    OrderedSet,
    /// `rank(direct, …) WITHIN GROUP (ORDER BY x, …)`
    HypotheticalSet,
}

/// An aggregate function.
#[derive(Debug)]
pub struct Aggregate {
    /// Its name.
    pub name: &'static str,
    /// The types of its direct arguments; empty unless it is an ordered-set aggregate.
    pub direct: &'static [u32],
    /// The types of its arguments, or of what it is ordered by.
    pub arguments: &'static [u32],
    /// Whether the last argument may come any number of times.
    pub variadic: bool,
    /// The type of the result.
    pub result: u32,
    /// The exact type of the result, where the number does not tell it; it is given direct and aggregated arguments.
    pub shape: Option<ResultShape>,
    /// Which kind it is.
    pub kind: AggregateKind,
    /// The engine's expression for it.
    pub build: fn(AggregateCall) -> Result<Expr>,
}

/// An aggregate of rows, in any number of arguments.
pub const fn aggregate(
    name: &'static str,
    arguments: &'static [u32],
    result: u32,
    build: fn(AggregateCall) -> Result<Expr>,
) -> Aggregate {
    let kind = AggregateKind::Normal;
    Aggregate { name, direct: &[], arguments, variadic: false, result, shape: None, kind, build }
}

impl Aggregate {
    /// The type of the result is computed from the arguments'.
    #[must_use]
    pub const fn shaped(self, shape: ResultShape) -> Self {
        Aggregate { shape: Some(shape), ..self }
    }

    /// With `WITHIN GROUP`, and these direct arguments.
    #[must_use]
    pub const fn ordered_set(self, direct: &'static [u32]) -> Self {
        Aggregate { direct, kind: AggregateKind::OrderedSet, ..self }
    }
}

/// An aggregate with its arguments, cast to the types it asked for.
#[derive(Debug, Clone)]
pub struct AggregateCall {
    /// The direct arguments, then the aggregated ones.
    pub arguments: Vec<Expr>,
    /// The types of the arguments.
    pub types: Vec<Type>,
    /// The type of the result, which the expression must have.
    pub result: Type,
    /// `DISTINCT`
    pub distinct: bool,
    /// `FILTER (WHERE …)`
    pub filter: Option<Box<Expr>>,
    /// `ORDER BY` in the call, or `WITHIN GROUP`; the expressions are such that the engine's order is the type's.
    pub order_by: Vec<Sort>,
}

/// The columns of a set: their names and types.
pub type SetColumns = Vec<(String, Type)>;
/// Columns of equal length, of the types that [`SetFunction::columns`] says.
pub type SetChunk = Vec<ArrayRef>;
/// The rows of a set, a few thousand at a time; they are made as they are asked for.
pub type SetRows = Box<dyn Iterator<Item = Result<SetChunk>> + Send>;

/// A function that returns a set of rows.
#[derive(Debug)]
pub struct SetFunction {
    /// Its name.
    pub name: &'static str,
    /// The types of its arguments.
    pub arguments: &'static [u32],
    /// Whether the last argument may come any number of times.
    pub variadic: bool,
    /// The columns of its rows, for arguments of these types. The column of a function that returns single values is named
    /// as the function is.
    pub columns: fn(&[ArgumentShape<'_>]) -> Result<SetColumns>,
    /// The rows for one row of arguments.
    pub rows: fn(SetCall) -> Result<SetRows>,
}

/// A set-returning function with one row of arguments.
#[derive(Debug, Clone)]
pub struct SetCall {
    /// The arguments, cast to the types it asked for. A NULL is a scalar of the type that is NULL.
    pub arguments: Vec<ScalarValue>,
    /// Their types.
    pub types: Vec<Type>,
    /// The types of the columns.
    pub columns: Vec<Type>,
    /// What it may know of the session.
    pub session: Arc<SessionValues>,
}

impl From<datafusion_common::DataFusionError> for PgError {
    fn from(error: datafusion_common::DataFusionError) -> Self {
        match error {
            datafusion_common::DataFusionError::External(inner) => match inner.downcast::<PgError>() {
                Ok(ours) => *ours,
                Err(other) => PgError::internal(other.to_string()),
            },
            other => PgError::internal(other.to_string()),
        }
    }
}
