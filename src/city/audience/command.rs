//! Who is told of the command of a compound: changes of hands with their epoch, offers, and who is asked to acknowledge.

use std::collections::BTreeMap;

use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::event::{Event, Record};
use crate::domain::ids::AlertId;
use crate::domain::succession::{Holder, SuccessionEvent};

use super::super::state::City;
use super::notice::{AcknowledgementAsked, CommandChange, Extent, NoticeKind};
use super::record::Draft;
use super::{Audience, Part};

impl City {
    /// Who is to acknowledge an alert for a compound, and until when; `None` where somebody did, or nobody is waited for.
    pub fn acknowledgement_asked(
        &self,
        alert: AlertId,
        compound: CompoundId,
    ) -> Option<(Holder, AcknowledgementAsked)> {
        let state = self.compound(compound).ok().filter(|state| state.unacknowledged.contains(&alert))?;
        let due_at = self.alert(alert).ok()?.reach.get(compound).and_then(|reach| reach.ack_due);
        let command = &state.succession;
        Some((command.holder, AcknowledgementAsked { alert, compound, epoch: command.epoch, due_at }))
    }
}

impl Draft<'_> {
    pub(super) fn succession(&mut self, id: CompoundId, event: &SuccessionEvent) {
        let Ok(state) = self.city.compound(id) else { return };
        let command = &state.succession;
        let (audience, occasion) = match event {
            SuccessionEvent::PassedOver { alert, .. } => {
                (Audience::of_compound(id, Part::LINE), self.occasion_of_alert(*alert))
            }
            SuccessionEvent::Offered { .. } | SuccessionEvent::Accepted { .. } => {
                (Audience::of_compound(id, Part::COMMAND), self.occasion_in(id))
            }
            SuccessionEvent::Appointed { .. } | SuccessionEvent::Restored {} => {
                (Audience::of_compound(id, Part::LINE), self.occasion_in(id))
            }
        };
        let passed_over_for = match event {
            SuccessionEvent::PassedOver { alert, .. } => Some(*alert),
            _ => None,
        };
        let kind = match event {
            SuccessionEvent::Offered { to } => {
                NoticeKind::CommandOffered { compound: id, to: *to, epoch: command.epoch }
            }
            _ => NoticeKind::CommandChanged(CommandChange {
                compound: id,
                holder: command.holder,
                epoch: command.epoch,
                passed_over_for,
            }),
        };
        self.say(audience, occasion, kind);
    }

    /// After the changes of hands of a record: every new holder is asked for what the former one has not acknowledged. One notice an
    /// area, however many compounds fell to it.
    pub(super) fn passed_on(&mut self, record: &Record) {
        let mut changed: BTreeMap<AlertId, Vec<CompoundId>> = BTreeMap::new();
        for event in &record.entry.events {
            let Event::Succession(id, event, _) = event else { continue };
            let offered = matches!(event, SuccessionEvent::Offered { .. });
            let Ok(state) = self.city.compound(*id) else { continue };
            for alert in state.unacknowledged.iter().filter(|_| !offered) {
                changed.entry(*alert).or_default().push(*id);
            }
        }
        for (alert, mut compounds) in changed {
            compounds.sort_unstable();
            compounds.dedup();
            self.ask_holders(&compounds, &[alert]);
        }
    }

    /// Asks whoever holds the command of each compound to acknowledge, where an acknowledgement is waited for.
    pub(super) fn ask_holders(&mut self, compounds: &[CompoundId], alerts: &[AlertId]) {
        for alert in alerts {
            let occasion = self.occasion_of_alert(*alert);
            let mut of_area: BTreeMap<AreaCode, Vec<AcknowledgementAsked>> = BTreeMap::new();
            for id in compounds {
                let Some((holder, asked)) = self.city.acknowledgement_asked(*alert, *id) else { continue };
                match holder {
                    Holder::Person(person) => {
                        self.say(Audience::Person(person), occasion, NoticeKind::AcknowledgementAsked(asked));
                    }
                    Holder::Area(area) => of_area.entry(area).or_default().push(asked),
                }
            }
            let mut fallen: Vec<CompoundId> = of_area.values().flatten().map(|asked| asked.compound).collect();
            fallen.sort_unstable();
            let extent = Extent::of(&fallen);
            self.say_in(fallen, Part::ACCOUNTS, occasion, NoticeKind::CommandWithAreas { alert: *alert, extent });
            for (area, asked) in of_area {
                self.say(Audience::Area(area), occasion, NoticeKind::AcknowledgementAskedOfArea { area, asked });
            }
        }
    }
}
