//! Countries: their codes, and where and how large they are. Called when a database says the country and no more.

mod table;

use std::fmt;

/// An ISO 3166-1 alpha-2 code, or one that databases use like one (`XK`, `EU`). Two capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads a code; small letters are taken too. `None` for what is no code, and for `ZZ` and `XX`: databases write
    /// them for 'not known'.
    pub fn parse(text: &str) -> Option<Country> {
        let code: [u8; 2] = text.as_bytes().try_into().ok()?;
        let code = code.map(|letter| letter.to_ascii_uppercase());
        (code.iter().all(u8::is_ascii_uppercase) && !matches!(&code, b"ZZ" | b"XX")).then_some(Country(code))
    }

    /// The code.
    pub fn code(&self) -> &str {
        // Letters only, so the other case does not come.
        str::from_utf8(&self.0).unwrap_or("")
    }

    /// Latitude and longitude of its centre in degrees and the radius of a circle of its size in kilometres; from
    /// Natural Earth, see `data/README.md`. `None` for codes that are no country (`EU`).
    pub fn extent(&self) -> Option<(f64, f64, u16)> {
        let at = table::TABLE.binary_search_by(|(code, ..)| code.cmp(&self.0)).ok()?;
        let (_, latitude, longitude, radius_km) = table::TABLE[at];
        Some((latitude.into(), longitude.into(), radius_km))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_two_letters() {
        assert_eq!(Country::parse("de").unwrap().code(), "DE");
        assert_eq!(Country::parse("XK").unwrap().to_string(), "XK");
        for text in ["", "D", "DEU", "D1", "ZZ", "XX", "Ä"] {
            assert_eq!(Country::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_table_is_in_order_and_on_earth() {
        for pair in table::TABLE.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{:?}", pair[1].0);
        }
        for (code, latitude, longitude, radius_km) in table::TABLE {
            assert!(code.iter().all(u8::is_ascii_uppercase));
            assert!((-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude), "{code:?}");
            assert!((1..=2500).contains(&radius_km), "{code:?}");
        }
    }

    /// Areas as published by the countries' statistical offices, in square kilometres; within a tenth. Overseas parts
    /// with codes of their own are not in them, nor is Alaska.
    #[test]
    fn areas_are_those_that_are_known() {
        for (code, area) in [
            ("DE", 357_000.0),
            ("FR", 544_000.0),
            ("GF", 83_500.0),
            ("JP", 378_000.0),
            ("AU", 7_690_000.0),
            ("BR", 8_510_000.0),
            ("RU", 17_100_000.0),
            ("US", 8_080_000.0),
            ("LU", 2_590.0),
        ] {
            let (_, _, radius) = Country::parse(code).unwrap().extent().unwrap();
            let found = std::f64::consts::PI * f64::from(radius).powi(2);
            assert!((found / area - 1.0).abs() < 0.1, "{code}: {found} for {area}");
        }
        assert_eq!(Country::parse("EU").unwrap().extent(), None);
    }

    #[test]
    fn centres_lie_in_their_countries() {
        for (code, latitude, longitude) in [
            ("DE", 51.0, 10.4),
            ("FR", 46.5, 2.5),
            ("US", 39.8, -98.6),
            ("NO", 64.0, 12.5),
            ("FJ", -17.5, 178.5),
        ] {
            let (found_latitude, found_longitude, _) = Country::parse(code).unwrap().extent().unwrap();
            assert!((found_latitude - latitude).abs() < 1.0, "{code} {found_latitude}");
            assert!((found_longitude - longitude).abs() < 1.0, "{code} {found_longitude}");
        }
    }
}
