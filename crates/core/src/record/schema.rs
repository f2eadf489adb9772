//! The vocabulary in which rows are described.

/// What a field means, and so how its value is viewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// An identifier: text, whether the CRM wrote a number or a string.
    Id,
    /// Free text.
    Text,
    /// Text out of a known set; the CRM may add to it.
    Enum(&'static [&'static str]),
    /// A whole number.
    Count,
    /// An amount of money: an exact decimal with the scale the CRM wrote.
    Money,
    /// A yes or no, written by the CRM as 0/1, "0"/"1" or true/false.
    Flag,
    /// A time local to the account, `YYYY-MM-DD HH:MM:SS`: text, as the CRM wrote it.
    Timestamp,
    /// A day, `YYYY-MM-DD`: text, as the CRM wrote it.
    Date,
    /// A list of rows; an object keyed by id is viewed as a list whose members carry `key`.
    List(&'static Schema),
    /// Anything, as received.
    Any,
}

impl FieldType {
    /// What a person would call a value of the type.
    pub fn words(self) -> &'static str {
        match self {
            FieldType::Id => "an id",
            FieldType::Text => "text",
            FieldType::Enum(_) => "a word of the CRM's",
            FieldType::Count => "a whole number",
            FieldType::Money => "an amount",
            FieldType::Flag => "true or false",
            FieldType::Timestamp => "a time, `YYYY-MM-DD HH:MM:SS`",
            FieldType::Date => "a day, `YYYY-MM-DD`",
            FieldType::List(_) => "a list",
            FieldType::Any => "anything",
        }
    }
}

/// Who may see a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nothing that points to a person.
    Plain,
    /// Personal data.
    Personal,
    /// Payment data short of card numbers.
    Card,
    /// Never leaves.
    Secret,
}

/// One field of a row. Every field may be absent or null (contract §3.1: the shapes of 2016, 2022 and 2026);
/// [`Schema::always`] names those that in practice never are.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Name as the CRM spells it.
    pub name: &'static str,
    /// Type.
    pub ty: FieldType,
    /// Meaning in a few words.
    pub meaning: &'static str,
    /// Data class.
    pub class: Class,
}

/// A kind of row.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    /// Name of the row: `order`, `item`, `transaction`, …
    pub name: &'static str,
    /// Fields in the CRM's order.
    pub fields: &'static [Field],
    /// Which of them in practice every row has, with a value; the others are null at times.
    pub always: Always,
}

/// Fields that in practice every row has, with a value: what the CRM makes itself, and what it asks for before it makes
/// the row.
#[derive(Debug, PartialEq, Eq)]
pub enum Always {
    /// All of them: within items the CRM writes `""` where it has nothing to say (contract §1.8).
    All,
    /// These.
    These(&'static [&'static str]),
}

impl Schema {
    /// Whether in practice every row has the field, with a value.
    pub fn always_has(&self, name: &str) -> bool {
        match self.always {
            Always::All => true,
            Always::These(names) => names.contains(&name),
        }
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// One entry of a table of fields.
pub(super) const fn field(name: &'static str, ty: FieldType, class: Class, meaning: &'static str) -> Field {
    Field { name, ty, meaning, class }
}
