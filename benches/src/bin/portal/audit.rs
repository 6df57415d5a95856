//! The audit log as full as it gets: what forty people looked at in two years.

use std::path::Path;

use anyhow::Context as _;
use service::control::Control;

use super::company::Company;

/// As many lines as are kept.
const LINES: u64 = 1_000_000;
/// Who looks.
pub(super) const PEOPLE: u64 = 40;
/// What is done.
pub(super) const ACTIONS: [&str; 4] = ["user.show", "alerts.list", "sessions.list", "search"];
/// Between two lines, seconds: all of them fill the two years that lines are kept for, but for a week.
const APART_S: u64 = (2 * 365 - 7) * 86_400 / LINES;

/// Fills it, unless it is full.
pub(super) fn fill(state: &Path, users: u64) -> anyhow::Result<()> {
    let control = Control::open(state)?;
    let newest = control.audit(1)?.first().map_or(0, |row| row.number);
    drop(control);
    if newest >= LINES as i64 {
        return Ok(());
    }
    eprintln!("filling the audit log");
    let file = state.join("service/control.sqlite");
    let mut database = rusqlite::Connection::open(&file).with_context(|| format!("{}", file.display()))?;
    let lines = database.transaction()?;
    let mut insert =
        lines.prepare("INSERT INTO audit (time, who, action, subject) VALUES (?1, ?2, ?3, ?4)")?;
    let now_s = jiff::Timestamp::now().as_second() as u64;
    for line in 0..LINES {
        let dice = line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
        let action = ACTIONS[dice as usize % ACTIONS.len()];
        let subject = (action == ACTIONS[0]).then(|| Company::user_name(dice % users));
        let at = now_s - (LINES - line) * APART_S;
        insert.execute((at as i64, who(dice), action, subject))?;
    }
    drop(insert);
    Ok(lines.commit()?)
}

/// Somebody who looks.
pub(super) fn who(dice: u64) -> String {
    format!("analyst{}@portal", dice / 7 % PEOPLE)
}
