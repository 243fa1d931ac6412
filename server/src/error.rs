//! What can go wrong, and what the client hears of it.
//!
//! Only this crate knows SQLSTATEs. Every variant chooses its code in [`Error::report`], which has no wildcard arm: a new
//! one does not compile until it has.

use crate::engine_error;
use crate::wire::rows::EncodeError;
use datafusion::error::DataFusionError;
use pg::PgError;
use pg::copy_format::CopyError;
use pg::error::Subject;
use pg::input::InputError;
use pg::sqlstate::SqlState;

/// The result of most things here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a statement, or a connection, failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that PostgreSQL has words for.
    #[error("{error}")]
    Sql {
        /// The words.
        error: Box<PgError>,
        /// Where in the text, in characters from 1.
        position: Option<usize>,
    },
    /// The text cannot be parsed.
    #[error("{message}")]
    Syntax {
        /// As PostgreSQL says it: `syntax error at or near …`
        message: String,
        /// What was expected, when that is known.
        detail: Option<String>,
        /// Where, in characters from 1.
        position: Option<usize>,
    },
    /// The statement is understood, and not implemented.
    #[error("{feature} is not supported")]
    NotSupported {
        /// What is not.
        feature: String,
    },
    /// The query string is too long.
    #[error("query string is longer than 16 MB")]
    TextTooLong,
    /// The statement's tree would be too deep.
    #[error("statement is too complex")]
    TooComplex,
    /// A statement that belongs into a transaction block stands outside of one.
    #[error("{statement} can only be used in transaction blocks")]
    OutsideTransaction {
        /// The statement.
        statement: &'static str,
    },
    /// No savepoint has this name.
    #[error("savepoint \"{name}\" does not exist")]
    UndefinedSavepoint {
        /// The name.
        name: String,
    },
    /// The transaction has failed before.
    #[error("current transaction is aborted, commands ignored until end of transaction block")]
    InFailedTransaction,
    /// The isolation level can only be chosen before the first query.
    #[error("SET TRANSACTION ISOLATION LEVEL must be called before any query")]
    TransactionStarted,
    /// No relation of this name is visible.
    #[error("relation \"{name}\" does not exist")]
    UndefinedTable {
        /// The name as it was written.
        name: String,
        /// Where.
        position: Option<usize>,
    },
    /// A relation of the system was to be changed.
    #[error("permission denied: \"{name}\" is a system catalog")]
    SystemRelation {
        /// Its name, without the schema.
        name: String,
    },
    /// No relation of this name and kind is visible, for a statement that says the kind.
    #[error("{kind} \"{name}\" does not exist")]
    UndefinedRelation {
        /// `table`, `view`
        kind: &'static str,
        /// The name as it was written.
        name: String,
    },
    /// None of the schemas on the search path is there.
    #[error("no schema has been selected to create in")]
    NoSchemaSelected,
    /// Something else needs what was to be dropped.
    #[error("cannot drop {object} because other objects depend on it")]
    ObjectInUse {
        /// What was to be dropped, as messages name it: `table t`.
        object: String,
        /// What needs it: `view v`.
        dependents: Vec<String>,
    },
    /// No schema has this name.
    #[error("schema \"{name}\" does not exist")]
    UndefinedSchema {
        /// The name.
        name: String,
    },
    /// A name has more parts than can be, or names another database.
    #[error("{message}")]
    InvalidName {
        /// What is wrong with it.
        message: String,
    },
    /// No column of the target table has this name.
    #[error("column \"{column}\" of relation \"{relation}\" does not exist")]
    UndefinedColumn {
        /// The column.
        column: String,
        /// The table.
        relation: String,
    },
    /// A column was named twice.
    #[error("column \"{column}\" specified more than once")]
    DuplicateColumn {
        /// The column.
        column: String,
    },
    /// The object is of another kind than the statement needs.
    #[error("\"{name}\" is not {expected}")]
    WrongObjectType {
        /// Its name.
        name: String,
        /// What was needed: `a table` …
        expected: &'static str,
    },
    /// The statement needs a relation that can take rows.
    #[error("cannot {action} {kind} \"{name}\"")]
    CannotChange {
        /// `insert into`, `copy to`
        action: &'static str,
        /// `view`, `external table`
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A table definition makes no sense.
    #[error("{message}")]
    InvalidDefinition {
        /// What is wrong with it.
        message: String,
    },
    /// No such type.
    #[error("type \"{name}\" does not exist")]
    UndefinedType {
        /// The name.
        name: String,
    },
    /// A row has more or fewer values than there are columns.
    #[error("INSERT has {} than {}", if *.more_expressions { "more expressions" } else { "more target columns" }, if *.more_expressions { "target columns" } else { "expressions" })]
    InsertArity {
        /// Whether there are more values than columns.
        more_expressions: bool,
        /// The first that is too many.
        position: Option<usize>,
    },
    /// An option or setting has a value it cannot have.
    #[error("{message}")]
    InvalidParameterValue {
        /// What is wrong with it.
        message: String,
    },
    /// The statement may not run where it was sent.
    #[error("{message}")]
    InvalidStatementHere {
        /// Why.
        message: String,
    },
    /// The client asked for the statement to be cancelled.
    #[error("canceling statement due to user request")]
    Cancelled,
    /// The statement ran longer than `statement_timeout`.
    #[error("canceling statement due to statement timeout")]
    StatementTimeout,
    /// The server ends.
    #[error("terminating connection due to administrator command")]
    AdminShutdown,
    /// The client broke the protocol.
    #[error("{message}")]
    Protocol {
        /// How.
        message: String,
    },
    /// A string is not UTF-8.
    #[error("invalid byte sequence for encoding \"UTF8\"")]
    InvalidEncoding,
    /// The client may not connect.
    #[error("{message}")]
    InvalidAuthorization {
        /// Why.
        message: String,
    },
    /// No such database.
    #[error("database \"{name}\" does not exist")]
    UndefinedDatabase {
        /// The name.
        name: String,
    },
    /// No such prepared statement.
    #[error("prepared statement \"{name}\" does not exist")]
    UndefinedStatement {
        /// The name.
        name: String,
    },
    /// The prepared statement is there already.
    #[error("prepared statement \"{name}\" already exists")]
    DuplicateStatement {
        /// The name.
        name: String,
    },
    /// No such portal.
    #[error("portal \"{name}\" does not exist")]
    UndefinedPortal {
        /// The name.
        name: String,
    },
    /// The portal has been run to its end.
    #[error("portal cannot be run")]
    PortalFinished,
    /// A parameter where none can be given.
    #[error("there is no parameter ${number}")]
    UndefinedParameter {
        /// Its number, from 1.
        number: usize,
    },
    /// A COPY's data is wrong.
    #[error("{source}")]
    CopyData {
        /// What is wrong with it.
        source: CopyError,
        /// `COPY t, line 3`
        context: Option<String>,
    },
    /// An error, and what was being done.
    #[error("{source}")]
    InContext {
        /// The error.
        source: Box<Error>,
        /// `COPY t, line 3, column a: "x"`, `unnamed portal parameter $1`
        context: String,
    },
    /// The client gave a COPY up.
    #[error("COPY from stdin failed: {message}")]
    CopyFailed {
        /// What the client said.
        message: String,
    },
    /// A value cannot be read or assigned.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A constant in the query string cannot be read.
    #[error("{source}")]
    Constant {
        /// What is wrong with it.
        source: InputError,
        /// Where.
        position: Option<usize>,
    },
    /// A value cannot be sent in the format that was asked for.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// A store or file failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The query engine failed.
    #[error("{source}")]
    Engine {
        /// What it said.
        source: Box<DataFusionError>,
        /// Where in the query string, when it knows.
        position: Option<usize>,
    },
    /// A file that says who may come in cannot be used.
    #[error(transparent)]
    Access(#[from] crate::access::AccessError),
    /// A bug: something panicked. The statement is lost, the session and the data are not.
    #[error("internal error")]
    Panicked,
}

/// What the client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReport {
    /// The code.
    pub sqlstate: SqlState,
    /// One line, lower case.
    pub message: String,
    /// Whole sentences.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the query string, in characters from 1.
    pub position: Option<usize>,
    /// What was being done.
    pub context: Option<String>,
    /// What it is about, by name.
    pub subject: Option<Box<Subject>>,
}

/// What a client hears of an error that PostgreSQL has words for.
pub fn report_of(error: &PgError) -> ErrorReport {
    ErrorReport {
        sqlstate: error.sqlstate,
        message: error.message.clone(),
        detail: error.detail.clone(),
        hint: error.hint.clone(),
        position: None,
        context: None,
        subject: error.subject.clone(),
    }
}

/// The error without its place.
impl From<ErrorReport> for PgError {
    fn from(report: ErrorReport) -> Self {
        let ErrorReport { sqlstate, message, detail, hint, subject, .. } = report;
        PgError { sqlstate, message, detail, hint, subject }
    }
}

impl ErrorReport {
    /// A report with code and message alone.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        let message = message.into();
        ErrorReport { sqlstate, message, detail: None, hint: None, position: None, context: None, subject: None }
    }

    /// With a detail.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With a position, if it is known.
    pub fn at(mut self, position: Option<usize>) -> Self {
        self.position = position.or(self.position);
        self
    }
}

impl Error {
    /// Something is not implemented.
    pub fn not_supported(feature: impl Into<String>) -> Self {
        Error::NotSupported { feature: feature.into() }
    }

    /// Without its place: it was found in a text that the client has not sent.
    #[must_use]
    pub fn without_position(mut self) -> Self {
        if let Error::Sql { position, .. }
        | Error::Syntax { position, .. }
        | Error::UndefinedTable { position, .. }
        | Error::InsertArity { position, .. }
        | Error::Constant { position, .. }
        | Error::Engine { position, .. } = &mut self
        {
            *position = None;
        }
        self
    }

    /// 2BP01: something is needed by what these lines say.
    pub fn still_needed(object: &str, lines: &[String]) -> Self {
        let message = format!("cannot drop {object} because other objects depend on it");
        let error = PgError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).with_detail(lines.join("\n"));
        error.with_hint("Use DROP ... CASCADE to drop the dependent objects too.").into()
    }

    /// Serializable transactions, of which nothing less is made.
    pub fn no_serializable_transactions() -> Self {
        crate::session::settings::setting::no_serializable_transactions().into()
    }

    /// What the client is told. No wildcard arm: a new variant must choose its code before it compiles.
    pub fn report(&self) -> ErrorReport {
        let plain = |sqlstate| ErrorReport::new(sqlstate, self.to_string());
        match self {
            Error::Sql { error, position } => report_of(error).at(*position),
            Error::Syntax { detail, position, .. } => {
                ErrorReport { detail: detail.clone(), ..plain(SqlState::SYNTAX_ERROR) }.at(*position)
            }
            Error::NotSupported { .. } => plain(SqlState::FEATURE_NOT_SUPPORTED),
            Error::TooComplex => {
                plain(SqlState::STATEMENT_TOO_COMPLEX).hint("Split the statement, or replace long chains of OR by IN.")
            }
            Error::TextTooLong => plain(SqlState::PROGRAM_LIMIT_EXCEEDED).hint("Use COPY for many rows."),
            Error::OutsideTransaction { .. } => plain(SqlState::NO_ACTIVE_SQL_TRANSACTION),
            Error::UndefinedSavepoint { .. } => plain(SqlState::INVALID_SAVEPOINT_SPECIFICATION),
            Error::InFailedTransaction => plain(SqlState::IN_FAILED_SQL_TRANSACTION),
            Error::TransactionStarted => plain(SqlState::ACTIVE_SQL_TRANSACTION),
            Error::UndefinedTable { position, .. } => plain(SqlState::UNDEFINED_TABLE).at(*position),
            Error::UndefinedRelation { .. } => plain(SqlState::UNDEFINED_TABLE),
            Error::SystemRelation { .. } => plain(SqlState::INSUFFICIENT_PRIVILEGE),
            Error::ObjectInUse { object, dependents: needed_by } => {
                dependents(plain(SqlState::DEPENDENT_OBJECTS_STILL_EXIST), needed_by, object)
            }
            Error::UndefinedSchema { .. } | Error::NoSchemaSelected => plain(SqlState::INVALID_SCHEMA_NAME),
            Error::InvalidName { .. } => plain(SqlState::FEATURE_NOT_SUPPORTED),
            Error::UndefinedColumn { .. } => plain(SqlState::UNDEFINED_COLUMN),
            Error::DuplicateColumn { .. } => plain(SqlState::DUPLICATE_COLUMN),
            Error::WrongObjectType { .. } | Error::CannotChange { .. } => plain(SqlState::WRONG_OBJECT_TYPE),
            Error::InvalidDefinition { .. } => plain(SqlState::INVALID_TABLE_DEFINITION),
            Error::UndefinedType { .. } => plain(SqlState::UNDEFINED_OBJECT),
            Error::InsertArity { position, .. } => plain(SqlState::SYNTAX_ERROR).at(*position),
            Error::InvalidParameterValue { .. } => plain(SqlState::INVALID_PARAMETER_VALUE),
            Error::InvalidStatementHere { .. } => plain(SqlState::ACTIVE_SQL_TRANSACTION),
            Error::Cancelled | Error::StatementTimeout => plain(SqlState::QUERY_CANCELED),
            Error::AdminShutdown => plain(SqlState::ADMIN_SHUTDOWN),
            Error::Protocol { .. } => plain(SqlState::PROTOCOL_VIOLATION),
            Error::InvalidEncoding => plain(SqlState::CHARACTER_NOT_IN_REPERTOIRE),
            Error::InvalidAuthorization { .. } => plain(SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
            Error::UndefinedDatabase { .. } => plain(SqlState::INVALID_CATALOG_NAME),
            Error::UndefinedStatement { .. } => plain(SqlState::INVALID_SQL_STATEMENT_NAME),
            Error::DuplicateStatement { .. } => plain(SqlState::DUPLICATE_PREPARED_STATEMENT),
            Error::UndefinedPortal { .. } => plain(SqlState::INVALID_CURSOR_NAME),
            Error::PortalFinished => plain(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE),
            Error::UndefinedParameter { .. } => plain(SqlState::UNDEFINED_PARAMETER),
            Error::CopyData { source, context } => {
                ErrorReport { context: context.clone(), hint: source.hint(), ..plain(source.sqlstate()) }
            }
            Error::InContext { source, context } => ErrorReport { context: Some(context.clone()), ..source.report() },
            Error::CopyFailed { .. } => plain(SqlState::QUERY_CANCELED),
            Error::Input(error) => input_report(error),
            Error::Constant { source, position } => input_report(source).at(*position),
            Error::Encode(error) => plain(error.sqlstate()),
            Error::Catalog(error) => catalog_report(error),
            Error::Storage(error) => storage_report(error),
            Error::Engine { source, position } => engine_error::report(source).at(*position),
            Error::Access(_) => plain(SqlState::CONFIG_FILE_ERROR),
            Error::Panicked => {
                plain(SqlState::INTERNAL_ERROR).detail("This is a bug in the server; its log has the details.")
            }
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(source: DataFusionError) -> Self {
        Error::Engine { source: Box::new(source), position: None }
    }
}

fn input_report(error: &InputError) -> ErrorReport {
    let report = ErrorReport::new(error.sqlstate(), error.to_string());
    ErrorReport { detail: error.detail(), hint: error.hint().map(str::to_owned), ..report }
}

/// What the client is told about a refusal of the catalog.
pub fn catalog_report(error: &catalog::Error) -> ErrorReport {
    use catalog::Error as E;
    let plain = |sqlstate| ErrorReport::new(sqlstate, error.to_string());
    match error {
        E::SchemaExists(_) => plain(SqlState::DUPLICATE_SCHEMA),
        E::SchemaNotFound(_) => plain(SqlState::INVALID_SCHEMA_NAME),
        E::SchemaNotEmpty { schema, relations } => {
            dependents(plain(SqlState::DEPENDENT_OBJECTS_STILL_EXIST), relations, &format!("schema {schema}"))
        }
        E::RelationExists(_) => plain(SqlState::DUPLICATE_TABLE),
        E::TypeExists(_) | E::RoleExists(_) | E::SecretExists(_) => plain(SqlState::DUPLICATE_OBJECT),
        E::TypeInUse { ty, dependents: users } => dependents(plain(SqlState::DEPENDENT_OBJECTS_STILL_EXIST), users, ty),
        E::RelationNotFound(_) => plain(SqlState::UNDEFINED_TABLE),
        E::RelationInUse { relation, dependents: views } => {
            dependents(plain(SqlState::DEPENDENT_OBJECTS_STILL_EXIST), views, relation)
        }
        E::ChangedConcurrently { .. } | E::RowChangedConcurrently { .. } => plain(SqlState::SERIALIZATION_FAILURE),
        E::PartitionExists { .. } => plain(SqlState::DUPLICATE_OBJECT),
        E::PartitionNotFound { .. } => plain(SqlState::UNDEFINED_OBJECT),
        E::UnknownFormat { .. } => plain(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE),
        E::Corrupted { .. } | E::DamagedStore { .. } => plain(SqlState::DATA_CORRUPTED),
        E::DiskFull { .. } => plain(SqlState::DISK_FULL).hint("Check free disk space."),
        E::DirectoryNotEmpty { .. } | E::RestoreUnfinished { .. } => plain(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE),
        E::DirectoryInUse { .. } => plain(SqlState::LOCK_FILE_EXISTS),
        E::Store(_) | E::File { .. } => plain(SqlState::IO_ERROR),
        E::Rows { .. } | E::FileWriteEnded { .. } => plain(SqlState::INTERNAL_ERROR),
        E::ShuttingDown => plain(SqlState::ADMIN_SHUTDOWN),
    }
}

fn dependents(report: ErrorReport, dependents: &[String], on: &str) -> ErrorReport {
    let lines: Vec<_> = dependents.iter().map(|dependent| format!("{dependent} depends on {on}")).collect();
    report.detail(lines.join("\n")).hint("Use DROP ... CASCADE to drop the dependent objects too.")
}

fn with_detail(report: ErrorReport, detail: Option<String>) -> ErrorReport {
    match detail {
        Some(detail) => report.detail(detail),
        None => report,
    }
}

/// What the client is told about a failure of the storage layer.
pub fn storage_report(error: &storage::Error) -> ErrorReport {
    use storage::Error as E;
    let plain = |sqlstate| ErrorReport::new(sqlstate, error.to_string());
    match error {
        E::LocationInvalid { .. } | E::ConfigurationInvalid { .. } => plain(SqlState::INVALID_PARAMETER_VALUE),
        E::FolderMisnamed { .. } => plain(SqlState::INVALID_TABLE_DEFINITION)
            .hint("See the table's properties partition_discovery and storage.location.template."),
        E::PartitionValueInvalid { .. } => plain(SqlState::INVALID_TEXT_REPRESENTATION),
        E::SchemeNotSupported { .. } => plain(SqlState::FEATURE_NOT_SUPPORTED)
            .hint("Locations begin with s3://, gs://, az://, abfss://, https://, http:// or file://."),
        E::AddressNotAllowed { .. } => plain(SqlState::INSUFFICIENT_PRIVILEGE)
            .hint("Addresses that are not public can only be used in networks that --external-network names."),
        E::SecretInvalid { .. } => plain(SqlState::INVALID_PARAMETER_VALUE),
        E::SecretUnreadable { .. } => {
            plain(SqlState::CONFIG_FILE_ERROR).hint("The key is in the file that --secrets-key-file names.")
        }
        E::OperationNotSupported { .. } | E::FileVersionUnknown { .. } => plain(SqlState::FEATURE_NOT_SUPPORTED),
        E::LocationNotAllowed { .. } => plain(SqlState::INSUFFICIENT_PRIVILEGE)
            .hint("Folders of the server can only be used below those that --external-root names."),
        E::NotFound { .. } | E::NoFiles { .. } => plain(SqlState::UNDEFINED_FILE),
        E::FilesDisagree(_) => {
            plain(SqlState::DATATYPE_MISMATCH).hint("Define the columns: FROM function(…) AS name(column type, …).")
        }
        E::ColumnTypeUnknown { .. } | E::FileNotSupported { .. } => plain(SqlState::FEATURE_NOT_SUPPORTED),
        E::ColumnsUnknown { .. } => plain(SqlState::INVALID_TABLE_DEFINITION),
        E::AccessDenied { .. } => plain(SqlState::INSUFFICIENT_PRIVILEGE),
        E::Unavailable { .. } => plain(SqlState::IO_ERROR),
        E::TooManyFiles { .. } => {
            plain(SqlState::PROGRAM_LIMIT_EXCEEDED).hint("Partition the table, or merge small files.")
        }
        E::ScanTooLarge { partition_columns, .. } => {
            plain(SqlState::CONFIGURATION_LIMIT_EXCEEDED).hint(scan_too_large_hint(partition_columns))
        }
        E::PartitionFilterMissing { partition_columns, .. } => plain(SqlState::CONFIGURATION_LIMIT_EXCEEDED)
            .hint(format!("Add a condition on {}.", partition_columns_named(partition_columns))),
        E::FileChanged { .. } | E::FileDeleted { .. } => plain(SqlState::IO_ERROR).hint("Repeat the statement."),
        // Statements that write say more of it: see statement::write.
        E::DuplicateKey(_) => plain(SqlState::UNIQUE_VIOLATION),
        E::KeysNotWritten { source, .. } if catalog::vfs::is_disk_full(source) => plain(SqlState::DISK_FULL),
        E::KeysNotWritten { .. } => plain(SqlState::IO_ERROR),
        E::LocationNotEmpty { .. } => {
            plain(SqlState::DUPLICATE_FILE).hint("Name a place where nothing is: what is there is not overwritten.")
        }
        E::LocationIsFile { .. } => plain(SqlState::WRONG_OBJECT_TYPE),
        E::NotWritten { .. } => plain(SqlState::IO_ERROR),
        E::NoSpace { .. } => plain(SqlState::DISK_FULL).hint("Check free disk space."),
        E::NoBackup { .. } => plain(SqlState::UNDEFINED_FILE),
        E::BackupFormat { .. } => plain(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE),
        E::Catalog(error) => catalog_report(error),
        E::SegmentUnreadable { .. } | E::ManifestNotWritten { .. } => plain(SqlState::IO_ERROR),
        E::DamagedBackup { .. } => plain(SqlState::DATA_CORRUPTED),
        E::DamagedSegment { .. } | E::NotParquet { .. } | E::Corrupted { .. } => plain(SqlState::DATA_CORRUPTED),
        E::ColumnTypeMismatch { .. } => {
            plain(SqlState::DATATYPE_MISMATCH).hint("Declare the column with the type it has in the file.")
        }
        E::ColumnAmbiguous { .. } => plain(SqlState::AMBIGUOUS_COLUMN),
        E::ArrayNotRectangular { .. } => plain(SqlState::ARRAY_SUBSCRIPT_ERROR),
        E::ValueTooLong { .. } => plain(SqlState::STRING_DATA_RIGHT_TRUNCATION),
        E::ValueOutOfRange { .. } => plain(SqlState::NUMERIC_VALUE_OUT_OF_RANGE),
        E::ManifestInvalid { .. } | E::JsonPathsInvalid { .. } => plain(SqlState::INVALID_PARAMETER_VALUE),
        E::LineInvalid { .. } | E::FieldCount { .. } | E::ColumnsMissing { .. } => {
            plain(SqlState::BAD_COPY_FILE_FORMAT)
        }
        E::NullNotAllowed { .. } => plain(SqlState::NOT_NULL_VIOLATION),
        E::ValueInvalid { source, .. } => match source.downcast_ref::<InputError>() {
            Some(input) => with_detail(plain(input.sqlstate()), input.detail()),
            None => plain(SqlState::INVALID_TEXT_REPRESENTATION),
        },
    }
}

fn scan_too_large_hint(partition_columns: &[String]) -> String {
    match partition_columns {
        [] => "Select fewer columns or partitions, or raise max_scan_bytes.".to_owned(),
        columns => format!("Add a condition on {}, or raise max_scan_bytes.", partition_columns_named(columns)),
    }
}

/// `partition column "a"`, or `one of the partition columns "a", "b"`.
fn partition_columns_named(columns: &[String]) -> String {
    let quoted: Vec<_> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    match quoted.as_slice() {
        [one] => format!("partition column {one}"),
        all => format!("one of the partition columns {}", all.join(", ")),
    }
}
