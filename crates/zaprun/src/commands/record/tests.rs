#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use zaprun_core::record::ORDER;
use zaprun_core::value::Value;

const ROW: &str = r#"{"orderId":"D6C8C390A7","customerId":77,"firstName":"Grace","lastName":"HOPPER","name":"Grace Hopper",
  "emailAddress":"Grace.Hopper@Navy.mil","phoneNumber":"+1 (212) 867-5309","address1":"1 Yard Ave","city":"arlington",
  "state":"VA","country":"US","postalCode":"22202-1234","ipAddress":"8.8.4.4","cardType":"VISA","cardLast4":"4242",
  "cardExpiryDate":"09/29","achAccountNumber":"123456789","totalAmount":"19.90","dateCreated":"2026-09-16 14:25:31",
  "custom1":"gift of Grace Hopper, call 212-867-5309 or grace.hopper@navy.mil","newField":"from 8.8.4.4",
  "shopEmail":"grace.hopper@navy.mil","note":"4111 1111 1111 1111",
  "items":{"7":{"productId":7,"name":"Grace Hopper's kit","qty":1}}}"#;

fn anonymous(row: &str, key: u8) -> String {
    made_anonymous(row.as_bytes(), Some(&ORDER), &StandIns::new([key; 32])).unwrap()
}

#[test]
fn nobody_is_left_and_the_form_stays() {
    let text = anonymous(ROW, 1);
    for personal in [
        "race",
        "opper",
        "OPPER",
        "avy",
        "867",
        "Yard",
        "rlington",
        "22202",
        "8.8.4.4",
        "4242",
        "123456789",
        "4111",
    ] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
    insta::assert_snapshot!(text, @r#"
    {
      "orderId": "D6C8C390A7",
      "customerId": 77,
      "firstName": "Pia",
      "lastName": "CROSS",
      "name": "Pia Cross",
      "emailAddress": "buyer-d91e2d8d@example.test",
      "phoneNumber": "+1 (342) 555-0148",
      "address1": "141 Example Street",
      "city": "fairview",
      "state": "VA",
      "country": "US",
      "postalCode": "34843-3734",
      "ipAddress": "203.0.113.203",
      "cardType": "VISA",
      "cardLast4": "0000",
      "cardExpiryDate": "00/00",
      "totalAmount": "19.90",
      "dateCreated": "2026-09-16 14:25:31",
      "custom1": "gift of Pia Cross, call 342-555-0148 or buyer-d91e2d8d@example.test",
      "newField": "from 203.0.113.203",
      "shopEmail": "buyer-d91e2d8d@example.test",
      "note": "[card data removed]",
      "items": {
        "7": {
          "productId": 7,
          "name": "Pia Cross's kit",
          "qty": 1
        }
      }
    }
    "#);
}

#[test]
fn the_same_has_the_same_stand_in_and_another_key_another() {
    let (one, other) = (anonymous(ROW, 1), anonymous(ROW, 2));
    assert_eq!(one, anonymous(ROW, 1));
    assert_ne!(one, other);
    let value = Value::from_json(&one).unwrap();
    let text = |name: &str| value.as_object().unwrap().get(name).unwrap().to_text().unwrap();
    assert_eq!(text("emailAddress"), text("shopEmail"));
    assert!(text("custom1").contains(&text("emailAddress")), "{one}");
    assert_eq!(
        text("name"),
        format!("{} {}", text("firstName"), StandIns::new([1; 32]).of(stand_ins::Kind::LastName, "Hopper"))
    );
    let tail = |phone: &str| phone.chars().filter(char::is_ascii_digit).rev().take(10).collect::<String>();
    assert!(
        text("custom1")
            .chars()
            .filter(char::is_ascii_digit)
            .rev()
            .collect::<String>()
            .contains(&tail(&text("phoneNumber")))
    );
}

#[test]
fn what_has_no_schema_is_read_by_its_names() {
    let body = r#"{"contact":{"first_name":"Grace","email":"g@navy.mil","mobile":2128675309},"tags":["vip"],"id":12345}"#;
    let text = made_anonymous(body.as_bytes(), None, &StandIns::new([3; 32])).unwrap();
    assert!(!text.contains("Grace") && !text.contains("navy") && !text.contains("8675309"), "{text}");
    assert!(text.contains("\"vip\"") && text.contains("12345") && text.contains("@example.test"), "{text}");
}

#[test]
fn a_folder_outside_is_refused() {
    assert!(folder(Some(Path::new("../x")), "zaps/a.yaml").is_err());
    assert!(folder(Some(Path::new("/tmp")), "zaps/a.yaml").is_err());
    assert_eq!(folder(None, "zaps/a/b.yaml").unwrap(), Path::new("zaps/a/fixtures"));
}

#[test]
fn a_key_is_made_once() {
    let place = tempfile::tempdir().unwrap();
    let state = place.path().join("state/zaprun.db");
    let key = key::of_project(&state).unwrap();
    assert_eq!(key, key::of_project(&state).unwrap());
    let other = tempfile::tempdir().unwrap();
    assert_ne!(key, key::of_project(&other.path().join("zaprun.db")).unwrap());
}

/// Whatever a text holds, its stand-in is another of the same form, and the same again.
#[test]
fn stand_ins_have_the_form_of_what_they_stand_for() {
    let stand_ins = StandIns::new([9; 32]);
    for (kind, text) in [
        (stand_ins::Kind::Phone, "(555) 867-5309"),
        (stand_ins::Kind::Phone, "5309"),
        (stand_ins::Kind::Other, "SW1A 1AA"),
        (stand_ins::Kind::Other, "Straße 7"),
        (stand_ins::Kind::Birthday, "1906-12-09"),
    ] {
        let stand_in = stand_ins.of(kind, text);
        assert_ne!(stand_in, text);
        assert_eq!(stand_in, stand_ins.of(kind, text));
        let form = |text: &str| {
            text.chars()
                .map(|sign| {
                    if sign.is_numeric() {
                        '0'
                    } else if sign.is_alphabetic() {
                        'a'
                    } else {
                        sign
                    }
                })
                .collect::<String>()
        };
        assert_eq!(form(&stand_in), form(text));
    }
    assert_eq!(
        stand_ins.of(stand_ins::Kind::Email, " A@B.example "),
        stand_ins.of(stand_ins::Kind::Email, "a@b.example")
    );
    assert_eq!(stand_ins.of(stand_ins::Kind::Email, "  "), "  ");
}

/// The same text has the same stand-in in every field, whatever the fields are called.
#[test]
fn a_value_has_one_stand_in_whatever_the_field() {
    let fields = [
        "firstName",
        "shipFirstName",
        "lastName",
        "companyName",
        "address1",
        "shipAddress1",
        "shipAddress2",
        "city",
        "shipCity",
        "postalCode",
        "emailAddress",
        "phoneNumber",
        "ipAddress",
        "myStreet",
        "clientIpAddress",
        "billing_city",
        "full_name",
    ];
    for text in [
        "Grace",
        "1 Yard Ave",
        "arlington",
        "22202-1234",
        "a.b@navy.mil",
        "+1 (212) 867-5309",
        "8.8.4.4",
        "Grace Hopper",
    ] {
        let members: Vec<String> = fields.iter().map(|field| format!("\"{field}\":\"{text}\"")).collect();
        let row = format!("{{{},\"items\":[{{\"ship_to\":{{\"name\":\"{text}\"}}}}]}}", members.join(","));
        let value = Value::from_json(&anonymous(&row, 5)).unwrap();
        let of = |field: &str| value.as_object().unwrap().get(field).unwrap().to_text().unwrap();
        for field in fields {
            assert_eq!(of(field), of("firstName"), "{field}: {text}");
            assert!(!of(field).contains(text), "{field}: {text}");
        }
    }
    // From record to record, too, where fields of one kind hold it.
    for (one, other) in [
        ("address1", "shipAddress1"),
        ("firstName", "lastName"),
        ("city", "shipCity"),
        ("ipAddress", "clientIp_Address"),
    ] {
        let alone = |field: &str| anonymous(&format!("{{\"{field}\":\"1 Yard Ave\"}}"), 5).replace(field, "");
        assert_eq!(alone(one), alone(other), "{one} {other}");
    }
    assert!(anonymous(r#"{"shipAddress1":"1 Yard Ave"}"#, 5).contains("Example Street"));
}
