//! Accounts that sign in, and VPN users that connect.

use end_to_end::{Namespace, Nas, requests::Status, sensor::Home, tools::output};
use radius::{Code, build::RequestBuilder};

use crate::Browser;

/// The password of every account.
pub const PASSWORD: &str = "correct horse battery";
/// Great Britain, by the databases that come with the product.
pub const AT_HOME: &str = "81.2.69.160";
/// China.
pub const FAR_AWAY: &str = "175.16.199.7";

/// Runs a command of the product that is to succeed; what it prints.
#[track_caller]
pub fn command(home: &Home, namespace: &Namespace, arguments: &str) -> String {
    let output = output(&mut home.command(namespace, arguments));
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A link that sets the password of an account.
#[track_caller]
pub fn link(home: &Home, namespace: &Namespace, account: &str, role: &str) -> String {
    let printed = command(home, namespace, &format!("portal link --account {account} --role {role}"));
    printed.trim().to_owned()
}

/// Makes an account and signs in with it.
#[track_caller]
pub fn sign_in(browser: &Browser, home: &Home, namespace: &Namespace, account: &str, role: &str) {
    browser.open_url(&link(home, namespace, account, role));
    browser.fill("input[name=password]", PASSWORD);
    browser.fill("input[name=again]", PASSWORD);
    browser.click("main button");
    assert!(browser.text(".account").contains(account), "{}", browser.seen());
}

/// A VPN connection of somebody.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// As the VPN server sends it.
    pub user: &'a str,
    /// Acct-Session-Id
    pub session: &'a str,
    /// Where from.
    pub address: &'a str,
    /// The computer's name.
    pub device: &'a str,
}

impl Connection<'_> {
    /// Its Start, sent until it is answered.
    #[track_caller]
    pub fn begin(self, nas: &Nas, identifier: u8) {
        self.send(nas, identifier, Status::Start);
    }

    /// Its Stop.
    #[track_caller]
    pub fn end(self, nas: &Nas, identifier: u8) {
        self.send(nas, identifier, Status::Stop);
    }

    #[track_caller]
    fn send(self, nas: &Nas, identifier: u8, status: Status) {
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, identifier);
        request.integer(40, status as u32).text(44, self.session).text(32, "gateway");
        request.text(1, self.user).text(31, self.address).integer(61, 5);
        request.vendor(9, 1, format!("mdm-tlv=device-uid={}", self.device).as_bytes());
        if status == Status::Stop {
            request.integer(46, 60).integer(42, 123_456).integer(43, 654_321).integer(49, 1);
        }
        nas.ask(request.seal(nas.secret().as_bytes()).expect("a request that fits"));
    }
}

/// A stolen account: its user at home, and at once somebody far away with a device of her own. The user's name.
pub fn stolen(nas: &Nas) -> &'static str {
    let user = "alice@contoso.example";
    Connection { user, session: "hers", address: AT_HOME, device: "PC-7" }.begin(nas, 1);
    Connection { user, session: "his", address: FAR_AWAY, device: "KALI" }.begin(nas, 2);
    user
}
