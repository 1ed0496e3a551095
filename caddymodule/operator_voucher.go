package caddymodule

import (
	"net/http"
	"strconv"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// newVoucher is a voucher as it is printed, once.
type newVoucher struct {
	Code     string     `json:"code"`
	Serial   uint64     `json:"serial"`
	Value    string     `json:"value"`
	Currency string     `json:"currency"`
	Expires  *time.Time `json:"expires,omitempty"`
}

// voucherJSON is a voucher as it is kept: its code is known to nobody.
type voucherJSON struct {
	Serial   uint64     `json:"serial"`
	Value    string     `json:"value"`
	Currency string     `json:"currency"`
	State    string     `json:"state"`
	Issued   time.Time  `json:"issued"`
	Expires  *time.Time `json:"expires,omitempty"`
	Redeemed *time.Time `json:"redeemed,omitempty"`
	Wallet   string     `json:"wallet,omitempty"`
	Note     string     `json:"note,omitempty"`
}

type voucherList struct {
	Vouchers []voucherJSON `json:"vouchers"`
	Next     string        `json:"next,omitempty"`
}

// createVouchers draws codes and issues vouchers for them. The answer is the
// only place where the codes are ever written. A retry of the same id draws
// other codes and so is a conflict: what was printed is not printed twice.
func (c *operatorCall) createVouchers() (any, error) {
	value, err := wallet.ParseAmount(c.input.Value)
	if err != nil {
		return nil, err
	}
	if c.input.Count < 1 || c.input.Count > wallet.MaxVouchers {
		return nil, adminError(http.StatusBadRequest, "count must be 1 to "+strconv.Itoa(wallet.MaxVouchers))
	}
	if e := c.input.Expires; !e.IsZero() && !e.After(c.now()) {
		return nil, adminError(http.StatusBadRequest, "expires must be in the future")
	}
	issue := wallet.IssueVouchers{ID: c.operation(), Value: value, Expires: c.input.Expires, Note: c.input.Note}
	codes := make([]wallet.Code, c.input.Count)
	for i := range codes {
		if codes[i], err = wallet.NewVoucherCode(c.random); err != nil {
			return nil, err
		}
		issue.Digests = append(issue.Digests, codes[i].Digest(c.keys.vouchers))
	}
	receipt, err := c.ledger.IssueVouchers(c.r.Context(), issue)
	if err != nil {
		return nil, err
	}
	if receipt.Outcome != wallet.Applied {
		return nil, outcomeError(receipt.Outcome, "vouchers")
	}
	answer := make([]newVoucher, len(codes))
	for i, code := range codes {
		answer[i] = newVoucher{
			Code: code.String(), Serial: receipt.Serial + uint64(i), Value: c.currency.Format(value),
			Currency: c.currency.String(), Expires: optional(c.input.Expires),
		}
	}
	return answer, nil
}

func (c *operatorCall) listVouchers() (any, error) {
	page, next, err := c.ledger.Vouchers(c.r.Context(), c.input.Cursor, c.limit())
	if err != nil {
		return nil, err
	}
	answer := voucherList{Vouchers: make([]voucherJSON, 0, len(page)), Next: next}
	for _, v := range page {
		answer.Vouchers = append(answer.Vouchers, c.voucherJSON(v))
	}
	return answer, nil
}

// voidVoucher makes a voucher worthless, by serial number or by code.
func (c *operatorCall) voidVoucher() (any, error) {
	serial, err := strconv.ParseUint(c.input.Voucher, 10, 64)
	if err != nil || len(c.input.Voucher) > 12 { // a code can be all digits
		code, err := wallet.ParseVoucherCode(c.input.Voucher)
		if err != nil {
			return nil, adminError(http.StatusBadRequest, "voucher must be a serial number or a code")
		}
		found, err := c.ledger.Voucher(c.r.Context(), code.Digest(c.keys.vouchers))
		if err != nil {
			return nil, err
		}
		serial = found.Serial
	}
	receipt, err := c.ledger.VoidVoucher(c.r.Context(), wallet.VoidVoucher{ID: c.operation(), Serial: serial, Note: c.input.Note})
	if err != nil {
		return nil, err
	}
	if !receipt.Outcome.Done() {
		return nil, outcomeError(receipt.Outcome, "voucher "+strconv.FormatUint(serial, 10))
	}
	return map[string]any{"serial": serial, "state": wallet.VoucherVoid.String()}, nil
}

func (c *operatorCall) voucherJSON(v wallet.Voucher) voucherJSON {
	answer := voucherJSON{
		Serial: v.Serial, Value: c.currency.Format(v.Value), Currency: c.currency.String(), State: v.State.String(),
		Issued: v.Issued.UTC(), Expires: optional(v.Expires), Redeemed: optional(v.Redeemed), Note: v.Note,
	}
	if v.Wallet != (wallet.WalletID{}) {
		answer.Wallet = v.Wallet.String()
	}
	return answer
}
