//! The bytes of a simulated file: pages that copies share, so that an image of a disk costs little.

use std::sync::Arc;

const PAGE_BYTES: usize = 4096;

/// The bytes of a file. A page that was never written is not kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    len: u64,
    pages: Vec<Option<Arc<[u8; PAGE_BYTES]>>>,
}

impl Content {
    /// The length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `out` from `offset` on; `false` when the content ends before.
    pub(super) fn read_at(&self, offset: u64, out: &mut [u8]) -> bool {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.len) {
            return false;
        }
        let mut filled = 0;
        while filled < out.len() {
            let (page, within) = position(offset + filled as u64);
            let length = (PAGE_BYTES - within).min(out.len() - filled);
            let target = &mut out[filled..filled + length];
            match self.pages.get(page) {
                Some(Some(bytes)) => target.copy_from_slice(&bytes[within..within + length]),
                _ => target.fill(0),
            }
            filled += length;
        }
        true
    }

    /// Writes all of `data` from `offset` on.
    pub(super) fn write_at(&mut self, offset: u64, data: &[u8]) {
        let mut written = 0;
        while written < data.len() {
            let (page, within) = position(offset + written as u64);
            let length = (PAGE_BYTES - within).min(data.len() - written);
            let source = &data[written..written + length];
            self.page_mut(page)[within..within + length].copy_from_slice(source);
            written += length;
        }
        self.len = self.len.max(offset + data.len() as u64);
    }

    /// Cuts off, or adds zeros.
    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let (page, within) = position(len);
            self.pages.truncate(page + usize::from(within > 0));
            if within > 0 && self.pages.get(page).is_some_and(Option::is_some) {
                self.page_mut(page)[within..].fill(0);
            }
        }
        self.len = len;
    }

    /// All bytes.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.len).expect("a simulated file fits into memory")];
        self.read_at(0, &mut bytes);
        bytes
    }

    fn page_mut(&mut self, page: usize) -> &mut [u8; PAGE_BYTES] {
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        Arc::make_mut(self.pages[page].get_or_insert_with(|| Arc::new([0; PAGE_BYTES])))
    }
}

/// The page of an offset, and the offset in it.
fn position(offset: u64) -> (usize, usize) {
    let page = offset / PAGE_BYTES as u64;
    let page = usize::try_from(page).expect("a simulated file fits into memory");
    (page, (offset % PAGE_BYTES as u64) as usize)
}
