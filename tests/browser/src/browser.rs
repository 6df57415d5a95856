//! One browser: opening pages, reading and using them, as blocking calls that wait for what they ask for.

use end_to_end::{Namespace, PATIENCE, wait::holds, wait_for};
use serde_json::{Value, json};

use crate::driver::{By, Element, Session};

/// Where the portal is by default, in the sensor's namespace.
const PORTAL: &str = "http://127.0.0.1:8813";

impl Key {
    /// As WebDriver has it.
    fn code(self) -> char {
        match self {
            Key::Tab => '\u{e004}',
            Key::Enter => '\u{e007}',
            Key::Escape => '\u{e00c}',
        }
    }
}

/// What the browser says that its user likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark text on light ground
    Light,
    /// Light text on dark ground
    Dark,
}

impl Theme {
    /// Those that a page is looked at whole in.
    pub const ALL: [Theme; 2] = [Theme::Light, Theme::Dark];

    /// As style sheets call it.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// Size of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// 1280 x 900
    Desktop,
    /// 390 x 844, touched
    Phone,
    /// 320 x 640: a window of 1280 at four times its size, as WCAG 1.4.10 has it
    Narrow,
}

impl Shape {
    /// Those that a page is looked at whole in.
    pub const ALL: [Shape; 2] = [Shape::Desktop, Shape::Phone];

    /// Width and height, CSS pixels.
    pub fn pixels(self) -> (u32, u32) {
        match self {
            Shape::Desktop => (1280, 900),
            Shape::Phone => (390, 844),
            Shape::Narrow => (320, 640),
        }
    }
}

/// A key of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Tab
    Tab,
    /// Enter
    Enter,
    /// Escape
    Escape,
}

/// One browser with one cookie jar.
pub struct Browser {
    session: Session,
    origin: String,
}

impl Browser {
    /// Starts a browser beside a sensor whose portal is at its usual address.
    #[track_caller]
    pub fn start(namespace: &Namespace) -> Browser {
        Browser::start_at(namespace, PORTAL, &[])
    }

    /// The same for a portal elsewhere, with more arguments for Chromium.
    #[track_caller]
    pub fn start_at(namespace: &Namespace, origin: &str, more: &[&str]) -> Browser {
        let browser = Browser { session: Session::start(namespace, more), origin: origin.to_owned() };
        browser.show(Theme::Light, Shape::Desktop);
        browser
    }

    /// Scheme, host and port of the portal.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// A command of the browser's development tools.
    #[track_caller]
    pub fn command(&self, name: &str, parameters: Value) -> Value {
        self.session.post("/goog/cdp/execute", json!({"cmd": name, "params": parameters}))
    }

    /// Levels and messages of one of chromedriver's logs that were not read yet.
    #[track_caller]
    pub(crate) fn news(&self, log: &str) -> Vec<(String, String)> {
        let entries = self.session.post("/se/log", json!({"type": log}));
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let entries = entries.as_array().expect("a list").iter();
        entries.map(|entry| (text(entry, "level"), text(entry, "message"))).collect()
    }

    /// Has pages shown in this theme and shape.
    #[track_caller]
    pub fn show(&self, theme: Theme, shape: Shape) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": theme.name()},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.command("Emulation.setEmulatedMedia", json!({"features": features}));
        let (width, height) = shape.pixels();
        self.command(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": shape == Shape::Phone}),
        );
    }

    /// Opens a page of the portal.
    #[track_caller]
    pub fn open(&self, path: &str) {
        self.open_url(&format!("{}{path}", self.origin));
    }

    /// Opens a link as it was printed.
    #[track_caller]
    pub fn open_url(&self, url: &str) {
        self.session.post("/url", json!({"url": url}));
    }

    /// Path and query of the page.
    #[track_caller]
    pub fn path(&self) -> String {
        let url = self.session.get("/url");
        let url = url.as_str().expect("an address");
        url.strip_prefix(&self.origin).unwrap_or(url).to_owned()
    }

    /// Waits until the browser is on this path: a click returns before the page that it leads to is there.
    #[track_caller]
    pub fn wait_path(&self, path: &str) {
        assert!(holds(PATIENCE, || self.path() == path), "the browser is on {}, not on {path}", self.path());
    }

    #[track_caller]
    fn wait_for(&self, by: By<'_>, what: &str) -> Element {
        wait_for(&format!("{what} on the page {}", self.path()), PATIENCE, || self.session.find(by))
    }

    /// Whether a CSS selector finds anything now.
    #[track_caller]
    pub fn has(&self, css: &str) -> bool {
        self.session.find(By::Css(css)).is_some()
    }

    /// What is seen of the first element that a CSS selector finds.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        // A page that is being replaced has elements that are gone a moment later.
        wait_for(&format!("{css} on the page {}", self.path()), PATIENCE, || {
            self.session.text(&self.session.find(By::Css(css))?)
        })
    }

    /// What is seen of the whole page.
    #[track_caller]
    pub fn seen(&self) -> String {
        self.text("body")
    }

    /// Waits until a text is seen on the page.
    #[track_caller]
    pub fn wait_seen(&self, text: &str) {
        let mut seen = String::new();
        let found = holds(PATIENCE, || {
            seen = self.seen();
            seen.contains(text)
        });
        assert!(found, "{} does not show {text:?}, but:\n{seen}", self.path());
    }

    /// Opens a page again and again until it shows a text: for what the service has not taken in yet.
    #[track_caller]
    pub fn open_until(&self, path: &str, text: &str) {
        let mut seen = String::new();
        let found = holds(PATIENCE, || {
            self.open(path);
            seen = self.seen();
            seen.contains(text)
        });
        assert!(found, "{path} does not show {text:?}, but:\n{seen}");
    }

    /// Clicks the first element that a CSS selector finds.
    #[track_caller]
    pub fn click(&self, css: &str) {
        self.click_on(&self.wait_for(By::Css(css), css));
    }

    /// Clicks the first link, button or summary with this text.
    #[track_caller]
    pub fn click_text(&self, text: &str) {
        let path = format!("//*[self::a or self::button or self::summary][normalize-space()={text:?}]");
        self.click_on(&self.wait_for(By::XPath(&path), text));
    }

    #[track_caller]
    fn click_on(&self, element: &Element) {
        self.session.act(element, "click", json!({})).unwrap_or_else(|error| panic!("click: {error}"));
    }

    /// Types into a field, in place of what it holds.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        let field = self.wait_for(By::Css(css), css);
        let typed = self.session.act(&field, "clear", json!({}));
        let typed = typed.and_then(|_| self.session.act(&field, "value", json!({"text": text})));
        typed.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Chooses an option of a list by its value.
    #[track_caller]
    pub fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value={value:?}]"));
    }

    /// Presses a key wherever the focus is.
    #[track_caller]
    pub fn press(&self, key: Key) {
        self.type_text(&key.code().to_string());
    }

    /// Types wherever the focus is.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        let strokes: Vec<Value> = text
            .chars()
            .flat_map(|key| {
                [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
            })
            .collect();
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]});
        self.session.post("/actions", actions);
    }

    /// Runs the body of a function in the page: from outside, so that the page's policy about scripts is not asked.
    #[track_caller]
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.session.post("/execute/sync", json!({"script": script, "args": arguments}))
    }

    /// The same; the last argument of the function takes the result, later.
    #[track_caller]
    pub fn run_async(&self, script: &str, arguments: &[Value]) -> Value {
        self.session.post("/execute/async", json!({"script": script, "args": arguments}))
    }

    /// Opens another tab, with the same cookies, and goes there; its number is what [`Browser::go_to_tab`] takes.
    #[track_caller]
    pub fn new_tab(&self) -> usize {
        self.session.post("/window/new", json!({"type": "tab"}));
        let number = self.tabs().len() - 1;
        self.go_to_tab(number);
        number
    }

    /// Goes to a tab by its number; the first is 0.
    #[track_caller]
    pub fn go_to_tab(&self, number: usize) {
        let tabs = self.tabs();
        self.session.post("/window", json!({"handle": tabs[number]}));
    }

    #[track_caller]
    fn tabs(&self) -> Vec<Value> {
        self.session.get("/window/handles").as_array().expect("a list").clone()
    }

    /// The cookies that the page's requests carry.
    #[track_caller]
    pub fn cookies(&self) -> Vec<Value> {
        self.session.get("/cookie").as_array().expect("a list").clone()
    }

    /// Forgets all cookies, also of pages that are not open: another person at another browser.
    #[track_caller]
    pub fn forget_cookies(&self) {
        self.command("Network.clearBrowserCookies", json!({}));
    }

    /// The page as a PNG, base64, from its top to at most `height` pixels.
    #[track_caller]
    pub fn screenshot(&self, height: u64) -> String {
        let size = "return [document.documentElement.clientWidth, document.documentElement.scrollHeight]";
        let size = self.run(size, &[]);
        let whole = size[1].as_u64().expect("a height");
        let clip = json!({"x": 0, "y": 0, "width": size[0], "height": whole.min(height), "scale": 1});
        let asked = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let shot = self.command("Page.captureScreenshot", asked);
        shot["data"].as_str().expect("a picture").to_owned()
    }
}
