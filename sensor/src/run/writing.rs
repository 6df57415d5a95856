//! The journal's writer on its thread, which goes before the workers' where it may.
//!
//! Raising a priority takes CAP_SYS_NICE, so the thread is made before the privileges go, gives up its own, and then
//! waits for the writer, which needs its ports first.

use std::{
    io,
    sync::mpsc::{SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use journal::{RealStorage, Writer};

use super::privileges;

/// How much the writer goes before the workers, as nice(1) counts.
///
/// The writer sleeps in syncs nearly all of its time, and every answer waits for it: on a core that it shares with a
/// busy worker it was kept waiting for 1 to 6 ms once in some thousand commits.
const NICENESS: i32 = -10;

/// The thread, without work yet.
pub(super) struct WriterThread {
    hand_over: SyncSender<Writer<RealStorage>>,
    thread: JoinHandle<anyhow::Result<()>>,
}

/// Makes the thread. To be called with the privileges still there.
///
/// # Errors
/// When there can be no more threads.
pub(super) fn prepare() -> io::Result<WriterThread> {
    let (hand_over, handed) = sync_channel::<Writer<RealStorage>>(1);
    let body = move || {
        let raised = rustix::process::setpriority_process(None, NICENESS);
        privileges::drop_all()?;
        if let Err(error) = raised {
            tracing::debug!("the journal's writer has the priority of the workers: {error}");
        }
        // Without a writer the start failed elsewhere.
        if let Ok(writer) = handed.recv() {
            writer.run();
        }
        Ok(())
    };
    let thread = thread::Builder::new().name("journal".into()).spawn(body)?;
    Ok(WriterThread { hand_over, thread })
}

impl WriterThread {
    /// Gives it the writer, which runs until its handle says stop.
    ///
    /// # Errors
    /// What ended the thread before.
    pub(super) fn run(self, writer: Writer<RealStorage>) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
        let WriterThread { hand_over, thread } = self;
        if hand_over.send(writer).is_err() {
            thread.join().map_err(|_| anyhow::anyhow!("the journal's thread panicked"))??;
            anyhow::bail!("the journal's thread ended");
        }
        Ok(thread)
    }
}
