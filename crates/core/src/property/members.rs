//! Members of records: there, missing in one of the ways in which they are, or odd.

use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::values::Values;
use crate::value::Value;

/// A member that was made up.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// Its value; nothing where it is left out.
    pub(super) value: Option<Value>,
    /// The places within it that are odd; empty text is itself.
    pub(super) odd: Vec<String>,
}

pub(super) type Mades = BoxedStrategy<Made>;

impl Made {
    pub(super) fn usual(value: Value) -> Made {
        Made { value: Some(value), odd: Vec::new() }
    }

    pub(super) fn absent() -> Made {
        Made { value: None, odd: Vec::new() }
    }

    fn odd(mut self) -> Made {
        self.odd = vec![String::new()];
        self
    }
}

/// How a record is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Everything is there.
    Full,
    /// What may be missing is absent.
    Absent,
    /// What may be missing is null.
    Null,
    /// What may be missing is empty text.
    Empty,
    /// Some is there, some is missing, all of it usual.
    Usual,
    /// The same, with a few odd ones among it.
    Odd,
}

impl Mode {
    pub(super) const ALL: [Mode; 6] =
        [Mode::Full, Mode::Absent, Mode::Null, Mode::Empty, Mode::Usual, Mode::Odd];

    /// The mode of a case: each extreme once, then three usual records for one that may be odd.
    pub(super) fn of_case(case: u32) -> Mode {
        match case {
            0 => Mode::Full,
            1 => Mode::Absent,
            2 => Mode::Null,
            3 => Mode::Empty,
            case if case % 4 == 3 => Mode::Odd,
            _ => Mode::Usual,
        }
    }
}

/// What is known of a member.
pub(super) struct Habit {
    /// It may be absent or null.
    pub(super) lacks: bool,
    /// It may be the empty text.
    pub(super) empty: bool,
}

/// A member, the simplest way in which it can be first: that is what it shrinks to.
pub(super) fn member(usual: Mades, odd: Option<Values>, habit: &Habit, mode: Mode) -> Mades {
    let missing = || Just(Made::absent()).boxed();
    let null = || Just(Made::usual(Value::Null)).boxed();
    let empty = || Just(Made::usual(Value::text(""))).boxed();
    match mode {
        Mode::Null if habit.lacks => null(),
        Mode::Empty if habit.empty => empty(),
        Mode::Absent | Mode::Empty if habit.lacks => missing(),
        Mode::Full | Mode::Null | Mode::Absent | Mode::Empty => usual,
        Mode::Usual | Mode::Odd => {
            let mut all: Vec<(u32, Mades)> = Vec::with_capacity(6);
            if habit.lacks {
                all.extend([(6, missing()), (6, null())]);
            }
            all.extend(habit.empty.then(|| (3, empty())));
            all.push((30, usual));
            if mode == Mode::Odd {
                if !habit.lacks {
                    let gone = Union::new([missing(), null()]).prop_map(Made::odd);
                    all.push((1, gone.boxed()));
                }
                all.extend(odd.map(|odd| (3, odd.prop_map(|value| Made::usual(value).odd()).boxed())));
            }
            Union::new_weighted(all).boxed()
        }
    }
}
