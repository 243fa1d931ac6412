//! Advisory locks (PostgreSQL's `lockfuncs.c`).

use arrow::array::ArrayRef;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::error::{PgError, Result};
use crate::function::{Call, Function, ResultValue, function};
use crate::session::{AdvisoryKey, AdvisoryLock, AdvisoryLocks, LockExtent, LockMode};
use crate::types::*;

use LockExtent::{Session, Transaction};
use LockMode::{Exclusive, Shared};

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_advisory_lock", &[INT8], VOID, |call| lock(call, Exclusive, Session)).volatile(),
    function("pg_advisory_lock", &[INT4, INT4], VOID, |call| lock(call, Exclusive, Session)).volatile(),
    function("pg_advisory_lock_shared", &[INT8], VOID, |call| lock(call, Shared, Session)).volatile(),
    function("pg_advisory_lock_shared", &[INT4, INT4], VOID, |call| lock(call, Shared, Session)).volatile(),
    function("pg_advisory_unlock", &[INT8], BOOL, |call| unlock(call, Exclusive)).volatile(),
    function("pg_advisory_unlock", &[INT4, INT4], BOOL, |call| unlock(call, Exclusive)).volatile(),
    function("pg_advisory_unlock_all", &[], VOID, unlock_all).volatile(),
    function("pg_advisory_unlock_shared", &[INT8], BOOL, |call| unlock(call, Shared)).volatile(),
    function("pg_advisory_unlock_shared", &[INT4, INT4], BOOL, |call| unlock(call, Shared)).volatile(),
    function("pg_advisory_xact_lock", &[INT8], VOID, |call| lock(call, Exclusive, Transaction)).volatile(),
    function("pg_advisory_xact_lock", &[INT4, INT4], VOID, |call| lock(call, Exclusive, Transaction)).volatile(),
    function("pg_advisory_xact_lock_shared", &[INT8], VOID, |call| lock(call, Shared, Transaction)).volatile(),
    function("pg_advisory_xact_lock_shared", &[INT4, INT4], VOID, |call| lock(call, Shared, Transaction)).volatile(),
    function("pg_try_advisory_lock", &[INT8], BOOL, |call| try_lock(call, Exclusive, Session)).volatile(),
    function("pg_try_advisory_lock", &[INT4, INT4], BOOL, |call| try_lock(call, Exclusive, Session)).volatile(),
    function("pg_try_advisory_lock_shared", &[INT8], BOOL, |call| try_lock(call, Shared, Session)).volatile(),
    function("pg_try_advisory_lock_shared", &[INT4, INT4], BOOL, |call| try_lock(call, Shared, Session)).volatile(),
    function("pg_try_advisory_xact_lock", &[INT8], BOOL, |call| try_lock(call, Exclusive, Transaction)).volatile(),
    function("pg_try_advisory_xact_lock", &[INT4, INT4], BOOL, |call| try_lock(call, Exclusive, Transaction))
        .volatile(),
    function("pg_try_advisory_xact_lock_shared", &[INT8], BOOL, |call| try_lock(call, Shared, Transaction)).volatile(),
    function("pg_try_advisory_xact_lock_shared", &[INT4, INT4], BOOL, |call| try_lock(call, Shared, Transaction))
        .volatile(),
];

fn locks(call: &Call) -> Result<&dyn AdvisoryLocks> {
    let locks = call.session().advisory_locks.as_deref();
    locks.ok_or_else(|| PgError::internal("there are no advisory locks outside of a session"))
}

/// The answers for each row's number, or pair of numbers.
fn for_keys<R: ResultValue>(call: &Call, mut answer: impl FnMut(AdvisoryKey) -> Result<R>) -> Result<ArrayRef> {
    match call.types.first().map(|ty| ty.oid) {
        Some(INT8) => call.map1(|number: i64| answer(AdvisoryKey::Number(number))),
        _ => call.map2(|first: i32, second: i32| answer(AdvisoryKey::Pair(first, second))),
    }
}

/// The thread's other work goes to another thread while it waits.
fn lock(call: &Call, mode: LockMode, extent: LockExtent) -> Result<ArrayRef> {
    let (locks, session) = (locks(call)?, call.session());
    for_keys(call, |key| {
        let lock = AdvisoryLock { key, mode, extent };
        let wait = || locks.wait(lock, session.lock_timeout, &session.interrupt);
        let has_other_threads = Handle::try_current().is_ok_and(|h| h.runtime_flavor() == RuntimeFlavor::MultiThread);
        if !locks.try_lock(lock)? {
            match has_other_threads {
                true => tokio::task::block_in_place(wait)?,
                false => wait()?,
            }
        }
        Ok("")
    })
}

fn try_lock(call: &Call, mode: LockMode, extent: LockExtent) -> Result<ArrayRef> {
    let locks = locks(call)?;
    for_keys(call, |key| locks.try_lock(AdvisoryLock { key, mode, extent }))
}

fn unlock(call: &Call, mode: LockMode) -> Result<ArrayRef> {
    let locks = locks(call)?;
    for_keys(call, |key| Ok(locks.unlock(key, mode)))
}

fn unlock_all(call: &Call) -> Result<ArrayRef> {
    let locks = locks(call)?;
    call.map0(|| {
        locks.unlock_all();
        ""
    })
}
