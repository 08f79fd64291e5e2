//! Somebody entered singly, with the part in a compound that they get at once: the way of a file's people, for one of them. A file
//! replaces a line or the holders of a post; here one is added to them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::City;
use crate::directory::people::PersonEntry;
use crate::directory::{Directory, DirectoryError};
use crate::domain::actor::Actor;
use crate::domain::command::{Command, Line};
use crate::domain::compound::CompoundId;
use crate::domain::ids::{CommandId, PersonId};
use crate::domain::post::PostKey;
use crate::domain::refusal::Refusal;
use crate::engine::Accepted;
use crate::runtime::Muster;

use super::take_in::{carry_out, fresh_people, people_of};

/// Which part somebody gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Head of the line; who stood there becomes the first deputy.
    Commander,
    /// End of the line.
    Deputy,
    /// Holder of the post of that number.
    Post(u16),
}

/// Who gets it. `Debug` shows neither name nor phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub compound: CompoundId,
    /// Which part.
    pub part: Part,
    /// What they are called.
    pub name: String,
    /// How they are rung up.
    pub phone: String,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("compound", &self.compound).field("part", &self.part).finish_non_exhaustive()
    }
}

/// Enters somebody: directory and city together, or neither. Who has a part in the compound already under the same name and phone is
/// the same person. To be run to its end: a caller who may go away spawns it.
///
/// # Errors
/// The directory cannot be used, or refuses name or phone; or the city refuses the part: then nothing of it is kept.
pub async fn enter(
    muster: &Muster,
    directory: &Directory,
    actor: Actor,
    id: CommandId,
    entry: Entry,
) -> Result<Accepted, DirectoryError> {
    let _turn = directory.arrivals_turn().await;
    let Entry { compound, part, name, phone } = entry;
    let known = people_of(muster, directory, &actor, &[compound]).await?;
    let phone = Some(phone);
    let same = known.iter().find(|one| one.name == name && one.phone == phone).map(|one| one.id);
    let person = same.unwrap_or_else(fresh_people(id, &known));
    let command = command_of(&muster.city(), compound, part, person)?;
    let new = same.is_none().then_some(PersonEntry { id: person, name, phone, note: None });
    carry_out(muster, directory, actor, id, new.into_iter().collect(), command).await
}

fn command_of(city: &City, compound: CompoundId, part: Part, person: PersonId) -> Result<Command, Refusal> {
    let mut line = city.compound(compound)?.succession.line.clone();
    line.retain(|one| *one != person);
    match part {
        Part::Post(no) => return Ok(Command::GrantClaim { post: PostKey { compound, no }, person }),
        Part::Commander => line.insert(0, person),
        Part::Deputy => line.push(person),
    }
    Ok(Command::AppointLine(Line { compound, line }))
}
