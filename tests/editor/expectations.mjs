// What an editor should offer and show. `|` is the cursor.

const zap = (rest) => `name: a\n${rest}`;
const trigger = (rest) => zap(`trigger:\n  type: ${rest}`);
const action = (rest) => trigger(`konnektive.orders\n  connection: crm\n  order_type: new_sale\nactions:\n  - id: send\n    type: ${rest}`);

/** Cases of the corpus, below tests/zaps/invalid, that a schema cannot tell from good ones, each with the reason. */
export const UNSEEN = [
  "structure/duration-of-nothing.yaml", // a form is checked, not what it amounts to
  "structure/neither-url-nor-connection.yaml", // said of two keys together
  "structure/start-on-no-day.yaml", // the calendar is no pattern
];

export const COMPLETIONS = [
  { name: "keys of a zap", text: zap("|"), offers: ["trigger", "actions", "filter", "let", "description", "owner", "tests", "on_failure"] },
  { name: "types of a trigger", text: trigger("|"), offers: ["konnektive.orders", "konnektive.transactions", "webhook", "http", "schedule"] },
  { name: "keys of an orders trigger", text: trigger("konnektive.orders\n  |"), offers: ["order_type", "connection", "settle", "where"], not: ["cron", "transaction_type"] },
  { name: "keys of a transactions trigger", text: trigger("konnektive.transactions\n  |"), offers: ["transaction_type", "include_voids", "once_per"], not: ["order_type", "settle", "cron"] },
  { name: "keys of a schedule", text: trigger("schedule\n  |"), offers: ["cron", "timezone"], not: ["order_type", "connection"] },
  { name: "keys of a webhook", text: trigger("webhook\n  |"), offers: ["connection", "path", "key", "schema", "infer_from"], not: ["cron", "order_type", "allow"] },
  { name: "words of order_type", text: trigger("konnektive.orders\n  connection: crm\n  order_type: |"), offers: ["new_sale", "cancelled", "new_lead", "refunded"] },
  { name: "types of an action", text: action("|"), offers: ["http", "konnektive.create_sale", "konnektive.query"] },
  { name: "keys of an http action", text: action("http\n    |"), offers: ["connection", "url", "json", "form", "retry", "when", "each", "allow", "schema"], not: ["map", "find", "infer_from"] },
  { name: "keys of a write to the CRM", text: action("konnektive.cancel_order\n    |"), offers: ["connection", "map", "on_uncertain"], not: ["json", "url", "find", "allow"] },
  { name: "methods", text: action("http\n    method: |"), offers: ["GET", "POST", "PUT", "PATCH", "DELETE"] },
  { name: "parameters of an endpoint", text: action("konnektive.cancel_order\n    connection: crm\n    map:\n      |"), offers: ["orderId", "cancelReason"], not: ["trackingNumber"] },
  { name: "a parameter's values", text: action("konnektive.qa_order\n    connection: crm\n    map:\n      action: |"), offers: ["APPROVE"] },
  { name: "keys of a project", file: "project", text: "version: 1\n|", offers: ["connections", "vars", "listen", "policy", "state"] },
  { name: "types of a connection", file: "project", text: "version: 1\nconnections:\n  crm:\n    type: |", offers: ["konnektive", "http", "webhook"] },
  { name: "keys of a connection to the CRM", file: "project", text: "version: 1\nconnections:\n  crm:\n    type: konnektive\n    |", offers: ["login_id", "password", "timezone"], not: ["base_headers", "verify", "auth"] },
  { name: "keys of a connection to an API", file: "project", text: "version: 1\nconnections:\n  api:\n    type: http\n    |", offers: ["base_url", "auth", "may_receive"], not: ["timezone", "verify"] },
  { name: "kinds of data", text: action("http\n    connection: api\n    allow: [|]"), offers: ["personal", "card", "secret"] },
  { name: "keys of a policy", file: "project", text: "version: 1\npolicy:\n  require:\n    |", offers: ["owner", "description", "tests"] },
  { name: "keys of a test", file: "test", text: "zap: a\ntests:\n  - name: t\n    |", offers: ["record", "expect", "replies", "vars"] },
];

export const HOVERS = [
  { name: "a key of a zap", text: zap("fil|ter: \"{{ true }}\""), says: "boolean expression" },
  { name: "a key of a trigger", text: trigger("konnektive.orders\n  connection: crm\n  order_type: new_sale\n  set|tle: 30m"), says: "not changed" },
  { name: "a key of an action", text: action("http\n    connection: api\n    e|ach: $.items"), says: "once for each" },
  { name: "a parameter of an endpoint", text: action("konnektive.cancel_order\n    connection: crm\n    map:\n      order|Id: $.orderId"), says: "order" },
  { name: "a key of a project", file: "project", text: "version: 1\nsta|te: sqlite:zaprun.db", says: "cursors are kept" },
  { name: "a key of a connection", file: "project", text: "version: 1\nconnections:\n  crm:\n    type: konnektive\n    time|zone: America/New_York", says: "time zone" },
  { name: "a key of a test", file: "test", text: "zap: a\ntests:\n  - name: t\n    exp|ect: filtered", says: "What comes of it" },
];
