//! The yardstick: the whole job by hand. Reads all orders, maps each through a struct, posts sixteen at once, and
//! remembers nothing.

use std::error::Error;
use std::pin::pin;

use bytes::Bytes;
use clap::Parser;
use form_urlencoded::Serializer;
use futures::StreamExt;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use zaprun_bench::hand;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PER_PAGE: u64 = 200;
const IN_FLIGHT: usize = 16;

/// Read all orders, map each, post each
#[derive(Debug, Parser)]
struct Args {
    /// Address of the CRM and the sink
    #[arg(long)]
    base: String,

    /// First and last day asked for, MM/DD/YYYY
    #[arg(long)]
    day: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    total_results: u64,
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

fn main() -> Outcome<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(all(args))
}

async fn all(args: Args) -> Outcome<()> {
    let client = client()?;
    let sink = format!("{}/sink", args.base);
    let (pages, read) = mpsc::channel(1);
    // The next page is on its way while this one is posted.
    let reader = tokio::spawn(read_all(client.clone(), args, pages));
    let next = |mut read: mpsc::Receiver<Vec<Bytes>>| async { read.recv().await.map(|page| (page, read)) };
    let orders = futures::stream::unfold(read, next).flat_map(futures::stream::iter);
    let mut posts = pin!(orders.map(|order| post(&client, &sink, order)).buffer_unordered(IN_FLIGHT));
    while let Some(posted) = posts.next().await {
        posted?;
    }
    reader.await?
}

async fn read_all(client: Client, args: Args, pages: mpsc::Sender<Vec<Bytes>>) -> Outcome<()> {
    let mut number = 1;
    loop {
        let (total, orders) = page(&client, &args, number).await?;
        // Nobody takes it: posting has failed and says why.
        if pages.send(orders).await.is_err() || number * PER_PAGE >= total {
            return Ok(());
        }
        number += 1;
    }
}

/// The same settings that `zaprun` has for a server on this machine.
fn client() -> Outcome<Client> {
    // Another provider than ours is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().no_proxy().tls_certs_only([]).build()?)
}

async fn page(client: &Client, args: &Args, number: u64) -> Outcome<(u64, Vec<Bytes>)> {
    let form = Serializer::new(String::new())
        .append_pair("loginId", "bench")
        .append_pair("password", "bench")
        .append_pair("orderStatus", "COMPLETE")
        .append_pair("dateRangeType", "dateUpdated")
        .append_pair("startDate", &args.day)
        .append_pair("endDate", &args.day)
        .append_pair("page", &number.to_string())
        .append_pair("resultsPerPage", &PER_PAGE.to_string())
        .append_pair("sortDir", "1")
        .finish();
    let url = format!("{}/order/query/", args.base);
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    let answer = client.post(url).header(CONTENT_TYPE, form_type).body(form).send().await?;
    let bytes = answer.error_for_status()?.bytes().await?;
    let page: Envelope<'_> = serde_json::from_slice(&bytes)?;
    let rows = page.message.data.iter().map(|row| bytes.slice_ref(row.get().as_bytes())).collect();
    Ok((page.message.total_results, rows))
}

async fn post(client: &Client, sink: &str, order: Bytes) -> Outcome<()> {
    let mut body = Vec::with_capacity(512);
    hand::whole(&order, &mut body)?;
    let json = HeaderValue::from_static("application/json");
    let answer = client.post(sink).header(CONTENT_TYPE, json).body(body).send().await?;
    answer.error_for_status()?.bytes().await?;
    Ok(())
}
