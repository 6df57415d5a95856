//! Days and hours are those of the viewer's zone: in the browser the calendar, the thirty days, filters, ends of exclusions.

use browser::{
    Browser, Shape,
    people::{self, AT_HOME, Connection},
};
use end_to_end::{
    Nas, PATIENCE, Wire,
    config::{Config, SECRET},
    sensor::Home,
    wait_until,
    wire::{NAS_V4, SENSOR_V4},
};
use serde_json::{Value, json};

/// When the newest connection began: as the page has it, and its day by the browser's calendar.
const BEGAN: &str = "
    const began = document.querySelector('[data-label=Start] time').dateTime;
    const time = new Date(began);
    const two = (number) => String(number).padStart(2, '0');
    return [began, `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`]";
/// The words on hover of what is drawn and is not empty.
const DRAWN: &str = "
    const all = [...document.querySelectorAll(arguments[0] + ' rect:not(.step0) title')];
    return all.map(e => e.textContent)";
/// The end of the exclusion: on hover, and whether that is midnight by the browser's clock.
const ENDS: &str = "
    const end = document.querySelector('td[data-label=Until] [title]').title;
    const time = new Date(end);
    return [end, time.getHours() === 0 && time.getMinutes() === 0]";

/// A zone in which it is another day now than in UTC.
fn elsewhere() -> &'static str {
    let hour =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 3600 % 24;
    if hour >= 11 { "Pacific/Kiritimati" } else { "Pacific/Pago_Pago" }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn days_are_those_of_the_viewer_s_zone_wherever_they_are_shown_or_typed() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let hers = Connection { user: "alice@contoso.example", session: "s1", address: AT_HOME, device: "PC-7" };
    hers.begin(&nas, 1);
    sensor.stored();
    let zone = elsewhere();
    let browser = Browser::start(&wire.sensor);
    browser.command("Emulation.setTimezoneOverride", json!({"timezoneId": zone}));
    people::sign_in(&browser, &home, &wire.sensor, "carol", "administrator");
    let cookies = browser.cookies();
    let of_zone = cookies.iter().find(|cookie| cookie["name"] == "vpn-sensor-zone").expect("a zone");
    let parts = (&of_zone["value"], &of_zone["sameSite"], &of_zone["path"]);
    assert_eq!(parts, (&json!(zone), &json!("Strict"), &json!("/")));

    browser.open_until("/users/alice@contoso.example", &format!("Days and hours are those of {zone}."));
    let began = browser.run(BEGAN, &[]);
    let (moment, day) = (text(&began[0]), text(&began[1]));
    let day_of_utc = &moment[..10];
    assert_ne!(day, day_of_utc, "{zone}");
    assert_eq!(browser.run(DRAWN, &[".calendar".into()]), json!([format!("{day}: 1")]));
    let bars = browser.run(DRAWN, &[".timeline".into()]);
    let bar = text(&bars[0]);
    assert!(bar.starts_with(day) && bar.contains(zone) && bar.contains(&moment[..19]), "{bar}");

    for (asked, has_it) in [(day, true), (day_of_utc, false)] {
        browser.open(&format!("/connections?user=alice@contoso.example&since={asked}&until={asked}"));
        assert!(browser.text("main form").contains(&format!("day of {zone}")), "{}", browser.seen());
        assert_eq!(browser.has("[data-label=Address]"), has_it, "{asked} in {zone}");
    }

    // A day that is typed as an end is over at midnight here, and is that day again when it is changed.
    browser.open("/settings/exclusions?network=198.51.100.0%2F24");
    let until = browser.run("return document.querySelector('input[name=until]').value", &[]);
    browser.fill("input[name=reason]", "a test");
    browser.click_text("Exclude");
    browser.wait_seen("Change 1");
    assert!(browser.seen().contains(&format!("{}, to its end ({zone})", text(&until))), "{}", browser.seen());
    assert_eq!(browser.run(ENDS, &[])[1], true, "{}", browser.run(ENDS, &[]));
    browser.show(browser::Theme::Light, Shape::Phone);
    for page in
        ["/settings/exclusions", "/connections?user=alice@contoso.example", "/users/alice@contoso.example"]
    {
        browser.open(page);
        browser.assert_accessible();
        browser.assert_fits();
    }
    browser.show(browser::Theme::Light, Shape::Desktop);
    browser.open("/settings/exclusions/change?name=1");
    let field = "const field = document.querySelector('input[name=until]'); return [field.type, field.value]";
    assert_eq!(browser.run(field, &[]), json!(["date", until]));

    // Somebody who travels is shown the days of where she is, from the second page on; and UTC needs no cookie.
    browser.command("Emulation.setTimezoneOverride", json!({"timezoneId": "America/St_Johns"}));
    browser.open("/");
    wait_until("an axis of time says the zone", PATIENCE, || {
        browser.open("/sensors?minutes=15");
        browser.has("text[data-unix] tspan")
    });
    assert_eq!(
        browser.run("return document.querySelector('text[data-unix] tspan').textContent", &[]),
        " America/St_Johns"
    );
    browser.open("/users/alice@contoso.example");
    assert!(browser.seen().contains("Days and hours are those of America/St_Johns."), "{}", browser.seen());
    browser.command("Emulation.setTimezoneOverride", json!({"timezoneId": "UTC"}));
    browser.open("/");
    browser.open("/users/alice@contoso.example");
    assert!(browser.seen().contains("Days and hours are those of UTC."), "{}", browser.seen());
    assert_eq!(browser.cookies().len(), 1, "{:?}", browser.cookies());
    browser.assert_quiet();
}
