//! What is on the screen, at the size of a small terminal and of a large one.

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use super::*;
use crate::cli::top::{
    fixture,
    frame::{Drops, Rated},
};

fn press(screen: &mut Screen, code: KeyCode) -> Wish {
    screen.key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn drawn(screen: &mut Screen, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|canvas| screen.draw(canvas, Instant::now())).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let cells: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
    cells.chunks(width).map(|line| line.concat() + "\n").collect()
}

fn screen() -> Screen {
    let mut screen = Screen::new(true);
    screen.show(fixture::frame());
    screen
}

#[track_caller]
fn assert_shows(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted:?} is missing in\n{text}");
    }
}

/// The line that begins with this name, its words.
#[track_caller]
fn words<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.trim_start_matches(['│', ' ']).starts_with(name));
    line.unwrap_or_else(|| panic!("{name} is missing in\n{text}"))
        .split([' ', '│'])
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn the_overview_has_queues_verdicts_drops_and_the_journal() {
    for (width, height) in [(80, 24), (120, 40)] {
        let text = text(&drawn(&mut screen(), width, height));
        assert_shows(
            &text,
            &["500 requests/s", "ready", "1 Overview", "q quit", "rx_ring_full", "disk, free"],
        );
        assert_eq!(words(&text, "eth0-0")[..], ["eth0-0", "native", "copy", "500", "470", "30.0", "7", "0"]);
        assert_eq!(words(&text, "accepted")[..3], ["accepted", "450", "1,810"]);
        assert_eq!(words(&text, "bad_authenticator")[..3], ["bad_authenticator", "30.0", "120"]);
        assert_shows(&text, &["records a commit 9.00, p99 <= 16", "commit p50, p99  150 us, 199 us"]);
        assert_eq!(text.contains("Requests/s, at most 500"), height >= CURVE_FROM_HEIGHT);
    }
}

#[test]
fn what_is_being_lost_comes_first_of_what_was_and_what_does_not_fit_is_counted() {
    let mut frame = fixture::frame();
    let (old, new) = (frame.drops[0].clone(), ["eth1-0", "eth1-1", "eth1-2", "eth1-3"]);
    frame.drops.extend(new.into_iter().zip(1..).map(|(worker, per_s)| {
        let datagrams = Rated { total: per_s, per_s: Some(per_s as f64) };
        Drops { worker: worker.to_owned(), datagrams, ..old.clone() }
    }));
    let mut screen = Screen::new(true);
    screen.show(frame);
    for (width, height) in [(80, 24), (120, 40)] {
        let text = text(&drawn(&mut screen, width, height));
        assert_shows(&text, &["Lost before a worker: 3 of 5", "eth1-3", "eth1-2", "eth1-1"]);
        assert!(!text.contains("eth1-0"), "{text}");
    }
}

#[test]
fn each_panel_is_one_key_away() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut screen = screen();
        press(&mut screen, KeyCode::Char('2'));
        let clients = text(&drawn(&mut screen, width, height));
        assert_eq!(words(&clients, "branch")[..3], ["branch", "450", "1,800"]);
        press(&mut screen, KeyCode::Tab);
        let refused = text(&drawn(&mut screen, width, height));
        assert_eq!(words(&refused, "192.0.2.7")[..6], ["192.0.2.7", "branch", "120", "5", "s", "wrong"]);
        assert_shows(&refused, &["2001:db8::1", "no client with this address"]);
        press(&mut screen, KeyCode::Char('4'));
        let latency = text(&drawn(&mut screen, width, height));
        assert_eq!(words(&latency, "total")[..2], ["total", "450"]);
        assert_shows(&latency, &["p99.9", "<= 16", "<= 200 us", "100 %", "####"]);
        press(&mut screen, KeyCode::Tab);
        assert_shows(&text(&drawn(&mut screen, width, height)), &["Verdicts"]);
        press(&mut screen, KeyCode::BackTab);
        assert_shows(&text(&drawn(&mut screen, width, height)), &["p99.9"]);
    }
}

#[test]
fn the_sort_order_changes_by_key() {
    let mut screen = screen();
    press(&mut screen, KeyCode::Char('2'));
    assert_shows(&text(&drawn(&mut screen, 80, 24)), &["Clients by rate"]);
    press(&mut screen, KeyCode::Char('s'));
    press(&mut screen, KeyCode::Char('s'));
    let text = text(&drawn(&mut screen, 80, 24));
    assert_shows(&text, &["Clients by wrong secret"]);
    let line = |name: &str| text.lines().position(|line| line.contains(name)).unwrap();
    assert!(line("a, \"b\"") < line("branch"), "{text}");
}

#[test]
fn a_long_list_scrolls_and_stops_at_its_end() {
    let mut frame = fixture::frame();
    let entry = frame.refused.sources[0].clone();
    frame.refused.sources = (0..100)
        .map(|n| crate::metrics::RefusedSource {
            source: std::net::Ipv4Addr::from(n).into(),
            ..entry.clone()
        })
        .collect();
    let mut screen = Screen::new(false);
    screen.show(frame);
    press(&mut screen, KeyCode::Char('3'));
    assert_shows(&text(&drawn(&mut screen, 80, 24)), &["(1 to 18 of 100)", "0.0.0.17"]);
    for _ in 0..30 {
        press(&mut screen, KeyCode::PageDown);
    }
    assert_shows(&text(&drawn(&mut screen, 80, 24)), &["(83 to 100 of 100)", "0.0.0.99"]);
    press(&mut screen, KeyCode::Up);
    assert_shows(&text(&drawn(&mut screen, 80, 24)), &["(82 to 99 of 100)"]);
}

#[test]
fn a_pause_keeps_what_is_shown() {
    let mut screen = screen();
    press(&mut screen, KeyCode::Char('p'));
    let mut later = fixture::frame();
    later.received.per_s = Some(777.0);
    screen.show(later.clone());
    assert_shows(&text(&drawn(&mut screen, 80, 24)), &["PAUSED", "500 requests/s"]);
    press(&mut screen, KeyCode::Char('p'));
    screen.show(later);
    assert_shows(&text(&drawn(&mut screen, 80, 24)), &["777 requests/s"]);
}

#[test]
fn a_sensor_that_went_away_is_said_and_the_last_numbers_stay() {
    let mut screen = screen();
    let began = Instant::now();
    screen.fail("connection refused".to_owned(), began);
    screen.fail("connection refused".to_owned(), began + Duration::from_secs(1));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|canvas| screen.draw(canvas, began + Duration::from_secs(7))).unwrap();
    let shown = text(terminal.backend().buffer());
    assert_shows(&shown, &["no answer for 7 s, still trying: connection refused", "eth0-0"]);
    screen.show(fixture::frame());
    assert!(!text(&drawn(&mut screen, 80, 24)).contains("no answer"));
}

#[test]
fn without_colours_nothing_has_one() {
    let coloured = |buffer: &Buffer| {
        buffer.content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(coloured(&drawn(&mut screen(), 80, 24)), "the wrong secrets are marked");
    let mut plain = Screen::new(false);
    plain.show(fixture::frame());
    for panel in ['1', '2', '3', '4'] {
        press(&mut plain, KeyCode::Char(panel));
        assert!(!coloured(&drawn(&mut plain, 120, 40)), "panel {panel}");
    }
}

#[test]
fn a_tiny_terminal_is_no_reason_to_fail() {
    for (width, height) in [(1, 1), (20, 5), (40, 12), (300, 100)] {
        let mut screen = screen();
        for panel in ['1', '2', '3', '4'] {
            press(&mut screen, KeyCode::Char(panel));
            drawn(&mut screen, width, height);
        }
    }
}

#[test]
fn keys_that_end_it() {
    let mut screen = screen();
    assert_eq!(press(&mut screen, KeyCode::Char('q')), Wish::Quit);
    assert_eq!(screen.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Wish::Quit);
    assert_eq!(press(&mut screen, KeyCode::Char('c')), Wish::Stay);
}
