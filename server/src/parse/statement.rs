//! The statements we understand.

use sqlparser::ast;

use pg::copy_format::CopyOptions;

use crate::explain::format::Format;

use super::definition::{
    AlterSequence, ColumnDefinition, CreateSequence, CreateTable, Expression, Lifetime, SequenceOption,
    TableAttributes, TableConstraint,
};
use super::external_format::FilesFormat;
use super::indexes::{AlterIndex, CreateIndex, DropIndex, Reindex};
use super::load::Load;
use super::merge::Merge;
use super::roles::{AlterRole, CreateRole, DropRoles};
use super::secrets::{CreateSecret, DropSecret};
use super::unload::Unload;

/// A statement: one variant per verb.
#[derive(Debug, Clone)]
pub enum Statement {
    /// `SELECT`, `VALUES`, `TABLE`, `WITH`
    Query(Box<ast::Query>),
    /// `EXPLAIN`
    Explain(Explain),
    /// `INSERT`
    Insert(Box<Insert>),
    /// `UPDATE`, `DELETE`, `MERGE`
    Modify(Box<Modify>),
    /// `TRUNCATE`
    Truncate(Truncate),
    /// `VACUUM`
    Vacuum(Vacuum),
    /// `ANALYZE`
    Analyze(Analyze),
    /// `BACKUP TO location`
    Backup {
        /// Where to, as a URL.
        location: String,
    },
    /// `COPY … FROM STDIN`
    CopyFrom(CopyFrom),
    /// `COPY … FROM 's3://…'`
    Load(Load),
    /// `UNLOAD ('query') TO location`
    Unload(Unload),
    /// `COPY … TO STDOUT`
    CopyTo(CopyTo),
    /// `CREATE SCHEMA`
    CreateSchema(CreateSchema),
    /// `ALTER SCHEMA`
    AlterSchema(AlterSchema),
    /// `CREATE EXTERNAL SCHEMA`
    CreateExternalSchema(CreateExternalSchema),
    /// `CREATE TABLE`
    CreateTable(CreateTable),
    /// `CREATE TABLE … AS`, `SELECT … INTO`
    CreateTableAs(CreateTableAs),
    /// `CREATE SEQUENCE`
    CreateSequence(CreateSequence),
    /// `ALTER SEQUENCE`
    AlterSequence(AlterSequence),
    /// `CREATE [UNIQUE] INDEX`
    CreateIndex(CreateIndex),
    /// `ALTER INDEX`
    AlterIndex(AlterIndex),
    /// `DROP INDEX`
    DropIndex(DropIndex),
    /// `REINDEX`
    Reindex(Reindex),
    /// `CREATE EXTERNAL TABLE`
    CreateExternalTable(CreateExternalTable),
    /// `CREATE EXTERNAL TABLE … AS`
    CreateExternalTableAs(CreateExternalTableAs),
    /// `CREATE VIEW`
    CreateView(CreateView),
    /// `ALTER TABLE`, `ALTER VIEW`
    AlterTable(AlterTable),
    /// `COMMENT ON`
    Comment(Comment),
    /// `ALTER TABLE … ADD PARTITION`
    AddPartitions(AddPartitions),
    /// `ALTER TABLE … DROP PARTITION`
    DropPartition(DropPartition),
    /// `ALTER TABLE … PARTITION … SET LOCATION`
    SetPartitionLocation(SetPartitionLocation),
    /// `CREATE TYPE`
    CreateType(CreateType),
    /// `CREATE DOMAIN`
    CreateDomain(CreateDomain),
    /// `ALTER TYPE`
    AlterType(AlterType),
    /// `ALTER DOMAIN`
    AlterDomain(AlterDomain),
    /// `DROP SCHEMA`, `DROP TABLE`, `DROP VIEW`, `DROP TYPE`, `DROP DOMAIN`, `DROP SEQUENCE`
    Drop(Drop),
    /// `DROP FUNCTION`, `DROP TRIGGER`, `DROP EXTENSION` and the like
    DropAbsent(DropAbsent),
    /// `SET CONSTRAINTS`
    SetConstraints(SetConstraints),
    /// `LOCK TABLE`
    LockTable(LockTable),
    /// `CREATE ROLE`, `CREATE USER`, `CREATE GROUP`
    CreateRole(CreateRole),
    /// `ALTER ROLE`, `ALTER USER`, `ALTER GROUP`
    AlterRole(AlterRole),
    /// `DROP ROLE`, `DROP USER`, `DROP GROUP`
    DropRoles(DropRoles),
    /// `CREATE SECRET`
    CreateSecret(CreateSecret),
    /// `DROP SECRET`
    DropSecret(DropSecret),
    /// `BEGIN`, `START TRANSACTION`
    Begin {
        /// What was said about it.
        modes: TransactionModes,
        /// The command tag: the words that were written.
        tag: &'static str,
    },
    /// `SET TRANSACTION`
    SetTransaction(TransactionModes),
    /// `SET SESSION CHARACTERISTICS AS TRANSACTION`
    SetCharacteristics(TransactionModes),
    /// `COMMIT`, `END`
    Commit {
        /// Whether another transaction with the same modes begins at once.
        chain: bool,
    },
    /// `ROLLBACK`, `ABORT`
    Rollback {
        /// Whether another transaction with the same modes begins at once.
        chain: bool,
    },
    /// `DISCARD`
    Discard(Discard),
    /// `CLEAR CACHE`
    ClearCache(CacheName),
    /// `REFRESH EXTERNAL TABLE`
    RefreshExternalTable(ast::ObjectName),
    /// `PREPARE`
    Prepare(Prepare),
    /// `EXECUTE`
    Execute(Execute),
    /// `DEALLOCATE`
    Deallocate {
        /// The prepared statement; all of them when there is none.
        name: Option<ast::Ident>,
    },
    /// `DECLARE … CURSOR`
    Declare(Declare),
    /// `FETCH`, `MOVE`
    Fetch(Fetch),
    /// `CLOSE`
    Close {
        /// The cursor; all of them when there is none.
        name: Option<ast::Ident>,
    },
    /// `LISTEN`
    Listen {
        /// The channel.
        channel: ast::Ident,
    },
    /// `NOTIFY`
    Notify(Notify),
    /// `UNLISTEN`
    Unlisten {
        /// The channel; all of them when there is none.
        channel: Option<ast::Ident>,
    },
    /// `SAVEPOINT name`
    Savepoint(ast::Ident),
    /// `ROLLBACK TO [SAVEPOINT] name`
    RollbackTo(ast::Ident),
    /// `RELEASE [SAVEPOINT] name`
    Release(ast::Ident),
    /// `SET`
    Set(Set),
    /// `RESET name`
    Reset {
        /// The setting.
        name: String,
    },
    /// `RESET ALL`
    ResetAll,
    /// `SHOW TABLES`, `SHOW TABLE` and their kin
    ShowObjects(ShowObjects),
    /// `SHOW ALL`
    ShowAll,
    /// `SHOW name`
    Show {
        /// The setting.
        name: String,
    },
}

/// What SHOW shows of objects: Redshift's statements.
#[derive(Debug, Clone)]
pub enum ShowObjects {
    /// Objects of a kind.
    List {
        /// Which.
        list: ObjectList,
        /// What their names are like.
        pattern: Option<String>,
        /// How many at most.
        limit: Option<i64>,
    },
    /// The statement that makes a relation.
    Definition {
        /// The kind of relation.
        what: ShownDefinition,
        /// Its name.
        name: ast::ObjectName,
        /// Whether the partitions of an external table are shown, too.
        with_partitions: bool,
    },
}

/// Objects that SHOW lists.
#[derive(Debug, Clone)]
pub enum ObjectList {
    /// `DATABASES`
    Databases,
    /// `SCHEMAS FROM DATABASE`
    Schemas {
        /// Its name.
        database: ast::Ident,
    },
    /// `TABLES FROM SCHEMA`
    Tables {
        /// Its name.
        schema: ast::ObjectName,
    },
    /// `COLUMNS FROM TABLE`
    Columns {
        /// Its name.
        table: ast::ObjectName,
    },
}

/// Kinds of relations whose definitions SHOW shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownDefinition {
    /// `TABLE`
    Table,
    /// `VIEW`
    View,
    /// `EXTERNAL TABLE`
    ExternalTable,
}

/// `EXPLAIN [(options)] statement`
#[derive(Debug, Clone)]
pub struct Explain {
    /// Whether the statement is run and measured.
    pub analyze: bool,
    /// Whether the plan is shown in detail.
    pub verbose: bool,
    /// Whether costs and numbers of rows that are expected are shown.
    pub costs: bool,
    /// Whether it is shown what was read, and from where.
    pub buffers: bool,
    /// Whether settings are shown that are not what they are by default, and that plans depend on.
    pub settings: bool,
    /// Whether it is shown how long each node took.
    pub timing: bool,
    /// Whether it is shown how long all took.
    pub summary: bool,
    /// Whether the engine's own plan is shown, too.
    pub engine: bool,
    /// How it is written.
    pub format: Format,
    /// What is explained.
    pub statement: Box<Statement>,
}

/// Where the rows of CREATE TABLE AS come from.
#[derive(Debug, Clone)]
pub enum RowsOf {
    /// A query.
    Query(Box<ast::Query>),
    /// A prepared statement that is one.
    Execute(Execute),
}

/// `PREPARE name [(types)] AS statement`
#[derive(Debug, Clone)]
pub struct Prepare {
    /// Its name.
    pub name: ast::Ident,
    /// The types of its parameters, as far as they are said.
    pub types: Vec<ast::DataType>,
    /// The statement.
    pub statement: Box<Statement>,
}

/// `EXECUTE name [(parameters)]`
#[derive(Debug, Clone)]
pub struct Execute {
    /// The prepared statement.
    pub name: ast::Ident,
    /// The values of its parameters.
    pub parameters: Vec<ast::Expr>,
}

/// `DECLARE name … CURSOR … FOR query`
#[derive(Debug, Clone)]
pub struct Declare {
    /// Its name.
    pub name: ast::Ident,
    /// Whether its rows are sent in binary.
    pub binary: bool,
    /// Whether it goes backward; as its plan allows when nothing is said.
    pub scroll: Option<bool>,
    /// `WITH HOLD`: whether it outlives its transaction.
    pub hold: bool,
    /// Its rows.
    pub query: Box<ast::Query>,
}

/// `FETCH direction FROM cursor`
#[derive(Debug, Clone)]
pub struct Fetch {
    /// Where to, and how far.
    pub direction: Direction,
    /// The cursor.
    pub cursor: ast::Ident,
    /// `MOVE`: whether no rows are sent.
    pub moves: bool,
}

/// `NOTIFY channel [, payload]`
#[derive(Debug, Clone)]
pub struct Notify {
    /// The channel.
    pub channel: ast::Ident,
    /// What is said.
    pub payload: Option<String>,
}

/// The direction of FETCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// So many rows from where it is; none is the row where it is.
    Forward(u64),
    /// All that are left.
    ForwardAll,
    /// So many rows backward, at least one.
    Backward(u64),
    /// All that came before.
    BackwardAll,
    /// The row of this number; from the end when it is negative; before the first when it is 0.
    Absolute(i64),
    /// The row so many rows away.
    Relative(i64),
}

/// `INSERT INTO table [(columns)] [OVERRIDING …] query [RETURNING …]`
#[derive(Debug, Clone)]
pub struct Insert {
    /// The common tables before it.
    pub with: Option<ast::With>,
    /// The table.
    pub table: ast::ObjectName,
    /// What RETURNING calls it.
    pub alias: Option<ast::Ident>,
    /// The columns that are given values; empty for all.
    pub columns: Vec<ast::Ident>,
    /// Whether the values of identity columns are those of the statement.
    pub overriding: Option<Overriding>,
    /// Where the rows come from; `DEFAULT VALUES` has no query.
    pub source: Option<Box<ast::Query>>,
    /// What happens to rows whose key is there already.
    pub on_conflict: Option<OnConflict>,
    /// What is answered for each row; nothing when it is empty.
    pub returning: Vec<ast::SelectItem>,
}

/// `ON CONFLICT [target] action`
#[derive(Debug, Clone)]
pub struct OnConflict {
    /// The key; any of the table when there is none.
    pub target: Option<ConflictTarget>,
    /// What happens.
    pub action: ConflictAction,
}

/// The key of ON CONFLICT.
#[derive(Debug, Clone)]
pub enum ConflictTarget {
    /// `(columns)`
    Columns(Vec<ast::Ident>),
    /// `ON CONSTRAINT name`
    Constraint(ast::Ident),
}

/// What happens to rows whose key is there already.
#[derive(Debug, Clone)]
pub enum ConflictAction {
    /// `DO NOTHING`
    Nothing,
    /// `DO UPDATE SET assignments [WHERE selection]`
    Update {
        /// What the row that is there becomes.
        assignments: Vec<Assignment>,
        /// Which of the rows that are there.
        selection: Option<Box<ast::Expr>>,
    },
}

/// `OVERRIDING … VALUE`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overriding {
    /// `OVERRIDING SYSTEM VALUE`: the statement's values
    System,
    /// `OVERRIDING USER VALUE`: the sequence's values
    User,
}

/// `UPDATE`, `DELETE` or `MERGE`
#[derive(Debug, Clone)]
pub struct Modify {
    /// The common tables before it.
    pub with: Option<ast::With>,
    /// The table.
    pub target: TargetName,
    /// What happens to its rows.
    pub kind: ModifyKind,
    /// Other relations: FROM of an UPDATE, USING of a DELETE or MERGE.
    pub from: Vec<ast::TableWithJoins>,
    /// Which rows: WHERE, or ON of a MERGE.
    pub selection: Option<ast::Expr>,
    /// What is answered for each row; nothing when it is empty.
    pub returning: Vec<ast::SelectItem>,
}

/// The table that a statement changes.
#[derive(Debug, Clone)]
pub struct TargetName {
    /// Its name.
    pub name: ast::ObjectName,
    /// What the statement calls it.
    pub alias: Option<ast::TableAlias>,
}

/// What happens to rows.
#[derive(Debug, Clone)]
pub enum ModifyKind {
    /// They go.
    Delete,
    /// Columns get values.
    Update(Vec<Assignment>),
    /// Rows of another relation are merged into them.
    Merge(Merge),
}

/// `column = value`
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The column, or a part of one.
    pub column: ast::ObjectName,
    /// Its value, or DEFAULT.
    pub value: ast::Expr,
}

/// `TRUNCATE`
#[derive(Debug, Clone)]
pub struct Truncate {
    /// The tables.
    pub tables: Vec<ast::ObjectName>,
    /// `RESTART IDENTITY`: whether their sequences begin anew.
    pub restart_identity: bool,
    /// Whether the tables go empty that refer to them.
    pub cascade: bool,
}

impl Modify {
    /// The verb.
    pub fn verb(&self) -> &'static str {
        match self.kind {
            ModifyKind::Delete => "DELETE",
            ModifyKind::Update(_) => "UPDATE",
            ModifyKind::Merge(_) => "MERGE",
        }
    }
}

impl Fetch {
    /// The verb.
    pub fn verb(&self) -> &'static str {
        if self.moves { "MOVE" } else { "FETCH" }
    }
}

/// `COPY table [(columns)] FROM STDIN`
#[derive(Debug, Clone)]
pub struct CopyFrom {
    /// The table.
    pub table: ast::ObjectName,
    /// The columns that the data has; empty for all.
    pub columns: Vec<ast::Ident>,
    /// How the data is written.
    pub options: CopyOptions,
    /// `FORCE_NOT_NULL`: what stands for NULL is a string in these columns.
    pub force_not_null: Vec<ast::Ident>,
    /// `FORCE_NULL`: what stands for NULL is NULL in these columns even in quotes.
    pub force_null: Vec<ast::Ident>,
    /// `WHERE`: the rows that are kept.
    pub condition: Option<Box<ast::Expr>>,
}

/// `COPY … TO STDOUT`
#[derive(Debug, Clone)]
pub struct CopyTo {
    /// Where the rows come from.
    pub source: CopySource,
    /// How they are written.
    pub options: CopyOptions,
    /// `FORCE_QUOTE`: columns whose values are quoted in any case.
    pub force_quote: ForcedQuotes,
}

/// What `COPY … TO STDOUT` copies.
#[derive(Debug, Clone)]
pub enum CopySource {
    /// A table.
    Table {
        /// Its name.
        table: ast::ObjectName,
        /// The columns; empty for all.
        columns: Vec<ast::Ident>,
    },
    /// The rows of a query.
    Query(Box<ast::Query>),
    /// The rows of RETURNING of an INSERT, UPDATE or DELETE.
    Change(Box<Statement>),
}

/// Columns whose values are quoted in any case.
#[derive(Debug, Clone)]
pub enum ForcedQuotes {
    /// All of them.
    All,
    /// These.
    Columns(Vec<ast::Ident>),
}

impl Default for ForcedQuotes {
    fn default() -> Self {
        ForcedQuotes::Columns(Vec::new())
    }
}

/// `CREATE SCHEMA`
#[derive(Debug, Clone)]
pub struct CreateSchema {
    /// Its name.
    pub name: ast::ObjectName,
    /// Whether it may be there already.
    pub if_not_exists: bool,
}

/// `ALTER SCHEMA`
#[derive(Debug, Clone)]
pub struct AlterSchema {
    /// Its name.
    pub name: ast::ObjectName,
    /// What happens to it.
    pub action: AlterSchemaAction,
}

/// What ALTER SCHEMA does.
#[derive(Debug, Clone)]
pub enum AlterSchemaAction {
    /// `RENAME TO`
    Rename(ast::Ident),
    /// `OWNER TO`
    OwnerTo(ast::Ident),
}

/// `CREATE EXTERNAL SCHEMA`
#[derive(Debug, Clone)]
pub struct CreateExternalSchema {
    /// Its name.
    pub name: ast::ObjectName,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// What was said about where it comes from.
    pub source: catalog::ExternalSource,
}

/// `CREATE TABLE … AS`
#[derive(Debug, Clone)]
pub struct CreateTableAs {
    /// Its name.
    pub name: ast::ObjectName,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// Names for its columns, when they are not the query's.
    pub columns: Vec<ast::Ident>,
    /// What Redshift lets one say.
    pub attributes: TableAttributes,
    /// What its rows are.
    pub query: RowsOf,
    /// Whether it gets the rows; otherwise only the columns.
    pub with_data: bool,
}

/// `CREATE EXTERNAL TABLE … AS`
#[derive(Debug, Clone)]
pub struct CreateExternalTableAs {
    /// Its name.
    pub name: ast::ObjectName,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// The columns of the query that are those of partitions.
    pub partition_columns: Vec<ast::Ident>,
    /// What `ROW FORMAT`, `STORED AS` and the properties say of the files.
    pub format: FilesFormat,
    /// What the properties say of data that cannot be read.
    pub bad_data: catalog::BadDataRules,
    /// How partitions are found by their folders' names.
    pub layout: Option<catalog::PartitionLayout>,
    /// Where the files are going to be.
    pub location: String,
    /// `TABLE PROPERTIES`
    pub properties: Vec<(String, String)>,
    /// What its rows are.
    pub query: Box<ast::Query>,
}

/// `CREATE EXTERNAL TABLE`
#[derive(Debug, Clone)]
pub struct CreateExternalTable {
    /// Its name.
    pub name: ast::ObjectName,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// The columns in the files; none when they are those that files have.
    pub columns: Option<Vec<ColumnDefinition>>,
    /// `LIKE PARQUET 'location'`: the files whose columns the table gets, and their format. Otherwise they are its own.
    pub like: Option<(catalog::FileFormat, String)>,
    /// The columns of `PARTITIONED BY`.
    pub partition_columns: Vec<ColumnDefinition>,
    /// What `ROW FORMAT`, `STORED AS` and the properties say of the files.
    pub format: FilesFormat,
    /// How partitions are found by their folders' names.
    pub layout: Option<catalog::PartitionLayout>,
    /// What becomes of data that cannot be read.
    pub bad_data: catalog::BadDataRules,
    /// The URL of `LOCATION`.
    pub location: String,
    /// `TABLE PROPERTIES`
    pub properties: Vec<(String, String)>,
}

/// `CREATE [OR REPLACE] VIEW`
#[derive(Debug, Clone)]
pub struct CreateView {
    /// Its name.
    pub name: ast::ObjectName,
    /// `TEMPORARY`
    pub temporary: bool,
    /// Whether it may replace a view of the same name.
    pub or_replace: bool,
    /// Names for its columns, when they are not the query's.
    pub columns: Vec<ast::Ident>,
    /// The query's text.
    pub text: String,
    /// `WITH NO SCHEMA BINDING`
    pub late_binding: bool,
}

/// `ALTER TABLE`, `ALTER VIEW`
#[derive(Debug, Clone)]
pub struct AlterTable {
    /// What it says it alters.
    pub kind: AlteredKind,
    /// The relation.
    pub name: ast::ObjectName,
    /// Whether it may be absent.
    pub if_exists: bool,
    /// What happens to it.
    pub actions: Vec<AlterTableAction>,
}

/// What a statement says it alters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlteredKind {
    /// `ALTER TABLE`
    Table,
    /// `ALTER VIEW`
    View,
}

impl AlteredKind {
    /// The command tag.
    pub fn tag(self) -> &'static str {
        match self {
            AlteredKind::Table => "ALTER TABLE",
            AlteredKind::View => "ALTER VIEW",
        }
    }
}

/// What ALTER TABLE does.
#[derive(Debug, Clone)]
pub enum AlterTableAction {
    /// `ADD COLUMN`
    AddColumn {
        /// Whether it may be there already.
        if_not_exists: bool,
        /// The column.
        column: ColumnDefinition,
    },
    /// `ADD CONSTRAINT`
    AddConstraint {
        /// The constraint.
        constraint: TableConstraint,
        /// Whether the rows have to fulfil it: there is no `NOT VALID`.
        is_valid: bool,
    },
    /// `DROP COLUMN`
    DropColumn {
        /// Which.
        name: ast::Ident,
        /// Whether it may be absent.
        if_exists: bool,
        /// Whether what depends on it goes too.
        cascade: bool,
    },
    /// `ALTER COLUMN … TYPE`
    SetType {
        /// Which.
        column: ast::Ident,
        /// The type, as written.
        data_type: ast::DataType,
        /// Where the values come from; from the old ones when there is nothing.
        using: Option<UsingExpression>,
    },
    /// `ALTER COLUMN … SET DEFAULT`, `DROP DEFAULT`
    SetDefault {
        /// Which.
        column: ast::Ident,
        /// The default.
        default: Option<Expression>,
    },
    /// `ALTER COLUMN … SET NOT NULL`, `DROP NOT NULL`
    SetNotNull {
        /// Which.
        column: ast::Ident,
        /// Whether NULL is refused.
        not_null: bool,
    },
    /// `ALTER COLUMN … ADD GENERATED … AS IDENTITY`
    AddIdentity {
        /// Which.
        column: ast::Ident,
        /// Whether a value that a statement gives is refused.
        always: bool,
        /// What its sequence is told.
        options: Vec<SequenceOption>,
    },
    /// `ALTER COLUMN … SET GENERATED …`, `SET` an option of its sequence, `RESTART`
    SetIdentity {
        /// Which.
        column: ast::Ident,
        /// Whether a value that a statement gives is refused, if it was said.
        always: Option<bool>,
        /// What its sequence is told.
        options: Vec<SequenceOption>,
    },
    /// `ALTER COLUMN … DROP IDENTITY`
    DropIdentity {
        /// Which.
        column: ast::Ident,
        /// Whether it may be none.
        if_exists: bool,
    },
    /// `DROP CONSTRAINT`
    DropConstraint {
        /// Which.
        name: ast::Ident,
        /// Whether it may be absent.
        if_exists: bool,
        /// Whether what depends on it goes too.
        cascade: bool,
    },
    /// `VALIDATE CONSTRAINT`
    ValidateConstraint(ast::Ident),
    /// `RENAME CONSTRAINT`
    RenameConstraint {
        /// Which.
        from: ast::Ident,
        /// What it becomes.
        to: ast::Ident,
    },
    /// `RENAME COLUMN`
    RenameColumn {
        /// Which.
        from: ast::Ident,
        /// What it becomes.
        to: ast::Ident,
    },
    /// `RENAME TO`
    Rename(ast::Ident),
    /// `SET SCHEMA`
    SetSchema(ast::Ident),
    /// `OWNER TO`
    OwnerTo(ast::Ident),
}

/// `USING expression`: over the columns as they were.
#[derive(Debug, Clone)]
pub struct UsingExpression {
    /// The expression.
    pub expr: Box<ast::Expr>,
}

/// `ALTER TABLE … ADD [IF NOT EXISTS] PARTITION …`
#[derive(Debug, Clone)]
pub struct AddPartitions {
    /// The external table.
    pub table: ast::ObjectName,
    /// Whether a partition may be there already.
    pub if_not_exists: bool,
    /// What to register.
    pub partitions: Vec<(PartitionValues, String)>,
}

/// `ALTER TABLE … DROP [IF EXISTS] PARTITION …`
#[derive(Debug, Clone)]
pub struct DropPartition {
    /// The external table.
    pub table: ast::ObjectName,
    /// Whether it may be absent.
    pub if_exists: bool,
    /// Which one.
    pub values: PartitionValues,
}

/// `ALTER TABLE … PARTITION … SET LOCATION …`
#[derive(Debug, Clone)]
pub struct SetPartitionLocation {
    /// The external table.
    pub table: ast::ObjectName,
    /// Which partition.
    pub values: PartitionValues,
    /// Where its files are from now on.
    pub location: String,
}

/// `(column = value, …)` of a partition, as text; `None` is NULL.
pub type PartitionValues = Vec<(ast::Ident, Option<String>)>;

/// `CREATE TYPE`
#[derive(Debug, Clone)]
pub struct CreateType {
    /// Its name.
    pub name: ast::ObjectName,
    /// What it is.
    pub definition: TypeDefinition,
}

/// What CREATE TYPE makes.
#[derive(Debug, Clone)]
pub enum TypeDefinition {
    /// `AS ENUM (…)`: the labels
    Enum(Vec<String>),
    /// `AS (…)`: names and types of the fields
    Composite(Vec<(ast::Ident, ast::DataType)>),
}

/// `CREATE DOMAIN`
#[derive(Debug, Clone)]
pub struct CreateDomain {
    /// Its name.
    pub name: ast::ObjectName,
    /// The type that it narrows.
    pub data_type: ast::DataType,
    /// The text of its default.
    pub default: Option<String>,
    /// `NOT NULL` or `NULL`, if either was written.
    pub not_null: Option<bool>,
    /// Its CHECK constraints.
    pub checks: Vec<Constraint>,
}

/// `[CONSTRAINT name] CHECK (condition)`
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Its name, if it was given one.
    pub name: Option<ast::Ident>,
    /// The text of the condition.
    pub condition: String,
}

/// `ALTER TYPE`
#[derive(Debug, Clone)]
pub struct AlterType {
    /// Its name.
    pub name: ast::ObjectName,
    /// What happens to it.
    pub action: AlterTypeAction,
}

/// What ALTER TYPE does.
#[derive(Debug, Clone)]
pub enum AlterTypeAction {
    /// `ADD VALUE [IF NOT EXISTS] label [BEFORE | AFTER label]`
    AddValue {
        /// The label.
        label: String,
        /// Whether it may be there already.
        if_not_exists: bool,
        /// Where it goes.
        place: LabelPlace,
    },
    /// `RENAME VALUE`
    RenameValue {
        /// The label.
        from: String,
        /// What it becomes.
        to: String,
    },
    /// `RENAME TO`
    Rename(ast::Ident),
    /// `SET SCHEMA`
    SetSchema(ast::Ident),
    /// `OWNER TO`
    OwnerTo(ast::Ident),
}

/// Where a new label of an enum goes.
#[derive(Debug, Clone)]
pub enum LabelPlace {
    /// Behind all others.
    Last,
    /// Before this one.
    Before(String),
    /// Behind this one.
    After(String),
}

/// `ALTER DOMAIN`
#[derive(Debug, Clone)]
pub struct AlterDomain {
    /// Its name.
    pub name: ast::ObjectName,
    /// What happens to it.
    pub action: AlterDomainAction,
}

/// What ALTER DOMAIN does.
#[derive(Debug, Clone)]
pub enum AlterDomainAction {
    /// `SET DEFAULT`, `DROP DEFAULT`
    SetDefault(Option<String>),
    /// `SET NOT NULL`, `DROP NOT NULL`
    SetNotNull(bool),
    /// `ADD [CONSTRAINT name] CHECK (…)`
    AddCheck(Constraint),
    /// `DROP CONSTRAINT [IF EXISTS]`
    DropConstraint {
        /// Which.
        name: ast::Ident,
        /// Whether it may be absent.
        if_exists: bool,
    },
    /// `RENAME CONSTRAINT`
    RenameConstraint {
        /// Which.
        from: ast::Ident,
        /// What it becomes.
        to: ast::Ident,
    },
    /// `VALIDATE CONSTRAINT`
    ValidateConstraint(ast::Ident),
    /// `RENAME TO`
    Rename(ast::Ident),
    /// `SET SCHEMA`
    SetSchema(ast::Ident),
    /// `OWNER TO`
    OwnerTo(ast::Ident),
}

/// `LOCK TABLE names IN mode MODE`
#[derive(Debug, Clone)]
pub struct LockTable {
    /// Which.
    pub tables: Vec<ast::ObjectName>,
    /// The mode, in capitals.
    pub mode: &'static str,
}

/// `SET CONSTRAINTS names DEFERRED`
#[derive(Debug, Clone)]
pub struct SetConstraints {
    /// Which; all when there are none.
    pub names: Vec<ast::ObjectName>,
    /// Whether they are to be checked at the end of the transaction.
    pub deferred: bool,
}

/// `DROP` of objects of a kind that there are none of here.
#[derive(Debug, Clone)]
pub struct DropAbsent {
    /// The command tag.
    pub tag: &'static str,
    /// How messages call an object of the kind.
    pub kind: &'static str,
    /// Which.
    pub objects: Vec<AbsentObject>,
    /// Whether they may be absent.
    pub if_exists: bool,
}

/// The name of an object that cannot be there.
#[derive(Debug, Clone)]
pub enum AbsentObject {
    /// An object of the database.
    Plain(ast::ObjectName),
    /// A function or the like.
    Function {
        /// Its name.
        name: ast::ObjectName,
        /// The types of its arguments, as they are written.
        arguments: Vec<String>,
    },
    /// What belongs to a table.
    OfTable {
        /// Its name.
        name: ast::Ident,
        /// The table's.
        table: ast::ObjectName,
    },
}

/// `DROP kind [IF EXISTS] names [CASCADE]`
#[derive(Debug, Clone)]
pub struct Drop {
    /// What is dropped.
    pub kind: DropKind,
    /// Which.
    pub names: Vec<ast::ObjectName>,
    /// Whether they may be absent.
    pub if_exists: bool,
    /// Whether what depends on them goes too.
    pub cascade: bool,
}

/// What `DROP` drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropKind {
    /// `DROP SCHEMA`
    Schema,
    /// `DROP TABLE`
    Table,
    /// `DROP VIEW`
    View,
    /// `DROP TYPE`
    Type,
    /// `DROP DOMAIN`
    Domain,
    /// `DROP SEQUENCE`
    Sequence,
    /// `DROP FOREIGN TABLE`: an external one.
    ForeignTable,
    /// `DROP MATERIALIZED VIEW`: there are none.
    MaterializedView,
}

/// `COMMENT ON object IS text`
#[derive(Debug, Clone)]
pub struct Comment {
    /// What it is about.
    pub object: CommentObject,
    /// What is said; nothing removes it.
    pub text: Option<String>,
}

/// What a comment is about.
#[derive(Debug, Clone)]
pub enum CommentObject {
    /// A relation.
    Relation(CommentedRelation, ast::ObjectName),
    /// A column, behind the name of its relation.
    Column(ast::ObjectName),
    /// A constraint of a table.
    Constraint {
        /// Its name.
        name: ast::Ident,
        /// The table.
        table: ast::ObjectName,
    },
    /// A schema.
    Schema(ast::ObjectName),
    /// A type or domain.
    Type(ast::ObjectName),
    /// The database.
    Database(ast::Ident),
}

/// What a comment says that a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentedRelation {
    /// `TABLE`
    Table,
    /// `VIEW`
    View,
    /// `SEQUENCE`
    Sequence,
}

/// `VACUUM`
#[derive(Debug, Clone)]
pub struct Vacuum {
    /// The tables; all when there are none.
    pub tables: Vec<TableColumns>,
    /// Whether they are analysed, too.
    pub analyze: bool,
    /// Whether the client hears what is done.
    pub verbose: bool,
}

/// `ANALYZE`
#[derive(Debug, Clone)]
pub struct Analyze {
    /// The tables; all when there are none.
    pub tables: Vec<TableColumns>,
    /// Whether the client hears what is done.
    pub verbose: bool,
}

/// `table [(column, …)]`
#[derive(Debug, Clone)]
pub struct TableColumns {
    /// The table.
    pub table: ast::ObjectName,
    /// The columns; all when there are none.
    pub columns: Vec<ast::Ident>,
}

/// What a statement says about a transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionModes {
    /// `ISOLATION LEVEL`
    pub isolation: Option<catalog::Isolation>,
    /// `READ ONLY`, `READ WRITE`
    pub read_only: Option<bool>,
}

/// What `CLEAR CACHE` clears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheName {
    /// `ALL`
    All,
    /// `COLUMNS`
    Columns,
    /// `FOOTERS`
    Footers,
    /// `LISTINGS`
    Listings,
    /// `PAGES`
    Pages,
}

/// What `DISCARD` discards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discard {
    /// `ALL`
    All,
    /// `PLANS`
    Plans,
    /// `SEQUENCES`
    Sequences,
    /// `TEMPORARY`
    Temporary,
}

impl Discard {
    /// The command tag.
    pub fn tag(self) -> &'static str {
        match self {
            Discard::All => "DISCARD ALL",
            Discard::Plans => "DISCARD PLANS",
            Discard::Sequences => "DISCARD SEQUENCES",
            Discard::Temporary => "DISCARD TEMP",
        }
    }
}

/// The value of a setting, as it is written.
#[derive(Debug, Clone)]
pub enum SetValue {
    /// `DEFAULT`
    Default,
    /// `FROM CURRENT`
    Current,
    /// Values between commas.
    Values(Vec<String>),
}

/// `SET [SESSION | LOCAL] name TO value`
#[derive(Debug, Clone)]
pub struct Set {
    /// The setting.
    pub name: String,
    /// Its value.
    pub value: SetValue,
    /// Whether it ends with the transaction.
    pub local: bool,
}

impl Statement {
    /// The verb: the command tag, or its beginning.
    pub fn verb(&self) -> &'static str {
        match self {
            Statement::Query(_) => "SELECT",
            Statement::Explain(_) => "EXPLAIN",
            Statement::Insert(_) => "INSERT",
            Statement::Modify(modify) => modify.verb(),
            Statement::Truncate(_) => "TRUNCATE TABLE",
            Statement::Vacuum(_) => "VACUUM",
            Statement::Analyze(_) => "ANALYZE",
            Statement::Backup { .. } => "BACKUP",
            Statement::CopyFrom(_) | Statement::Load(_) | Statement::CopyTo(_) => "COPY",
            Statement::Unload(_) => "UNLOAD",
            Statement::CreateSchema(_) | Statement::CreateExternalSchema(_) => "CREATE SCHEMA",
            Statement::AlterSchema(_) => "ALTER SCHEMA",
            Statement::CreateTable(_) => "CREATE TABLE",
            Statement::CreateTableAs(_) => "CREATE TABLE AS",
            Statement::CreateSequence(_) => "CREATE SEQUENCE",
            Statement::AlterSequence(_) => "ALTER SEQUENCE",
            Statement::CreateIndex(_) => "CREATE INDEX",
            Statement::AlterIndex(_) => "ALTER INDEX",
            Statement::DropIndex(_) => "DROP INDEX",
            Statement::Reindex(_) => "REINDEX",
            Statement::CreateExternalTable(_) | Statement::CreateExternalTableAs(_) => "CREATE EXTERNAL TABLE",
            Statement::CreateView(_) => "CREATE VIEW",
            Statement::Comment(_) => "COMMENT",
            Statement::AlterTable(alter) => alter.kind.tag(),
            Statement::AddPartitions(_) | Statement::DropPartition(_) | Statement::SetPartitionLocation(_) => {
                "ALTER TABLE"
            }
            Statement::CreateType(_) => "CREATE TYPE",
            Statement::CreateDomain(_) => "CREATE DOMAIN",
            Statement::AlterType(_) => "ALTER TYPE",
            Statement::AlterDomain(_) => "ALTER DOMAIN",
            Statement::Drop(drop) => drop.kind.tag(),
            Statement::DropAbsent(drop) => drop.tag,
            Statement::SetConstraints(_) => "SET CONSTRAINTS",
            Statement::LockTable(_) => "LOCK TABLE",
            Statement::CreateRole(_) => "CREATE ROLE",
            Statement::AlterRole(_) => "ALTER ROLE",
            Statement::DropRoles(_) => "DROP ROLE",
            Statement::CreateSecret(_) => "CREATE SECRET",
            Statement::DropSecret(_) => "DROP SECRET",
            Statement::Begin { tag, .. } => tag,
            Statement::SetTransaction(_) | Statement::SetCharacteristics(_) | Statement::Set(_) => "SET",
            Statement::Commit { .. } => "COMMIT",
            Statement::Rollback { .. } | Statement::RollbackTo(_) => "ROLLBACK",
            Statement::Discard(discard) => discard.tag(),
            Statement::ClearCache(_) => "CLEAR CACHE",
            Statement::RefreshExternalTable(_) => "REFRESH EXTERNAL TABLE",
            Statement::Prepare(_) => "PREPARE",
            Statement::Execute(_) => "EXECUTE",
            Statement::Deallocate { name: Some(_) } => "DEALLOCATE",
            Statement::Deallocate { name: None } => "DEALLOCATE ALL",
            Statement::Declare(_) => "DECLARE CURSOR",
            Statement::Fetch(fetch) => fetch.verb(),
            Statement::Close { name: Some(_) } => "CLOSE CURSOR",
            Statement::Close { name: None } => "CLOSE CURSOR ALL",
            Statement::Listen { .. } => "LISTEN",
            Statement::Notify(_) => "NOTIFY",
            Statement::Unlisten { .. } => "UNLISTEN",
            Statement::Savepoint(_) => "SAVEPOINT",
            Statement::Release(_) => "RELEASE",
            Statement::Reset { .. } | Statement::ResetAll => "RESET",
            Statement::Show { .. } | Statement::ShowAll | Statement::ShowObjects(_) => "SHOW",
        }
    }

    /// What changes rows: the statement, the one whose rows a COPY copies, or the one that is explained by running it.
    pub fn changing(&self) -> &Statement {
        match self {
            Statement::CopyTo(CopyTo { source: CopySource::Change(change), .. }) => change,
            Statement::Explain(Explain { analyze: true, statement, .. }) => statement.changing(),
            other => other,
        }
    }

    /// The prepared statement that it executes, if that is what it does.
    pub fn executed(&self) -> Option<&Execute> {
        match self {
            Statement::Execute(execute)
            | Statement::CreateTableAs(CreateTableAs { query: RowsOf::Execute(execute), .. }) => Some(execute),
            Statement::Explain(explain) => explain.statement.executed(),
            _ => None,
        }
    }

    /// Whether it may run in a transaction that has failed.
    pub fn ends_transaction(&self) -> bool {
        matches!(self, Statement::Commit { .. } | Statement::Rollback { .. } | Statement::RollbackTo(_))
    }

    /// What a read-only transaction calls it when it must not run it; nothing for what changes nothing.
    pub fn writing_command(&self) -> Option<&'static str> {
        match self.changing() {
            Statement::Query(_)
            | Statement::CopyTo(_)
            | Statement::Explain(_)
            | Statement::Vacuum(_)
            | Statement::Analyze(_)
            | Statement::Begin { .. }
            | Statement::SetTransaction(_)
            | Statement::SetCharacteristics(_)
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::RollbackTo(_)
            | Statement::Savepoint(_)
            | Statement::Release(_)
            // What is executed is asked itself.
            | Statement::Prepare(_)
            | Statement::Execute(_)
            | Statement::Deallocate { .. }
            | Statement::Declare(_)
            | Statement::Fetch(_)
            | Statement::Close { .. }
            | Statement::Listen { .. }
            | Statement::Notify(_)
            | Statement::Unlisten { .. }
            | Statement::Discard(_)
            | Statement::ClearCache(_)
            | Statement::RefreshExternalTable(_)
            | Statement::Set(_)
            | Statement::SetConstraints(_)
            | Statement::LockTable(_)
            | Statement::Reset { .. }
            | Statement::ResetAll
            | Statement::Show { .. }
            | Statement::ShowAll
            | Statement::ShowObjects(_) => None,
            Statement::CopyFrom(_) | Statement::Load(_) => Some("COPY FROM"),
            other => Some(other.verb()),
        }
    }
}

impl DropKind {
    /// The command tag.
    pub fn tag(self) -> &'static str {
        match self {
            DropKind::Schema => "DROP SCHEMA",
            DropKind::Table => "DROP TABLE",
            DropKind::View => "DROP VIEW",
            DropKind::Type => "DROP TYPE",
            DropKind::Domain => "DROP DOMAIN",
            DropKind::Sequence => "DROP SEQUENCE",
            DropKind::ForeignTable => "DROP FOREIGN TABLE",
            DropKind::MaterializedView => "DROP MATERIALIZED VIEW",
        }
    }

    /// What messages say that a relation of another kind is not.
    pub fn expected(self) -> &'static str {
        match self {
            DropKind::View => "a view",
            DropKind::Sequence => "a sequence",
            DropKind::ForeignTable => "a foreign table",
            DropKind::MaterializedView => "a materialized view",
            DropKind::Table | DropKind::Schema | DropKind::Type | DropKind::Domain => "a table",
        }
    }

    /// How messages call it.
    pub fn described(self) -> &'static str {
        match self {
            DropKind::Schema => "schema",
            DropKind::Table => "table",
            DropKind::View => "view",
            DropKind::Type => "type",
            DropKind::Domain => "domain",
            DropKind::Sequence => "sequence",
            DropKind::ForeignTable => "foreign table",
            DropKind::MaterializedView => "materialized view",
        }
    }
}
