//! Which requests the ranges of a file that are wanted come by: none where they are kept, few where they are near each other.

use std::ops::Range;

use bytes::Bytes;
use futures::future::join_all;
use object_store::coalesce_ranges;

use super::pinned_file::PinnedFile;
use crate::error::Error;
use crate::page_cache::{Claimed, PageCache};

/// Ranges nearer to each other than this are read in one request: a request to an object store costs as much time as half a
/// megabyte.
const GAP_BYTES_MAX: u64 = 1024 * 1024;
/// Of the bytes that are needed, the part that gaps between them may have which are read with them.
const GAPS_ONE_IN: u64 = 8;
/// Bytes of gaps that are read in any case.
const GAPS_BYTES_FREE: u64 = 64 * 1024;

/// The bytes of some ranges of a file. Those near to each other come by one request, unless what lies between them is much.
///
/// # Errors
/// They are not in the file, or the store does not give them.
pub(super) async fn read_ranges(file: &PinnedFile, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
    file.check(ranges)?;
    let mut read = join_all(ranges.iter().map(|range| file.kept(range))).await;
    let missing: Vec<_> = (0..ranges.len()).filter(|place| read[*place].is_none()).collect();
    let missing_ranges: Vec<_> = missing.iter().map(|place| ranges[*place].clone()).collect();
    let fetched = match file.pages() {
        Some(pages) => fetch_and_keep(file, pages, &missing_ranges).await?,
        None => fetch(file, &missing_ranges).await?,
    };
    for (place, bytes) in missing.into_iter().zip(fetched) {
        read[place] = Some(bytes);
    }
    Ok(read.into_iter().flatten().collect())
}

async fn fetch(file: &PinnedFile, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
    coalesce_ranges(ranges, |range| file.fetch(range), gap_max(ranges)).await
}

/// Fetches what nobody else is fetching, then waits for what others are.
async fn fetch_and_keep(file: &PinnedFile, pages: &PageCache, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
    let (mut mine, mut others) = (Vec::new(), Vec::new());
    for (place, range) in ranges.iter().enumerate() {
        match pages.claim(file.version(), range) {
            Claimed::Mine(claim) => mine.push((place, claim)),
            Claimed::Others(reading) => others.push((place, reading)),
        }
    }
    let mut read = vec![Bytes::new(); ranges.len()];
    let my_ranges: Vec<_> = mine.iter().map(|(place, _)| ranges[*place].clone()).collect();
    let fetched = fetch(file, &my_ranges).await?;
    for ((place, claim), bytes) in mine.into_iter().zip(fetched) {
        pages.insert(file.version(), &ranges[place], &bytes).await;
        read[place] = bytes;
        drop(claim);
    }
    for (place, mut reading) in others {
        // It ends when they are through, or have given up.
        while reading.changed().await.is_ok() {}
        let range = &ranges[place];
        read[place] = match file.kept(range).await {
            Some(bytes) => bytes,
            None => file.fetch(range.clone()).await?,
        };
    }
    Ok(read)
}

/// The widest gap such that all gaps up to it are a small part of what is needed.
fn gap_max(ranges: &[Range<u64>]) -> u64 {
    let mut sorted: Vec<_> = ranges.iter().collect();
    sorted.sort_by_key(|range| range.start);
    let needed: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let mut gaps: Vec<u64> = sorted.windows(2).map(|pair| pair[1].start.saturating_sub(pair[0].end)).collect();
    gaps.sort_unstable();
    let (mut total, mut widest) = (0, 0);
    for gap in gaps.into_iter().take_while(|gap| *gap <= GAP_BYTES_MAX) {
        total += gap;
        if total > GAPS_BYTES_FREE.max(needed / GAPS_ONE_IN) {
            break;
        }
        widest = gap;
    }
    widest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_read_where_they_are_few() {
        let many = 100 * GAPS_BYTES_FREE;
        assert_eq!(gap_max(&[0..100, 100..200]), 0);
        assert_eq!(gap_max(&[0..100, 110..200]), 10);
        assert_eq!(gap_max(&[0..100, 300..400, 200_000..200_100]), 200);
        assert_eq!(gap_max(&[0..many, many + 500_000..2 * many]), 500_000);
        assert_eq!(gap_max(&[0..100, 1010..2000, many..many + 100]), 910);
        let far = GAP_BYTES_MAX * 100;
        assert_eq!(gap_max(&[0..far, far + GAP_BYTES_MAX + 1..2 * far]), 0);
    }
}
