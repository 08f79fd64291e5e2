//! Looking before switching: what an order to another mode would do, by the code that will carry it out.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::actor::Actor;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::duty::{DutyBoard, ModeOrder};
use crate::domain::ids::IncidentId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::state::City;

/// What an order to another mode would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct SwitchPreview {
    /// Compounds that change their mode or level.
    pub compounds: usize,
    /// Households in them, by the layout of the buildings.
    pub households: u64,
    /// People who live there.
    pub residents: u64,
    /// Posts that are called; that are relieved, when it goes back to normal.
    pub posts: usize,
    /// Places that these posts have.
    pub needed: usize,
    /// People who are called to them; who are relieved, when it goes back to normal.
    pub people: usize,
    /// Of the compounds that change, those without a plan for the hazard: all their posts are called.
    pub without_plan: usize,
    /// Compounds that stay as they are: at that level already, or not in emergency mode under this incident.
    pub unchanged: usize,
    /// Open help requests in the compounds that go back to normal; they stay open.
    pub help_open: u64,
    /// Compounds in emergency mode under another incident: while one is named, the order is refused.
    pub elsewhere: Vec<CompoundId>,
}

impl City {
    // INVARIANT: look before you send.
    /// What the order would do, as the city stands at `now`; asked of whoever may give it.
    ///
    /// # Errors
    /// As the order itself, but for [`Refusal::OtherIncident`] and [`Refusal::NothingToSwitch`], which it says in numbers.
    pub fn preview_switch(
        &self,
        actor: &Actor,
        incident: IncidentId,
        (areas, compounds): (&[AreaCode], &[CompoundId]),
        to: ModeOrder,
        now: Timestamp,
    ) -> Result<SwitchPreview, Refusal> {
        let named = self.named(areas, compounds)?;
        self.check_may_switch(actor, None, areas, &named)?;
        self.incident(incident)?.incident.check_open()?;
        let mut preview = match to {
            ModeOrder::Normal => self.preview_stand_down(incident, &named),
            ModeOrder::Emergency(level) => {
                let raisable = self.raisable(incident, level, &named)?;
                let foreseen = self.foresee_raise(incident, level, &raisable.activations, now);
                let changing: Vec<CompoundId> = raisable.activations.iter().map(|one| one.compound).collect();
                SwitchPreview {
                    posts: foreseen.posts,
                    needed: foreseen.needed,
                    people: foreseen.people,
                    without_plan: raisable.activations.iter().filter(|one| one.plan.is_none()).count(),
                    elsewhere: raisable.elsewhere,
                    ..self.preview_of(&changing)
                }
            }
        };
        preview.unchanged = named.len() - preview.compounds - preview.elsewhere.len();
        Ok(preview)
    }

    fn preview_stand_down(&self, incident: IncidentId, named: &[CompoundId]) -> SwitchPreview {
        let raised = self.raised_of(incident, named);
        let mut preview = self.preview_of(&raised);
        for board in raised.iter().filter_map(|id| self.compound(*id).ok()?.board.as_ref()) {
            preview.posts += board.posts.len();
            preview.needed += board.posts.iter().map(|post| usize::from(post.headcount)).sum::<usize>();
            preview.people += active_calls(board);
        }
        let help = |id: &CompoundId| self.roll(incident, *id).map_or(0, |roll| u64::from(roll.counts.help_open));
        preview.help_open = raised.iter().map(help).sum();
        preview
    }

    /// Who lives in the compounds that change.
    fn preview_of(&self, changing: &[CompoundId]) -> SwitchPreview {
        let mut preview = SwitchPreview { compounds: changing.len(), ..SwitchPreview::default() };
        for state in changing.iter().filter_map(|id| self.compound(*id).ok()) {
            preview.households += u64::from(state.compound.households());
            preview.residents += u64::from(state.compound.people);
        }
        preview
    }
}

fn active_calls(board: &DutyBoard) -> usize {
    board.calls.iter().filter(|call| call.state.is_active()).count()
}
