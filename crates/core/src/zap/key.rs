//! Idempotency keys.
//!
//! A key depends on the zap's first name, the event, the step and the element alone, so every attempt, every replay
//! and every edition of the zap sends the same one.

use uuid::Uuid;

/// Never changes: all keys ever sent hang on it.
const NAMESPACE: Uuid = Uuid::from_u128(0x3f6d_2b0e_97a4_5c1d_8e52_a1c9_04bd_76f3);

/// The base of the keys of one run: a zap, by the name it first had, and an event by its kind and natural id.
pub fn base(first_name: &str, kind: &str, id: &str) -> Uuid {
    // Neither a zap's name nor a kind holds a line break or a colon, so no two triples give the same text.
    Uuid::new_v5(&NAMESPACE, format!("{first_name}\n{kind}:{id}").as_bytes())
}

/// The key of a step of the run, and of one element of it under `each`.
pub fn step(base: Uuid, step: &str, element: Option<&str>) -> Uuid {
    // A step's id holds no line break either.
    match element {
        None => Uuid::new_v5(&base, step.as_bytes()),
        Some(element) => Uuid::new_v5(&base, format!("{step}\n{element}").as_bytes()),
    }
}

/// The trace that all requests of the run belong to.
pub fn trace(base: Uuid) -> Uuid {
    // No step's id begins with a line break, so a trace is never a key.
    Uuid::new_v5(&base, b"\ntrace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_change() {
        let base = base("sales-to-sheet", "new_sale", "D6C8C390A7");
        let keys = [base, step(base, "post", None), step(base, "post", Some("0")), trace(base)];
        let keys = keys.map(|key| key.to_string());
        assert_eq!(
            keys,
            [
                "25996504-bfd2-5848-9ae8-133ba050a9a8",
                "191d97b8-4a5a-5afc-bae3-c2a4212e18c0",
                "f3d52638-1f3f-5927-9f3a-a13f8870924f",
                "e87a84c0-8426-5e75-b481-93600a25e8d9"
            ]
        );
    }

    #[test]
    fn each_part_counts() {
        let sale = base("a", "new_sale", "1");
        let mut keys = vec![
            sale,
            base("b", "new_sale", "1"),
            base("a", "new_lead", "1"),
            base("a", "new_sale", "2"),
            step(sale, "x", None),
            step(sale, "y", None),
            step(sale, "x", Some("")),
            step(sale, "x", Some("1")),
        ];
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
