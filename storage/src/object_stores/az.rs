//! A store for a container of Azure Blob Storage.

use std::sync::Arc;

use object_store::azure::{AzureCredential, MicrosoftAzureBuilder};
use object_store::{ObjectStore, StaticCredentialProvider};

use super::Opening;
use super::connector::retry;

/// Below which accounts have their hosts.
const HOST: &str = "core.windows.net";
/// What a URL may call the host of an account, behind the account's name.
const HOSTS: [&str; 2] = [".dfs.core.windows.net", ".blob.core.windows.net"];

/// Opens a container, of the account that the location names or else of the one that the settings name. Without a key or a
/// token, requests are not signed.
///
/// # Errors
/// What is wrong with the settings.
pub(super) fn open(
    container: &str,
    account: Option<&str>,
    opening: &Opening<'_>,
) -> Result<Arc<dyn ObjectStore>, String> {
    let settings = opening.settings;
    let account = account.or(settings.get("account_name")).ok_or_else(|| {
        "it names no account: write abfss://container@account.dfs.core.windows.net/, or make a secret with ACCOUNT_NAME"
            .to_owned()
    })?;
    if !is_account_name(account) {
        return Err("ACCOUNT_NAME is not the name of an account".to_owned());
    }
    let endpoint = settings.endpoint()?.map(|endpoint| endpoint.as_str().trim_end_matches('/').to_owned());
    let mut builder = MicrosoftAzureBuilder::new()
        .with_http_connector(opening.connector(HOST)?)
        .with_retry(retry())
        .with_account(account)
        .with_container_name(container);
    if let Some(endpoint) = endpoint {
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    builder = match (settings.get("account_key"), settings.get("sas_token")) {
        (Some(_), Some(_)) => return Err("ACCOUNT_KEY and SAS_TOKEN exclude each other".to_owned()),
        (Some(key), None) => builder.with_access_key(key),
        (None, Some(token)) => {
            let pairs = url::form_urlencoded::parse(token.trim_start_matches('?').as_bytes());
            builder.with_sas_authorization(pairs.into_owned().collect::<Vec<_>>())
        }
        // Given none, the builder asks the metadata service.
        (None, None) => {
            let nobody = StaticCredentialProvider::new(AzureCredential::BearerToken(String::new()));
            builder.with_credentials(Arc::new(nobody)).with_skip_signature(true)
        }
    };
    Ok(Arc::new(builder.build().map_err(|_| opening.unusable())?))
}

/// The account that the host of a URL is one of.
pub(super) fn account_of_host(host: &str) -> Option<&str> {
    let account = HOSTS.iter().find_map(|suffix| host.strip_suffix(suffix))?;
    is_account_name(account).then_some(account)
}

fn is_account_name(text: &str) -> bool {
    (3..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
