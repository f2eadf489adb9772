//! `transactions/refund` (contract §5.6).

use super::describe::reply;
use super::shared::{REFUND, REFUND_RULES};
use super::{Endpoint, Param, ParamType, Repeat, Rule};

/// Gives money of a transaction back.
pub(super) static REFUND_TRANSACTION: Endpoint = Endpoint {
    groups: &[
        &[Param::new("transactionId", ParamType::Id, "the transaction").max(30)],
        REFUND,
        &[
            Param::new("cancelPurchase", ParamType::Flag, "whether to cancel the subscription too"),
            Param::new("externalRefund", ParamType::Flag, "whether the money went back elsewhere already"),
            Param::new("refundMerchantTxnId", ParamType::Text, "gateway's id of a refund made elsewhere")
                .max(500),
        ],
    ],
    rules: &[Rule::Required(&["transactionId"]), REFUND_RULES[0], REFUND_RULES[1]],
    repeat: Repeat::Never,
    reply: &[reply("transactionId", "the transaction")],
    ..Endpoint::new(
        "konnektive.refund_transaction",
        "transactions/refund",
        "Refund Transaction",
        "Gives money of a transaction back.",
    )
};
