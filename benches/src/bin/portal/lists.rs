//! What an administrator has in her lists: a site and an exclusion, each with a page of its own on which it is changed.

use anyhow::Context as _;

use super::{host::Browser, visits::links};

/// Where the lists are, with what is sent for one entry of each.
const ENTRIES: [(&str, &[(&str, &str)]); 2] = [
    (
        "/settings/sites",
        &[("name", "Headquarters"), ("address", "10.20.0.0/16"), ("position", "52.52, 13.40")],
    ),
    (
        "/settings/exclusions",
        &[("network", "198.51.100.0/24"), ("reason", "penetration test"), ("until", "2099-12-31")],
    ),
];

/// The pages on which the entries are changed; those that are not there yet are added by their forms.
pub(super) fn changed_on(browser: &Browser<'_>) -> anyhow::Result<Vec<String>> {
    let page_of_one = |list: &str| -> anyhow::Result<Option<String>> {
        let beginning = format!("{list}/change?");
        Ok(links(&browser.text(list)?).into_iter().find(|link| link.starts_with(&beginning)))
    };
    let mut pages = Vec::new();
    for (list, fields) in ENTRIES {
        let page = match page_of_one(list)? {
            Some(page) => page,
            None => {
                browser.send(list, fields)?;
                page_of_one(list)?.with_context(|| format!("{list}: what was added is not listed"))?
            }
        };
        pages.push(page);
    }
    Ok(pages)
}
