//! The merchant's campaigns and products, the same in every sandbox.

use crate::money::Money;

/// A campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// `campaignId`.
    pub id: u64,
    /// `campaignName`.
    pub name: &'static str,
    /// `campaignCategoryName`.
    pub category: &'static str,
    /// What it sells; the first is its main offer.
    pub products: &'static [Product],
}

/// A product as one campaign sells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Campaign product id, the one that orders name.
    pub id: u64,
    /// Id of the base product.
    pub actual_id: u64,
    /// `name`.
    pub name: &'static str,
    /// `productSku`.
    pub sku: &'static str,
    /// Price of one.
    pub price: Money,
    /// Shipping of one line.
    pub shipping: Money,
    /// Whether it bills again every 30 days.
    pub recurring: bool,
    /// Whether a rebill ships, and so gets an order of its own.
    pub ships_again: bool,
    /// Whether it is offered after the sale.
    pub upsale: bool,
}

const fn offer(id: u64, name: &'static str, sku: &'static str, cents: i64) -> Product {
    Product {
        id,
        actual_id: id - 1256,
        name,
        sku,
        price: Money::from_cents(cents),
        shipping: Money::ZERO,
        recurring: false,
        ships_again: false,
        upsale: false,
    }
}

const fn subscription(product: Product, ships_again: bool) -> Product {
    Product { recurring: true, ships_again, ..product }
}

const fn upsale(product: Product) -> Product {
    Product { upsale: true, ..product }
}

const fn shipped_for(product: Product, cents: i64) -> Product {
    Product { shipping: Money::from_cents(cents), ..product }
}

/// All campaigns.
pub const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        id: 12,
        name: "Vitality Kit Funnel",
        category: "Health",
        products: &[
            subscription(offer(15271, "Vitality Kit", "VIT-01", 4999), true),
            upsale(offer(15272, "Vitality Booster", "VIT-02", 1990)),
            shipped_for(offer(15273, "Vitality Kit, trial size", "VIT-T", 495), 495),
        ],
    },
    Campaign {
        id: 15,
        name: "Café Crème Club",
        category: "Food & Drink",
        products: &[
            subscription(offer(15310, "Café Crème, 1 kg \"Gold\"", "CAF-GOLD", 2450), true),
            upsale(offer(15311, "Barista's Milk Jug", "CAF-JUG", 1295)),
        ],
    },
    Campaign {
        id: 21,
        name: "Night Vision Pro",
        category: "Outdoor",
        products: &[
            shipped_for(offer(15402, "Night Vision Pro Binoculars", "NVP-10", 8990), 995),
            upsale(offer(15403, "Carry Case", "NVP-CASE", 2400)),
            subscription(upsale(offer(15404, "Warranty Plus", "", 495)), false),
        ],
    },
    Campaign {
        id: 459,
        name: "Example Funnel",
        category: "Example Category",
        products: &[subscription(offer(15999, "Example Membership", "", 30), false)],
    },
];

/// The campaign of this id.
pub fn campaign(id: u64) -> Option<&'static Campaign> {
    CAMPAIGNS.iter().find(|campaign| campaign.id == id)
}

/// The product of this campaign product id, if the campaign sells it.
pub fn product(campaign_id: u64, product_id: u64) -> Option<&'static Product> {
    campaign(campaign_id)?.products.iter().find(|product| product.id == product_id)
}

/// `campaignName`, also of a campaign that only leads named.
pub(crate) fn campaign_name(id: u64) -> String {
    campaign(id).map_or_else(|| format!("Campaign {id}"), |campaign| campaign.name.to_owned())
}
