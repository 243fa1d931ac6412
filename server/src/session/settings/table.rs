//! All settings, by PostgreSQL's categories.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::number::Unit;
use super::setting::{Context, Effect, Form, Kind, Setting};
use crate::server::SERVER_VERSION;

/// What `restrict_nonsystem_relation_kind` can be.
const RESTRICTIONS: &[&str] = &["", "view", "foreign-table", "view, foreign-table", "foreign-table, view"];

/// The isolation levels.
const ISOLATION_LEVELS: Kind = Kind::Enum(&["serializable", "repeatable read", "read committed", "read uncommitted"]);
/// The levels of messages.
const MESSAGE_LEVELS: Kind = Kind::Enum(&[
    "debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "error", "log", "fatal", "panic",
]);
/// Greatest value of most numbers.
const MAX: i64 = i32::MAX as i64;
/// The values of a switch that is always on, and of one that is always off.
const ON: &[&str] = &["on"];
const OFF: &[&str] = &["off"];
/// The locales of numbers, money and times.
const LOCALES: &[&str] = &["C", "POSIX"];

/// A setting that everybody may change, and that is honoured.
const fn user(name: &'static str, kind: Kind, default: &'static str, description: &'static str) -> Setting {
    let (context, effect) = (Context::User, Effect::Honoured);
    Setting { name, default, kind, context, effect, description, reported: false, listed: true }
}

/// One that says something about the server, which nobody changes.
const fn preset(name: &'static str, kind: Kind, default: &'static str, description: &'static str) -> Setting {
    Setting { context: Context::Internal, ..user(name, kind, default, description) }
}

/// A switch of the planner: no answer depends on it.
const fn planner(name: &'static str, default: &'static str, description: &'static str) -> Setting {
    user(name, Kind::Boolean, default, description).harmless()
}

const fn integer(min: i64, max: i64) -> Kind {
    Kind::Integer { unit: Unit::None, min, max }
}

const fn real(min: f64, max: f64) -> Kind {
    Kind::Real { unit: Unit::None, min, max }
}

const fn milliseconds() -> Kind {
    Kind::Integer { unit: Unit::Milliseconds, min: 0, max: MAX }
}

const fn size(unit: Unit, min: i64, max: i64) -> Kind {
    Kind::Integer { unit, min, max }
}

const fn text(form: Form) -> Kind {
    Kind::Text(form)
}

impl Setting {
    const fn harmless(self) -> Self {
        Setting { effect: Effect::Harmless, ..self }
    }

    const fn only(self, values: &'static [&'static str]) -> Self {
        Setting { effect: Effect::Only(values), ..self }
    }

    const fn reported(self) -> Self {
        Setting { reported: true, ..self }
    }

    const fn unlisted(self) -> Self {
        Setting { listed: false, ..self }
    }

    const fn by(self, context: Context) -> Self {
        Setting { context, ..self }
    }
}

/// The categories, and the settings of each.
#[rustfmt::skip]
static CATEGORIES: &[(&str, &[Setting])] = &[
    ("Client Connection Defaults / Locale and Formatting", &[
        user("client_encoding", text(Form::Encoding), "UTF8", "The character encoding of the client.").reported(),
        user("DateStyle", text(Form::DateStyle), "ISO, MDY", "How dates are written, and the order of day, month and year.").reported(),
        user("default_text_search_config", text(Form::Any), "pg_catalog.simple", "The configuration of text search, which there is none of.").only(&["pg_catalog.simple", "pg_catalog.english"]),
        user("extra_float_digits", integer(-15, 3), "1", "How many digits of floating point numbers are written."),
        user("IntervalStyle", Kind::Enum(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"]), "postgres", "How intervals are written.").reported(),
        user("lc_messages", text(Form::Any), "C", "The language of messages.").only(LOCALES).by(Context::Superuser),
        user("lc_monetary", text(Form::Any), "C", "The locale of amounts of money.").only(LOCALES),
        user("lc_numeric", text(Form::Any), "C", "The locale of numbers.").only(LOCALES),
        user("lc_time", text(Form::Any), "C", "The locale of dates and times.").only(LOCALES),
        user("TimeZone", text(Form::TimeZone), "UTC", "The time zone of what is written and read.").reported(),
        user("timezone_abbreviations", text(Form::Any), "Default", "The abbreviations of time zones that are understood.").only(&["Default"]),
    ]),
    ("Client Connection Defaults / Other Defaults", &[
        user("gin_fuzzy_search_limit", integer(0, MAX), "0", "The limit of searches in GIN indexes, which there are none of.").harmless(),
    ]),
    ("Client Connection Defaults / Shared Library Preloading", &[
        user("local_preload_libraries", text(Form::Names), "", "Libraries that a session loads.").only(&[""]),
        user("session_preload_libraries", text(Form::Names), "", "Libraries that a session loads.").only(&[""]).by(Context::Superuser),
    ]),
    ("Client Connection Defaults / Statement Behavior", &[
        user("bytea_output", Kind::Enum(&["escape", "hex"]), "hex", "How bytes are written."),
        user("check_function_bodies", Kind::Boolean, "on", "Whether the bodies of functions are checked when they are created.").harmless(),
        user("client_min_messages", Kind::Enum(&["debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"]), "notice", "Which messages the client is sent."),
        user("default_table_access_method", text(Form::Any), "heap", "The access method of new tables.").only(&["heap"]),
        user("default_tablespace", text(Form::Any), "", "The tablespace of new tables.").only(&[""]),
        user("default_toast_compression", Kind::Enum(&["pglz", "lz4"]), "pglz", "How long values are compressed.").harmless(),
        // It is about SERIALIZABLE transactions alone.
        user("default_transaction_deferrable", Kind::Boolean, "off", "Whether transactions are deferrable unless they say so.").harmless(),
        user("default_transaction_isolation", ISOLATION_LEVELS, "read committed", "The isolation level of transactions that name none.").only(&["read committed", "read uncommitted", "repeatable read"]),
        user("default_transaction_read_only", Kind::Boolean, "off", "Whether transactions may change nothing unless they say so.").reported(),
        user("gin_pending_list_limit", size(Unit::Kilobytes, 64, MAX), "4096", "The length of the pending lists of GIN indexes, which there are none of.").harmless(),
        user("idle_in_transaction_session_timeout", milliseconds(), "0", "How long a session may do nothing in a transaction."),
        user("idle_session_timeout", milliseconds(), "0", "How long a session may do nothing."),
        user("lock_timeout", milliseconds(), "0", "How long a statement may wait for a lock."),
        user("restrict_nonsystem_relation_kind", text(Form::Any), "", "Kinds of relations that are not to be read.").only(RESTRICTIONS),
        // There are no policies of rows.
        user("row_security", Kind::Boolean, "on", "Whether policies of rows hold.").harmless(),
        user("search_path", text(Form::Names), "\"$user\", public", "The schemas in which names without one are looked for."),
        user("session_replication_role", Kind::Enum(&["origin", "replica", "local"]), "origin", "Whether triggers and rules are fired.").only(&["origin", "local"]).by(Context::Superuser),
        user("statement_timeout", milliseconds(), "0", "How long a statement may take."),
        user("temp_tablespaces", text(Form::Names), "", "The tablespaces of temporary tables.").only(&[""]),
        user("transaction_deferrable", Kind::Boolean, "off", "Whether the transaction waits until it cannot fail.").harmless(),
        user("transaction_isolation", ISOLATION_LEVELS, "read committed", "The isolation level of the transaction.").only(&["read committed", "read uncommitted", "repeatable read"]),
        user("transaction_read_only", Kind::Boolean, "off", "Whether the transaction may change nothing."),
        user("vacuum_failsafe_age", integer(0, 2_100_000_000), "1600000000", "The age from which VACUUM hurries.").harmless(),
        user("vacuum_freeze_min_age", integer(0, 1_000_000_000), "50000000", "The age from which VACUUM freezes rows.").harmless(),
        user("vacuum_freeze_table_age", integer(0, 2_000_000_000), "150000000", "The age from which VACUUM reads whole tables.").harmless(),
        // There are no values of type xml.
        user("xmlbinary", Kind::Enum(&["base64", "hex"]), "base64", "How bytes are written in XML.").harmless(),
        user("xmloption", Kind::Enum(&["content", "document"]), "content", "What a value of type xml is.").harmless(),
    ]),
    ("Connections and Authentication / Authentication", &[
        user("password_encryption", Kind::Enum(&["md5", "scram-sha-256"]), "scram-sha-256", "What is kept of passwords."),
    ]),
    ("Connections and Authentication / Connection Settings", &[
        // A client that has gone is noticed at once.
        user("client_connection_check_interval", milliseconds(), "0", "How often it is looked whether the client is there.").harmless(),
        preset("max_connections", integer(1, 262_143), "100", "How many clients may be connected.").by(Context::Postmaster),
    ]),
    ("Connections and Authentication / SSL", &[
        preset("ssl", Kind::Boolean, "off", "Whether clients can encrypt their connections.").by(Context::Sighup),
    ]),
    ("Developer Options", &[
        user("force_parallel_mode", Kind::Enum(&["off", "on", "regress"]), "off", "Whether queries are run in parallel at any price.").harmless(),
        user("jit_expressions", Kind::Boolean, "on", "Whether expressions are compiled.").harmless(),
        user("jit_tuple_deforming", Kind::Boolean, "on", "Whether the reading of rows is compiled.").harmless(),
        user("trace_notify", Kind::Boolean, "off", "Whether LISTEN and NOTIFY are logged.").only(OFF),
        user("trace_sort", Kind::Boolean, "off", "Whether sorts are logged.").only(OFF),
    ]),
    ("Error Handling", &[
        user("exit_on_error", Kind::Boolean, "off", "Whether an error ends the session.").only(OFF),
    ]),
    ("Lock Management", &[
        user("deadlock_timeout", size(Unit::Milliseconds, 1, MAX), "1000", "How long a lock is waited for before deadlocks are looked for.").harmless().by(Context::Superuser),
    ]),
    ("Preset Options", &[
        preset("block_size", integer(8192, 8192), "8192", "The size of a page."),
        preset("in_hot_standby", Kind::Boolean, "off", "Whether the server only follows another.").reported(),
        preset("integer_datetimes", Kind::Boolean, "on", "Whether times are counted in whole microseconds.").reported(),
        preset("lc_collate", text(Form::Any), "C", "The order of texts."),
        preset("lc_ctype", text(Form::Any), "C", "What is a letter, and its upper case."),
        preset("max_function_args", integer(100, 100), "100", "How many arguments a function may have."),
        preset("max_identifier_length", integer(63, 63), "63", "How long a name may be."),
        preset("max_index_keys", integer(32, 32), "32", "How many columns a key may have."),
        preset("server_encoding", text(Form::Any), "UTF8", "The character encoding of the database.").reported(),
        preset("server_version", text(Form::Any), SERVER_VERSION, "The version of PostgreSQL that the server behaves as.").reported(),
        preset("server_version_num", integer(150_004, 150_004), "150004", "The version as a number."),
    ]),
    ("Query Tuning / Genetic Query Optimizer", &[
        planner("geqo", "on", "Whether the genetic query optimizer is used."),
        user("geqo_effort", integer(1, 10), "5", "Its effort.").harmless(),
        user("geqo_generations", integer(0, MAX), "0", "Its generations.").harmless(),
        user("geqo_pool_size", integer(0, MAX), "0", "Its population.").harmless(),
        user("geqo_seed", real(0.0, 1.0), "0", "The seed of its choices.").harmless(),
        user("geqo_selection_bias", real(1.5, 2.0), "2", "Its selective pressure.").harmless(),
        user("geqo_threshold", integer(2, MAX), "12", "From how many relations on it is used.").harmless(),
    ]),
    ("Query Tuning / Other Planner Options", &[
        user("constraint_exclusion", Kind::Enum(&["partition", "on", "off"]), "partition", "Whether constraints show that a table need not be read.").harmless(),
        user("cursor_tuple_fraction", real(0.0, 1.0), "0.1", "How much of a cursor's rows is expected to be fetched.").harmless(),
        user("default_statistics_target", integer(1, 10_000), "100", "How exact statistics are.").harmless(),
        user("from_collapse_limit", integer(1, MAX), "8", "From how many relations on subqueries stay what they are.").harmless(),
        planner("jit", "on", "Whether queries are compiled."),
        user("join_collapse_limit", integer(1, MAX), "8", "1 keeps joins in the order in which they are written; other values do not matter."),
        user("plan_cache_mode", Kind::Enum(&["auto", "force_generic_plan", "force_custom_plan"]), "auto", "Whether prepared statements are planned for each set of parameters.").harmless(),
        user("recursive_worktable_factor", real(0.001, 1_000_000.0), "10", "How large the working table of a recursive query is expected to be.").harmless(),
    ]),
    ("Query Tuning / Planner Cost Constants", &[
        user("cpu_index_tuple_cost", real(0.0, f64::MAX), "0.005", "The cost of an entry of an index.").harmless(),
        user("cpu_operator_cost", real(0.0, f64::MAX), "0.0025", "The cost of an operator.").harmless(),
        user("cpu_tuple_cost", real(0.0, f64::MAX), "0.01", "The cost of a row.").harmless(),
        user("effective_cache_size", size(Unit::Pages, 1, MAX), "524288", "How much of the data is expected to be in memory.").harmless(),
        user("jit_above_cost", real(-1.0, f64::MAX), "100000", "The cost from which on queries are compiled.").harmless(),
        user("jit_inline_above_cost", real(-1.0, f64::MAX), "500000", "The cost from which on functions are inlined.").harmless(),
        user("jit_optimize_above_cost", real(-1.0, f64::MAX), "500000", "The cost from which on what is compiled is optimized.").harmless(),
        user("min_parallel_index_scan_size", size(Unit::Pages, 0, 715_827_882), "64", "The size from which on indexes are read in parallel.").harmless(),
        user("min_parallel_table_scan_size", size(Unit::Pages, 0, 715_827_882), "1024", "The size from which on tables are read in parallel.").harmless(),
        user("parallel_setup_cost", real(0.0, f64::MAX), "1000", "The cost of beginning to work in parallel.").harmless(),
        user("parallel_tuple_cost", real(0.0, f64::MAX), "0.1", "The cost of handing a row over.").harmless(),
        user("random_page_cost", real(0.0, f64::MAX), "4", "The cost of a page anywhere.").harmless(),
        user("seq_page_cost", real(0.0, f64::MAX), "1", "The cost of the next page.").harmless(),
    ]),
    ("Query Tuning / Planner Method Configuration", &[
        planner("enable_async_append", "on", "Whether parts of an append run at the same time."),
        planner("enable_bitmapscan", "on", "Whether bitmap scans are considered."),
        planner("enable_gathermerge", "on", "Whether sorted streams are merged."),
        planner("enable_hashagg", "on", "Whether groups are found by hashing."),
        user("enable_hashjoin", Kind::Boolean, "on", "Whether joins by hashing are considered."),
        planner("enable_incremental_sort", "on", "Whether incremental sorts are considered."),
        planner("enable_indexonlyscan", "on", "Whether scans of indexes alone are considered."),
        planner("enable_indexscan", "on", "Whether scans of indexes are considered."),
        planner("enable_material", "on", "Whether results are kept for the next time."),
        planner("enable_memoize", "on", "Whether results of parameters are kept."),
        planner("enable_mergejoin", "on", "Whether joins by merging are considered."),
        planner("enable_nestloop", "on", "Whether nested loops are considered."),
        planner("enable_parallel_append", "on", "Whether appends are run in parallel."),
        planner("enable_parallel_hash", "on", "Whether hash tables are built in parallel."),
        planner("enable_partition_pruning", "on", "Whether partitions are left out that hold nothing wanted."),
        planner("enable_partitionwise_aggregate", "off", "Whether partitions are aggregated one by one."),
        planner("enable_partitionwise_join", "off", "Whether partitions are joined one by one."),
        planner("enable_seqscan", "on", "Whether whole tables are read."),
        planner("enable_sort", "on", "Whether sorts are considered."),
        planner("enable_tidscan", "on", "Whether rows are read by their addresses."),
    ]),
    ("Replication / Standby Servers", &[
        preset("hot_standby", Kind::Boolean, "on", "Whether a server that follows another answers queries.").by(Context::Postmaster),
    ]),
    ("Reporting and Logging / What to Log", &[
        user("application_name", text(Form::Printable), "", "What the client calls itself.").reported(),
        user("debug_pretty_print", Kind::Boolean, "on", "Whether trees are indented in the log.").harmless(),
        user("debug_print_parse", Kind::Boolean, "off", "Whether parse trees are logged.").only(OFF),
        user("debug_print_plan", Kind::Boolean, "off", "Whether plans are logged.").only(OFF),
        user("debug_print_rewritten", Kind::Boolean, "off", "Whether rewritten trees are logged.").only(OFF),
        user("log_duration", Kind::Boolean, "off", "Whether the duration of each statement is logged.").only(OFF).by(Context::Superuser),
        user("log_error_verbosity", Kind::Enum(&["terse", "default", "verbose"]), "default", "How much of an error is logged.").only(&["default"]).by(Context::Superuser),
        user("log_lock_waits", Kind::Boolean, "off", "Whether long waits for locks are logged.").only(OFF).by(Context::Superuser),
        user("log_statement", Kind::Enum(&["none", "ddl", "mod", "all"]), "none", "Which statements are logged.").only(&["none"]).by(Context::Superuser),
        user("log_temp_files", size(Unit::Kilobytes, -1, MAX), "-1", "The size from which on temporary files are logged.").only(&["-1"]).by(Context::Superuser),
        preset("log_timezone", text(Form::TimeZone), "UTC", "The time zone of the log.").by(Context::Sighup),
    ]),
    ("Reporting and Logging / When to Log", &[
        user("log_min_duration_statement", size(Unit::Milliseconds, -1, MAX), "-1", "The duration from which on statements are logged.").only(&["-1"]).by(Context::Superuser),
        user("log_min_error_statement", MESSAGE_LEVELS, "error", "Which errors are logged with their statement.").only(&["error"]).by(Context::Superuser),
        user("log_min_messages", MESSAGE_LEVELS, "warning", "Which messages are logged.").only(&["warning"]).by(Context::Superuser),
    ]),
    ("Resource Usage / Asynchronous Behavior", &[
        user("backend_flush_after", size(Unit::Pages, 0, 256), "0", "After how many pages writes are flushed.").harmless(),
        user("effective_io_concurrency", integer(0, 1000), "1", "How many reads the disk is expected to do at a time.").harmless(),
        user("maintenance_io_concurrency", integer(0, 1000), "10", "The same for maintenance.").harmless(),
        user("max_parallel_maintenance_workers", integer(0, 1024), "2", "How many workers maintenance has.").harmless(),
        user("max_parallel_workers", integer(0, 1024), "8", "How many workers there are.").harmless(),
        user("max_parallel_workers_per_gather", integer(0, 1024), "2", "How many workers a part of a plan has.").harmless(),
        user("parallel_leader_participation", Kind::Boolean, "on", "Whether who waits for workers works too.").harmless(),
    ]),
    ("Resource Usage / Cost-Based Vacuum Delay", &[
        user("vacuum_cost_delay", Kind::Real { unit: Unit::Milliseconds, min: 0.0, max: 100.0 }, "0", "How long VACUUM rests.").harmless(),
        user("vacuum_cost_limit", integer(1, 10_000), "200", "After what cost VACUUM rests.").harmless(),
    ]),
    ("Resource Usage / Memory", &[
        user("hash_mem_multiplier", real(1.0, 1000.0), "2", "How many times work_mem a hash table may take.").harmless(),
        user("logical_decoding_work_mem", size(Unit::Kilobytes, 64, MAX), "65536", "The memory of logical decoding.").harmless(),
        user("maintenance_work_mem", size(Unit::Kilobytes, 1024, MAX), "65536", "The memory of maintenance.").harmless(),
        preset("max_prepared_transactions", integer(0, 262_143), "0", "How many transactions can be prepared.").by(Context::Postmaster),
        user("temp_buffers", size(Unit::Pages, 100, 1_073_741_823), "1024", "The memory of temporary tables.").harmless(),
        user("work_mem", size(Unit::Kilobytes, 64, MAX), "4096", "The memory of a sort or a hash table.").harmless(),
    ]),
    ("Statistics / Cumulative Query and Index Statistics", &[
        user("stats_fetch_consistency", Kind::Enum(&["none", "cache", "snapshot"]), "cache", "How statistics are read.").harmless(),
        user("track_activities", Kind::Boolean, "on", "Whether it is known what sessions do.").only(ON).by(Context::Superuser),
        user("track_counts", Kind::Boolean, "on", "Whether rows are counted as they change.").only(ON).by(Context::Superuser),
        user("track_functions", Kind::Enum(&["none", "pl", "all"]), "none", "Which calls of functions are counted.").only(&["none"]).by(Context::Superuser),
        user("track_io_timing", Kind::Boolean, "off", "Whether reads and writes are timed.").only(OFF).by(Context::Superuser),
    ]),
    ("Version and Platform Compatibility / Other Platforms and Clients", &[
        user("transform_null_equals", Kind::Boolean, "off", "Whether `= NULL` is `IS NULL`.").only(OFF),
    ]),
    ("Version and Platform Compatibility / Previous PostgreSQL Versions", &[
        user("array_nulls", Kind::Boolean, "on", "Whether NULL in the text of an array is one.").only(ON),
        // The client's encoding is one in which a quote is always a quote.
        user("backslash_quote", Kind::Enum(&["safe_encoding", "on", "off"]), "safe_encoding", "Whether `\\'` is a quote in a string.").only(&["safe_encoding", "on"]),
        user("escape_string_warning", Kind::Boolean, "on", "Whether backslashes in plain strings are warned of.").harmless(),
        user("quote_all_identifiers", Kind::Boolean, "off", "Whether all names are quoted in definitions.").only(OFF),
        user("standard_conforming_strings", Kind::Boolean, "on", "Whether a backslash in a string is one.").only(ON).reported(),
        user("synchronize_seqscans", Kind::Boolean, "on", "Whether reads of the same table help each other.").harmless(),
    ]),
    ("Write-Ahead Log / Settings", &[
        user("commit_delay", integer(0, 100_000), "0", "How long a commit waits for others, in microseconds.").harmless().by(Context::Superuser),
        user("commit_siblings", integer(0, 1000), "5", "From how many open transactions on it does.").harmless(),
        // A commit is answered when it is durable, which is no less than any of them promises.
        user("synchronous_commit", Kind::Enum(&["local", "remote_write", "remote_apply", "on", "off"]), "on", "What a commit waits for.").harmless(),
        preset("wal_level", Kind::Enum(&["minimal", "replica", "logical"]), "replica", "How much the log tells.").by(Context::Postmaster),
        user("wal_skip_threshold", size(Unit::Kilobytes, 0, MAX), "2048", "The size from which on new files are flushed and not logged.").harmless(),
    ]),
    ("Customized Options", &[
        user("max_scan_bytes", Kind::Real { unit: Unit::Bytes, min: 0.0, max: 1e18 }, "0", "How many bytes a statement may read of external tables; zero is any number."),
        // Redshift's name for it.
        user("spectrum_query_maxerror", integer(-1, MAX), "-1", "How many faults in files a scan tolerates; -1 is any number."),
        user("thermocline.dynamic_filters", Kind::Boolean, "on", "Whether joins and sorts tell scans below them which rows they can leave out."),
        user("thermocline.eager_aggregation", Kind::Enum(&["auto", "always", "off"]), "auto", "Whether groups are made below joins, and of distinct values: where that is expected to be better, wherever it is possible, or never."),
        user("thermocline.join_order_rows_min", integer(0, MAX), "10000", "How many rows the largest of joined tables must have for the order of the joins to be chosen."),
        user("thermocline.listing_ttl", milliseconds(), "0", "How old a listing of an external table's files may be; zero lists them for each statement."),
        user("thermocline.on_bad_data", Kind::Enum(&["table", "fail", "skip_row", "skip_file"]), "table", "What is left out of external tables when something in a file cannot be read; table leaves it to the table."),
        user("thermocline.plan_min_duration", size(Unit::Milliseconds, -1, MAX), "100", "How long a statement has to take for its plan to be kept in thermocline.query_log_plans; -1 keeps none."),
        user("thermocline.price_per_1000_requests", real(0.0, 1e9), "0", "What a thousand requests to an object store cost, in any currency, for EXPLAIN."),
        user("thermocline.price_per_terabyte", real(0.0, 1e9), "0", "What a terabyte read of external tables costs, in any currency, for EXPLAIN."),
        user("thermocline.workers_per_query", integer(0, 1024), "0", "Among how many workers the rows of a query are dealt out; zero is as many as there are processors."),
    ]),
    ("Ungrouped", &[
        preset("is_superuser", Kind::Boolean, "off", "Whether the role is a superuser.").reported().unlisted(),
        user("role", text(Form::Role), "none", "The role whose rights hold.").unlisted(),
        user("session_authorization", text(Form::Role), "", "The role of the session.").reported().unlisted(),
    ]),
];

/// All settings, in the order of their names.
static BY_NAME: LazyLock<Vec<(&'static str, &'static Setting)>> = LazyLock::new(|| {
    let of_category = |(category, settings): &(&'static str, &'static [Setting])| {
        let category = *category;
        settings.iter().map(move |setting| (category, setting))
    };
    let mut all: Vec<_> = CATEGORIES.iter().flat_map(of_category).collect();
    all.sort_by_key(|(_, setting)| setting.name.to_ascii_lowercase());
    all
});

/// Their places in it, by their names in lower case.
static PLACES: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
    BY_NAME.iter().enumerate().map(|(place, (_, setting))| (setting.name.to_ascii_lowercase(), place)).collect()
});

/// All settings, in the order of their names.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    BY_NAME.iter().map(|(_, setting)| *setting)
}

/// The setting of this name, in any case.
pub fn find(name: &str) -> Option<&'static Setting> {
    let place = PLACES.get(&name.to_ascii_lowercase())?;
    BY_NAME.get(*place).map(|(_, setting)| *setting)
}

/// The category of a setting.
pub fn category(setting: &Setting) -> &'static str {
    let place = PLACES.get(&setting.name.to_ascii_lowercase()).and_then(|place| BY_NAME.get(*place));
    place.map_or("Ungrouped", |(category, _)| category)
}
