//! A CRM whose certificate an authority of one's own has signed.

#[path = "../../crates/http/tests/tls/mod.rs"]
mod tls;

use crate::harness::{Lab, SALES};

/// Speaks TLS before a server that does not, until the process ends; its address.
fn behind_tls(server: String) -> String {
    let (told, base) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            told.send(tls::behind_tls(&server).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    base.recv().unwrap()
}

#[test]
fn the_crm_is_trusted_by_the_authority_that_its_connection_names() {
    let mut lab = Lab::new(&[SALES]);
    let base = behind_tls(lab.crm_url());
    lab.program().set("CRM_URL", &base);
    lab.sales(2);
    lab.zaprun(&["check"]).expect(1).says("`ca_file:`");
    lab.change(
        "    timezone: America/New_York\n",
        "    timezone: America/New_York\n    ca_file: certs/ca.pem\n",
    );
    lab.once(1).says("connection `crm`: `ca_file`").says("no such file or directory");
    lab.write("certs/ca.pem", "no certificate");
    lab.zaprun(&["check"]).expect(1).says("`ca_file` holds no usable certificate");
    lab.write("certs/ca.pem", tls::CA);
    lab.zaprun(&["check"]).expect(0);
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 2)].into());
    lab.zaprun(&["sample", "sales"]).expect(0);
}
