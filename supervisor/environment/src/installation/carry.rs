//! Doing the steps of a journal, and undoing them. Each can be asked for twice: what is done already is
//! seen from what lies where.

use std::collections::BTreeSet;

use super::TargetError;
use super::beneath::Beneath;
use super::journal::{Entry, Journal, Step, clear, kept_in};

/// Does the steps of a package.
pub(super) fn forward(beneath: &Beneath, entry: &Entry) -> Result<(), TargetError> {
    beneath.make_folder(&kept_in(entry.number))?;
    entry
        .steps
        .iter()
        .try_for_each(|step| step_forward(beneath, entry, step))
}

/// Takes the steps of a package back, the last one first.
pub(super) fn backward(beneath: &Beneath, entry: &Entry) -> Result<(), TargetError> {
    entry
        .steps
        .iter()
        .rev()
        .try_for_each(|step| step_backward(beneath, entry, step))
}

/// Puts right what an interrupted run left: each package is what it was, or what it was to become.
///
/// Says whether there was anything.
pub(super) fn repair(beneath: &Beneath) -> Result<bool, TargetError> {
    let Some(journal) = Journal::read(beneath)? else {
        let is_there = beneath.has(super::journal::WORK)?;
        clear(beneath)?;
        return Ok(is_there);
    };
    let mut committed = Vec::new();
    for entry in &journal.entries {
        if is_committed(beneath, entry)? {
            forward(beneath, entry)?;
            committed.push(entry);
        } else {
            backward(beneath, entry)?;
        }
    }
    finish(beneath, &journal, committed)?;
    Ok(true)
}

/// Takes back a run of which something failed: everything is as it was before.
pub(super) fn undo(beneath: &Beneath, journal: &Journal) -> Result<(), TargetError> {
    journal
        .entries
        .iter()
        .rev()
        .try_for_each(|entry| backward(beneath, entry))?;
    finish(beneath, journal, [])
}

/// Removes empty folders of the old versions of some packages, and then the traces of the run, once all that was
/// done by its journal is durable.
pub(super) fn finish<'a>(
    beneath: &Beneath,
    journal: &Journal,
    committed: impl IntoIterator<Item = &'a Entry>,
) -> Result<(), TargetError> {
    for folder in committed.into_iter().flat_map(|entry| &entry.emptied) {
        beneath.remove_empty(folder)?;
    }
    let folders: BTreeSet<_> = journal.entries.iter().flat_map(Entry::folders).collect();
    for folder in folders {
        beneath.sync(folder)?;
    }
    clear(beneath)
}

/// Whether the new version is the installed one.
fn is_committed(beneath: &Beneath, entry: &Entry) -> Result<bool, TargetError> {
    match &entry.steps[entry.commit] {
        Step::Put { path } | Step::Over { path, .. } => {
            Ok(!beneath.has(&entry.staged(path))? && beneath.has(path)?)
        }
        Step::Exchange {
            path,
            becomes,
            inode,
            ..
        } => {
            let there = is_inode(beneath, path, *inode)?;
            match becomes {
                Some(name) if !there => is_inode(beneath, name, *inode),
                _ => Ok(there),
            }
        }
        Step::Take { path, kept } => Ok(!beneath.has(path)? && beneath.has(&entry.kept(*kept))?),
    }
}

fn step_forward(beneath: &Beneath, entry: &Entry, step: &Step) -> Result<(), TargetError> {
    match step {
        Step::Put { path } => {
            let staged = entry.staged(path);
            if beneath.has(&staged)? {
                beneath.put(&staged, path)?;
            }
        }
        Step::Exchange {
            staged,
            path,
            becomes,
            inode,
        } => {
            let done = is_inode(beneath, path, *inode)?
                || match becomes {
                    Some(name) => is_inode(beneath, name, *inode)?,
                    None => false,
                };
            if !done {
                beneath.exchange(&entry.staged(staged), path)?;
            }
            if let Some(name) = becomes
                && is_inode(beneath, path, *inode)?
            {
                beneath.put(path, name)?;
            }
        }
        Step::Over { path, kept } => {
            let (staged, kept) = (entry.staged(path), entry.kept(*kept));
            if beneath.has(&staged)? {
                beneath.copy(path, &kept)?;
                beneath.sync(&kept_in(entry.number))?;
                beneath.put_over(&staged, path)?;
            }
        }
        Step::Take { path, kept } => {
            let kept = entry.kept(*kept);
            if !beneath.has(&kept)? && beneath.has(path)? {
                beneath.put(path, &kept)?;
            }
        }
    }
    Ok(())
}

fn step_backward(beneath: &Beneath, entry: &Entry, step: &Step) -> Result<(), TargetError> {
    match step {
        Step::Put { path } => {
            let staged = entry.staged(path);
            if !beneath.has(&staged)? && beneath.has(path)? {
                beneath.put(path, &staged)?;
            }
        }
        Step::Exchange {
            staged,
            path,
            becomes,
            inode,
        } => {
            if let Some(name) = becomes
                && is_inode(beneath, name, *inode)?
            {
                beneath.put(name, path)?;
            }
            if is_inode(beneath, path, *inode)? {
                beneath.exchange(&entry.staged(staged), path)?;
            }
        }
        Step::Over { path, kept } => {
            let kept = entry.kept(*kept);
            if !beneath.has(&entry.staged(path))? && beneath.has(&kept)? {
                beneath.put_over(&kept, path)?;
            }
        }
        Step::Take { path, kept } => {
            let kept = entry.kept(*kept);
            if beneath.has(&kept)? && !beneath.has(path)? {
                beneath.put(&kept, path)?;
            }
        }
    }
    Ok(())
}

fn is_inode(beneath: &Beneath, path: &str, inode: u64) -> Result<bool, TargetError> {
    Ok(beneath
        .look(path)?
        .is_some_and(|found| found.inode == inode))
}
