//! What the traffic is made of, and how a person writes that.

use std::str::FromStr;

use traffic::Vendor;

/// What the requests hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Requests of exactly these lengths in turn, octets.
    Sizes(Vec<usize>),
    /// Start, interim update and stop as these VPN servers send them, in turn.
    Vendors(Vec<Vendor>),
}

/// What the traffic is made of. Written as `key=value,...`: see [`Mix::from_str`].
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// What the requests hold.
    pub contents: Contents,
    /// Source addresses, 1 to 64.
    pub sources: u8,
    /// Share of the datagrams that repeat an answered request, octet by octet; 0 to below 1.
    pub duplicates: f64,
    /// Share of the datagrams that are signed with a wrong secret; 0 to below 1, with duplicates below 1.
    pub forgeries: f64,
    /// Requests of a reconnect storm: due all at once in the middle of the run, beside the others.
    pub storm: u64,
}

impl Default for Mix {
    /// Genuine requests from one address, 168 octets in the mean: what the comparisons with other servers use.
    fn default() -> Mix {
        Mix {
            contents: Contents::Sizes(vec![100, 168, 236]),
            sources: 1,
            duplicates: 0.0,
            forgeries: 0.0,
            storm: 0,
        }
    }
}

impl Mix {
    /// As [`Mix::from_str`], for a bench that paces its loads itself: a storm, which none of them would have, is
    /// refused.
    ///
    /// # Errors
    /// As [`Mix::from_str`], or for a storm.
    pub fn calm(text: &str) -> Result<Mix, String> {
        let mix: Mix = text.parse()?;
        mix.refuse_storm("this bench sets the pace of its loads itself")?;
        Ok(mix)
    }

    /// Refuses a storm where none can be due, for this reason.
    ///
    /// # Errors
    /// When the mix has one.
    pub fn refuse_storm(&self, reason: &str) -> Result<(), String> {
        match self.storm {
            0 => Ok(()),
            storm => Err(format!(
                "storm={storm} would change nothing: {reason}. `cargo xtask bench load -- --rate 20000 --mix \
                 storm={storm}` has a storm beside a load by the clock"
            )),
        }
    }
}

impl FromStr for Mix {
    type Err = String;

    /// `sizes=100+168+236`, `vendors=rras+asa` or `vendors=all`, `sources=8`, `duplicates=5%`, `forgeries=0.9`,
    /// `storm=5000`, joined by commas. What is not named is as in the default.
    fn from_str(text: &str) -> Result<Mix, String> {
        let mut mix = Mix::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (key, value) =
                part.split_once('=').ok_or_else(|| format!("`{part}` is not of the form key=value"))?;
            match key {
                "sizes" => mix.contents = Contents::Sizes(each(value, size)?),
                "vendors" if value == "all" => mix.contents = Contents::Vendors(Vendor::ALL.to_vec()),
                "vendors" => mix.contents = Contents::Vendors(each(value, vendor)?),
                "sources" => mix.sources = number(value, 1, 64)?,
                "duplicates" => mix.duplicates = share(value)?,
                "forgeries" => mix.forgeries = share(value)?,
                "storm" => mix.storm = number(value, 0, 1_000_000)?,
                _ => {
                    return Err(format!(
                        "there is no `{key}`: there are sizes, vendors, sources, duplicates, forgeries, storm"
                    ));
                }
            }
        }
        if mix.duplicates + mix.forgeries >= 1.0 {
            return Err("duplicates and forgeries leave nothing for genuine requests".to_owned());
        }
        Ok(mix)
    }
}

fn each<T>(text: &str, one: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split('+').map(one).collect()
}

fn size(text: &str) -> Result<usize, String> {
    number(text, 64, 1400)
}

fn vendor(text: &str) -> Result<Vendor, String> {
    <Vendor as clap::ValueEnum>::from_str(text, true)
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(text: &str, least: T, most: T) -> Result<T, String> {
    match text.parse() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => Err(format!("`{text}` is not a number from {least} to {most}")),
    }
}

/// A share of one, or per cent.
fn share(text: &str) -> Result<f64, String> {
    let parsed = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse::<f64>(),
    };
    match parsed {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err(format!("`{text}` is not a share from 0 to below 1, or from 0% to below 100%")),
    }
}

/// Chooses which of many things come as this share, evenly and without chance: of 100 with a share of 0.05 each 20th.
#[derive(Debug)]
pub(super) struct Evenly {
    share: f64,
    seen: u64,
}

impl Evenly {
    pub(super) fn new(share: f64) -> Evenly {
        Evenly { share, seen: 0 }
    }

    /// Whether the next one is chosen.
    pub(super) fn choose(&mut self) -> bool {
        // Counted anew each time: a sum of shares would drift. What is added is less than any share's last digit.
        let share = self.share;
        let chosen = |seen: u64| (seen as f64 * share + 1e-6) as u64;
        let before = chosen(self.seen);
        self.seen += 1;
        chosen(self.seen) > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_what_was_written() {
        assert_eq!("".parse::<Mix>().unwrap(), Mix::default());
        let mix: Mix = "vendors=rras+asa,sources=8,duplicates=5%,forgeries=0.9,storm=100".parse().unwrap();
        assert_eq!(mix.contents, Contents::Vendors(vec![Vendor::Rras, Vendor::Asa]));
        assert_eq!((mix.sources, mix.duplicates, mix.forgeries, mix.storm), (8, 0.05, 0.9, 100));
        let all: Mix = "vendors=all".parse().unwrap();
        assert_eq!(all.contents, Contents::Vendors(Vendor::ALL.to_vec()));
        let sizes: Mix = "sizes=64+1400".parse().unwrap();
        assert_eq!(sizes.contents, Contents::Sizes(vec![64, 1400]));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (text, word) in [
            ("size=100", "there is no `size`"),
            ("sizes", "key=value"),
            ("sizes=63", "64 to 1400"),
            ("sources=0", "1 to 64"),
            ("forgeries=100%", "below 1"),
            ("duplicates=50%,forgeries=0.5", "nothing for genuine"),
            ("vendors=acme", "invalid variant"),
        ] {
            let error = text.parse::<Mix>().unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_storm_is_refused_where_none_would_come() {
        let error = Mix::calm("sources=8,storm=5000").unwrap_err();
        assert!(error.contains("storm=5000 would change nothing") && error.contains("bench load"), "{error}");
        assert_eq!(Mix::calm("sources=8,storm=0").unwrap().sources, 8);
        assert!(Mix::calm("size=100").unwrap_err().contains("there is no `size`"));
    }

    #[test]
    fn a_share_is_spread_evenly() {
        let mut evenly = Evenly::new(0.3);
        let chosen: Vec<bool> = (0..1000).map(|_| evenly.choose()).collect();
        assert_eq!(chosen.iter().filter(|chosen| **chosen).count(), 300);
        for window in chosen.windows(10) {
            let count = window.iter().filter(|chosen| **chosen).count();
            assert!((2..=4).contains(&count), "{count} of ten");
        }
        let mut never = Evenly::new(0.0);
        assert!((0..1000).all(|_| !never.choose()));
    }
}
