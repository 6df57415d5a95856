//! One browser: opening pages, reading and using them, as blocking calls that wait for what they ask for.

use std::future::Future;

use end_to_end::{Namespace, PATIENCE, wait_for};
use serde_json::{Value, json};
use thirtyfour::{By, Capabilities, WebDriver, WebElement, error::WebDriverResult};

use crate::driver::Driver;

/// Where the portal is by default, in the sensor's namespace.
const PORTAL: &str = "http://127.0.0.1:8813";

/// What the browser says that its user likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark text on light ground
    Light,
    /// Light text on dark ground
    Dark,
}

impl Theme {
    /// Both.
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
}

impl Shape {
    /// Both.
    pub const ALL: [Shape; 2] = [Shape::Desktop, Shape::Phone];

    /// Width and height, CSS pixels.
    pub fn pixels(self) -> (u32, u32) {
        match self {
            Shape::Desktop => (1280, 900),
            Shape::Phone => (390, 844),
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

/// One browser with one cookie jar. Its messages and requests are kept from the start.
pub struct Browser {
    runtime: tokio::runtime::Runtime,
    window: Option<WebDriver>,
    _driver: Driver,
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
        let driver = Driver::start(namespace);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let builder = WebDriver::builder(&*driver.url, capabilities(more)).client(driver.client.clone());
        let window = runtime.block_on(builder.connect()).expect("Chromium starts");
        let browser = Browser {
            runtime,
            window: Some(window),
            _driver: driver,
            origin: origin.to_owned(),
        };
        browser.show(Theme::Light, Shape::Desktop);
        browser
    }

    /// Scheme, host and port of the portal.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    fn window(&self) -> &WebDriver {
        self.window.as_ref().expect("a browser that runs")
    }

    #[track_caller]
    fn wait<T>(&self, work: impl Future<Output = WebDriverResult<T>>) -> T {
        self.runtime.block_on(work).unwrap_or_else(|error| panic!("the browser: {error}"))
    }

    /// A command of the browser's development tools.
    #[track_caller]
    pub(crate) fn command(&self, name: &str, parameters: Value) -> Value {
        self.wait(async { self.window().cdp().send_raw(name, parameters).await })
    }

    /// Messages of one of chromedriver's logs that were not read yet.
    #[track_caller]
    pub(crate) fn news(&self, log: &str) -> Vec<(String, String)> {
        let entries = self.wait(self.window().get_log(log));
        entries.into_iter().map(|entry| (entry.level, entry.message)).collect()
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
        self.wait(self.window().goto(url));
    }

    /// The path and query of the page.
    #[track_caller]
    pub fn path(&self) -> String {
        let url = self.wait(self.window().current_url());
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", url.path())
    }

    /// The first element that a CSS selector finds, waited for.
    #[track_caller]
    fn find(&self, css: &str) -> WebElement {
        wait_for(&format!("{css} on the page {}", self.path()), PATIENCE, || {
            self.runtime.block_on(self.window().find(By::Css(css))).ok()
        })
    }

    /// Whether a CSS selector finds anything now.
    #[track_caller]
    pub fn has(&self, css: &str) -> bool {
        !self.wait(self.window().find_all(By::Css(css))).is_empty()
    }

    /// What is seen of the first element that a CSS selector finds.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        self.wait(self.find(css).text())
    }

    /// What is seen of the whole page.
    #[track_caller]
    pub fn seen(&self) -> String {
        self.text("body")
    }

    /// Opens a page again and again until it holds a text: for what the service has not taken in yet.
    #[track_caller]
    pub fn open_until(&self, path: &str, text: &str) {
        let mut seen = String::new();
        let found = end_to_end::wait::holds(PATIENCE, || {
            self.open(path);
            seen = self.seen();
            seen.contains(text)
        });
        assert!(found, "{path} does not show {text:?}, but:\n{seen}");
    }

    /// Clicks the first element that a CSS selector finds.
    #[track_caller]
    pub fn click(&self, css: &str) {
        self.wait(self.find(css).click());
    }

    /// Clicks the first link or button with this text.
    #[track_caller]
    pub fn click_text(&self, text: &str) {
        let xpath = format!("//*[self::a or self::button or self::summary][normalize-space()={text:?}]");
        let element = wait_for(&format!("{text:?} on the page {}", self.path()), PATIENCE, || {
            self.runtime.block_on(self.window().find(By::XPath(&*xpath))).ok()
        });
        self.wait(element.click());
    }

    /// Types into a field, in place of what it holds.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        let field = self.find(css);
        self.wait(field.clear());
        self.wait(field.send_keys(text));
    }

    /// Chooses an option of a list by its value.
    #[track_caller]
    pub fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value={value:?}]"));
    }

    /// Presses a key wherever the focus is.
    #[track_caller]
    pub fn press(&self, key: Key) {
        let key = match key {
            Key::Tab => thirtyfour::Key::Tab,
            Key::Enter => thirtyfour::Key::Enter,
            Key::Escape => thirtyfour::Key::Escape,
        };
        self.wait(self.window().action_chain().send_keys(key + "").perform());
    }

    /// Types wherever the focus is.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.wait(self.window().action_chain().send_keys(text).perform());
    }

    /// Runs the body of a function in the page: from outside, so that the page's policy about scripts is not asked.
    #[track_caller]
    pub fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.wait(self.window().execute(script, arguments)).json().clone()
    }

    /// The same; the last argument of the function takes the result, later.
    #[track_caller]
    pub fn run_async(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.wait(self.window().execute_async(script, arguments)).json().clone()
    }

    /// Opens another tab, with the same cookies, and goes there; its number is what [`Browser::go_to_tab`] takes.
    #[track_caller]
    pub fn new_tab(&self) -> usize {
        let tab = self.wait(self.window().new_tab());
        self.wait(self.window().switch_to_window(tab));
        self.wait(self.window().windows()).len() - 1
    }

    /// Goes to a tab by its number; the first is 0.
    #[track_caller]
    pub fn go_to_tab(&self, number: usize) {
        let tabs = self.wait(self.window().windows());
        self.wait(self.window().switch_to_window(tabs[number].clone()));
    }

    /// Forgets the cookies: another person at another browser.
    #[track_caller]
    pub fn forget_cookies(&self) {
        self.wait(self.window().delete_all_cookies());
    }

    /// The page as a PNG, from its top to at most `height` pixels.
    #[track_caller]
    pub fn screenshot(&self, height: u32) -> Vec<u8> {
        let size = self.run("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]", vec![]);
        let (width, whole) = (size[0].as_u64().expect("a width"), size[1].as_u64().expect("a height"));
        let clip = json!({"x": 0, "y": 0, "width": width, "height": whole.min(u64::from(height)), "scale": 1});
        let shot = self.command(
            "Page.captureScreenshot",
            json!({"format": "png", "captureBeyondViewport": true, "optimizeForSpeed": false, "clip": clip}),
        );
        base64(shot["data"].as_str().expect("a picture"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(window) = self.window.take() {
            let _ = self.runtime.block_on(window.quit());
        }
    }
}

fn capabilities(more: &[&str]) -> Capabilities {
    let mut arguments = vec![
        "--headless=new",
        // The tests run as root, where Chromium has no sandbox.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-sync",
        "--lang=en-GB",
        "--hide-scrollbars",
    ];
    arguments.extend(more);
    let mut capabilities = Capabilities::new();
    let options = json!({"args": arguments, "binary": "/usr/bin/chromium",
        "perfLoggingPrefs": {"enableNetwork": true, "enablePage": false}});
    capabilities.set("browserName", "chrome").expect("a capability");
    capabilities.set("goog:chromeOptions", options).expect("a capability");
    capabilities
        .set("goog:loggingPrefs", json!({"browser": "ALL", "performance": "ALL"}))
        .expect("a capability");
    capabilities
}

fn base64(text: &str) -> Vec<u8> {
    use thirtyfour::support::base64_decode;
    base64_decode(text).expect("base64")
}
