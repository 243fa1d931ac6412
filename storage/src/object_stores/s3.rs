//! A store for a bucket of an S3-compatible service.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;

use super::Opening;
use super::connector::retry;

/// Where requests go when nobody names a region, as with AWS's own tools.
const REGION_DEFAULT: &str = "us-east-1";
/// What signatures name where a service has no regions.
const REGION_ANY: &str = "auto";
/// Below which AWS has its services. A region, which a statement may name, is only ever a part of a name there.
const HOST: &str = "amazonaws.com";

/// Opens a bucket.
///
/// # Errors
/// What is wrong with the settings.
pub(super) fn open(bucket: &str, opening: &Opening<'_>) -> Result<Arc<dyn ObjectStore>, String> {
    open_at(bucket, opening, None)
}

/// Opens a bucket of a service that speaks as S3 does, at its own endpoint unless the settings name another.
///
/// # Errors
/// What is wrong with the settings.
pub(super) fn open_at(
    bucket: &str,
    opening: &Opening<'_>,
    service: Option<(&str, &str)>,
) -> Result<Arc<dyn ObjectStore>, String> {
    let settings = opening.settings;
    let region_default = if service.is_some() { REGION_ANY } else { REGION_DEFAULT };
    let region = settings.get("region").unwrap_or(region_default);
    if region.is_empty() || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err("REGION is not the name of a region".to_owned());
    }
    let endpoint = match settings.endpoint()? {
        Some(endpoint) => Some(endpoint.to_string()),
        None => service.map(|(endpoint, _)| endpoint.to_owned()),
    };
    let is_in_host = settings.get("url_style") == Some("vhost");
    let mut builder = AmazonS3Builder::new()
        .with_http_connector(opening.connector(service.map_or(HOST, |(_, host)| host))?)
        .with_retry(retry())
        .with_region(region)
        .with_bucket_name(bucket);
    if let Some(endpoint) = endpoint {
        // Requests to other services than AWS name the bucket in the path: their host names seldom have a wildcard.
        let endpoint = match (is_in_host, endpoint.split_once("://")) {
            (true, Some((scheme, host))) => format!("{scheme}://{bucket}.{host}"),
            _ => endpoint,
        };
        builder = builder
            .with_allow_http(endpoint.starts_with("http://"))
            .with_endpoint(endpoint.trim_end_matches('/'))
            .with_virtual_hosted_style_request(is_in_host);
    }
    builder = match settings.pair("key_id", "secret")? {
        Some((id, key)) => builder.with_access_key_id(id).with_secret_access_key(key),
        None => builder.with_skip_signature(true),
    };
    if let Some(token) = settings.get("session_token") {
        builder = builder.with_token(token);
    }
    Ok(Arc::new(builder.build().map_err(|_| opening.unusable())?))
}
