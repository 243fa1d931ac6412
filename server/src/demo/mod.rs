//! `thermocline demo`: a small real data set, half hot and half in external files, and queries over both.
//!
//! Everything goes through SQL, as a client would send it; only the flights' files are written by hand, as somebody
//! else's pipeline would have written them.

mod flights;
mod queries;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::error::DataFusionError;
use futures::TryStreamExt;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::parse::parse;
use crate::server::{DATABASE, SUPERUSER, Server};
use crate::session::Session;
use crate::statement::{self, Outcome, RowStream};

pub use queries::QUERY_TO_TRY;

/// The bucket that is used when there is an S3 endpoint; it has to be there.
const BUCKET: &str = "thermocline-demo";

/// Opens the folder that the demo's files go into.
///
/// # Errors
/// The folder cannot be made.
pub fn prepare(config: &mut Config) -> Result<()> {
    let folder = folder(config);
    std::fs::create_dir_all(&folder).map_err(|source| file_error("create directory", &folder, source))?;
    config.stores.external_roots.push(folder);
    Ok(())
}

fn folder(config: &Config) -> PathBuf {
    config.data_dir.join("demo")
}

/// Loads the data, unless it is there, and shows what can be asked.
///
/// # Errors
/// The files cannot be written, or a statement fails.
pub async fn run(server: &Arc<Server>) -> Result<()> {
    let mut demo = Demo::new(server)?;
    println!("Thermocline demo: flights that left New York City in 2013 (public domain).");
    println!();
    tables::load(&mut demo).await?;
    flights::load(&mut demo).await?;
    queries::run(&mut demo).await
}

/// A session that says what it does.
struct Demo {
    session: Session,
    /// Where the files of the hot tables' sources are written.
    folder: PathBuf,
    /// URL of `folder`.
    folder_url: String,
    /// URL of the folder for the flights: below `folder`, or in the bucket.
    lake_url: String,
}

impl Demo {
    fn new(server: &Arc<Server>) -> Result<Self> {
        let folder = folder(&server.config);
        let folder = folder.canonicalize().map_err(|source| file_error("open", &folder, source))?;
        let folder_url = url::Url::from_directory_path(&folder).map_err(|()| Error::InvalidDefinition {
            message: format!("{} cannot be written as a URL", folder.display()),
        })?;
        let lake_url = match server.config.stores.s3.endpoint {
            Some(_) => format!("s3://{BUCKET}/flights/"),
            None => format!("{folder_url}flights/"),
        };
        let snapshot = server.catalog.snapshot();
        let role = snapshot
            .role(SUPERUSER)
            .ok_or_else(|| Error::InvalidAuthorization { message: format!("role \"{SUPERUSER}\" does not exist") })?;
        let session = Session::new(server.clone(), role, DATABASE.into(), None, false);
        Ok(Demo { session, folder, folder_url: folder_url.into(), lake_url })
    }

    /// Runs statements whose answers nobody needs to see.
    async fn run(&mut self, sql: &str) -> Result<()> {
        for parsed in parse(sql)? {
            let prepared = statement::prepare(&mut self.session, Some(parsed), &[]).await?;
            if let Some(Outcome::Rows(rows)) = statement::execute(&mut self.session, &prepared, &[]).await? {
                drain(rows).await?;
            }
        }
        self.session.take_notices();
        Ok(())
    }

    /// Runs a query, and returns its rows.
    async fn query(&mut self, sql: &str) -> Result<Vec<arrow::array::RecordBatch>> {
        let parsed = parse(sql)?.pop();
        let prepared = statement::prepare(&mut self.session, parsed, &[]).await?;
        match statement::execute(&mut self.session, &prepared, &[]).await? {
            Some(Outcome::Rows(rows)) => drain(rows).await,
            _ => Ok(Vec::new()),
        }
    }
}

/// All rows of an answer that is known to be short.
async fn drain(rows: RowStream) -> Result<Vec<arrow::array::RecordBatch>> {
    let batches = futures::stream::try_unfold(rows, |mut rows| async move {
        let batch = rows.next(usize::MAX).await?;
        Ok::<_, Error>(batch.map(|batch| (batch, rows)))
    });
    batches.try_collect().await
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, bytes));
    written.map_err(|source| file_error("write", path, source))
}

fn file_error(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Catalog(catalog::Error::File { action, path: path.display().to_string(), source })
}

fn parquet_error(error: parquet::errors::ParquetError) -> Error {
    Error::from(DataFusionError::from(error))
}
