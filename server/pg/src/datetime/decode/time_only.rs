//! What the fields of a time mean (PostgreSQL's `DecodeTimeOnly`). A date may come before it.

use super::*;

/// Understands a time, with or without a date.
pub(in crate::datetime) fn time_only(text: &str, moment: &Moment) -> Result<Decoded> {
    let lower = text.to_ascii_lowercase();
    let tokens = tokens::split(&lower)?;
    let mut decoder = Decoder::reading(moment);
    for position in 0..tokens.len() {
        let fields = decoder.time_field(&tokens, position, moment)?;
        decoder.add(fields)?;
    }
    decoder.finish_time(moment)
}

impl Decoder {
    fn time_field(&mut self, tokens: &[Token<'_>], position: usize, moment: &Moment) -> Result<Fields> {
        let token = &tokens[position];
        let text = token.text.as_ref();
        let last = &tokens[tokens.len() - 1];
        let date_may_come = position == 0 && tokens.len() >= 2;
        match token.kind {
            Kind::Date if date_may_come && (last.kind == Kind::Date || tokens[1].kind == Kind::Time) => self.date(text),
            Kind::Date if text.starts_with(|c: char| c.is_ascii_digit()) => {
                if self.has(TIME) {
                    return Err(DatetimeError::Syntax);
                }
                self.label = None;
                self.time_with_offset(text, self.seen | DATE)
            }
            Kind::Date => self.named_zone(text),
            Kind::Time => {
                self.label = None;
                self.time(text)?;
                Ok(TIME)
            }
            Kind::Signed => {
                self.offset_s = offset(text)?;
                Ok(ZONE)
            }
            Kind::Number => match self.label.take() {
                Some(label) => self.labelled_number(text, label),
                None => match text.find('.') {
                    Some(_) if date_may_come && last.kind == Kind::Date => self.date(text),
                    Some(point) if point > 2 => self.run_together(text, self.seen | DATE),
                    Some(_) => Err(DatetimeError::Syntax),
                    None => self.run_together(text, self.seen | DATE),
                },
            },
            Kind::Word | Kind::SignedWord => self.word(tokens, position, moment, true),
        }
    }

    fn finish_time(mut self, moment: &Moment) -> Result<Decoded> {
        self.finish_date()?;
        self.finish_meridiem()?;
        self.check_time()?;
        if !self.has(TIME) {
            return Err(DatetimeError::Syntax);
        }
        self.check_zone()?;
        let decoded = self.decoded(None);
        let offset = match &self.zone {
            None => self.has(ZONE).then_some(self.offset_s),
            Some(zone) => match zone.only_offset() {
                Some(offset_s) => Some(i64::from(offset_s)),
                // The offset is that of a day: the written one, or for an abbreviation the current one.
                None if decoded.has_date => {
                    Some(i64::from(zone.offset_at_local(local_us(decoded.day(), decoded.time_us)?)))
                }
                None if matches!(zone, Zone::Changing { .. }) => {
                    Some(i64::from(zone.offset_at(moment.now_us.unwrap_or_default())))
                }
                None => return Err(DatetimeError::Syntax),
            },
        };
        Ok(Decoded { zone_offset_s: offset, ..decoded })
    }
}
