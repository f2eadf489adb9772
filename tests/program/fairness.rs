//! Several zaps on one connection that is allowed little.

use crate::harness::{LEADS, Lab, SALES};

#[test]
fn a_burst_of_one_zap_does_not_hold_up_another() {
    const BURST: usize = 30;
    let lab = Lab::new(&[LEADS, SALES]);
    lab.change(
        "may_receive: personal\n    timeout: 10s",
        "may_receive: personal\n    timeout: 10s\n    rate: 5/s",
    );
    for number in 0..BURST {
        lab.crm().lead(&format!("lead{number}@example.test")).unwrap();
    }
    lab.sales(1);
    lab.once(0).says("31 delivered");
    let order: Vec<String> = lab.received().into_iter().map(|one| one.path).collect();
    let sale = order.iter().position(|path| path.ends_with("sales")).unwrap();
    assert!(sale < BURST / 2, "it came {sale} of {}", order.len());
}
