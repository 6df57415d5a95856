//! The terminal itself: asks the sensor on a thread of its own, so that a sensor that hangs does not take the keys
//! with it, and leaves the terminal as it was found, however it ends.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use ratatui::crossterm::event;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::{
    frame::Frame,
    scrape::Sample,
    screen::{REDRAW, Screen, Wish},
};
use crate::cli::{Failure, endpoint::Endpoint};

/// How soon a signal or a new sample is seen.
const TURN: Duration = Duration::from_millis(100);

/// Restores the terminal when dropped. A panic restores it before its message is written: ratatui's hook does that.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the sensor until somebody has seen enough.
pub(super) fn run(endpoint: &Endpoint, interval: Duration, colours: bool) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        signal_hook::flag::register(signal, stop.clone()).context("cannot wait for signals")?;
    }
    let frames = ask_again_and_again(endpoint.clone(), interval)?;
    // Before the terminal is touched: what was half done when it failed is undone as well.
    let _restored = Restored;
    let mut terminal =
        ratatui::try_init().context("cannot draw on this terminal (--once prints a frame as text)")?;
    let mut screen = Screen::new(colours);
    let mut drawn: Option<Instant> = None;
    while !stop.load(Relaxed) {
        let mut changed = drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW);
        loop {
            match frames.try_recv() {
                Ok(Ok(frame)) => screen.show(*frame),
                Ok(Err(error)) => screen.fail(format!("{error:#}"), Instant::now()),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(anyhow!("the sensor is asked no more").into()),
            }
            changed = true;
        }
        if changed {
            terminal.draw(|canvas| screen.draw(canvas, Instant::now())).context("drawing")?;
            drawn = Some(Instant::now());
        }
        if next_event(&mut screen)? {
            break;
        }
    }
    Ok(())
}

/// Waits a moment for a key or another size; whether it is time to go.
fn next_event(screen: &mut Screen) -> Result<bool, Failure> {
    let event = match event::poll(TURN) {
        Ok(true) => event::read(),
        Ok(false) => return Ok(false),
        Err(error) => Err(error),
    };
    match event {
        Ok(event::Event::Key(key)) => Ok(screen.key(key) == Wish::Quit),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(anyhow::Error::new(error).context("reading keys").into()),
    }
}

type Asked = anyhow::Result<Box<Frame>>;

fn ask_again_and_again(endpoint: Endpoint, interval: Duration) -> Result<Receiver<Asked>, Failure> {
    let (sender, receiver) = mpsc::channel();
    let ask = move || {
        let mut before: Option<Sample> = None;
        loop {
            let began = Instant::now();
            let asked = Sample::ask(&endpoint).map(|now| {
                let frame = Frame::new(endpoint.address(), before.as_ref(), &now);
                before = Some(now);
                Box::new(frame)
            });
            if sender.send(asked).is_err() {
                return;
            }
            thread::sleep(interval.saturating_sub(began.elapsed()));
        }
    };
    thread::Builder::new().name("scrape".into()).spawn(ask).context("cannot start a thread")?;
    Ok(receiver)
}
