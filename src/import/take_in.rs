//! Carries a file out on a running city: people into the directory first, then one `Command::Import`. The same for the API and for
//! `muster import`.

use sha2::{Digest, Sha256};

use crate::city::authority::Action;
use crate::city::state::CompoundState;
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
    let mut count = 0_u64;
    let mut fresh = || {
        count += 1;
        person_of(id, count)
    };
    let Ready { batch, people, mut report } = draft.settle(&muster.city(), &actor, &known, &mut fresh);
    report.dry_run = dry_run;
    if dry_run || !report.is_good() {
        return Ok(report);
    }
    let new: Vec<PersonId> = people.iter().map(|entry| entry.id).collect();
    directory.run(move |directory| directory.upsert_people(&people)).await?;
    match muster.order(actor, id, None, Command::Import(Box::new(batch))).await {
        Ok(accepted) => report.position = Some(accepted.position),
        Err(refusal) => return Err(forget(muster, directory, new, refusal).await),
    }
    Ok(report)
}

// INVARIANT: the same command twice is done once.
/// Id of the `count`-th new person of a command: the same when the command is given again, so that nobody comes in twice.
fn person_of(command: CommandId, count: u64) -> PersonId {
    let hash: [u8; 32] =
        Sha256::new().chain_update(command.0.as_bytes()).chain_update(count.to_be_bytes()).finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    PersonId(uuid::Builder::from_custom_bytes(half).into_uuid())
}

/// The city said no after the people were written: nobody refers to them, so they go again.
async fn forget(muster: &Muster, directory: &Directory, new: Vec<PersonId>, refusal: Refusal) -> DirectoryError {
    let now = muster.now();
    let erased = directory.run(move |directory| new.into_iter().try_for_each(|id| directory.erase_person(id, now)));
    match erased.await {
        Ok(()) => refusal.into(),
        Err(error) => error,
    }
}
