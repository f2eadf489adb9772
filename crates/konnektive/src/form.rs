//! The form that asks for one page.

use form_urlencoded::Serializer;
use jiff::civil::Date;
use zaprun_engine::ports::PageRequest;
use zaprun_http::Secret;

/// Rows of a page at most (contract §1.5).
pub(crate) const LARGEST_PAGE: u32 = 200;

/// The body: credentials, the window, what is asked, and the page (contract §1.6, §1.7).
pub(crate) fn page(request: &PageRequest, login_id: &Secret, password: &Secret) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("loginId", login_id.expose());
    form.append_pair("password", password.expose());
    for (name, value) in &request.query.params {
        form.append_pair(name, value);
    }
    for (name, ids) in [
        ("campaignId", &request.narrowing.campaign_ids),
        ("campaignProductId", &request.narrowing.campaign_product_ids),
    ] {
        if !ids.is_empty() {
            form.append_pair(name, &ids.join(","));
        }
    }
    if let Some(window) = request.window {
        form.append_pair("dateRangeType", request.query.seen_through.field());
        form.append_pair("startDate", &day(window.first));
        form.append_pair("endDate", &day(window.last));
    }
    form.append_pair("page", &request.page.max(1).to_string());
    form.append_pair("resultsPerPage", &request.per_page.clamp(1, LARGEST_PAGE).to_string());
    form.append_pair("sortDir", if request.ascending { "1" } else { "0" });
    form.finish()
}

/// The documented form of a date (contract §1.6).
fn day(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.month(), date.day(), date.year())
}
