//! The table of codes. A code is never re-used; what it explains is shown by `validate --explain`.

use super::Severity;

/// One kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `ZR` and four digits.
    pub id: &'static str,
    /// A name of a few words.
    pub title: &'static str,
    /// The severity a finding has unless it is only probable.
    pub severity: Severity,
    /// Why it is a finding.
    pub why: &'static str,
    /// An example that has it.
    pub bad: &'static str,
    /// The example put right.
    pub good: &'static str,
}

macro_rules! codes {
    ($($name:ident = $id:literal, $severity:ident, $title:literal, $why:literal, bad: $bad:literal, good: $good:literal;)*) => {
        /// The codes by name, for the places that report them.
        pub mod code {
            use super::{Code, Severity};
            $(
                #[doc = $title]
                pub static $name: Code = Code {
                    id: $id, title: $title, severity: Severity::$severity, why: $why, bad: $bad, good: $good,
                };
            )*
        }
        /// Every code, in the order of their numbers.
        pub static CODES: &[&Code] = &[$(&code::$name),*];
    };
}

codes! {
    // 01xx: files and YAML.
    UNREADABLE = "ZR0101", Error, "file cannot be read",
        "A zap that cannot be read is a zap that does not run.",
        bad: "# zaps/a.yaml\nname: a   # saved as UTF-16",
        good: "# zaps/a.yaml\nname: a   # saved as UTF-8";
    TOO_LARGE = "ZR0102", Error, "file is too large",
        "Definitions are small. A file this large is a mistake, and reading it costs every start of the engine.",
        bad: "# zaps/a.yaml\nname: a   # and 10 MB of records below",
        good: "# zaps/a.yaml\nname: a   # the records are in zaps/fixtures/";
    EMPTY_FILE = "ZR0103", Error, "file is empty",
        "An empty file under zaps/ is a zap that somebody thinks is running.",
        bad: "# todo",
        good: "name: new-sale-to-sheet\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\nactions: [{ id: send, type: http, connection: api, json: { order: $.orderId } }]";
    YAML_SYNTAX = "ZR0104", Error, "not YAML",
        "The file cannot be read as YAML, so nothing in it counts.",
        bad: "text: Order: {{ record.orderId }}",
        good: "text: \"Order: {{ record.orderId }}\"";
    TAB = "ZR0105", Error, "tab in the indentation",
        "YAML indents with spaces only: a tab has no width that all readers agree on.",
        bad: "trigger:\n	type: konnektive.orders\n	connection: crm\n	order_type: new_sale",
        good: "trigger:\n  type: konnektive.orders\n  connection: crm\n  order_type: new_sale";
    UNQUOTED_TEMPLATE = "ZR0106", Error, "template without quotes",
        "Braces begin a map in YAML, so a template that begins a value must stand in quotes.",
        bad: "filter: {{ record.totalAmount > 20 }}",
        good: "filter: \"{{ record.totalAmount > 20 }}\"";
    DUPLICATE_KEY = "ZR0107", Error, "key occurs twice",
        "Of two equal keys one would be dropped without a word, and it may be the one you mean.",
        bad: "method: POST\nmethod: PUT",
        good: "method: PUT";
    SEVERAL_DOCUMENTS = "ZR0108", Error, "several documents in one file",
        "A file holds one definition, so that a name, its history and its file belong together.",
        bad: "name: a\n---\nname: b",
        good: "# zaps/a.yaml\nname: a\n# zaps/b.yaml\nname: b";
    BAD_KEY = "ZR0109", Error, "key that is not text",
        "Keys are text. YAML also allows numbers, lists, maps and nothing as keys, and readers differ on them.",
        bad: "json: { 12: twelve }",
        good: "json: { \"12\": twelve }";
    YAML_TAG = "ZR0110", Error, "YAML tag",
        "Tags ask a YAML reader for types of its own. Definitions use plain values and quotes only.",
        bad: "zip: !zip 01234",
        good: "zip: \"01234\"";
    YAML_LIMIT = "ZR0111", Error, "too many values",
        "Files are read within limits of values and depth, so that no file can use up the machine by its aliases.",
        bad: "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e]   # 200,000 values",
        good: "a: [x, x, x]\nb: [y, y, y]";
    ALIAS = "ZR0112", Error, "alias that leads nowhere",
        "An alias repeats a value that an anchor named before it. Text that begins with `*` looks like one.",
        bad: "url: \"https://{{ vars.region }}.example.com\"\nallow_hosts: [*.example.com]",
        good: "url: \"https://{{ vars.region }}.example.com\"\nallow_hosts: [\"*.example.com\"]";
    BOOLEAN_WORD = "ZR0113", Warning, "yes, no, on or off without quotes",
        "Older YAML reads these words as booleans, YAML 1.2 as text. Here they are text; say which you mean.",
        bad: "country: no",
        good: "country: \"no\"";
    LEADING_ZERO = "ZR0114", Warning, "number with a leading zero",
        "Digits after a zero are octal to some readers, decimal to others. Here they are text, as zip codes need.",
        bad: "zip: 01234",
        good: "zip: \"01234\"";
    BIG_INTEGER = "ZR0115", Warning, "integer beyond 2^53",
        "The digits are sent as written, but many receivers read JSON numbers as doubles and change the last ones.",
        bad: "account: 12345678901234567890",
        good: "account: \"12345678901234567890\"";
    NOT_A_JSON_NUMBER = "ZR0116", Error, "number that JSON does not have",
        "YAML has hexadecimal, octal, infinite and abbreviated numbers. JSON has none, so it is unclear what to send.",
        bad: "limit: 1_000",
        good: "limit: 1000";
    CONTROL_CHARACTER = "ZR0117", Error, "control character",
        "An invisible character in a definition is never meant, and some end the text for other readers.",
        bad: "name: a<NUL>b",
        good: "name: ab";
    NOT_READ = "ZR0118", Warning, "file that is not read",
        "A file that looks like a part of the project and is none does nothing, and whoever put it there thinks otherwise.",
        bad: "# zaps/new-sale.yml\nname: new-sale",
        good: "# zaps/new-sale.yaml\nname: new-sale";
    // 02xx: structure.
    WRONG_TYPE = "ZR0201", Error, "value of the wrong type",
        "The field holds another type of value.",
        bad: "enabled: \"true\"",
        good: "enabled: true";
    UNKNOWN_KEY = "ZR0202", Error, "unknown key",
        "A key that nobody reads does nothing, while its author thinks that it does.",
        bad: "fillter: \"{{ record.totalAmount > 20 }}\"",
        good: "filter: \"{{ record.totalAmount > 20 }}\"";
    MISSING_KEY = "ZR0203", Error, "missing key",
        "The key has no default: without it the definition has no meaning.",
        bad: "trigger: { type: konnektive.orders, connection: crm }",
        good: "trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }";
    NOT_ONE_OF = "ZR0204", Error, "value that is not one of the known",
        "The field takes a few values only.",
        bad: "order_type: sale",
        good: "order_type: new_sale";
    BAD_FORMAT = "ZR0205", Error, "text of the wrong form",
        "The field takes text of a fixed form: a duration with its unit, a rate, a date, a name.",
        bad: "every: 1 minute",
        good: "every: 1m";
    OUT_OF_RANGE = "ZR0206", Error, "value out of range",
        "The value is too small, too large, too long or too few.",
        bad: "concurrency: 0",
        good: "concurrency: 3";
    NOT_AVAILABLE = "ZR0207", Error, "not available in this version",
        "The language has a place for it, but this version does not do it. Ignoring it would be worse than saying so.",
        bad: "catch_up: send",
        good: "every: 1m";
    EMPTY_VALUE = "ZR0208", Error, "empty value",
        "A key with nothing behind it is null in YAML, which the field does not take.",
        bad: "description:",
        good: "description: Tell the desk about declined cards";
    EXCLUSIVE_KEYS = "ZR0209", Error, "keys that exclude each other",
        "Only one of these keys can say what to do.",
        bad: "url: https://api.example.com\nconnection: books",
        good: "connection: books\npath: /entries";
    NO_EFFECT = "ZR0210", Error, "key without effect",
        "The key says something about another key that is not there, so it does nothing.",
        bad: "url: https://api.example.com\npath: /entries",
        good: "url: https://api.example.com/entries";
    BODY_WITH_GET = "ZR0211", Warning, "body with GET",
        "Servers and proxies drop or refuse the body of a GET.",
        bad: "method: GET\njson: { id: $.orderId }",
        good: "method: GET\nquery: { id: $.orderId }";
    BAD_URL = "ZR0212", Error, "not an address",
        "Requests go to an absolute http or https address.",
        bad: "base_url: books.example.com",
        good: "base_url: https://books.example.com";
    IGNORE_FORM = "ZR0290", Error, "ignore comment that says too little",
        "Silencing a finding is a decision: the comment names the codes and the reason, for whoever reads it next.",
        bad: "zip: 01234 # zaprun: ignore ZR0114",
        good: "zip: 01234 # zaprun: ignore ZR0114 -- the receiver wants the zip as text";
    IGNORE_UNUSED = "ZR0291", Warning, "ignore comment without a finding",
        "The finding is gone, or the comment stands at the wrong line; left alone it would hide the next one.",
        bad: "zip: \"01234\" # zaprun: ignore ZR0114 -- text is meant",
        good: "zip: \"01234\"";
    IGNORE_REFUSED = "ZR0292", Error, "finding that cannot be silenced",
        "Without what this finding asks for, the definition has no meaning to run.",
        bad: "evry: 1m # zaprun: ignore ZR0202 -- later",
        good: "every: 1m";
    // 03xx: names.
    DUPLICATE_ZAP = "ZR0301", Error, "two zaps of one name",
        "Runs, cursors and idempotency keys hang on the name, so two zaps cannot share it.",
        bad: "# zaps/a.yaml\nname: new-sale\n# zaps/b.yaml\nname: new-sale",
        good: "# zaps/a.yaml\nname: new-sale\n# zaps/b.yaml\nname: new-sale-to-chat";
    DUPLICATE_ACTION = "ZR0302", Error, "two actions of one id",
        "Idempotency keys and `steps.ID` hang on the id, so two actions of a zap cannot share it.",
        bad: "actions:\n  - { id: send, type: http, connection: api, json: { order: $.orderId } }\n  - { id: send, type: http, connection: slack, json: { text: $.orderId } }",
        good: "actions:\n  - { id: send, type: http, connection: api, json: { order: $.orderId } }\n  - { id: tell, type: http, connection: slack, json: { text: $.orderId } }";
    UNKNOWN_CONNECTION = "ZR0303", Error, "unknown connection",
        "The project has no connection of that name.",
        bad: "connection: slak",
        good: "connection: slack";
    WRONG_CONNECTION = "ZR0304", Error, "connection of the wrong type",
        "The trigger or action needs another type of connection.",
        bad: "trigger: { type: konnektive.orders, connection: slack, order_type: new_sale }",
        good: "trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }";
    UNKNOWN_ZAP = "ZR0305", Error, "unknown zap",
        "An overlay or a file of tests names a zap that the project does not have.",
        bad: "# zaps/new-sale.yaml\nname: new-sale\n# zaprun.yaml\nzaps: { new-sales: { enabled: true } }",
        good: "# zaps/new-sale.yaml\nname: new-sale\n# zaprun.yaml\nzaps: { new-sale: { enabled: true } }";
    UNKNOWN_ZONE = "ZR0306", Error, "unknown time zone",
        "The account's days and times are read in this zone, so it must be one of the IANA names.",
        bad: "timezone: EST5",
        good: "timezone: America/New_York";
    UNKNOWN_ENV = "ZR0307", Error, "unknown environment",
        "The project has no overlay of that name, so it would run with the values of another environment.",
        bad: "zaprun run --env prod\n# zaprun.production.yaml\nvars: { channel: \"#orders\" }",
        good: "zaprun run --env production\n# zaprun.production.yaml\nvars: { channel: \"#orders\" }";
    SHARED_PATH = "ZR0308", Error, "one path of two connections",
        "Whoever calls the path is checked as its connection says; two ways to check would leave the weaker one.",
        bad: "# zaps/a.yaml\nname: a\ntrigger: { type: webhook, connection: form, path: /hooks/lead, key: \"{{ record.id }}\" }\n# zaps/b.yaml\nname: b\ntrigger: { type: webhook, connection: crm_push, path: /hooks/lead, key: \"{{ record.id }}\" }",
        good: "# zaps/a.yaml\nname: a\ntrigger: { type: webhook, connection: form, path: /hooks/lead-form, key: \"{{ record.id }}\" }\n# zaps/b.yaml\nname: b\ntrigger: { type: webhook, connection: crm_push, path: /hooks/crm-lead, key: \"{{ record.id }}\" }";
    NO_LISTENER = "ZR0309", Error, "webhook that nothing listens for",
        "Requests arrive at the address under `listen:`; without it none ever does.",
        bad: "trigger: { type: webhook, connection: form, path: /hooks/lead, key: \"{{ record.id }}\" }\n# zaprun.yaml\nlisten: { trusted_proxies: [10.0.0.0/8] }",
        good: "trigger: { type: webhook, connection: form, path: /hooks/lead, key: \"{{ record.id }}\" }\n# zaprun.yaml\nlisten: { webhooks: 127.0.0.1:8080, trusted_proxies: [10.0.0.0/8] }";
    OPEN_WEBHOOK = "ZR0310", Warning, "webhook that anybody can call",
        "Whoever finds the address makes the zap do its work, with any data he likes.",
        bad: "trigger: { type: webhook, connection: form, path: /hooks/lead, key: \"{{ record.id }}\" }\n# zaprun.yaml\nlisten: { webhooks: 0.0.0.0:8080 }\nverify: none",
        good: "trigger: { type: webhook, connection: form, path: /hooks/lead, key: \"{{ record.id }}\" }\n# zaprun.yaml\nlisten: { webhooks: 0.0.0.0:8080 }\nverify: { token: { header: X-Token, value: \"${FORM_TOKEN}\" } }";
    NOTHING_RUNS = "ZR0311", Warning, "project in which nothing runs",
        "Without a zap that is switched on `zaprun run` has nothing to do: it waits until it is told to stop.",
        bad: "enabled: false      # in every zap",
        good: "enabled: true";
    OPEN_ADMIN = "ZR0312", Error, "admin address that anybody can call",
        "What the program does, and for whom, is not for everybody on the network: another address than that of the machine itself asks for a token.",
        bad: "listen: { admin: \"0.0.0.0:9464\" }",
        good: "listen: { admin: { address: \"0.0.0.0:9464\", token: \"${ZAPRUN_ADMIN_TOKEN}\" } }";
    ADMIN_ADDRESS = "ZR0313", Error, "address that two servers are to have",
        "Webhooks are for others, the admin address is for whoever runs the program; each is an address of its own.",
        bad: "listen: { webhooks: \"127.0.0.1:8080\", admin: \"127.0.0.1:8080\" }",
        good: "listen: { webhooks: \"127.0.0.1:8080\", admin: \"127.0.0.1:9464\" }";
    // 04xx: templates and expressions.
    TEMPLATE_SYNTAX = "ZR0401", Error, "expression cannot be parsed",
        "What is not understood would be sent as it stands, or not at all.",
        bad: "total: \"{{ record.totalAmount + }}\"",
        good: "total: \"{{ record.totalAmount + 1 }}\"";
    UNSUPPORTED = "ZR0402", Error, "template feature that has no place here",
        "A mapping is a pure function of the record: no includes, macros or calls; filters do what functions would.",
        bad: "buyer: \"{{ record.firstName.upper() }}\"",
        good: "buyer: \"{{ record.firstName | upper }}\"";
    UNKNOWN_NAME = "ZR0403", Error, "unknown name in an expression",
        "A misspelt name is never there, so every run would fail on it.",
        bad: "order: \"{{ recrod.orderId }}\"",
        good: "order: \"{{ record.orderId }}\"";
    UNKNOWN_MEMBER = "ZR0404", Error, "field that a value does not have",
        "A misspelt field is never there, so every run would fail on it.",
        bad: "email: \"{{ record.emailAdress }}\"",
        good: "email: \"{{ record.emailAddress }}\"";
    UNKNOWN_FILTER = "ZR0405", Error, "unknown filter",
        "A filter that does not exist fails every run, also one in a branch that is seldom taken.",
        bad: "buyer: \"{{ record.firstName | uper }}\"",
        good: "buyer: \"{{ record.firstName | upper }}\"";
    UNKNOWN_TEST = "ZR0406", Error, "unknown test",
        "A test that does not exist fails every run, also one in a branch that is seldom taken.",
        bad: "filter: \"{{ record.couponCode is defiend }}\"",
        good: "filter: \"{{ record.couponCode is defined }}\"";
    BAD_ARGUMENT = "ZR0407", Error, "wrong argument of a filter or test",
        "An argument that is missing, too much or of the wrong kind fails every run.",
        bad: "buyer: \"{{ record.firstName | truncate_chars }}\"",
        good: "buyer: \"{{ record.firstName | truncate_chars(20) }}\"";
    KIND_MISMATCH = "ZR0408", Error, "kinds of value that do not go together",
        "Text against a number has no answer that is right for everyone: \"12\" is not 12, and \"9\" is more than \"10\".",
        bad: "filter: \"{{ record.campaignId == 12 }}\"   # an id is text",
        good: "filter: \"{{ record.campaignId == '12' }}\"";
    CONDITION_FORM = "ZR0409", Error, "condition that is not one expression",
        "A condition is one expression in braces that is true or false; anything else would hold always or never.",
        bad: "filter: record.totalAmount >= 20",
        good: "filter: \"{{ record.totalAmount >= 20 }}\"";
    EXPRESSION_LIMITS = "ZR0410", Error, "expression beyond the limits",
        "An expression is computed for every record; its size and nesting are bounded so that none can stop the engine.",
        bad: "sum: \"{{ 1 + 1 + … + 1 }}\"   # a thousand parts and more",
        good: "sum: \"{{ 1000 + 1 }}\"";
    MAY_BE_MISSING = "ZR0411", Warning, "value that may be missing",
        "Where a field is null or a step was skipped, an expression has no value, and the run is given up: nothing is sent for that record.",
        bad: "text: \"{{ record.firstName }} {{ record.companyName }}\"",
        good: "text: \"{{ record.firstName }} {{ record.companyName | default('') }}\"";
    UNLIKELY_WORD = "ZR0412", Warning, "word that the field never is",
        "The CRM writes its states in words of its own; a condition that asks for another one never holds.",
        bad: "filter: \"{{ record.orderStatus == 'Complete' }}\"",
        good: "filter: \"{{ record.orderStatus == 'COMPLETE' }}\"";
    KIND_MAY_DIFFER = "ZR0413", Warning, "value that may be of another kind",
        "What is sometimes a number and sometimes text is an error half of the time where numbers are wanted, and the run is given up then.",
        bad: "sum: \"{{ record.totalAmount + (record.surcharge | default('')) }}\"",
        good: "sum: \"{{ record.totalAmount + (record.surcharge | default(0)) }}\"";

    UNBRACED_FIELD = "ZR0414", Warning, "field without braces",
        "Text without braces is sent as it stands: the receiver gets the name of the field instead of its value.",
        bad: "order: record.orderId",
        good: "order: \"{{ record.orderId }}\"";

    // 05xx: JSONPath.
    JSONPATH_SYNTAX = "ZR0501", Error, "JSONPath cannot be parsed",
        "A string that begins with `$.` or `$[` is a JSONPath and must be one (RFC 9535) to its last character.",
        bad: "price: $.50 off",
        good: "price: $$.50 off";
    JSONPATH_FUNCTION = "ZR0502", Error, "JSONPath function used wrongly",
        "RFC 9535 types its functions: a wrong use finds nothing, whatever the record.",
        bad: "skus: $.items[?length(@.productSku)].productSku",
        good: "skus: $.items[?length(@.productSku) > 0].productSku";

    // 06xx: variables and secrets.
    VARIABLE_SYNTAX = "ZR0601", Error, "malformed variable",
        "`${…}` takes a name, a name with a default, or file: and a path. A literal dollar is written `$$`.",
        bad: "password: ${KONNEKTIVE PASSWORD}",
        good: "password: ${KONNEKTIVE_PASSWORD}";
    VARIABLE_UNSET = "ZR0602", Error, "variable is not set",
        "The project needs a value that the environment does not have.",
        bad: "password: ${KONNEKTIVE_PASSWORD}   # KONNEKTIVE_PASSWORD is not set",
        good: "password: ${KONNEKTIVE_PASSWORD}   # KONNEKTIVE_PASSWORD=…";
    VARIABLE_FILE = "ZR0603", Error, "file of a variable cannot be read",
        "The project needs a value from a file that cannot be read as text.",
        bad: "password: ${file:/run/secret/konnektive}",
        good: "password: ${file:/run/secrets/konnektive}";
    VARIABLE_IN_ZAP = "ZR0604", Error, "variable in a zap",
        "Zaps cannot read the environment, so `${…}` would be sent as it stands.",
        bad: "url: https://api.example.com?key=${API_KEY}",
        good: "connection: api   # zaprun.yaml holds the key, or `vars:` a plain value";
    PLAIN_SECRET = "ZR0605", Error, "secret written in plain",
        "What stands in a file of the project is in git, in every clone and in every backup.",
        bad: "password: hunter2",
        good: "password: ${KONNEKTIVE_PASSWORD}";
    VARIABLE_VALUE = "ZR0606", Error, "variable holds no fitting value",
        "The field takes text of a fixed form or a number, and what the variable holds is neither. Its value is not shown.",
        bad: "concurrency: ${CONCURRENCY}   # CONCURRENCY=many",
        good: "concurrency: ${CONCURRENCY}   # CONCURRENCY=3";
    NO_STATE_KEY = "ZR0607", Error, "refresh token without a state_key",
        "Servers give a new refresh token with each use and take the old one away. The new one must outlast a restart, and the state keeps it only sealed.",
        bad: "esp:\n  type: http\n  base_url: https://api.example.com\n  auth: { oauth2: { token_url: https://auth.example.com/token, client_id: zaps, refresh_token: \"${REFRESH_TOKEN}\" } }",
        good: "esp:\n  type: http\n  base_url: https://api.example.com\n  auth: { oauth2: { token_url: https://auth.example.com/token, client_id: zaps, refresh_token: \"${REFRESH_TOKEN}\" } }\nstate_key: ${ZAPRUN_STATE_KEY}   # beside `connections:`";
    OAUTH2_KEYS = "ZR0608", Error, "keys of oauth2 that make no way to a token",
        "A token is got by the client's id and secret, by a refresh token, or by a service account's key: one of them, and whole.",
        bad: "esp:\n  type: http\n  base_url: https://api.example.com\n  auth: { oauth2: { token_url: https://auth.example.com/token, client_id: zaps } }",
        good: "esp:\n  type: http\n  base_url: https://api.example.com\n  auth: { oauth2: { token_url: https://auth.example.com/token, client_id: zaps, client_secret: \"${ZAPS_SECRET}\" } }";
    PLAIN_TOKEN_URL = "ZR0609", Error, "tokens asked for without TLS",
        "The request for a token carries the client's secret. On a line that others can read, theirs is the token too.",
        bad: "esp:\n  type: http\n  base_url: https://api.example.com\n  auth: { oauth2: { token_url: http://auth.example.com/token, client_id: zaps, client_secret: \"${ZAPS_SECRET}\" } }",
        good: "esp:\n  type: http\n  base_url: https://api.example.com\n  auth: { oauth2: { token_url: https://auth.example.com/token, client_id: zaps, client_secret: \"${ZAPS_SECRET}\" } }";

    // 07xx: mappings and what a zap means.
    NUMBER_RANGE = "ZR0701", Error, "number out of range",
        "A number is kept digit by digit; an exponent of nineteen digits is a mistake.",
        bad: "amount: 1e1000000000000000000",
        good: "amount: \"1e1000000000000000000\"";
    CLEAR_OUTSIDE_CRM = "ZR0703", Error, "$clear outside a CRM action",
        "`$clear` empties a field of the CRM; an HTTP API is told so in its own way.",
        bad: "json: { phone: { $clear: true } }",
        good: "json: { phone: null }";
    NEAR_WORD = "ZR0704", Error, "misspelt word of the mapping language",
        "A key that begins with `$` and is nearly a word of the language would be sent as it stands.",
        bad: "lines: { $eech: $.items, $map: $.name }",
        good: "lines: { $each: $.items, $map: \"{{ item.name }}\" }";
    WORD_MISUSED = "ZR0705", Error, "word of the mapping language in the wrong place",
        "`$each` goes with `$map`, `$if` with `$then`; other keys beside them would be lost.",
        bad: "lines: { $each: $.items, name: x }",
        good: "lines: { $each: $.items, $map: { name: x } }";
    UNKNOWN_FIELD = "ZR0706", Error, "field that the record does not have",
        "A trigger's record has the fields of the CRM's row; a condition on another one never holds.",
        bad: "where: { campainId: 12 }",
        good: "where: { campaignId: 12 }";
    WHERE_VALUE = "ZR0707", Error, "value that the field cannot have",
        "A condition compares by the field's type; a value of another type never matches.",
        bad: "where: { totalAmount: many }",
        good: "where: { totalAmount: \"19.90\" }";
    TAKEN_NAME = "ZR0708", Error, "name that is taken",
        "A loop's name hides what else goes by it, so that an expression would read something other than it says.",
        bad: "each: $.items\nas: record",
        good: "each: $.items\nas: line";
    URL_HOST = "ZR0710", Error, "host that is not literal",
        "A record must not choose where data goes: scheme and host are written out, unless `allow_hosts` permits more.",
        bad: "url: \"https://{{ record.custom1 }}/hook\"",
        good: "url: \"https://hooks.example.com/{{ record.orderId }}\"";
    HEADER_NAME = "ZR0711", Error, "not a header name",
        "HTTP knows letters, digits and a few signs in the name of a header.",
        bad: "headers: { \"X Order\": 1 }",
        good: "headers: { X-Order: 1 }";
    RESERVED_HEADER = "ZR0712", Error, "header that zaprun sets itself",
        "These headers say where a message goes and ends, or carry the idempotency key; two of one name contradict each other.",
        bad: "headers: { Host: api.example.com }",
        good: "connection: api   # its address says the host";
    CONSTANT_KEY = "ZR0713", Error, "key that is the same for all",
        "Of all that have one key the first alone fires, so a key must read something that differs.",
        bad: "key: record.id",
        good: "key: \"{{ record.id }}\"";
    NO_REQUEST = "ZR0714", Error, "request that cannot be made",
        "What a trigger asks an API depends on nothing but `vars`, so it is known already that it cannot be asked.",
        bad: "query: { status: \"{{ vars.nothing }}\" }   # vars: { nothing: null }",
        good: "query: { status: \"{{ vars.status }}\" }";
    SCHEMA_UNUSABLE = "ZR0715", Error, "schema or sample that cannot be used",
        "What data looks like is known from a JSON Schema or from samples; one that is not there or not readable says nothing.",
        bad: "schema: schema/entry.json\n# zaps/schemas/entry.json\n{ \"required\": [\"order\"] }",
        good: "schema: schemas/entry.json\n# zaps/schemas/entry.json\n{ \"required\": [\"order\"] }";
    BODY_MISMATCH = "ZR0716", Error, "body that is not what its schema says",
        "The system that receives it refuses the request, or takes it for something else.",
        bad: "schema: { properties: { email: { type: string } } }\njson: { e_mail: $.emailAddress }",
        good: "schema: { properties: { email: { type: string } } }\njson: { email: $.emailAddress }";

    // 08xx: writes to the CRM and look-ups.
    UNKNOWN_PARAM = "ZR0801", Error, "parameter that the endpoint does not take",
        "The CRM passes over what it does not know, so a misspelt parameter is a value that never arrives.",
        bad: "type: konnektive.update_customer\nmap: { customerId: $.customerId, emailAdress: $.emailAddress }",
        good: "type: konnektive.update_customer\nmap: { customerId: $.customerId, emailAddress: $.emailAddress }";
    MISSING_PARAM = "ZR0802", Error, "parameter that the endpoint needs",
        "The CRM refuses a write without it, so every run would fail.",
        bad: "type: konnektive.update_fulfillment\nmap: { orderId: $.orderId, fulfillmentStatus: SHIPPED }",
        good: "type: konnektive.update_fulfillment\nmap: { orderId: $.orderId, fulfillmentStatus: SHIPPED, trackingNumber: \"1Z9\", dateShipped: \"{{ event.at }}\" }";
    PARAM_VALUE = "ZR0803", Error, "value that the parameter cannot have",
        "The CRM refuses the value, or takes it for another one.",
        bad: "type: konnektive.qa_order\nmap: { orderId: $.orderId, action: ACCEPT }",
        good: "type: konnektive.qa_order\nmap: { orderId: $.orderId, action: APPROVE }";
    PARAM_TOO_LONG = "ZR0804", Error, "value that is too long for the parameter",
        "What is beyond the CRM's length is lost or refused; only its author knows where to cut it.",
        bad: "type: konnektive.update_customer\nmap: { customerId: $.customerId, city: Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch }",
        good: "type: konnektive.update_customer\nmap: { customerId: $.customerId, city: Llanfair PG }";
    PARAMS_TOGETHER = "ZR0805", Error, "parameters that exclude each other",
        "Only one of them can say what to do.",
        bad: "type: konnektive.refund_order\nmap: { orderId: $.orderId, refundAmount: 5, fullRefund: true }",
        good: "type: konnektive.refund_order\nmap: { orderId: $.orderId, fullRefund: true }";
    CARD_DATA = "ZR0806", Error, "card or bank data",
        "What zaprun does not hold it cannot lose: card numbers, security codes and bank accounts stay with the CRM.",
        bad: "type: konnektive.update_customer\nmap: { customerId: $.customerId, cardNumber: $.custom1 }",
        good: "type: konnektive.update_customer\nmap: { customerId: $.customerId, city: $.city }";
    CLEAR_REFUSED = "ZR0807", Error, "$clear where nothing can be emptied",
        "Of the CRM's endpoints only customer/update documents how a field is emptied.",
        bad: "type: konnektive.create_lead\nmap: { campaignId: 12, companyName: { $clear: true } }",
        good: "type: konnektive.update_customer\nmap: { customerId: $.customerId, companyName: { $clear: true } }";
    CLEAR_BY_TEXT = "ZR0808", Error, "the text NULL",
        "The CRM takes the text `NULL` for an order to empty the field, also where somebody is called so.",
        bad: "type: konnektive.update_customer\nmap: { customerId: $.customerId, companyName: \"NULL\" }",
        good: "type: konnektive.update_customer\nmap: { customerId: $.customerId, companyName: { $clear: true } }";
    MONEY_RETRIED = "ZR0809", Error, "retry where money is at stake",
        "A write that moves money is sent again only with proof that it did not happen; a blind retry charges twice.",
        bad: "type: konnektive.refund_order\nmap: { orderId: $.orderId, fullRefund: true }\non_uncertain: retry",
        good: "type: konnektive.refund_order\nmap: { orderId: $.orderId, fullRefund: true }\nsettle_after: 30m";
    QUERY_RANGE = "ZR0810", Error, "look-up without days",
        "Without an id the CRM looks up rows of given days only.",
        bad: "type: konnektive.query\nfind: orders\nby: { emailAddress: $.emailAddress }",
        good: "type: konnektive.query\nfind: orders\nby: { emailAddress: $.emailAddress }\nfrom: \"{{ event.at | date_add('-90d') }}\"";
    PARAM_MAY_BE_MISSING = "ZR0811", Error, "needed parameter that may be missing",
        "The CRM refuses the write without it, and the order, lead or parcel of that record is never made.",
        bad: "type: konnektive.add_note\nmap: { customerId: $.customerId, message: $.couponCode }",
        good: "type: konnektive.add_note\nmap: { customerId: $.customerId, message: \"{{ record.couponCode | default('no coupon') }}\" }";
    PARAM_MAY_NOT_FIT = "ZR0812", Warning, "value that the parameter may not take",
        "Some of the values that may come are refused by the endpoint, and the write of that record fails.",
        bad: "type: konnektive.update_customer\nmap: { customerId: $.customerId, city: \"{{ record.campaignName | truncate_chars(80) }}\" }   # 30 are taken",
        good: "type: konnektive.update_customer\nmap: { customerId: $.customerId, city: \"{{ record.campaignName | truncate_chars(30) }}\" }";

    // 09xx: tests of zaps.
    TEST_FAILS = "ZR0901", Error, "a zap's own test fails",
        "The zap does not do what its author says it does: the zap is wrong, or the test is.",
        bad: "expect: { send: { json: { order: A1 } } }   # the record is of order B2",
        good: "expect: { send: { json: { order: B2 } } }";
    TEST_FIXTURE = "ZR0902", Error, "fixture that cannot be used",
        "A test without its record shows nothing. Paths begin at the folder of the file that names them.",
        bad: "record: fixture/sale.json\n# zaps/fixtures/sale.json\n{ \"orderId\": \"A1\", \"orderType\": \"NEW_SALE\", \"orderStatus\": \"COMPLETE\" }",
        good: "record: fixtures/sale.json\n# zaps/fixtures/sale.json\n{ \"orderId\": \"A1\", \"orderType\": \"NEW_SALE\", \"orderStatus\": \"COMPLETE\" }";
    TEST_STEP = "ZR0903", Error, "step that the zap does not have",
        "What is expected of a step that is not there is never looked at.",
        bad: "expect: { sned: done }   # the step is called send",
        good: "expect: { send: done }";
    TEST_PART = "ZR0904", Error, "expectation or reply that does not go with its step",
        "An http request has a body and headers, a write to the CRM has parameters, and only a step with `each` has elements.",
        bad: "expect: { send: { map: { order: B2 } } }   # send is of type http",
        good: "expect: { send: { json: { order: B2 } } }";
    TEST_TRIGGER = "ZR0905", Error, "test that does not go with the trigger",
        "A schedule fires at a time and has no record; only requests that arrive have headers and a query.",
        bad: "trigger: { type: schedule, cron: \"0 8 * * *\", timezone: America/New_York }\njson: { at: $.scheduled_at }\nrecord: { scheduled_at: \"2026-09-16T08:00:00-04:00\" }",
        good: "trigger: { type: schedule, cron: \"0 8 * * *\", timezone: America/New_York }\njson: { at: $.scheduled_at }\nat: \"2026-09-16T08:00:00-04:00\"";
    TEST_VAR = "ZR0906", Error, "var that the project does not have",
        "A test lays its `vars` over those of the project; one that is not there is read by nobody.",
        bad: "vars: { chanel: \"#test\" }",
        good: "vars: { channel: \"#test\" }";
    DUPLICATE_TEST = "ZR0907", Error, "two tests or properties of one name",
        "Tests and properties are told apart by their names, in what is printed and by `--filter`.",
        bad: "tests:\n  - name: a sale\n    record: { orderId: B2, orderType: NEW_SALE, orderStatus: COMPLETE }\n    expect: { send: done }\n  - name: a sale\n    record: { orderId: B3, orderType: NEW_SALE, orderStatus: COMPLETE }\n    expect: { send: done }",
        good: "tests:\n  - name: a sale\n    record: { orderId: B2, orderType: NEW_SALE, orderStatus: COMPLETE }\n    expect: { send: done }\n  - name: another sale\n    record: { orderId: B3, orderType: NEW_SALE, orderStatus: COMPLETE }\n    expect: { send: done }";

    // 10xx: who may see what.
    SENSITIVE_SENT = "ZR1001", Error, "card data or a secret that leaves",
        "What is known of a card or a bank account is for the CRM alone. One line in the zap allows it, so that a review sees it.",
        bad: "json: { card: $.cardLast4 }",
        good: "allow: [card]\njson: { card: $.cardLast4 }";
    PERSONAL_IN_URL = "ZR1002", Warning, "personal data in an address",
        "Addresses are written to the logs of every server on the way.",
        bad: "path: \"/contacts/{{ record.emailAddress }}\"",
        good: "path: /contacts\njson: { email: $.emailAddress }";
    PERSONAL_SENT = "ZR1003", Warning, "personal data for a connection that is not marked for it",
        "Who receives personal data is a decision of the project, and stands in zaprun.yaml.",
        bad: "connection: esp\njson: { email: $.emailAddress }\n# zaprun.yaml\nesp: { type: http, base_url: \"https://esp.example.com\" }",
        good: "connection: esp\njson: { email: $.emailAddress }\n# zaprun.yaml\nesp: { type: http, base_url: \"https://esp.example.com\", may_receive: personal }";

    // 11xx: look-up tables.
    TABLE_FORM = "ZR1101", Error, "table of the wrong form",
        "Each key of a table has one value in each of its columns, so that a look-up gives one value or none.",
        bad: "# tables/accounts.csv\nsku,account\nVITC,4000\nZINC",
        good: "# tables/accounts.csv\nsku,account\nVITC,4000\nZINC,4010";
    TABLE_KEY = "ZR1102", Error, "key that occurs twice in a table",
        "Of two rows of one key one would never be found, and it may be the one you mean.",
        bad: "# tables/accounts.csv\nsku,account\nVITC,4000\nVITC,4010",
        good: "# tables/accounts.csv\nsku,account\nVITC,4010";
    DUPLICATE_TABLE = "ZR1103", Error, "two tables of one name",
        "A table is called as its file is, without the ending, so that two files of one name cannot be told apart.",
        bad: "# tables/accounts.csv\nsku,account\nVITC,4000\n# tables/accounts.yaml\nVITC: 4000",
        good: "# tables/accounts.csv\nsku,account\nVITC,4000\n# tables/countries.yaml\nUS: United States";
    UNKNOWN_TABLE = "ZR1104", Error, "unknown table",
        "A table that does not exist fails every run. Tables stand in the folder `tables/`.",
        bad: "account: \"{{ record.orderId | lookup('acounts') }}\"",
        good: "account: \"{{ record.orderId | lookup('accounts', '4999') }}\"\n# tables/accounts.csv\norder,account\nA1,4000";
    TABLE_COLUMN = "ZR1105", Error, "column that the table does not have",
        "A table of several columns needs to be told which; one that it does not have fails every run.",
        bad: "account: \"{{ record.orderId | lookup('accounts', '-') }}\"\n# tables/accounts.csv\norder,account,cost\nA1,4000,5000",
        good: "account: \"{{ record.orderId | lookup('accounts', '-', column='cost') }}\"\n# tables/accounts.csv\norder,account,cost\nA1,4000,5000";

    // 12xx: the project's own policy.
    NO_OWNER = "ZR1201", Error, "zap without an owner",
        "The project's `policy:` asks for it: at 3 a.m. somebody must know whose zap it is.",
        bad: "name: new-sale\n# zaprun.yaml\npolicy: { require: { owner: true } }",
        good: "name: new-sale\nowner: billing-team\n# zaprun.yaml\npolicy: { require: { owner: true } }";
    NO_DESCRIPTION = "ZR1202", Error, "zap without a description",
        "The project's `policy:` asks for it: a name alone does not say why a zap exists.",
        bad: "name: new-sale\n# zaprun.yaml\npolicy: { require: { description: true } }",
        good: "name: new-sale\ndescription: Tell the desk about each sale.\n# zaprun.yaml\npolicy: { require: { description: true } }";
    NO_TESTS = "ZR1203", Error, "action that no test expects anything of",
        "The project's `policy:` asks for a test of each action of this kind: what it sends is too dear to find out by sending it.",
        bad: "name: new-sale\n# zaprun.yaml\npolicy: { require: { tests: [http] } }",
        good: "name: new-sale\ntests:\n  - name: a sale is sent\n    record: { orderId: \"A1\", orderType: NEW_SALE, orderStatus: COMPLETE }\n    expect: { send: { json: { order: \"A1\" } } }\n# zaprun.yaml\npolicy: { require: { tests: [http] } }";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_explained() {
        for pair in CODES.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} before {}", pair[0].id, pair[1].id);
        }
        for code in CODES {
            assert!(code.id.len() == 6 && code.id.starts_with("ZR"), "{}", code.id);
            assert!(
                !code.title.is_empty()
                    && !code.why.is_empty()
                    && !code.bad.is_empty()
                    && !code.good.is_empty()
            );
        }
    }
}
