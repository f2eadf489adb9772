//! What is written about people.

use std::collections::BTreeMap;

use super::Refusal;
use crate::state::{Buyer, EntryKind, State};

/// A change of a customer; what is `None` stays, an empty text clears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerChange {
    /// Names, addresses and contacts by the vendor's names, such as `firstName` and `shipCity`.
    pub fields: BTreeMap<String, String>,
}

impl State {
    /// Changes what is known of a customer. Their orders keep what they were made with.
    ///
    /// # Errors
    /// [`Refusal::NoCustomer`].
    pub fn update_customer(&mut self, customer_id: u64, change: &CustomerChange) -> Result<(), Refusal> {
        let now = self.now();
        let customer = self.customers.get_mut(&customer_id).ok_or(Refusal::NoCustomer(customer_id))?;
        let before = customer.buyer.contact();
        for (name, value) in &change.fields {
            if let Some(known) = field(&mut customer.buyer, name) {
                value.clone_into(known);
            } else if value.is_empty() {
                customer.custom.remove(name);
            } else {
                customer.custom.insert(name.clone(), value.clone());
            }
        }
        customer.updated = now;
        customer.active = now;
        let after = customer.buyer.contact();
        if before != after && self.by_contact.get(&before) == Some(&customer_id) {
            self.by_contact.remove(&before);
            self.by_contact.insert(after, customer_id);
        }
        Ok(())
    }

    /// Adds a note to a customer, also one that is there already.
    ///
    /// # Errors
    /// [`Refusal::NoCustomer`].
    pub fn add_note(&mut self, customer_id: u64, text: &str) -> Result<(), Refusal> {
        let now = self.now();
        let customer = self.customers.get_mut(&customer_id).ok_or(Refusal::NoCustomer(customer_id))?;
        customer.active = now;
        self.log(customer_id, None, EntryKind::Note, text);
        Ok(())
    }
}

/// The part of a buyer that a name of customer/update is about.
fn field<'a>(buyer: &'a mut Buyer, name: &str) -> Option<&'a mut String> {
    let (bill, ship) = (&mut buyer.bill, &mut buyer.ship);
    Some(match name {
        "firstName" => &mut bill.first_name,
        "lastName" => &mut bill.last_name,
        "companyName" => &mut bill.company_name,
        "address1" => &mut bill.address1,
        "address2" => &mut bill.address2,
        "city" => &mut bill.city,
        "state" => &mut bill.state,
        "country" => &mut bill.country,
        "postalCode" => &mut bill.postal_code,
        "shipFirstName" => &mut ship.first_name,
        "shipLastName" => &mut ship.last_name,
        "shipCompanyName" => &mut ship.company_name,
        "shipAddress1" => &mut ship.address1,
        "shipAddress2" => &mut ship.address2,
        "shipCity" => &mut ship.city,
        "shipState" => &mut ship.state,
        "shipCountry" => &mut ship.country,
        "shipPostalCode" => &mut ship.postal_code,
        "emailAddress" => &mut buyer.email,
        "phoneNumber" => &mut buyer.phone,
        _ => return None,
    })
}
