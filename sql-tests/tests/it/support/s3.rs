//! An S3 store that lives as long as a test.
//!
//! It is s3s-fs in this process, on loopback and in a temporary directory, with signatures checked. Nobody talks to it
//! directly: the address that it hands out is that of its [`Proxy`], so every request is counted and can be made to
//! fail. It runs as tasks of the test's runtime; a test that blocks its only thread blocks the store too.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CopyObjectInput, CopyObjectOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object, PutObjectInput, PutObjectOutput, Timestamp,
    TimestampFormat, UploadPartInput, UploadPartOutput,
};
use s3s::path::S3Path;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use super::proxy::{self, Proxy};

/// The one access key that the store knows.
pub const ACCESS_KEY: &str = "thermocline-test-access-key";

/// The secret of [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "thermocline-test-secret-key";

/// The region that clients name. The store itself takes any.
pub const REGION: &str = "us-east-1";

/// A running store. Dropping it ends its tasks, cuts its connections and removes its files.
pub struct S3Server {
    proxy: Proxy,
    _serving: JoinSet<()>,
    root: TempDir,
}

impl S3Server {
    /// Starts an empty store and its proxy, each on a port of its own.
    pub async fn start() -> S3Server {
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");

        let service = service(root.path().to_path_buf());
        S3Server { _serving: proxy::serve(listener, service), proxy: Proxy::start(address).await, root }
    }

    /// Where clients connect: `http://127.0.0.1:PORT` of the proxy. Buckets are addressed by path, not by host name.
    pub fn endpoint(&self) -> String {
        self.proxy.endpoint()
    }

    /// Makes an empty bucket. Its name must follow S3's rules, or requests for it answer `InvalidBucketName`.
    pub fn create_bucket(&self, name: &str) {
        // A bucket of s3s-fs is a directory and nothing more.
        std::fs::create_dir(self.root.path().join(name)).expect("a new bucket has a new name");
    }

    /// A client of one bucket with the right keys, for what a test puts there or takes away.
    ///
    /// Its requests pass through the proxy, so they are counted and meet the injected faults like the server's own:
    /// [`Proxy::reset_counts`] belongs between set-up and the statement under test.
    pub fn object_store(&self, bucket: &str) -> Arc<dyn ObjectStore> {
        let store = AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_allow_http(true)
            .with_region(REGION)
            .with_bucket_name(bucket)
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .build();
        Arc::new(store.expect("every setting that the client needs is given"))
    }

    /// The proxy that all requests pass through.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }
}

/// The store over `root`, for requests signed with our key.
fn service(root: PathBuf) -> S3Service {
    let files = FileSystem::new(&root).expect("the temporary directory is readable");
    let mut builder = S3ServiceBuilder::new(Store { files, turns: RwLock::default() });
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    builder.set_access(DirectoriesAreNotObjects { root });
    builder.build()
}

type Reply<T> = S3Result<S3Response<T>>;

/// s3s-fs, with the promises of S3 that it breaks and that Thermocline relies on.
///
/// - An object and its ETag change at once, and a conditional write is a single step. s3s-fs replaces the bytes first
///   and the ETag later, and checks a condition before it writes; so writes take turns here, while reads share one.
/// - A listing has ETags, and times in whole seconds like those of `Last-Modified`.
///
/// An operation that is not here answers `NotImplemented`.
struct Store {
    files: FileSystem,
    turns: RwLock<()>,
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Reply<GetObjectOutput> {
        // The body is read later, from a file that was opened here and that a write replaces without changing.
        let _reading = self.turns.read().await;
        self.files.get_object(request).await
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Reply<HeadObjectOutput> {
        let _reading = self.turns.read().await;
        self.files.head_object(request).await
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> Reply<ListObjectsV2Output> {
        let _reading = self.turns.read().await;
        let bucket = request.clone().map_input(|list| list.bucket);
        let mut response = self.files.list_objects_v2(request).await?;
        for object in response.output.contents.iter_mut().flatten() {
            complete(object, self.files.head_object(head(&bucket, object)).await?.output);
        }
        Ok(response)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Reply<PutObjectOutput> {
        let _writing = self.turns.write().await;
        self.files.put_object(request).await
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Reply<CopyObjectOutput> {
        let _writing = self.turns.write().await;
        self.files.copy_object(request).await
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> Reply<DeleteObjectOutput> {
        let _writing = self.turns.write().await;
        self.files.delete_object(request).await
    }

    async fn delete_objects(&self, request: S3Request<DeleteObjectsInput>) -> Reply<DeleteObjectsOutput> {
        let _writing = self.turns.write().await;
        self.files.delete_objects(request).await
    }

    // The parts of an upload are nobody's object yet, so they need no turn.

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Reply<CreateMultipartUploadOutput> {
        self.files.create_multipart_upload(request).await
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Reply<UploadPartOutput> {
        self.files.upload_part(request).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Reply<CompleteMultipartUploadOutput> {
        let _writing = self.turns.write().await;
        self.files.complete_multipart_upload(request).await
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Reply<AbortMultipartUploadOutput> {
        self.files.abort_multipart_upload(request).await
    }
}

/// The request that asks for what a listing left out about an object of the bucket.
fn head(bucket: &S3Request<String>, object: &Object) -> S3Request<HeadObjectInput> {
    bucket.clone().map_input(|bucket| HeadObjectInput {
        bucket,
        key: object.key.clone().unwrap_or_default(),
        ..HeadObjectInput::default()
    })
}

fn complete(object: &mut Object, head: HeadObjectOutput) {
    object.e_tag = head.e_tag;
    object.last_modified = head.last_modified.and_then(|time| whole_seconds(&time));
}

/// The time as the header `Last-Modified` can say it.
fn whole_seconds(time: &Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    Timestamp::parse(TimestampFormat::HttpDate, std::str::from_utf8(&text).ok()?).ok()
}

/// Refuses, as S3 does, what s3s-fs would take because it is a file system underneath.
///
/// Asked for a "directory" it fails with 500, which clients retry for minutes, where S3 says that there is no such key.
/// A PUT into a bucket that does not exist creates the bucket, and a GET from one names the key as what is missing.
struct DirectoriesAreNotObjects {
    root: PathBuf,
}

#[async_trait::async_trait]
impl S3Access for DirectoriesAreNotObjects {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        // Our check replaces the one that refuses unsigned requests.
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }

        let path = context.s3_path();
        if let Some(bucket) = path.get_bucket_name()
            && !self.root.join(bucket).is_dir()
        {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        if let S3Path::Object { bucket, key } = path
            && matches!(context.s3_op().name(), "GetObject" | "HeadObject")
            && self.root.join(format!("{bucket}/{key}")).is_dir()
        {
            return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
        }
        Ok(())
    }
}
