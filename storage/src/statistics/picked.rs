//! Which rows are in a sample when nobody knows how many there will be.

/// Picks rows by their numbers: of a table's rows the same ones whenever it is looked at.
#[derive(Debug, Clone)]
pub(super) struct Picked {
    /// Of so many rows one is picked; a power of two.
    one_in: u64,
    rows: Vec<u64>,
    rows_max: usize,
}

impl Picked {
    /// Nothing yet, and never more than so many rows; at least half as many if there are so many.
    pub fn new(rows_max: usize) -> Self {
        Picked { one_in: 1, rows: Vec::new(), rows_max }
    }

    /// Those of the next rows that are picked, by their places among them. `first` is the number of the first.
    pub fn pick(&mut self, first: usize, count: usize) -> Vec<usize> {
        let places: Vec<usize> = (0..count).filter(|place| self.has((first + place) as u64)).collect();
        self.rows.extend(places.iter().map(|place| (first + place) as u64));
        places
    }

    /// Whether there are too many, and some have to go.
    pub fn is_full(&self) -> bool {
        self.rows.len() > self.rows_max
    }

    /// Lets about half of them go.
    pub fn thin(&mut self) {
        self.one_in *= 2;
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(|row| self.has(*row));
        self.rows = rows;
    }

    /// Whether a row is one of them, if it has come.
    pub fn has(&self, row: u64) -> bool {
        mixed(row) & (self.one_in - 1) == 0
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }
}

/// Bits that have nothing to do with how numbers follow each other (`splitmix64`, Steele, Lea, Flood 2014).
fn mixed(row: u64) -> u64 {
    let bits = row.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_picked_evenly_and_never_too_many() {
        let mut picked = Picked::new(1_000);
        for batch in 0..100 {
            let places = picked.pick(batch * 1_000, 1_000);
            assert!(places.iter().all(|place| picked.has((batch * 1_000 + place) as u64)));
            while picked.is_full() {
                picked.thin();
            }
        }
        assert!(picked.count() > 500 && picked.count() <= 1_000, "{}", picked.count());
        let early = picked.rows.iter().filter(|row| **row < 50_000).count() as f64;
        assert!((early / picked.count() as f64 - 0.5).abs() < 0.1);
        let odd = picked.rows.iter().filter(|row| **row % 2 == 1).count() as f64;
        assert!((odd / picked.count() as f64 - 0.5).abs() < 0.1);
    }
}
