//! transactions/query (contract §3.2).

use super::{Common, Facts, Paged, Paging, in_order, just_before, one_of, whole};
use crate::config::BeyondEnd;
use crate::crm::dates::{self, RangeType};
use crate::crm::params::Params;
use crate::crm::reply::Reply;
use crate::crm::rows::transaction_row;
use crate::crm::variety::Variety;
use crate::state::{ResponseType, State, Transaction, TxnType};

/// Answers transactions/query.
pub(crate) fn transactions(state: &State, params: &Params, variety: Variety, beyond: BeyondEnd) -> Reply {
    let query = match TransactionQuery::read(params) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let rows = query.sorted(state, Paging::read(params));
    let custom_fields = params.flag("includeCustomFields");
    let page = Paged { things: "transactions", params, range: query.range, beyond, variety };
    page.reply(&rows, |found| transaction_row(found, variety, custom_fields))
}

/// Moves rows between pages, see [`super::shift_rows`].
pub(super) fn shift_transactions(state: &mut State, params: &Params, insert: bool) {
    let (Ok(query), paging) = (TransactionQuery::read(params), Paging::read(params)) else { return };
    let Some(first) = query.sorted(state, paging).first().map(|found| (*found).clone()) else { return };
    if insert {
        let mut twin = state.twin_transaction(&first);
        twin.created = just_before(first.created, paging);
        twin.updated = state.now();
        state.insert_transaction(twin);
    } else {
        state.remove_transaction(first.transaction_id);
    }
}

#[derive(Debug)]
struct TransactionQuery {
    common: Common,
    range: RangeType,
    txn_type: Option<TxnType>,
    response_type: Option<ResponseType>,
    transaction_id: Option<u64>,
    charged_back: Option<bool>,
    texts: Vec<(&'static str, String)>,
}

/// Filters on single fields of a transaction; they compare whole values.
const TRANSACTION_FILTERS: &[&str] = &["purchaseId", "paySource", "merchantTxnId", "cardLast4", "cardBin"];

impl TransactionQuery {
    fn read(params: &Params) -> Result<TransactionQuery, Reply> {
        let ids =
            ["orderId", "purchaseId", "customerId", "transactionId", "merchantTxnId", "cardLast4", "cardBin"];
        let wanted = |name: &&'static str| Some((*name, params.get(name)?.to_owned()));
        Ok(TransactionQuery {
            common: Common::read(params, &ids)?,
            range: dates::range_type(params, &[RangeType::Created, RangeType::Updated])?,
            txn_type: one_of(params, "txnType", TxnType::ALL)?,
            response_type: one_of(params, "responseType", ResponseType::ALL)?,
            transaction_id: whole(params, "transactionId")?,
            charged_back: one_of(params, "isChargedback", &[(false, "0"), (true, "1")])?,
            texts: TRANSACTION_FILTERS.iter().filter_map(wanted).collect(),
        })
    }

    fn admits(&self, found: &Transaction) -> bool {
        let facts = Facts {
            at: if self.range == RangeType::Updated { found.updated } else { found.created },
            order_id: &found.order_id,
            customer_id: found.customer_id,
            campaign_id: found.campaign_id,
            buyer: &found.buyer,
            extra: &found.extra,
        };
        self.txn_type.is_none_or(|wanted| wanted == found.txn_type)
            && self.response_type.is_none_or(|wanted| wanted == found.response_type)
            && self.transaction_id.is_none_or(|wanted| wanted == found.transaction_id)
            && self.charged_back.is_none_or(|wanted| wanted == found.chargeback.is_some())
            && self.texts.iter().all(|(name, wanted)| has(found, name, wanted))
            && self.common.admits(&facts)
    }

    fn sorted<'a>(&self, state: &'a State, paging: Paging) -> Vec<&'a Transaction> {
        let rows: Vec<&Transaction> = state.transactions().filter(|found| self.admits(found)).collect();
        in_order(rows, paging, |found| (found.created, found.transaction_id))
    }
}

fn has(found: &Transaction, name: &str, wanted: &str) -> bool {
    let payment = found.payment.as_ref();
    let card = payment.and_then(|payment| payment.card.as_ref());
    match name {
        "purchaseId" => found.lines.iter().any(|line| line.purchase_id == wanted),
        "paySource" => payment.is_some_and(|payment| payment.source == wanted),
        "merchantTxnId" => found.merchant_txn_id == wanted,
        "cardLast4" => card.is_some_and(|card| card.last4 == wanted),
        "cardBin" => card.is_some_and(|card| card.bin == wanted),
        _ => false,
    }
}
