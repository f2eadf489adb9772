//! What the parameters of a write say together where branches and nulls give them one value or another, or none.

use super::params::{Alternative, Known, Written};
use crate::crm::{Breach, Endpoint, Held, broken};
use crate::mapping::Decided;
use crate::source::Span;

/// A rule that does not hold where a parameter comes to one of the things that it can come to.
pub(super) struct Doubt {
    pub(super) breach: Breach,
    /// The parameter on which that hangs.
    pub(super) at: Span,
}

impl Written {
    /// The rules that may not hold, beside those that surely do not.
    ///
    /// Each thing that a parameter can come to is tried, with what follows from it for the others: branches of the same
    /// condition go together. Of the others once as little is given as can be, and once as much as is known.
    pub(super) fn doubts(&self, endpoint: &Endpoint) -> Vec<Doubt> {
        let sure = broken(endpoint, &self.held());
        let mut doubts: Vec<Doubt> = Vec::new();
        for known in self.known.iter().filter(|known| known.alternatives.len() > 1) {
            for (alternative, little) in known.alternatives.iter().flat_map(|one| [(one, false), (one, true)])
            {
                let held = self.where_it_is(known, alternative, little);
                for breach in broken(endpoint, &held).into_iter().filter(|breach| !sure.contains(breach)) {
                    for (breach, at) in self.each_alone(breach, known.at) {
                        let new = doubts.iter().all(|doubt| !doubt.breach.is_about(&breach));
                        if new && !self.is_doubted(&breach) {
                            doubts.push(Doubt { breach, at });
                        }
                    }
                }
            }
        }
        doubts
    }

    /// Of several parameters that are needed each alone, at its own place.
    fn each_alone(&self, breach: Breach, at: Span) -> Vec<(Breach, Span)> {
        match breach {
            Breach::Missing { names, any: false, because } => names
                .into_iter()
                .map(|name| {
                    let own = self.known.iter().find(|known| known.name == name).map_or(at, |known| known.at);
                    (Breach::Missing { names: vec![name], any: false, because: because.clone() }, own)
                })
                .collect(),
            breach => vec![(breach, at)],
        }
    }

    /// Whether that something may not be there has been said already.
    fn is_doubted(&self, breach: &Breach) -> bool {
        let doubted = |name: &String| self.known.iter().any(|known| known.name == *name && known.doubted);
        matches!(breach, Breach::Missing { names, .. } if names.iter().any(doubted))
    }

    fn where_it_is<'w>(
        &'w self,
        chosen: &Known,
        alternative: &'w Alternative,
        little: bool,
    ) -> Vec<Held<'w>> {
        let mut decided = alternative.decided.clone();
        let mut held = Vec::new();
        for known in &self.known {
            let base = Held { name: &known.name, value: known.value.as_deref(), sure: known.sure };
            let agrees = |one: &&Alternative| {
                let denied = |(what, holds): &Decided| decided.contains(&(what.clone(), !*holds));
                !one.decided.iter().any(denied)
            };
            let picked = if std::ptr::eq(known, chosen) {
                Some(alternative)
            } else {
                let agreeing: Vec<&Alternative> = known.alternatives.iter().filter(agrees).collect();
                match agreeing.as_slice() {
                    [only] => Some(*only),
                    several if little => several.iter().copied().find(|one| !one.there),
                    _ => None,
                }
            };
            match picked {
                Some(one) if one.there => {
                    decided.extend(one.decided.iter().cloned());
                    held.push(Held { name: &known.name, value: one.value.as_deref(), sure: true });
                }
                Some(one) => decided.extend(one.decided.iter().cloned()),
                None => held.push(base),
            }
        }
        held
    }
}
