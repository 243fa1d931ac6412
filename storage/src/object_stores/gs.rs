//! A store for a bucket of Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use object_store::{ObjectStore, StaticCredentialProvider};

use super::connector::retry;
use super::{Opening, s3};

const ENDPOINT: &str = "https://storage.googleapis.com";
/// Below which Google has its services.
const HOST: &str = "googleapis.com";

/// Opens a bucket. With an HMAC key it is spoken to as S3 is, which Google's XML API understands; with the key of a service
/// account as Google's own clients do; without either, requests are not signed.
///
/// # Errors
/// What is wrong with the settings.
pub(super) fn open(bucket: &str, opening: &Opening<'_>) -> Result<Arc<dyn ObjectStore>, String> {
    let settings = opening.settings;
    let account = settings.get("service_account_key");
    if settings.pair("key_id", "secret")?.is_some() {
        return match account {
            Some(_) => Err("there is a key of an account as well as an HMAC key".to_owned()),
            None => s3::open_at(bucket, opening, Some((ENDPOINT, HOST))),
        };
    }
    let endpoint = settings.endpoint()?.map_or(ENDPOINT.to_owned(), |endpoint| endpoint.to_string());
    let builder = GoogleCloudStorageBuilder::new()
        .with_http_connector(opening.connector(HOST)?)
        .with_retry(retry())
        // The key of an account may name an endpoint too.
        .with_base_url(endpoint.trim_end_matches('/'))
        .with_bucket_name(bucket);
    let builder = match account {
        Some(key) => builder.with_service_account_key(key),
        // Given none, the builder looks for credentials in the home directory and asks the metadata service.
        None => {
            let nobody = StaticCredentialProvider::new(GcpCredential { bearer: String::new() });
            builder.with_credentials(Arc::new(nobody)).with_skip_signature(true)
        }
    };
    Ok(Arc::new(builder.build().map_err(|_| opening.unusable())?))
}
