//! What a session is doing, for those who look (`pg_stat_activity`, PostgreSQL's `backend_status.c`).

use std::net::SocketAddr;

use catalog::Oid;

use super::now_us;

/// Bytes of a statement that are shown (`track_activity_query_size`).
const QUERY_BYTES_MAX: usize = 1023;

/// What URLs begin with whose queries may be signatures.
const SIGNED_SCHEMES: [&str; 5] = ["http://", "https://", "az://", "abfs://", "abfss://"];
/// Bytes behind the beginning of a statement that decide what is shown of it. No location is nearly as long.
const LOOKED_AT_BEHIND: usize = 64 << 10;
const PASSWORD: &str = "PASSWORD";
/// Behind it are the options of CREATE SECRET.
const SECRET: &str = "SECRET";
/// Behind these words Redshift's COPY and UNLOAD have secrets.
const STORE_KEYS: [&str; 4] = ["CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"];

/// Whose session it is, and where its client is.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The number of the role.
    pub role: Oid,
    /// The role's name.
    pub user: String,
    /// The database.
    pub database: String,
    /// Where the client is; `None` when it is on this machine, at a Unix socket or in the server itself.
    pub peer: Option<SocketAddr>,
}

/// Whether a session works, and if not, what it waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityState {
    /// A statement runs.
    Active,
    /// It waits for the client.
    Idle,
    /// It waits for the client, and a transaction is open.
    IdleInTransaction,
    /// It waits for the client, and a transaction has failed.
    IdleInFailedTransaction,
}

impl ActivityState {
    /// As the view names it.
    pub fn name(self) -> &'static str {
        match self {
            ActivityState::Active => "active",
            ActivityState::Idle => "idle",
            ActivityState::IdleInTransaction => "idle in transaction",
            ActivityState::IdleInFailedTransaction => "idle in transaction (aborted)",
        }
    }
}

/// What a session is doing. Times are in microseconds since 1970.
#[derive(Debug, Clone)]
pub struct Activity {
    /// What it is in.
    pub state: ActivityState,
    /// The statement that runs, or has run last.
    pub query: String,
    /// What the client calls itself.
    pub application_name: String,
    /// When the session began.
    pub session_start_us: i64,
    /// When the open transaction began.
    pub transaction_start_us: Option<i64>,
    /// When the statement began.
    pub query_start_us: Option<i64>,
    /// When the state became what it is.
    pub state_change_us: i64,
}

impl Default for Activity {
    fn default() -> Self {
        let now = now_us();
        Activity {
            state: ActivityState::Idle,
            query: String::new(),
            application_name: String::new(),
            session_start_us: now,
            transaction_start_us: None,
            query_start_us: None,
            state_change_us: now,
        }
    }
}

impl Activity {
    /// A statement begins.
    pub fn begin(&mut self, query: &str, transaction_start_us: Option<i64>) {
        let now = now_us();
        self.query.clear();
        self.query.push_str(shown(query, QUERY_BYTES_MAX));
        self.state = ActivityState::Active;
        self.query_start_us = Some(now);
        self.transaction_start_us = transaction_start_us.or(Some(now));
        self.state_change_us = now;
    }

    /// The session waits for its client.
    pub fn wait(&mut self, state: ActivityState, application_name: Option<&String>) {
        let application_name = application_name.map(String::as_str).unwrap_or_default();
        if self.application_name != application_name {
            application_name.clone_into(&mut self.application_name);
        }
        if self.state != state {
            self.state_change_us = now_us();
        }
        self.state = state;
        if state == ActivityState::Idle {
            self.transaction_start_us = None;
        }
    }
}

/// The beginning of a statement that others may see, of so many bytes at most. What tells that there is a secret in it may
/// stand behind that: the end of a URL whose beginning is a key.
pub fn shown(query: &str, bytes_max: usize) -> &str {
    let looked_at = &query[..query.floor_char_boundary(bytes_max + LOOKED_AT_BEHIND)];
    let without_password = without_password(looked_at);
    &without_password[..without_password.floor_char_boundary(bytes_max)]
}

/// The beginning of a statement that others may see: of one that sets the password of a role, nothing behind the word
/// PASSWORD, of one that makes a secret, nothing behind the word SECRET, and of one that hands over keys of an object store,
/// nothing behind the word before them; of any, nothing behind `s3://` where a user and perhaps a password follow, and nothing
/// behind the `?` of a web server's URL or one of Azure, where a signature may.
///
/// It is told by words, wherever they are, since what is shown is not parsed yet and may never be.
fn without_password(query: &str) -> &str {
    let is_word = |wanted: &[&str]| {
        let mut words = query.split(|char: char| !char.is_alphanumeric() && char != '_');
        words.any(|word| wanted.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
    };
    let sets_password = is_word(&["CREATE", "ALTER"]) && is_word(&["ROLE", "USER", "GROUP"]);
    let reads_store = is_word(&["COPY", "UNLOAD"]);
    let makes_secret = is_word(&["CREATE"]) && is_word(&[SECRET]);
    let words = [(sets_password, &[PASSWORD][..]), (makes_secret, &[SECRET]), (reads_store, &STORE_KEYS)];
    let words = words.iter().filter(|(is_said, _)| *is_said).flat_map(|(_, words)| *words);
    let ends = words.filter_map(|word| Some(find_ignoring_case(query, word)? + word.len()));
    ends.chain(user_of_url(query)).chain(query_of_url(query)).min().map_or(query, |end| &query[..end])
}

/// Where the query of a URL begins that may be signed: `https://host/file?X-Amz-Signature=…`, `az://container/file?sig=…`.
fn query_of_url(text: &str) -> Option<usize> {
    let is_end = |sign: char| sign.is_whitespace() || matches!(sign, '\'' | '"');
    let mut behind = 0;
    text.split_inclusive(is_end).find_map(|word| {
        let begin = behind;
        behind += word.len();
        let url = SIGNED_SCHEMES.iter().filter_map(|scheme| find_ignoring_case(word, scheme)).min()?;
        Some(begin + url + word[url..].find('?')? + 1)
    })
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes().windows(wanted.len()).position(|bytes| bytes.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Where the user of a URL begins: `s3://KEY:SECRET@bucket/`.
fn user_of_url(text: &str) -> Option<usize> {
    let is_end = |sign: char| sign.is_whitespace() || matches!(sign, '\'' | '"');
    let mut behind = 0;
    text.split_inclusive(is_end).find_map(|word| {
        let begin = behind;
        behind += word.len();
        Some(begin + user_in(word)?)
    })
}

/// The same in a text without spaces. A slash in a secret should be encoded, and may not be.
fn user_in(word: &str) -> Option<usize> {
    let last = word.rfind('@')?;
    let mut schemes = word.match_indices("://").map(|(at, sign)| (at, at + sign.len()));
    let has_user = |(at, begin): &(usize, usize)| {
        let host = word[*begin..].split('/').next().unwrap_or_default();
        // Azure's URLs have a container there.
        let is_azure = ["abfs", "abfss"].iter().any(|scheme| word[..*at].to_ascii_lowercase().ends_with(scheme));
        host.contains(':') || host.contains('@') && !is_azure
    };
    schemes.find(|scheme| scheme.1 <= last && has_user(scheme)).map(|(_, begin)| begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: &str) {
        assert_eq!(without_password(query), expected);
    }

    #[test]
    fn secrets_are_not_shown() {
        check("ALTER ROLE a PASSWORD 'x'", "ALTER ROLE a PASSWORD");
        check("COPY t FROM 's3://b/x' CREDENTIALS 'x'", "COPY t FROM 's3://b/x' CREDENTIALS");
        check("CREATE SECRET a (TYPE s3, SECRET 'x')", "CREATE SECRET");
        check("create or replace persistent secret a (type s3)", "create or replace persistent secret");
        check("DROP SECRET a", "DROP SECRET a");
        check(
            "SELECT 'http://a/b', * FROM read_csv('https://a/b?c=d')",
            "SELECT 'http://a/b', * FROM read_csv('https://a/b?",
        );
        check(
            "SELECT * FROM 'abfss://c@a.dfs.core.windows.net/x'",
            "SELECT * FROM 'abfss://c@a.dfs.core.windows.net/x'",
        );
        check("SELECT * FROM 'abfss://c:key@a.dfs.core.windows.net/x'", "SELECT * FROM 'abfss://");
        check(
            "SELECT * FROM 'abfss://c@a.dfs.core.windows.net/x?sv=1&sig=x'",
            "SELECT * FROM 'abfss://c@a.dfs.core.windows.net/x?",
        );
        check("SELECT 'http://a/b c?d', 'AZ://c/x?sig=x'", "SELECT 'http://a/b c?d', 'AZ://c/x?");
        check("SELECT 'http' || '?'", "SELECT 'http' || '?'");
        check("COPY t FROM 's3://AKIA:secret@b/x.csv' CSV", "COPY t FROM 's3://");
        check("COPY t FROM 's3://AKIA:sec/ret@b/x.csv' CSV", "COPY t FROM 's3://");
        check("SELECT 's3://b/y', * FROM read_csv('s3://AKIA@b/x')", "SELECT 's3://b/y', * FROM read_csv('s3://");
    }

    #[test]
    fn a_secret_is_recognised_by_what_is_not_shown_any_more() {
        let query = format!("SELECT 's3://AKIA:{}@bucket/x'", "hunter2".repeat(100));
        assert_eq!(shown(&query, 100), "SELECT 's3://");
        assert_eq!(shown("SELECT 'äöü'", 10), "SELECT 'ä");
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for query in ["SELECT 1", "COPY t FROM 's3://b/a@b.csv' CSV", "SELECT 'http://h:80/', '@'"] {
            check(query, query);
        }
    }
}
