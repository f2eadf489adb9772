//! One walk: a query's rows from a day to tomorrow, slice by slice and page by page, into the ledger.
//!
//! Which days it reads and what it moves is its [`Course`].

use super::count::Count;
use super::course::Course;
use super::digest::{Digest, Lens};
use super::lookup::LookUps;
use super::pass::{Goal, Losses, Pass, Passed};
use super::problems::Problems;
use super::reader::{PAGE_ROWS, Reader};
use super::rider::Rider;
use super::{Place, Ports, window};
use crate::ports::{DayWindow, PageRequest, ZapId};
use crate::report::{Tally, WalkFailure};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use zaprun_core::trigger::{Narrowing, Query};

/// So many passes over a slice from which rows leave; then it is unstable.
const PASSES: u32 = 3;

/// A zap that a walk serves, and the query whose cursor it holds: its own may be narrower than the one walked.
#[derive(Clone, Copy)]
pub(super) struct Passenger<'a> {
    pub(super) rider: &'a Rider,
    pub(super) query: &'a str,
}

/// What to walk.
pub(super) struct Walk<'a> {
    pub(super) ports: &'a Ports,
    pub(super) place: Place<'a>,
    pub(super) reader: Reader<'a>,
    pub(super) query: &'a Query,
    pub(super) zone: &'a TimeZone,
    pub(super) course: Course,
    pub(super) passengers: &'a [Passenger<'a>],
    /// Cursors move even if no pass is whole: it has lasted too long.
    pub(super) moves_on: bool,
    pub(super) problems: &'a mut Problems,
}

/// What became of a walk.
#[derive(Debug)]
pub(super) struct Walked {
    /// When it began.
    pub(super) began: Timestamp,
    /// By passenger: where the cursor now stands, where it moved.
    pub(super) cursors: Vec<Option<Timestamp>>,
    /// By passenger.
    pub(super) tallies: Vec<Tally>,
    /// Over all passengers; `rows` as read.
    pub(super) tally: Tally,
    /// The CRM's clock less ours.
    pub(super) skew: SignedDuration,
    /// Runs made.
    pub(super) made: u64,
    /// Of those, the ones that an earlier walk should have made.
    pub(super) late: u64,
    /// Ids that a ledger does not know after it; counted by a sweep.
    pub(super) unknown: u64,
    /// Every slice had a pass during which no row left.
    pub(super) stable: bool,
    /// Whether it got to its end.
    pub(super) end: Result<(), WalkFailure>,
}

/// A walk under way, between two slices.
#[derive(Debug)]
pub(super) struct Going {
    /// By passenger: the day from which it must be read.
    firsts: Vec<Date>,
    /// The first day not yet read.
    next: Option<Date>,
    pub(super) walked: Walked,
    /// How many slices are left, by the calendar of the last one.
    pub(super) left: u32,
}

impl Going {
    /// A walk for these passengers that has read nothing yet.
    pub(super) fn begin(course: Course, began: Timestamp, passengers: &[Passenger<'_>]) -> Going {
        let firsts = course.firsts(began, passengers);
        let next = firsts.iter().min().copied();
        let last = |p: &Passenger<'_>| course.last(began, &p.rider.zap.trigger.zone);
        let left =
            next.zip(passengers.first().map(last)).map_or(0, |(next, last)| window::slices(next, last));
        Going { walked: Walked::nothing(began, firsts.len()), firsts, next, left }
    }

    /// The first day not yet read; `None` when the walk has ended.
    pub(super) fn next(&self) -> Option<Date> {
        self.next
    }
}

/// Some days of a walk, and whom they concern.
struct Slice<'a> {
    days: DayWindow,
    goal: Goal,
    /// The riders among the walk's passengers.
    seats: Vec<usize>,
    riders: Vec<&'a Rider>,
    cursors: Vec<(ZapId, &'a str)>,
}

impl<'a> Walk<'a> {
    /// Walks the next slice. The walk ends with its last slice, or with a failure that makes going on pointless.
    pub(super) async fn step(&mut self, going: &mut Going) {
        let Some(first) = going.next.take() else { return };
        let began = self.reader.clock.now();
        let end = self.course.last(began, self.zone);
        let days = self.course.slice(first, end);
        let last = days.last >= end;
        let slice = self.slice(days, last, &going.firsts, going.walked.clean());
        let goes_on = self.passes(&slice, &mut going.walked).await;
        if !last && goes_on {
            let next = self.next_day(days, began, going.walked.skew);
            going.next = Some(next);
            going.left = window::slices(next, end);
        }
    }

    /// The day from which the next slice reads.
    fn next_day(&self, slice: DayWindow, began: Timestamp, skew: SignedDuration) -> Date {
        let began_there = began.saturating_add(skew.min(SignedDuration::ZERO)).unwrap_or(began);
        self.course.after(slice, window::first_day(began_there, began, self.zone))
    }

    /// A zap is served by the slices from its own first day on: it has no business with older rows.
    fn slice(&self, days: DayWindow, last: bool, firsts: &[Date], clean: bool) -> Slice<'a> {
        let seated =
            || self.passengers.iter().zip(firsts).enumerate().filter(|(_, (_, first))| **first <= days.last);
        let goal = match (self.course, clean, last) {
            (Course::Sweep { .. }, ..) | (Course::Follow, false, _) => Goal::Stay,
            (Course::Follow, true, false) => Goal::SliceEnd(window::end(days, self.zone)),
            (Course::Follow, true, true) => Goal::Began,
            (Course::Backfill { id, .. }, ..) => Goal::Place { id, next: window::after(days) },
        };
        Slice {
            days,
            goal,
            seats: seated().map(|(seat, _)| seat).collect(),
            riders: seated().map(|(_, (passenger, _))| passenger.rider).collect(),
            cursors: seated().map(|(_, (p, _))| (p.rider.zap.state.id, p.query)).collect(),
        }
    }

    /// Passes over a slice until one is whole; false when the walk cannot go on. Neither an unstable slice nor a failed
    /// look-up keeps it from the days after: they only keep the cursors.
    async fn passes(&mut self, slice: &Slice<'a>, walked: &mut Walked) -> bool {
        for number in 1..=PASSES {
            let last_try = number == PASSES;
            let losses = match (last_try, self.moves_on) {
                (false, _) => Losses::End,
                (true, false) => Losses::ReadOn,
                (true, true) => Losses::Accept,
            };
            let passed = self.pass(slice, losses).run().await;
            let again = passed.shrunk && !last_try && passed.end.is_ok();
            walked.stable &= !(passed.shrunk && last_try);
            let goes_on = passed.end.as_ref().map_or_else(is_about_rows, |()| true);
            walked.add(&slice.seats, passed);
            if !again {
                return goes_on;
            }
        }
        true
    }

    fn pass<'p>(&'p mut self, slice: &'p Slice<'a>, losses: Losses) -> Pass<'p> {
        let look_ups = LookUps::new(self.reader);
        let lens = self.lens(slice);
        let schema = self.query.endpoint.schema();
        Pass {
            ports: self.ports,
            place: self.place,
            reader: self.reader,
            request: PageRequest {
                query: self.query.clone(),
                narrowing: narrowing(&slice.riders),
                window: Some(slice.days),
                page: 1,
                per_page: PAGE_ROWS,
                ascending: true,
            },
            digest: Digest::new(
                self.ports,
                self.place.connection,
                &slice.riders,
                schema,
                self.problems,
                look_ups,
            )
            .through(lens),
            cursors: &slice.cursors,
            goal: slice.goal,
            losses,
            began: self.reader.clock.now(),
            count: Count::default(),
            before: Vec::new(),
            passed: Passed::nothing(slice.riders.len()),
        }
    }
}

impl Walk<'_> {
    /// How rows are looked at on this course.
    fn lens(&self, slice: &Slice<'_>) -> Lens {
        match self.course {
            Course::Follow => Lens::News,
            Course::Sweep { .. } => Lens::Missed {
                dated: self.query.seen_through.field(),
                cursors: slice.riders.iter().map(|rider| rider.cursor).collect(),
            },
            Course::Backfill { .. } => Lens::Old { since: window::start_of(slice.days.first, self.zone) },
        }
    }
}

impl Walked {
    pub(super) fn nothing(began: Timestamp, passengers: usize) -> Self {
        Walked {
            began,
            cursors: vec![None; passengers],
            tallies: vec![Tally::default(); passengers],
            tally: Tally::default(),
            skew: SignedDuration::ZERO,
            made: 0,
            late: 0,
            unknown: 0,
            stable: true,
            end: Ok(()),
        }
    }

    /// Whether its slices so far were whole, so that cursors may move on.
    pub(super) fn clean(&self) -> bool {
        self.stable && self.end.is_ok()
    }

    fn add(&mut self, seats: &[usize], passed: Passed) {
        self.skew = passed.skew;
        self.tally.rows += passed.rows;
        self.tally.passed_over += passed.passed_over;
        self.made += passed.made;
        self.late += passed.late;
        self.unknown += passed.unknown;
        for (seat, tally) in seats.iter().zip(passed.tallies) {
            self.tally += Tally { rows: 0, ..tally };
            if let (Some(sum), Some(cursor)) = (self.tallies.get_mut(*seat), self.cursors.get_mut(*seat)) {
                *sum += tally;
                *cursor = passed.moved_to.or(*cursor);
            }
        }
        if self.end.is_ok() {
            self.end = passed.end;
        }
    }
}

/// Whether a failure concerns some rows only, so that others are still worth reading.
fn is_about_rows(failure: &WalkFailure) -> bool {
    matches!(failure, WalkFailure::LookUps { .. })
}

/// What all riders may want: where one of them wants every campaign, or every product, so does the walk.
pub(super) fn narrowing(riders: &[&Rider]) -> Narrowing {
    let each: Vec<Narrowing> = riders.iter().map(|rider| rider.zap.trigger.narrowing()).collect();
    Narrowing {
        campaign_ids: union(each.iter().map(|narrowing| &narrowing.campaign_ids)),
        campaign_product_ids: union(each.iter().map(|narrowing| &narrowing.campaign_product_ids)),
    }
}

/// The union of lists of which an empty one means everything.
fn union<'a>(lists: impl Iterator<Item = &'a Vec<String>> + Clone) -> Vec<String> {
    if lists.clone().any(Vec::is_empty) {
        return Vec::new();
    }
    let all: std::collections::BTreeSet<&String> = lists.flatten().collect();
    all.into_iter().cloned().collect()
}
