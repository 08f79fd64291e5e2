//! Carries a file out on a running city: people into the directory first, then one `Command::Import`. The same for the API and for
//! `muster import`.
//!
//! All or nothing over directory and journal together: until the city has taken the batch in, its new people are marked as
//! arriving ([`crate::directory::arrivals`]). Where it is refused they go again; where the process dies in between, the next start
//! asks the journal ([`settle_arrivals`]).

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::city::City;
use crate::city::authority::Action;
use crate::city::state::CompoundState;
use crate::directory::people::PersonEntry;
use crate::directory::{Directory, DirectoryError};
use crate::domain::actor::Actor;
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::ids::{CommandId, PersonId};
use crate::domain::refusal::{Class, Refusal};
use crate::domain::time::Timestamp;
use crate::engine::{Accepted, Answer};
use crate::runtime::Muster;

use super::{Draft, Ready, Report};

/// Takes a file in that was read, or only says what would come of it. To be run to its end: a caller who may go away spawns it.
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
    let _turn = directory.arrivals_turn().await;
    let known = people_of(muster, directory, &actor, &draft.compounds_with_people()).await?;
    let mut fresh = fresh_people(id, &known);
    let Ready { batch, people, mut report } = draft.settle(&muster.city(), &actor, &known, &mut fresh);
    report.dry_run = dry_run;
    if dry_run || !report.is_good() {
        return Ok(report);
    }
    let accepted = carry_out(muster, directory, actor, id, people, Command::Import(Box::new(batch))).await?;
    report.position = Some(accepted.position);
    Ok(report)
}

/// Who has a part in these compounds, as far as the actor keeps their register: who is named again is recognised among them.
pub(super) async fn people_of(
    muster: &Muster,
    directory: &Directory,
    actor: &Actor,
    compounds: &[CompoundId],
) -> Result<Vec<PersonEntry>, DirectoryError> {
    let asked: Vec<PersonId> = {
        let city = muster.city();
        let own = |compound: &&CompoundId| city.may(actor, Action::KeepRegister, **compound).is_ok();
        let compounds = compounds.iter().filter(own);
        compounds.filter_map(|compound| city.compound(*compound).ok()).flat_map(CompoundState::people).collect()
    };
    directory.run(move |directory| directory.people(&asked)).await
}

/// Ids for the new people of a command.
pub(super) fn fresh_people(id: CommandId, known: &[PersonEntry]) -> impl FnMut() -> PersonId + use<> {
    let taken: HashSet<PersonId> = known.iter().map(|person| person.id).collect();
    let mut count = 0_u64;
    move || loop {
        count += 1;
        let person = person_of(id, count);
        if !taken.contains(&person) {
            return person;
        }
    }
}

/// Gives the order that says of new people that they exist: they are in the directory before, and go again where it is refused.
/// [`Directory::arrivals_turn`] is the caller's.
pub(super) async fn carry_out(
    muster: &Muster,
    directory: &Directory,
    actor: Actor,
    id: CommandId,
    people: Vec<PersonEntry>,
    command: Command,
) -> Result<Accepted, DirectoryError> {
    let now = muster.now();
    let arriving = directory.run(move |directory| directory.arrive(&people, now)).await?;
    let answer = muster.order(actor, id, None, command).await;
    decide_arrivals(directory, arriving, &answer).await;
    Ok(answer?)
}

// INVARIANT: the same command twice is done once.
/// Id of the `count`-th new person of a command: the same when the command is given again, so that nobody comes in twice. Another
/// file under the same command meets other names under these ids, and is refused before anything is written.
fn person_of(command: CommandId, count: u64) -> PersonId {
    let hash: [u8; 32] =
        Sha256::new().chain_update(command.0.as_bytes()).chain_update(count.to_be_bytes()).finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    PersonId(uuid::Builder::from_custom_bytes(half).into_uuid())
}

/// Those of a batch that was taken in stay, those of a refused one go. Where nobody knows, and where the directory fails, they stay
/// marked until they are settled: what is answered is what the journal says.
async fn decide_arrivals(directory: &Directory, arriving: Vec<PersonId>, answer: &Answer) {
    let settled = match answer {
        Ok(_) => directory.run(move |directory| directory.stay(&arriving)).await,
        Err(Refusal::OutcomeUnknown {}) => Ok(()),
        // Another node may be carrying out the same command: whoever gave it to both must not lose its people by the one that could not.
        Err(refusal) if directory.is_shared() && matches!(refusal.class(), Class::Unavailable | Class::TooMuch) => {
            Ok(())
        }
        Err(_) => directory.run(move |directory| directory.turn_away(&arriving)).await,
    };
    if let Err(error) = settled {
        tracing::warn!(%error, "people of an import stay marked as arriving until they are settled");
    }
}

/// Once the journal is taken in, at a start, and now and then where several nodes serve the city: whom an import that was cut short had written at `upto` or before stays if the city knows
/// them, and goes if not. Gives how many went. Blocks.
///
/// # Errors
/// The directory cannot be used.
pub fn settle_arrivals(city: &City, directory: &Directory, upto: Timestamp) -> Result<usize, DirectoryError> {
    let arriving = directory.arriving(upto)?;
    let (known, unknown): (Vec<_>, Vec<_>) =
        arriving.into_iter().partition(|person| city.places_of(*person).next().is_some());
    directory.stay(&known)?;
    directory.turn_away(&unknown)?;
    Ok(unknown.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tempfile::TempDir;
    use uuid::Uuid;

    use super::super::Kind;
    use super::super::tests::{groundwork, read};
    use super::*;
    use crate::directory::FILE_NAME;
    use crate::domain::policy::Policy;
    use crate::engine::Limits;
    use crate::journal::memory::MemoryJournal;
    use crate::runtime::Parts;
    use crate::runtime::clock::SystemClock;
    use crate::testing::{Faults, FaultyJournal};

    const PEOPLE: &str = include_str!("../../tests/data/import/people.csv");
    const FIRST: CommandId = CommandId(Uuid::from_u128(1));

    struct Desk {
        muster: Muster,
        directory: Directory,
        faults: Faults,
        _folder: TempDir,
    }

    impl Desk {
        async fn new() -> Self {
            let faults = Faults::default();
            let parts = Parts {
                journal: Box::new(FaultyJournal::new(MemoryJournal::new("test"), faults.clone())),
                publisher: Box::new(()),
                clock: Arc::new(SystemClock),
                policy: Policy::default(),
                limits: Limits::default(),
                history: 0,
            };
            let (muster, folder) = (Muster::start(parts).unwrap(), TempDir::new().unwrap());
            let city = Command::Import(Box::new(groundwork()));
            muster.order(Actor::system(), CommandId(Uuid::now_v7()), None, city).await.unwrap();
            let directory = Directory::open(&folder.path().join(FILE_NAME), "1404".parse().unwrap()).unwrap();
            Self { muster, directory, faults, _folder: folder }
        }

        async fn imports(&self, id: CommandId, file: &str) -> Result<Report, Refusal> {
            let draft = read(Kind::People, file.as_bytes());
            let taken = take_in(&self.muster, &self.directory, Actor::system(), id, draft, false).await;
            taken.map_err(|error| error.refusal())
        }

        /// Names of the compound's people, those that the directory knows.
        fn names(&self) -> Vec<String> {
            let people: Vec<_> = self.muster.city().compounds().flat_map(|(_, state)| state.people()).collect();
            let mut names: Vec<_> = self.directory.people(&people).unwrap().into_iter().map(|p| p.name).collect();
            names.sort();
            names.dedup();
            names
        }

        /// Whether the `count`-th new person of the first command is in the directory.
        fn has(&self, count: u64) -> bool {
            self.directory.person(person_of(FIRST, count)).unwrap().is_some()
        }
    }

    #[tokio::test]
    async fn what_the_journal_refuses_leaves_nobody_behind_and_a_retry_works() {
        let desk = Desk::new().await;
        desk.faults.fill_disk();
        assert_eq!(desk.imports(FIRST, PEOPLE).await.unwrap_err(), Refusal::JournalUnavailable {});
        assert!(!desk.has(1) && !desk.has(4) && desk.directory.arriving(Timestamp(i64::MAX)).unwrap().is_empty());
        desk.faults.heal();
        // Mended meanwhile, under the same id: nothing was done under it.
        let mended = PEOPLE.replace("示例乙", "示例丁");
        let taken = desk.imports(FIRST, &mended).await.unwrap();
        assert_eq!((taken.new_people, taken.position), (4, Some(2)));
        assert_eq!(desk.names(), ["张某1", "示例丁", "示例丙", "示例甲"]);
        assert!(desk.directory.arriving(Timestamp(i64::MAX)).unwrap().is_empty());
        let again = desk.imports(FIRST, &mended).await.unwrap();
        assert_eq!((again.new_people, again.position), (0, Some(2)), "the first answer");
    }

    #[tokio::test]
    async fn another_file_under_a_used_id_takes_nothing_from_the_first() {
        let desk = Desk::new().await;
        desk.imports(FIRST, PEOPLE).await.unwrap();
        let before = desk.names();
        let longer = format!("{PEOPLE}140403001001001,岗位,,1,,示例戊,13900000009\n");
        for other in [&longer, &PEOPLE.replace("示例", "他人")] {
            assert_eq!(desk.imports(FIRST, other).await.unwrap_err(), Refusal::CommandIdReused {});
            assert_eq!(desk.names(), before);
        }
        assert_eq!(desk.imports(CommandId(Uuid::from_u128(2)), &longer).await.unwrap().new_people, 1);
    }

    #[tokio::test]
    async fn where_nobody_knows_whether_it_was_done_the_journal_is_asked_at_the_next_start() {
        let desk = Desk::new().await;
        desk.faults.panic_after_next();
        assert_eq!(desk.imports(FIRST, PEOPLE).await.unwrap_err(), Refusal::OutcomeUnknown {});
        assert_eq!(desk.directory.arriving(Timestamp(i64::MAX)).unwrap().len(), 4, "the journal may have them");
        // As if it had them: the city knows two of the four.
        let (known, unknown) = ([person_of(FIRST, 1), person_of(FIRST, 2)], [person_of(FIRST, 3), person_of(FIRST, 4)]);
        let started = Desk::new().await;
        let mut batch = groundwork();
        batch.lines = vec![crate::domain::command::Line { compound: batch.compounds[0].id, line: known.to_vec() }];
        let city = Command::Import(Box::new(batch));
        started.muster.order(Actor::system(), FIRST, None, city).await.unwrap();
        assert_eq!(settle_arrivals(&started.muster.city(), &desk.directory, Timestamp(i64::MAX)).unwrap(), 2);
        let found = |ids: &[PersonId]| -> Vec<PersonEntry> { desk.directory.people(ids).unwrap() };
        assert_eq!((found(&known).len(), found(&unknown).len()), (2, 0));
        assert!(desk.directory.arriving(Timestamp(i64::MAX)).unwrap().is_empty());
    }
}
