//! One busy account: who gets its next request.

use crate::support::{NO_ORDERS, NOW, Server, konnektive_at, reply, request};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use zaprun_core::request::FindRequest;
use zaprun_core::trigger::{DateRange, Endpoint, Narrowing, Query};
use zaprun_engine::ports::{Crm, CrmWriter, PageRequest, ZapId};
use zaprun_konnektive::Konnektive;

const APPROVED: &str = include_str!("../samples/qa_approved.json");

async fn write(crm: &Konnektive, zap: i64, campaign: &str) {
    let sale = request("konnektive.create_sale", &[("campaignId", campaign)]);
    let turn = crm.turn_for(ZapId(zap)).await;
    crm.write_in_turn(&sale, turn).await;
}

async fn find(crm: &Konnektive, zap: i64) {
    let find = FindRequest {
        connection: "crm".into(),
        endpoint: Endpoint::Transactions,
        params: vec![("campaignId".into(), "looked up".into())],
        days: None,
    };
    crm.find_for(ZapId(zap), &find).await.unwrap();
}

fn page(status: &str) -> PageRequest {
    PageRequest {
        query: Query {
            endpoint: Endpoint::Orders,
            seen_through: DateRange::Updated,
            params: vec![("campaignId", status.to_owned())],
        },
        narrowing: Narrowing::default(),
        window: None,
        page: 1,
        per_page: 200,
        ascending: true,
    }
}

#[tokio::test]
async fn a_burst_of_one_zap_delays_neither_polls_nor_other_zaps() {
    let server = Server::answering(|seen| {
        let write = seen.endpoint().contains("import");
        Some(reply(200, if write { APPROVED } else { NO_ORDERS }))
    })
    .await;
    let crm = konnektive_at(&server.base, "UTC", NOW, 1);
    let turn = crm.turn().await;
    let (leisure, poll) = (page("backfill"), page("poll"));
    let mut waiting: Vec<BoxFuture<'_, ()>> = Vec::new();
    waiting.extend((0..12).map(|_| write(&crm, 1, "burst").boxed()));
    waiting.push(crm.page_at_leisure(&leisure).map(|_| ()).boxed());
    waiting.push(write(&crm, 2, "quiet").boxed());
    waiting.push(find(&crm, 3).boxed());
    waiting.push(crm.page(&poll).map(|_| ()).boxed());
    for one in &mut waiting {
        assert!(one.now_or_never().is_none(), "it queues up behind the turn that is held");
    }
    drop(turn);
    join_all(waiting).await;
    let order: Vec<String> =
        server.seen().iter().filter_map(|seen| seen.field("campaignId").map(str::to_owned)).collect();
    assert_eq!(order.len(), 16, "{order:?}");
    let place = |name: &str| order.iter().position(|known| known == name).unwrap();
    // The first of the burst was at the head before anybody else came.
    assert_eq!(place("poll"), 1, "{order:?}");
    assert!(place("quiet") < 5 && place("looked up") < 6, "{order:?}");
    // What nobody waits for comes neither first nor last.
    assert!((4..12).contains(&place("backfill")), "{order:?}");
}
