//! Scans of a bucket, served by the little of S3 that a scan needs.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Int32Array};
use catalog::SqlType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::external::test_tables::{Lake, refusal};

/// Objects by their path, `bucket/key`.
#[derive(Default)]
struct Service {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    requests: Mutex<Vec<String>>,
}

impl Service {
    async fn start(self: &Arc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = self.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(service.clone().serve(socket));
            }
        });
        endpoint
    }

    fn put(&self, path: &str, bytes: Vec<u8>) {
        self.objects.lock().unwrap().insert(path.to_owned(), bytes);
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    async fn serve(self: Arc<Self>, mut socket: TcpStream) {
        let mut buffer = vec![0; 16_384];
        while let Ok(bytes) = socket.read(&mut buffer).await
            && bytes > 0
        {
            let answer = self.answer(&String::from_utf8_lossy(&buffer[..bytes]));
            socket.write_all(&answer).await.unwrap();
        }
    }

    fn answer(&self, request: &str) -> Vec<u8> {
        let line = request.lines().next().unwrap();
        self.requests.lock().unwrap().push(line.to_owned());
        let target = line.split(' ').nth(1).unwrap().trim_start_matches('/');
        match target.split_once('?') {
            Some((bucket, query)) => self.list(bucket, query),
            None => self.get(&decoded(target), line.starts_with("HEAD"), request),
        }
    }

    fn list(&self, bucket: &str, query: &str) -> Vec<u8> {
        let mut parameters = url::form_urlencoded::parse(query.as_bytes());
        let prefix = parameters.find(|(name, _)| name == "prefix").map(|(_, prefix)| prefix).unwrap_or_default();
        let prefix = format!("{bucket}/{prefix}");
        let objects = self.objects.lock().unwrap();
        let listed = objects.iter().filter(|(path, _)| path.starts_with(&prefix)).map(|(path, bytes)| {
            let (_, key) = path.split_once('/').unwrap();
            format!(
                "<Contents><Key>{key}</Key><Size>{}</Size><LastModified>2024-01-01T00:00:00.000Z</LastModified>\
                 <ETag>\"{}\"</ETag></Contents>",
                bytes.len(),
                e_tag(bytes)
            )
        });
        let body = format!("<ListBucketResult>{}</ListBucketResult>", listed.collect::<String>());
        response("200 OK", "", body.as_bytes(), false)
    }

    fn get(&self, path: &str, is_head: bool, request: &str) -> Vec<u8> {
        let objects = self.objects.lock().unwrap();
        let Some(object) = objects.get(path) else {
            return response("404 Not Found", "", b"", false);
        };
        let e_tag = e_tag(object);
        let header = |name: &str| {
            let line = request.lines().find(|line| line.to_lowercase().starts_with(name));
            line.map(|line| line[name.len()..].trim().trim_matches('"').to_owned())
        };
        if header("if-match:").is_some_and(|expected| expected != e_tag) {
            return response("412 Precondition Failed", "", b"", false);
        }
        let headers = format!("ETag: \"{e_tag}\"\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n");
        let Some(range) = header("range:") else {
            return response("200 OK", &headers, object, is_head);
        };
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let headers = format!("{headers}Content-Range: bytes {first}-{last}/{}\r\n", object.len());
        response("206 Partial Content", &headers, &object[first..=last], is_head)
    }
}

fn decoded(path: &str) -> String {
    url::form_urlencoded::parse(path.as_bytes()).map(|(path, _)| path.into_owned()).collect()
}

fn e_tag(bytes: &[u8]) -> String {
    let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
    format!("{sum:x}-{}", bytes.len())
}

fn response(status: &str, headers: &str, body: &[u8], is_head: bool) -> Vec<u8> {
    let mut response = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    if !is_head {
        response.extend_from_slice(body);
    }
    response
}

fn parquet(lake: &Lake, values: &[i32]) -> Vec<u8> {
    let values: ArrayRef = Arc::new(Int32Array::from(values.to_vec()));
    lake.write("scratch", vec![("V", values)]);
    std::fs::read(lake.path("scratch")).unwrap()
}

/// A table with one partition in each of two buckets and one on the local disk.
async fn spread() -> (Arc<Service>, Lake) {
    let service = Arc::new(Service::default());
    let lake = Lake::with_s3(Some(service.start().await));
    service.put("one/a=1/x.parquet", parquet(&lake, &[1, 2]));
    service.put("one/a=1/_SUCCESS", vec![1]);
    service.put("two/y.parquet", parquet(&lake, &[3]));
    lake.write("local/z", vec![("v", Arc::new(Int32Array::from(vec![4])))]);
    lake.partitioned_table(
        "t",
        &[("v", SqlType::Integer)],
        &[("a", SqlType::BigInt)],
        &[(&[Some("1")], "s3://one/a=1/"), (&[Some("2")], "s3://two/y.parquet"), (&[Some("3")], "local/")],
    );
    (service, lake)
}

#[tokio::test]
async fn one_query_reads_several_buckets() {
    let (_service, lake) = spread().await;
    assert_eq!(lake.query("SELECT v, a FROM t ORDER BY v").await, ["1|1", "2|1", "3|2", "4|3"]);
    assert_eq!(lake.query("SELECT a, count(*) FROM t GROUP BY a ORDER BY a").await, ["1|2", "2|1", "3|1"]);
}

#[tokio::test]
async fn only_the_matching_bucket_is_asked() {
    let (service, lake) = spread().await;
    assert_eq!(lake.query("SELECT v FROM t WHERE a = 1 AND v = 2").await, ["2"]);
    let requests = service.requests();
    assert!(requests.iter().all(|request| request.contains("/one")), "{requests:?}");
    assert!(requests.iter().all(|request| !request.contains("_SUCCESS")), "{requests:?}");
    // A small file is read at once.
    assert_eq!(requests.len(), 2, "{requests:?}");
}

#[tokio::test]
async fn an_object_replaced_after_planning_is_an_error() {
    let (service, lake) = spread().await;
    let plan = lake.plan("SELECT v FROM t WHERE a = 1").await.unwrap();
    service.put("one/a=1/x.parquet", parquet(&lake, &[5, 6]));
    let refusal = refusal(lake.run(plan).await);
    assert_eq!(refusal, "file \"s3://one/a=1/x.parquet\" was changed while it was being read");
}
