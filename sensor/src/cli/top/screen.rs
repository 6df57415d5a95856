//! What stands on the terminal, and what keys do to it. Knows no terminal: `live` hands keys in and draws it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use ratatui::{
    Frame as Canvas,
    crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Cell, Paragraph, Row, Sparkline, Table as TableWidget},
};

use super::{
    frame::Frame,
    plain::headline,
    rows::{self, Sort, Table},
};

/// Samples of the requests' rate that the curve can show: two minutes at the usual interval of a second.
const HISTORY: usize = 120;

/// Rows from which there is room for the curve.
const CURVE_FROM_HEIGHT: u16 = 30;

/// Rows of losses: the journal beside them needs the others of a small terminal.
const DROPS_SHOWN: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Panel {
    Overview,
    Clients,
    Refused,
    Latency,
}

impl Panel {
    const ALL: [Panel; 4] = [Panel::Overview, Panel::Clients, Panel::Refused, Panel::Latency];

    fn name(self) -> &'static str {
        match self {
            Panel::Overview => "Overview",
            Panel::Clients => "Clients",
            Panel::Refused => "Refused",
            Panel::Latency => "Latency",
        }
    }
}

/// The sensor does not answer.
#[derive(Debug)]
struct Trouble {
    since: Instant,
    reason: String,
}

/// The state of the view.
#[derive(Debug)]
pub(super) struct Screen {
    colours: bool,
    panel: Panel,
    sort: Sort,
    paused: bool,
    scrolled: usize,
    frame: Option<Frame>,
    trouble: Option<Trouble>,
    /// Requests a second, oldest first.
    history: VecDeque<u64>,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Stay,
    Quit,
}

impl Screen {
    pub(super) fn new(colours: bool) -> Screen {
        Screen {
            colours,
            panel: Panel::Overview,
            sort: Sort::default(),
            paused: false,
            scrolled: 0,
            frame: None,
            trouble: None,
            history: VecDeque::with_capacity(HISTORY),
        }
    }

    /// Takes in a new frame; while paused the old one stays.
    pub(super) fn show(&mut self, frame: Frame) {
        self.trouble = None;
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(frame.received.per_s.unwrap_or(0.0).round() as u64);
        if !self.paused {
            self.frame = Some(frame);
        }
    }

    /// Notes that the sensor did not answer.
    pub(super) fn fail(&mut self, reason: String, now: Instant) {
        let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
        self.trouble = Some(Trouble { since, reason });
    }

    /// Does what a key says.
    pub(super) fn key(&mut self, key: KeyEvent) -> Wish {
        if key.kind == KeyEventKind::Release {
            return Wish::Stay;
        }
        let panel = Panel::ALL.iter().position(|panel| *panel == self.panel).unwrap_or(0);
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Wish::Quit,
            // In raw mode the terminal makes no signal of it.
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Wish::Quit,
            KeyCode::Char('p') | KeyCode::Char(' ') => self.paused = !self.paused,
            KeyCode::Char('s') => self.sort = self.sort.next(),
            KeyCode::Tab | KeyCode::Right => self.turn_to(panel + 1),
            KeyCode::BackTab | KeyCode::Left => self.turn_to(panel + Panel::ALL.len() - 1),
            KeyCode::Char(digit @ '1'..='4') => self.turn_to(digit as usize - '1' as usize),
            KeyCode::Down | KeyCode::Char('j') => self.scrolled = self.scrolled.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => self.scrolled = self.scrolled.saturating_sub(1),
            KeyCode::PageDown => self.scrolled = self.scrolled.saturating_add(10),
            KeyCode::PageUp => self.scrolled = self.scrolled.saturating_sub(10),
            KeyCode::Home => self.scrolled = 0,
            _ => {}
        }
        Wish::Stay
    }

    fn turn_to(&mut self, panel: usize) {
        self.panel = Panel::ALL[panel % Panel::ALL.len()];
        self.scrolled = 0;
    }

    /// Draws everything.
    pub(super) fn draw(&mut self, canvas: &mut Canvas<'_>, now: Instant) {
        let [head, tabs, body, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(canvas.area());
        canvas.render_widget(self.head(now), head);
        canvas.render_widget(self.tabs(), tabs);
        canvas.render_widget(self.foot(), foot);
        // Borrowed apart from the rest, which drawing changes (how far one can scroll).
        let Some(frame) = self.frame.take() else { return };
        match self.panel {
            Panel::Overview => self.overview(canvas, body, &frame),
            Panel::Clients => {
                let title = format!("Clients by {}", self.sort.name());
                self.scrolling(canvas, body, &title, &rows::clients(&frame, self.sort));
            }
            Panel::Refused => {
                let title = match frame.refused.forgotten {
                    0 => "Refused, most recent first".to_owned(),
                    forgotten => {
                        format!("Refused, most recent first ({forgotten} earlier ones left the list)")
                    }
                };
                self.scrolling(canvas, body, &title, &rows::refused(&frame));
            }
            Panel::Latency => self.latency(canvas, body, &frame),
        }
        self.frame = Some(frame);
    }

    fn head(&self, now: Instant) -> Line<'static> {
        let text = match (&self.trouble, &self.frame) {
            (Some(trouble), _) => {
                let seconds = now.duration_since(trouble.since).as_secs();
                let text = format!("no answer for {seconds} s, still trying: {}", trouble.reason);
                return Line::styled(text, self.alarm());
            }
            (None, Some(frame)) if frame.not_ready.is_some() => {
                return Line::styled(headline(frame), self.alarm());
            }
            (None, Some(frame)) => headline(frame),
            (None, None) => "asking the sensor ...".to_owned(),
        };
        let paused = if self.paused { "PAUSED  " } else { "" };
        Line::from(vec![
            Span::styled(paused, self.alarm()),
            Span::styled(text, Style::new().add_modifier(Modifier::BOLD)),
        ])
    }

    fn tabs(&self) -> Line<'static> {
        let tabs = Panel::ALL.iter().enumerate().flat_map(|(index, panel)| {
            let style = if *panel == self.panel {
                Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD)
            } else {
                Style::new()
            };
            [Span::styled(format!(" {} {} ", index + 1, panel.name()), style), Span::raw(" ")]
        });
        Line::from(tabs.collect::<Vec<_>>())
    }

    fn foot(&self) -> Line<'static> {
        Line::styled(
            format!("q quit  p pause  tab/1-4 panel  s sort: {}  up/down scroll", self.sort.name()),
            Style::new().add_modifier(Modifier::DIM),
        )
    }

    fn overview(&mut self, canvas: &mut Canvas<'_>, area: Rect, frame: &Frame) {
        let curve_height = if canvas.area().height >= CURVE_FROM_HEIGHT { 6 } else { 0 };
        let verdicts = rows::verdicts(frame);
        let drops = rows::drops(frame);
        let queues = rows::queues(frame);
        // Borders and titles take three rows.
        let lower_height = verdicts.rows.len() as u16 + 3;
        let queues_height =
            (queues.rows.len() as u16 + 3).min(area.height.saturating_sub(lower_height).max(5));
        let [curve, upper, lower] = Layout::vertical([
            Constraint::Length(curve_height),
            Constraint::Length(queues_height),
            Constraint::Min(0),
        ])
        .areas(area);
        if curve_height > 0 {
            self.curve(canvas, curve);
        }
        self.scrolling(canvas, upper, "Queues", &queues);
        let [left, right] = Layout::horizontal([Constraint::Length(42), Constraint::Min(0)]).areas(lower);
        self.table(canvas, left, "Verdicts", &verdicts, 0);
        let journal = rows::journal(frame);
        if drops.rows.is_empty() {
            self.table(canvas, right, "Journal", &journal, 0);
            return;
        }
        let (count, shown) = (drops.rows.len(), drops.rows.len().min(DROPS_SHOWN));
        let [journal_area, drops_area] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(shown as u16 + 2)]).areas(right);
        self.table(canvas, journal_area, "Journal", &journal, 0);
        let title = match count > shown {
            true => format!("Lost before a worker: {shown} of {count}"),
            false => "Lost before a worker saw them".to_owned(),
        };
        canvas.render_widget(self.rows(drops_area, &title, &drops, 0), drops_area);
    }

    fn latency(&mut self, canvas: &mut Canvas<'_>, area: Rect, frame: &Frame) {
        let stages = rows::stages(frame);
        let [upper, lower] =
            Layout::vertical([Constraint::Length(stages.rows.len() as u16 + 3), Constraint::Min(0)])
                .areas(area);
        self.table(canvas, upper, "Stages: this interval | since the start", &stages, 0);
        let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(lower);
        self.table(canvas, left, "Batch fill, this interval", &rows::fill(frame), 0);
        self.table(canvas, right, "Commit time, this interval", &rows::commit_times(frame), 0);
    }

    fn curve(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let most = self.history.iter().max().copied().unwrap_or(0);
        let block = Block::bordered().title(format!("Requests/s, at most {most}"));
        // The newest samples that fit.
        let room = usize::from(area.width.saturating_sub(2));
        let data: Vec<u64> =
            self.history.iter().skip(self.history.len().saturating_sub(room)).copied().collect();
        let style = if self.colours { Style::new().fg(Color::Green) } else { Style::new() };
        canvas.render_widget(Sparkline::default().block(block).data(data).style(style), area);
    }

    /// A table that the keys scroll.
    fn scrolling(&mut self, canvas: &mut Canvas<'_>, area: Rect, title: &str, table: &Table) {
        let visible = usize::from(area.height.saturating_sub(3));
        let furthest = table.rows.len().saturating_sub(visible);
        self.scrolled = self.scrolled.min(furthest);
        let title = match furthest {
            0 => title.to_owned(),
            _ => format!(
                "{title} ({} to {} of {})",
                self.scrolled + 1,
                (self.scrolled + visible).min(table.rows.len()),
                table.rows.len()
            ),
        };
        self.table(canvas, area, &title, table, self.scrolled);
    }

    fn table(&self, canvas: &mut Canvas<'_>, area: Rect, title: &str, table: &Table, from: usize) {
        if table.rows.is_empty() {
            let nothing = Paragraph::new("nothing").block(Block::bordered().title(title.to_owned()));
            return canvas.render_widget(nothing, area);
        }
        let mut widget = self.rows(area, title, table, from);
        if table.is_titled() {
            let titles = table.columns.iter().map(|column| cell(column.title, column.right));
            widget = widget.header(Row::new(titles).style(Style::new().add_modifier(Modifier::BOLD)));
        }
        canvas.render_widget(widget, area);
    }

    fn rows<'a>(&self, area: Rect, title: &str, table: &'a Table, from: usize) -> TableWidget<'a> {
        let rows = table.rows.iter().skip(from).map(|row| {
            let cells = row.cells.iter().zip(&table.columns).map(|(text, column)| cell(text, column.right));
            Row::new(cells).style(if row.alarm { self.alarm() } else { Style::new() })
        });
        let widths = fit(table, area.width.saturating_sub(2));
        TableWidget::new(rows, widths.into_iter().map(Constraint::Length))
            .block(Block::bordered().title(title.to_owned()))
    }

    fn alarm(&self) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if self.colours { style.fg(Color::Red) } else { style }
    }
}

fn cell(text: &str, right: bool) -> Cell<'_> {
    let line = Line::raw(text);
    Cell::from(if right { line.right_aligned() } else { line })
}

/// No column of text gets narrower than this.
const TEXT_WIDTH_MIN: u16 = 6;

/// Widths that fit: what is too much comes off the widest columns of text; numbers stay whole.
fn fit(table: &Table, available: u16) -> Vec<u16> {
    let mut widths: Vec<u16> =
        table.widths().into_iter().map(|width| u16::try_from(width).unwrap_or(u16::MAX)).collect();
    let gaps = widths.len().saturating_sub(1);
    loop {
        let taken = widths.iter().map(|&width| usize::from(width)).sum::<usize>() + gaps;
        let Some(surplus) = taken.checked_sub(usize::from(available)).filter(|&surplus| surplus > 0) else {
            return widths;
        };
        let text = widths.iter_mut().zip(&table.columns).filter(|(_, column)| !column.right);
        match text.map(|(width, _)| width).max() {
            Some(width) if *width > TEXT_WIDTH_MIN => {
                // A very long one at once, the rest in turn.
                *width -= u16::try_from(surplus / 2).unwrap_or(u16::MAX).clamp(1, *width - TEXT_WIDTH_MIN);
            }
            _ => return widths,
        }
    }
}

/// How long a drawn screen may stay as it is while the sensor does not answer: the seconds on it go on.
pub(super) const REDRAW: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
