//! What goes on beside the writers: compaction, readers, and transfers that conflict with each other.

use std::io;

use crate::answer::Answer;
use crate::crash::change::own_tables;
use crate::crash::model::SHARED;
use crate::crash::writer::End;
use crate::generate::random::Random;
use crate::session::Session;

/// Accounts, and what each of them begins with.
const ACCOUNTS: usize = 10;
const BALANCE: i64 = 100;

/// Vacuums tables, reads, and moves money between accounts, until the server is gone.
pub fn annoy(session: &mut Session, random: &mut Random, writers: usize) -> End {
    loop {
        let done = match random.below(10) {
            0 => vacuum(session, "VACUUM"),
            1 | 2 => vacuum(session, &format!("VACUUM {SHARED}")),
            3 => {
                let tables: Vec<_> = own_tables(random.below(writers)).collect();
                vacuum(session, &format!("VACUUM {}", random.pick(&tables)))
            }
            4 => vacuum(session, "VACUUM accounts"),
            5 | 6 => check_accounts(session),
            _ => transfer(session, random),
        };
        match done {
            Ok(None) => {}
            Ok(Some(violation)) => return End::Violation(violation),
            Err(_) => return End::ServerGone,
        }
    }
}

/// Makes the accounts, which are there before the first writer.
pub fn create_accounts(session: &mut Session) -> io::Result<Option<String>> {
    let rows: Vec<_> = (0..ACCOUNTS).map(|id| format!("({id}, {BALANCE})")).collect();
    for sql in [
        "CREATE TABLE accounts (id bigint, balance bigint)".to_owned(),
        format!("INSERT INTO accounts VALUES {}", rows.join(", ")),
    ] {
        if let Answer::Error(error) = session.run(&sql)? {
            return Ok(Some(format!("{sql}: {error}")));
        }
    }
    Ok(None)
}

/// Every snapshot has all accounts and all the money.
pub fn check_accounts(session: &mut Session) -> io::Result<Option<String>> {
    let expected =
        vec![Some(ACCOUNTS.to_string()), Some(ACCOUNTS.to_string()), Some((ACCOUNTS as i64 * BALANCE).to_string())];
    match session.run("SELECT count(*), count(DISTINCT id), sum(balance) FROM accounts")? {
        Answer::Rows { rows, .. } if rows.first() == Some(&expected) => Ok(None),
        other => Ok(Some(format!("the accounts are {other:?}"))),
    }
}

fn vacuum(session: &mut Session, sql: &str) -> io::Result<Option<String>> {
    match session.run(sql)? {
        // The table is not there, or not any more.
        Answer::Error(error) if error.sqlstate == "42P01" => Ok(None),
        Answer::Error(error) => Ok(Some(format!("{sql}: {error}"))),
        _ => Ok(None),
    }
}

/// Moves money in a transaction. Another may come first: that is no violation, half a transfer would be.
fn transfer(session: &mut Session, random: &mut Random) -> io::Result<Option<String>> {
    let (from, to) = (random.below(ACCOUNTS), random.below(ACCOUNTS));
    let amount = 1 + random.below(20);
    for sql in [
        "BEGIN".to_owned(),
        format!("UPDATE accounts SET balance = balance - {amount} WHERE id = {from}"),
        format!("UPDATE accounts SET balance = balance + {amount} WHERE id = {to}"),
        "COMMIT".to_owned(),
    ] {
        match session.run(&sql)? {
            Answer::Error(error) if ["40001", "40P01"].contains(&error.sqlstate.as_str()) => {
                session.run("ROLLBACK")?;
                return Ok(None);
            }
            Answer::Error(error) => return Ok(Some(format!("{sql}: {error}"))),
            _ => {}
        }
    }
    Ok(None)
}
