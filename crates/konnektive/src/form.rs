//! The forms that are posted: credentials first, in the body and nowhere else.

use form_urlencoded::Serializer;
use jiff::civil::Date;
use zaprun_engine::ports::PageRequest;
use zaprun_http::Secret;

/// Rows of a page at most (contract §1.5).
pub(crate) const LARGEST_PAGE: u32 = 200;

/// Parameters that are set here alone: of two the CRM may take either.
const CREDENTIALS: [&str; 2] = ["loginId", "password"];

/// Parameters that say which page is wanted.
const PAGING: [&str; 3] = ["page", "resultsPerPage", "sortDir"];

/// Parameters that say which days are wanted.
const WINDOW: [&str; 2] = ["startDate", "endDate"];

/// Whole days, both ends included, and the date by which rows belong to one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days {
    /// First day.
    pub(crate) first: Date,
    /// Last day.
    pub(crate) last: Date,
    /// `dateCreated` or `dateUpdated`.
    pub(crate) by: &'static str,
}

/// The body that asks for a page of a walk (contract §1.6, §1.7).
pub(crate) fn page(request: &PageRequest, login_id: &Secret, password: &Secret) -> String {
    let mut form = begin(login_id, password);
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
        let by = request.query.seen_through.field();
        append_days(&mut form, by, window.first, window.last);
    }
    form.append_pair("page", &request.page.max(1).to_string());
    form.append_pair("resultsPerPage", &request.per_page.clamp(1, LARGEST_PAGE).to_string());
    form.append_pair("sortDir", if request.ascending { "1" } else { "0" });
    form.finish()
}

/// The body that asks for a page of a look-up. What the filters say of pages and days gives way.
pub(crate) fn look_up<'a>(
    filters: impl Iterator<Item = (&'a str, &'a str)>,
    days: Option<Days>,
    page: u32,
    login_id: &Secret,
    password: &Secret,
) -> String {
    let mut form = begin(login_id, password);
    let mut by = None;
    for (name, value) in filters {
        let ours = CREDENTIALS.contains(&name)
            || PAGING.contains(&name)
            || (days.is_some() && WINDOW.contains(&name));
        if name == "dateRangeType" && days.is_some() {
            by = Some(value);
        } else if !ours {
            form.append_pair(name, value);
        }
    }
    if let Some(days) = days {
        append_days(&mut form, by.unwrap_or(days.by), days.first, days.last);
    }
    form.append_pair("page", &page.to_string());
    form.append_pair("resultsPerPage", &LARGEST_PAGE.to_string());
    form.append_pair("sortDir", "1");
    form.finish()
}

/// The body of a write.
pub(crate) fn write<'a>(
    params: impl Iterator<Item = (&'a str, &'a str)>,
    login_id: &Secret,
    password: &Secret,
) -> String {
    let mut form = begin(login_id, password);
    for (name, value) in params.filter(|(name, _)| !CREDENTIALS.contains(name)) {
        form.append_pair(name, value);
    }
    form.finish()
}

fn begin(login_id: &Secret, password: &Secret) -> Serializer<'static, String> {
    let mut form = Serializer::new(String::new());
    form.append_pair("loginId", login_id.expose());
    form.append_pair("password", password.expose());
    form
}

fn append_days(form: &mut Serializer<'static, String>, by: &str, first: Date, last: Date) {
    form.append_pair("dateRangeType", by);
    form.append_pair("startDate", &day(first));
    form.append_pair("endDate", &day(last));
}

/// The documented form of a date (contract §1.6).
fn day(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.month(), date.day(), date.year())
}
