package page

// The message keys: what a [Notice] or a [Problem] says, and what [Title] and
// [Text] put into words. They are stable, and also name the problem types of
// the API.
const (
	VoucherMalformed  = "voucher_malformed" // a typing mistake, found without a look-up
	VoucherUnknown    = "voucher_unknown"   // unknown, void or expired: one wording, which tells a guesser nothing
	VoucherUsed       = "voucher_used"
	TooManyTries      = "too_many_tries"
	Limited           = "too_many_requests"  // without payment, from one address or wallet
	RecoveryMalformed = "recovery_malformed" // a typing mistake, found without a look-up
	RecoveryUnknown   = "recovery_unknown"

	QuoteInvalid = "quote_invalid" // not a quote of ours, or not for this page
	QuoteExpired = "quote_expired"
	NotEnough    = "not_enough" // the wallet's available amount does not cover it
	Frozen       = "frozen"     // by the operator
	Revoked      = "revoked"    // the credential's generation
	NoWallet     = "no_wallet"
	Limit        = "limit"       // a balance would pass the largest amount
	Conflict     = "conflict"    // the same id with other content
	Unavailable  = "unavailable" // the ledger cannot answer, and nothing was asked of it that could cost money
	Uncertain    = "uncertain"   // the ledger did not answer a charge: invariant 6

	CrossSite        = "cross_site"
	BadRequest       = "bad_request"
	MethodNotAllowed = "method_not_allowed"
	TooLarge         = "too_large"
	NotFound         = "not_found"

	CardClaim   = "card_claim"  // too old, or none
	CardTaken   = "card_taken"  // it is another wallet's
	CardLimits  = "card_limits" // what is asked for is beyond the limits of names, limits and wallets
	CardPIN     = "card_pin"    // it is none that does
	CardPlace   = "card_place"  // it has been taken, or is being taken
	CardAdded   = "card_added"  // and what follows are notices
	CardChanged = "card_changed"
	CardRemoved = "card_removed"

	CardReplaced = "card_replaced"

	TillCode  = "till_code"  // none, used or too old
	TillCard  = "till_card"  // what was typed is no number
	TillTaken = "till_taken" // a notice, and so are the next two
	TillBack  = "till_back"
	TillLate  = "till_late"
	TillNone  = "till_none" // the browser is none, or none any more

	TapOver     = "tap_over"     // of what a card has shown a phone
	CardBlocked = "card_blocked" // by whoever holds it; a notice
	SessionCode = "session_code" // of a tap that has been used, or whose money has gone back

	Redeemed        = "redeemed"
	Recovered       = "recovered"
	RecoveryRenewed = "recovery_renewed"
	PaidAlready     = "paid_already"
)

// The fields that a [Notice] can be about.
const (
	FieldVoucher  = "voucher"
	FieldRecovery = "recovery"
)
