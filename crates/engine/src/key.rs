//! Idempotency keys.
//!
//! A key depends on the zap's first name, the event, the step and the element alone, so every attempt, every replay
//! and every edition of the zap sends the same one.

use crate::ports::EventKey;
use uuid::Uuid;

/// Never changes: all keys ever sent hang on it.
const NAMESPACE: Uuid = Uuid::from_u128(0x3f6d_2b0e_97a4_5c1d_8e52_a1c9_04bd_76f3);

/// The base of the keys of one run: a zap, by the name it first had, and an event.
pub fn base(first_name: &str, event: &EventKey) -> Uuid {
    // A zap's name holds no line break, so no two pairs give the same text.
    Uuid::new_v5(&NAMESPACE, format!("{first_name}\n{event}").as_bytes())
}

/// The key of a step of the run, and of one element of it under `each`.
pub fn step(base: Uuid, step: &str, element: Option<&str>) -> Uuid {
    // A step's id holds no line break either.
    match element {
        None => Uuid::new_v5(&base, step.as_bytes()),
        Some(element) => Uuid::new_v5(&base, format!("{step}\n{element}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, id: &str) -> EventKey {
        EventKey { kind: kind.to_owned(), id: id.to_owned() }
    }

    #[test]
    fn keys_never_change() {
        let base = base("sales-to-sheet", &event("new_sale", "D6C8C390A7"));
        assert_eq!(base.to_string(), "25996504-bfd2-5848-9ae8-133ba050a9a8");
        assert_eq!(step(base, "post", None).to_string(), "191d97b8-4a5a-5afc-bae3-c2a4212e18c0");
        assert_eq!(step(base, "post", Some("0")).to_string(), "f3d52638-1f3f-5927-9f3a-a13f8870924f");
    }

    #[test]
    fn each_part_counts() {
        let sale = base("a", &event("new_sale", "1"));
        let others = [
            base("b", &event("new_sale", "1")),
            base("a", &event("new_lead", "1")),
            base("a", &event("new_sale", "2")),
            step(sale, "x", None),
            step(sale, "y", None),
            step(sale, "x", Some("")),
            step(sale, "x", Some("1")),
        ];
        assert!(others.iter().all(|other| *other != sale));
        let distinct: std::collections::BTreeSet<_> = others.iter().collect();
        assert_eq!(distinct.len(), others.len());
    }
}
