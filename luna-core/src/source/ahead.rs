//! Reading ahead: while some threads examine, others fetch what comes next.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use rayon::prelude::*;

use super::{Item, Reading, Source, Visit};

/// Reads items as [`Source::each`] promises, up to `readers` of them at a time, whatever the number of
/// threads that examine them: for sources whose answers take long and cost no work.
///
/// Room for each file is claimed before it is asked for, so a small budget means few files in flight.
/// Readers wait for room and hand bytes over, nothing else; threads that examine never wait for room
/// while they hold some. So neither can keep the other waiting for ever.
///
/// ```
/// use luna_core::{Source, limits::MemoryBudget, source::{Memory, Reading, read_ahead}};
/// let source = Memory::single("a.png", vec![1, 2]);
/// let memory = MemoryBudget::new(1 << 20);
/// let reading = Reading { max_bytes: 100, memory: &memory, stop: &|| false };
/// read_ahead(&source, &source.items()?, &reading, &|_, bytes| assert_eq!(bytes.unwrap().len(), 2), 8);
/// # Ok::<(), luna_core::SourceError>(())
/// ```
pub fn read_ahead(
    source: &(impl Source + ?Sized),
    items: &[Item],
    reading: &Reading<'_>,
    visit: &Visit<'_>,
    readers: usize,
) {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::sync_channel(readers);
    std::thread::scope(|scope| {
        for _ in 0..readers.min(items.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(number).filter(|_| !(reading.stop)()) else { break };
                    let room = reading.memory.claim(item.size_bytes.min(reading.max_bytes));
                    if (reading.stop)() {
                        break;
                    }
                    let bytes = source.read(&item.path, reading.max_bytes).map(Cow::into_owned);
                    if sender.send((number, bytes, room)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        receiver.into_iter().par_bridge().for_each(|(number, bytes, room)| {
            if !(reading.stop)() {
                visit(number, bytes.map(Cow::Owned));
            }
            drop(room);
        });
    });
}
