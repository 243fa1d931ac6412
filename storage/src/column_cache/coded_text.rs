//! Texts of which few are distinct, as numbers of those: two bytes a row, where a view of a text takes 16, and a condition is
//! evaluated once for each text instead of once for each row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, StringViewArray, UInt16Array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{filter, interleave, take};
use arrow::datatypes::UInt16Type;
use arrow::error::ArrowError;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// The number of a text.
type Code = <UInt16Type as ArrowPrimitiveType>::Native;

/// Fewer rows are not worth it.
const ROWS_MIN: usize = 1_000;
/// There must be so many rows for each distinct text.
const ROWS_PER_TEXT: usize = 4;
/// Distinct texts that may be met before there are so many rows.
const TEXTS_BEFORE: usize = 8_192;
/// Texts up to this length are in their views.
const INLINE_MAX: u32 = 12;

/// A column of texts.
#[derive(Debug)]
pub struct CodedText {
    /// The texts, each once but for those that were in several places, and NULL if there is one.
    texts: ArrayRef,
    /// For each row the place of its text, in batches.
    codes: Vec<UInt16Array>,
}

impl CodedText {
    /// The texts of batches, if few are distinct. It is told by where they lie: the values of a dictionary in a file are there once.
    pub fn of(batches: &[ArrayRef]) -> Option<Self> {
        let rows: usize = batches.iter().map(|batch| batch.len()).sum();
        if rows < ROWS_MIN {
            return None;
        }
        let mut coder = Coder::default();
        let mut codes = Vec::with_capacity(batches.len());
        for (place, batch) in batches.iter().enumerate() {
            codes.push(coder.codes(place, batch.as_string_view_opt()?)?);
        }
        if coder.firsts.len() * ROWS_PER_TEXT > rows {
            return None;
        }
        let batches: Vec<&dyn Array> = batches.iter().map(AsRef::as_ref).collect();
        let texts = interleave(&batches, &coder.firsts).ok()?;
        let texts = Arc::new(texts.as_string_view().gc());
        Some(CodedText { texts, codes })
    }

    /// The distinct texts, in no order.
    pub fn texts(&self) -> &ArrayRef {
        &self.texts
    }

    /// Batches that there are.
    pub fn batches(&self) -> usize {
        self.codes.len()
    }

    /// The texts of those rows of a batch that are `left`; `None` is all.
    ///
    /// # Errors
    /// None but bugs.
    pub fn batch(&self, place: usize, left: Option<&BooleanArray>) -> Result<Option<ArrayRef>, ArrowError> {
        let Some(codes) = self.codes.get(place) else { return Ok(None) };
        let codes: &dyn Array = match left {
            Some(left) => &filter(codes, left)?,
            None => codes,
        };
        take(&self.texts, codes, None).map(Some)
    }

    /// A text of a batch.
    pub fn text(&self, place: usize, row: usize) -> Option<ArrayRef> {
        let codes = self.codes.get(place).filter(|codes| row < codes.len())?;
        Some(self.texts.slice(usize::from(codes.value(row)), 1))
    }

    /// The rows of a batch whose text is one of those that are `wanted`.
    pub fn rows_of(&self, place: usize, wanted: &[bool]) -> Option<BooleanArray> {
        let codes = self.codes.get(place)?.values();
        let is_wanted = |row: usize| wanted[usize::from(codes[row])];
        Some(BooleanArray::new(BooleanBuffer::collect_bool(codes.len(), is_wanted), None))
    }

    /// The arrays that hold it.
    pub fn arrays(&self) -> impl Iterator<Item = &dyn Array> {
        let codes = self.codes.iter().map(|codes| codes as &dyn Array);
        std::iter::once(self.texts.as_ref()).chain(codes)
    }
}

/// Gives texts their numbers.
#[derive(Default)]
struct Coder {
    known: HashMap<u128, Code>,
    null: Option<Code>,
    /// Where each text was first: the batch, and the row.
    firsts: Vec<(usize, usize)>,
    rows: usize,
}

impl Coder {
    /// The numbers of a batch's texts; `None` if too many are distinct.
    fn codes(&mut self, place: usize, texts: &StringViewArray) -> Option<UInt16Array> {
        let starts: Vec<u64> = texts.data_buffers().iter().map(|buffer| buffer.as_ptr().addr() as u64).collect();
        let mut codes: Vec<Code> = Vec::with_capacity(texts.len());
        let mut last = None;
        for (row, view) in texts.views().iter().enumerate() {
            if texts.is_null(row) {
                let null = self.null.map_or_else(|| added(&mut self.firsts, (place, row)), Some)?;
                self.null = Some(null);
                codes.push(null);
                continue;
            }
            let lies = lies(*view, &starts);
            let code = match last {
                Some((same, code)) if same == lies => code,
                _ => self.code(lies, (place, row))?,
            };
            last = Some((lies, code));
            codes.push(code);
        }
        self.rows += texts.len();
        let are_few = self.firsts.len() <= TEXTS_BEFORE.max(self.rows / ROWS_PER_TEXT);
        are_few.then(|| PrimitiveArray::new(codes.into(), None))
    }

    fn code(&mut self, lies: u128, first: (usize, usize)) -> Option<Code> {
        Some(match self.known.entry(lies) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(added(&mut self.firsts, first)?),
        })
    }
}

/// The number of a text that is met for the first time, if there is one left.
fn added(firsts: &mut Vec<(usize, usize)>, first: (usize, usize)) -> Option<Code> {
    let code = Code::try_from(firsts.len()).ok()?;
    firsts.push(first);
    Some(code)
}

/// What is the same for views of the same text, in the same place if that is long: the view of a short one, the address of another.
fn lies(view: u128, starts: &[u64]) -> u128 {
    let length = view as u32;
    if length <= INLINE_MAX {
        return view;
    }
    let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as u32);
    let start = starts.get(buffer as usize).copied().unwrap_or_default();
    u128::from(start.wrapping_add(u64::from(offset))) << 32 | u128::from(length)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LONG: [&str; 3] =
        ["a text that is longer than a view", "another text that is so", "a text that is longer than a vie"];

    /// Batches whose long texts are where those of a dictionary are.
    fn batches() -> (Vec<ArrayRef>, Vec<Option<String>>) {
        let texts: StringViewArray = LONG.iter().copied().map(Some).chain([Some("x"), Some(""), None]).collect();
        let codes: Vec<u16> = (0..5_000_u32).map(|row| (row * row % 7 % 6) as u16).collect();
        let all = codes.iter().map(|code| {
            let code = usize::from(*code);
            texts.is_valid(code).then(|| texts.value(code).to_owned())
        });
        let all = all.collect();
        let batch = |codes: &[u16]| take(&texts, &UInt16Array::from(codes.to_vec()), None).unwrap();
        (codes.chunks(2_048).map(batch).collect(), all)
    }

    fn shown(texts: &ArrayRef) -> Vec<Option<String>> {
        texts.as_string_view().iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn rows_have_the_texts_that_they_had() {
        let (batches, all) = batches();
        let coded = CodedText::of(&batches).unwrap();
        assert!(coded.texts().len() <= 6, "{:?}", coded.texts());
        let decoded = (0..3).flat_map(|place| shown(&coded.batch(place, None).unwrap().unwrap()));
        assert_eq!(decoded.collect::<Vec<_>>(), all);
        assert!(coded.batch(3, None).unwrap().is_none() && coded.text(0, 2_048).is_none());
        assert_eq!(shown(&coded.text(1, 7).unwrap()), [all[2_048 + 7].clone()]);
        let wanted: Vec<bool> = shown(coded.texts()).iter().map(|text| text.as_deref() == Some(LONG[2])).collect();
        let rows = coded.rows_of(2, &wanted).unwrap();
        let expected: Vec<bool> = all[4_096..].iter().map(|text| text.as_deref() == Some(LONG[2])).collect();
        assert_eq!(rows, BooleanArray::from(expected));
        let left = shown(&coded.batch(2, Some(&rows)).unwrap().unwrap());
        assert!(!left.is_empty() && left.iter().all(|text| text.as_deref() == Some(LONG[2])));
    }

    #[test]
    fn texts_that_are_distinct_have_no_codes() {
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..100_000).map(|row| row.to_string())));
        assert!(CodedText::of(std::slice::from_ref(&texts)).is_none());
        assert!(CodedText::of(&[texts.slice(0, 3_000)]).is_none());
        let few: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..999).map(|_| "x")));
        assert!(CodedText::of(&[few]).is_none());
    }
}
