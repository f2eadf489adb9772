//! Zaps that several tests use.

/// Stands for the day before today, from which these zaps take everything as new.
pub(crate) const START: &str = "START";

/// Each sale, with decimals, headers and a query.
pub(crate) const SALES: &str = r#"name: sales
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale, every: 1s, start: START }
actions:
  - id: post
    type: http
    connection: api
    path: sales
    retry: { first: 10ms, max_delay: 50ms }
    headers: { X-Order: "order {{ record.orderId }}" }
    query: { campaign: $.campaignId }
    json:
      order: $.orderId
      total: "{{ record.totalAmount }}"
      email: $.emailAddress
      fixed: 19.90
      items:
        $each: $.items
        $map: { product: "{{ item.productId }}", name: "{{ item.name }}", qty: "{{ item.qty }}", price: "{{ item.price }}" }
"#;

/// Each sale's buyer, as a form.
pub(crate) const BUYERS: &str = r#"name: buyers
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale, every: 1s, start: START }
actions:
  - id: post
    type: http
    connection: api
    path: buyers
    retry: { first: 10ms, max_delay: 50ms }
    form: { email: $.emailAddress, name: "{{ record.firstName }} & {{ record.lastName }}" }
"#;

/// Each lead.
pub(crate) const LEADS: &str = r#"name: leads
trigger: { type: konnektive.orders, connection: crm, order_type: new_lead, every: 1s, start: START }
actions:
  - { id: post, type: http, connection: api, path: leads, json: { order: $.orderId } }
"#;

/// Each cancelled order.
pub(crate) const CANCELLED: &str = r#"name: cancelled
trigger: { type: konnektive.orders, connection: crm, order_type: cancelled, every: 1s, start: START }
actions:
  - { id: post, type: http, connection: api, path: cancelled, json: { order: $.orderId } }
"#;

/// Declines of $20 and more, to an address whose path is a secret.
pub(crate) const DECLINES: &str = r#"name: declines
trigger: { type: konnektive.transactions, connection: crm, transaction_type: decline, every: 1s, start: START }
filter: "{{ record.totalAmount >= 20 }}"
actions:
  - id: tell
    type: http
    connection: hook
    json:
      channel: "{{ vars.channel }}"
      text: "{{ record.firstName }}: {{ record.totalAmount | money('USD') }} declined ({{ record.responseText }})"
"#;

/// Each refund.
pub(crate) const REFUNDS: &str = r#"name: refunds
trigger: { type: konnektive.transactions, connection: crm, transaction_type: refund, every: 1s, start: START }
actions:
  - id: book
    type: http
    connection: api
    path: refunds
    method: PUT
    json: { transaction: $.transactionId, order: $.orderId, amount: "{{ record.totalAmount }}" }
"#;
