//! What a page must never do: errors, requests to other hosts, barriers for people who see or hear less (axe-core), and
//! what the keyboard does not reach.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use crate::{Browser, Key};

/// Runs inside pages.
const AXE: &str = include_str!("../axe-core/axe.min.js");
/// WCAG 2.2 AA and what came before it, and what axe-core calls good practice.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/// More pages than a test's few people have.
const PAGES_MAX: usize = 250;

/// Everything that takes the focus, as one list of the page; not what is folded away.
const FOCUSABLE: &str = "
    const all = document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]');
    window.walk = [...all].filter(e => e.tabIndex >= 0 && !e.disabled && e.getClientRects().length > 0
        && e.checkVisibility());
    return window.walk.map(e => e.outerHTML.slice(0, 120));";

/// How wide the page is, and the window, and what sticks out of that.
const WIDTHS: &str = "
    const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
        && !e.closest('.wide, svg, .unseen') && e.checkVisibility());
    return [document.documentElement.scrollWidth, innerWidth, out.slice(0, 9).map(e => e.outerHTML.slice(0, 120))];";

/// Which of the list has the focus, and whether that is seen.
const FOCUSED: &str = "
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    const drawn = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const inside = box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
    return [window.walk.indexOf(e), drawn, inside];";

/// The smallest words of drawings, CSS pixels, and which those are.
const SMALLEST: &str = "
    const all = [...document.querySelectorAll('svg text')].filter(e => e.getClientRects().length > 0 && e.checkVisibility());
    const size = e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a;
    const least = Math.min(...all.map(size), 1000);
    return [least, all.filter(e => size(e) <= least).slice(0, 3).map(e => e.closest('svg').outerHTML.slice(0, 120))];";
/// Below that nobody reads them.
const WORDS_PIXELS_MIN: f64 = 9.0;

impl Browser {
    /// Fails if a page wrote an error or a warning, or asked anybody but the portal, since the last time.
    #[track_caller]
    pub fn assert_quiet(&self) {
        self.assert_quiet_but(&[]);
    }

    /// The same, but for messages that hold one of these texts: the browser notes answers such as 429 as errors.
    #[track_caller]
    pub fn assert_quiet_but(&self, expected: &[&str]) {
        let messages = self.news("browser").into_iter();
        let messages: Vec<_> = messages
            .filter(|(level, _)| level == "SEVERE" || level == "WARNING")
            .map(|(_, message)| message)
            .filter(|message| !expected.iter().any(|text| message.contains(text)))
            .collect();
        assert!(messages.is_empty(), "the page complains: {messages:#?}");
        let strangers = self.requests().into_iter().filter(|url| !self.is_portal(url));
        let strangers: BTreeSet<_> = strangers.collect();
        assert!(strangers.is_empty(), "pages ask others than the portal: {strangers:#?}");
    }

    /// Addresses of all requests since the last time.
    #[track_caller]
    pub fn requests(&self) -> Vec<String> {
        let events = self.news("performance").into_iter();
        let events = events.filter_map(|(_, text)| serde_json::from_str::<Value>(&text).ok());
        events
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .filter_map(|event| Some(event["message"]["params"]["request"]["url"].as_str()?.to_owned()))
            .collect()
    }

    fn is_portal(&self, url: &str) -> bool {
        let rest = url.strip_prefix(self.origin());
        rest.is_some_and(|rest| rest.starts_with('/')) || url.starts_with("data:")
    }

    /// Fails if axe-core finds a barrier on the page.
    #[track_caller]
    pub fn assert_accessible(&self) {
        self.run(AXE, &[]);
        let script = "
            const [rules, done] = arguments;
            axe.run(document, {runOnly: {type: 'tag', values: rules}, preload: false, resultTypes: ['violations']}).then(
                found => done(found.violations.map(v => v.id + ': ' + v.help + '\\n' +
                    v.nodes.map(n => '    ' + n.html + '\\n      ' + n.failureSummary).join('\\n'))),
                error => done(['axe-core failed: ' + error]));";
        let found = self.run_async(script, &[json!(RULES)]);
        let found: Vec<&str> = found.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert!(found.is_empty(), "{}:\n{}", self.path(), found.join("\n"));
    }

    /// Walks the page with the Tab key alone; fails unless it comes by everything that can be used, in the page's order,
    /// and the focus is always seen.
    #[track_caller]
    pub fn assert_keyboard_reaches_everything(&self) {
        let path = self.path();
        self.run("document.activeElement.blur(); window.scrollTo(0, 0);", &[]);
        let all = self.run(FOCUSABLE, &[]);
        let all: Vec<&str> = all.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let mut reached = Vec::new();
        // A field for a date takes a few steps, and there are the browser's own stop and where the walk may have begun.
        let dates = all.iter().filter(|element| element.contains("type=\"date")).count();
        for _ in 0..all.len() + 4 * dates + 3 {
            if reached.len() == all.len() {
                break;
            }
            self.press(Key::Tab);
            let focused = self.run(FOCUSED, &[]);
            let Some(index) = focused[0].as_u64() else { continue };
            let element = all[index as usize];
            assert_eq!(focused[1], true, "{path}: no outline around {element}");
            assert_eq!(focused[2], true, "{path}: the focus is out of sight on {element}");
            if !reached.contains(&index) {
                reached.push(index);
            }
        }
        let missed: Vec<&str> = (0..all.len())
            .filter(|index| !reached.contains(&(*index as u64)))
            .map(|index| all[index])
            .collect();
        assert!(missed.is_empty(), "{path}: Tab does not reach {missed:#?}");
    }

    /// Fails if the page is wider than the window: it would have to be read sideways.
    #[track_caller]
    pub fn assert_fits(&self) {
        let sizes = self.run(WIDTHS, &[]);
        let (wide, window) = (sizes[0].as_u64(), sizes[1].as_u64());
        let path = self.path();
        assert!(wide <= window, "{path}: {wide:?} pixels wide in a window of {window:?}: {}", sizes[2]);
    }

    /// Fails if words of a drawing are too small to be read: drawings shrink with the window, and their words with them.
    #[track_caller]
    pub fn assert_drawings_are_legible(&self) {
        let smallest = self.run(SMALLEST, &[]);
        let (pixels, path) = (smallest[0].as_f64().expect("a size"), self.path());
        assert!(pixels >= WORDS_PIXELS_MIN, "{path}: words of {pixels} pixels in {}", smallest[1]);
    }

    /// Opens every page that links lead to from the overview, and has `look` look at it; one for each address.
    #[track_caller]
    pub fn for_every_page(&self, mut look: impl FnMut(&str)) -> usize {
        let (mut known, mut waiting) = (BTreeSet::from(["/".to_owned()]), VecDeque::from(["/".to_owned()]));
        while let Some(path) = waiting.pop_front() {
            self.open(&path);
            look(&path);
            for link in self.links() {
                if known.len() < PAGES_MAX && known.insert(link.clone()) {
                    waiting.push_back(link);
                }
            }
        }
        known.len()
    }

    /// One address of each kind of page that links lead to from the overview.
    #[track_caller]
    pub fn kinds_of_pages(&self) -> Vec<String> {
        let mut kinds = BTreeMap::new();
        self.for_every_page(|path| {
            kinds.entry(kind(path)).or_insert_with(|| path.to_owned());
        });
        kinds.into_values().collect()
    }

    /// Where the page's links lead within the portal; files are not pages.
    fn links(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('a[href]:not([download])')]
            .filter(a => a.origin === location.origin).map(a => a.pathname + a.search);";
        let links = self.run(script, &[]);
        let links = links.as_array().expect("a list").iter().filter_map(Value::as_str);
        links.filter(|link| !link.starts_with("/api/")).map(str::to_owned).collect()
    }
}

/// The same for `/users/alice` and `/users/bob`: the first part of the path, how many there are, and which questions.
fn kind(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.split('/').collect();
    let asked: BTreeSet<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    let fixed = |part: &str| part.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
    // Settings have pages of their own below them; people and alerts are all alike.
    let rest: Vec<&str> = match parts.get(1) {
        Some(&"users" | &"devices") => parts.iter().skip(2).map(|_| "*").collect(),
        _ => parts.iter().skip(2).map(|part| if fixed(part) { *part } else { "*" }).collect(),
    };
    format!("{}/{}?{asked:?}", parts.get(1).unwrap_or(&""), rest.join("/"))
}
