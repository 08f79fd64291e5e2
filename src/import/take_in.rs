//! Carries a file out on a running city: people into the directory first, then one `Command::Import`. The same for the API and for
//! `muster import`.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::city::authority::Action;
use crate::city::state::CompoundState;
use crate::directory::people::PersonEntry;
use crate::directory::{Directory, DirectoryError};
use crate::domain::actor::Actor;
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::ids::{CommandId, PersonId};
use crate::domain::refusal::Refusal;
use crate::runtime::Muster;

use super::{Draft, Ready, Report};

/// Takes a file in that was read, or only says what would come of it.
///
/// # Errors
/// The directory cannot be used, or the city refuses the batch after all; then nothing of it is kept. Faults of the file are no
/// error: they stand in the report, and nothing was changed.
pub async fn take_in(
    muster: &Muster,
    directory: &Directory,
    actor: Actor,
    id: CommandId,
    draft: Draft,
    dry_run: bool,
) -> Result<Report, DirectoryError> {
    let asked: Vec<PersonId> = {
        let city = muster.city();
        let own = |compound: &CompoundId| city.may(&actor, Action::KeepRegister, *compound).is_ok();
        let compounds = draft.compounds_with_people().into_iter().filter(own);
        compounds.filter_map(|compound| city.compound(compound).ok()).flat_map(CompoundState::people).collect()
    };
    let known = directory.run(move |directory| directory.people(&asked)).await?;
    let mut fresh = |name: &str, phone: &str| person_of(id, name, phone);
    let Ready { batch, people, mut report } = draft.settle(&muster.city(), &actor, &known, &mut fresh);
    report.dry_run = dry_run;
    if dry_run || !report.is_good() {
        return Ok(report);
    }
    let new = directory.run(move |directory| write(directory, &people)).await?;
    match muster.order(actor, id, None, Command::Import(Box::new(batch))).await {
        Ok(accepted) => report.position = Some(accepted.position),
        Err(refusal) => return Err(forget(muster, directory, new, refusal).await),
    }
    Ok(report)
}

// INVARIANT: the same command twice is done once.
/// Id of a new person of a command: the same when the command is given again, so that nobody comes in twice; and another for
/// somebody else, so that another file under the same id of a command touches nobody.
fn person_of(command: CommandId, name: &str, phone: &str) -> PersonId {
    let said =
        Sha256::new().chain_update(command.0.as_bytes()).chain_update(name).chain_update("\n").chain_update(phone);
    let hash: [u8; 32] = said.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    PersonId(uuid::Builder::from_custom_bytes(half).into_uuid())
}

/// Writes people; gives those of them who were not there before.
fn write(directory: &Directory, people: &[PersonEntry]) -> Result<Vec<PersonId>, DirectoryError> {
    let mut new: Vec<PersonId> = people.iter().map(|entry| entry.id).collect();
    let there: HashSet<PersonId> = directory.people(&new)?.into_iter().map(|entry| entry.id).collect();
    directory.upsert_people(people)?;
    new.retain(|id| !there.contains(id));
    Ok(new)
}

/// The city said no after the people were written: those to whom nothing refers go again, as if they had never come.
async fn forget(muster: &Muster, directory: &Directory, mut new: Vec<PersonId>, refusal: Refusal) -> DirectoryError {
    // The same command, given twice at once, may have been done by the other one.
    new.retain(|id| muster.city().places_of(*id).next().is_none());
    match directory.run(move |directory| directory.withdraw_people(&new)).await {
        Ok(()) => refusal.into(),
        Err(error) => error,
    }
}
