//! Words that the vendor spells in its own way.

macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value with the vendor's spelling.
            pub const ALL: &[($name, &str)] = &[$(($name::$variant, $text),)+];

            /// The vendor's spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The value of the vendor's spelling.
            pub fn parse(text: &str) -> Option<$name> {
                Self::ALL.iter().find(|(_, spelling)| *spelling == text).map(|(value, _)| *value)
            }
        }
    };
}
pub(in crate::state) use wire_enum;

wire_enum! {
    /// Where an order stands in its life (contract §2.1).
    OrderStatus {
        /// A lead, or a sale that was declined so far.
        Partial = "PARTIAL",
        /// In quality assurance.
        Pending = "PENDING",
        /// Sold.
        Complete = "COMPLETE",
        /// Turned down for good.
        Declined = "DECLINED",
        /// All money went back.
        Refunded = "REFUNDED",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// To be paid on delivery.
        CodPending = "COD_PENDING",
    }
}

wire_enum! {
    /// Whether an order is a buyer's first or a rebill's.
    OrderType {
        /// The buyer ordered.
        NewSale = "NEW_SALE",
        /// A later billing cycle.
        Recurring = "RECURRING",
    }
}

wire_enum! {
    /// Result of quality assurance.
    ReviewStatus {
        /// Waits for a person.
        Pending = "PENDING",
        /// Let through.
        Approved = "APPROVED",
        /// Turned down.
        Declined = "DECLINED",
    }
}

wire_enum! {
    /// Kind of a transaction.
    TxnType {
        /// Authorised and captured in one.
        Sale = "SALE",
        /// Authorised only.
        Authorize = "AUTHORIZE",
        /// Money of an earlier authorisation taken.
        Capture = "CAPTURE",
        /// An authorisation dropped.
        Void = "VOID",
        /// Money given back.
        Refund = "REFUND",
    }
}

wire_enum! {
    /// The gateway's answer to a transaction.
    ResponseType {
        /// Went through.
        Success = "SUCCESS",
        /// Refused; no use trying again.
        HardDecline = "HARD_DECLINE",
        /// Refused; may work later.
        SoftDecline = "SOFT_DECLINE",
    }
}

wire_enum! {
    /// State of a subscription or line.
    PurchaseStatus {
        /// Running.
        Active = "ACTIVE",
        /// In quality assurance.
        Pending = "PENDING",
        /// Nothing more to bill.
        Complete = "COMPLETE",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// A rebill failed and will be tried again.
        RecycleBilling = "RECYCLE_BILLING",
        /// In its trial.
        Trial = "TRIAL",
        /// Waits until it is resumed.
        Paused = "PAUSED",
        /// No rebill went through.
        RecycleFailed = "RECYCLE_FAILED",
        /// Seen after a pause.
        Inactive = "INACTIVE",
    }
}

wire_enum! {
    /// State of a parcel.
    FulfillmentStatus {
        /// Not handed over yet.
        Hold = "HOLD",
        /// Handed over.
        Pending = "PENDING",
        /// Packed.
        PendingShipment = "PENDING_SHIPMENT",
        /// Under way.
        Shipped = "SHIPPED",
        /// Arrived.
        Delivered = "DELIVERED",
        /// Will not be sent.
        Cancelled = "CANCELLED",
        /// To come back.
        RmaPending = "RMA_PENDING",
        /// Came back.
        Returned = "RETURNED",
    }
}

wire_enum! {
    /// What of a buyer the blacklist goes by.
    BlacklistType {
        /// First six digits of a card.
        CardBin = "cardBin",
        /// State and country of the billing address.
        StateCountry = "stateCountry",
        /// E-mail.
        EmailAddress = "emailAddress",
        /// Phone.
        PhoneNumber = "phoneNumber",
        /// Address on the net.
        IpAddress = "ipAddress",
    }
}
