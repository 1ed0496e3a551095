package page

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// page is what the three kinds of page have in common.
type page interface{ Render(io.Writer) error }

var noon = time.Date(2026, time.November, 2, 12, 3, 0, 0, time.UTC)

const (
	sampleCode    = "7K2M-9QXD-4TVB-W8HN-3FRJ"
	samplePicture = "data:image/png;base64,iVBORw0KGgo="
	sampleKiosk   = "http://127.0.0.1:8404/"
	sampleID      = "0f9d3c1e-52a7-4c4e-9b7e-7f0d1c2b3a49"
)

// policyOf is the policy that a page goes out with.
func policyOf(p page) string {
	if own, has := p.(interface{ Policy() string }); has {
		return own.Policy()
	}
	return ContentSecurityPolicy
}

func currency(t testing.TB, code string) wallet.Currency {
	t.Helper()
	c, err := wallet.ParseCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func cents(n int64) wallet.Amount { return wallet.Amount(n) * wallet.Unit / 100 }

func rendered(t testing.TB, p page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Render(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// samples are pages in every state that a template distinguishes.
func samples(t testing.TB, lang string) map[string]page {
	frame := Frame{Lang: lang, Currency: currency(t, "USD"), SiteName: "Small Change", Path: "/articles/1?x=1"}
	if lang != "en" {
		frame.Currency = currency(t, "EUR")
	}
	pages := map[string]page{}
	for name, c := range sampleChallenges(frame) {
		pages["challenge-"+name] = c
	}
	frame.Path = WalletPath
	for name, w := range sampleWallets(frame) {
		pages["wallet-"+name] = w
	}
	frame.Path = CardsPath
	for name, c := range sampleCards(frame) {
		pages["cards-"+name] = c
	}
	frame.Path = SessionPath
	pages["session"] = Session{Frame: frame, Until: noon, Left: time.Hour, Start: "/articles/"}
	frame.Path = TapPath
	tapped := Tap{Frame: frame, Token: "to-k_en"}
	pages["tap-known"] = tapped
	tapped.Page, tapped.Price = "The Ferryman’s Ledger", cents(10)
	pages["tap-pay"] = tapped
	tapped.Ask, tapped.Wrong = "sea-l_ed", true
	pages["tap-pin"] = tapped
	pages["tap-wait"] = Tap{Frame: frame, Page: "The Ferryman’s Ledger", Price: cents(10)}
	pages["tap-how"] = Tap{Frame: frame}
	pages["tap-refused"] = Tap{Frame: frame, Title: "Tap again", Text: "This message of the card has been used."}
	pages["tap-blocked"] = Tap{Frame: frame, Token: "to-k_en", Blocked: true}
	frame.Path = TillPath
	for name, p := range sampleTills(frame) {
		pages["till-"+name] = p
	}
	frame.Path = SessionPath
	pages["signedout"] = SignedOut{Frame: frame}
	pages["signedout-next"] = SignedOut{Frame: frame, Next: sampleKiosk}
	frame.Path = "/articles/1"
	for key := range catalogues()["en"].Messages {
		pages["problem-"+key] = Problem{Frame: frame, Status: 409, Key: key, Return: "/articles/1"}
	}
	pages["problem-bare"] = Problem{Frame: Frame{Lang: lang}, Status: 400, Key: BadRequest}
	return pages
}

func sampleCards(frame Frame) map[string]Cards {
	full := Cards{Frame: frame, Exists: true, Return: CardsPath, Cards: []Card{
		{ID: "0a1b", Name: "The red one", Spent: cents(120)},
		{ID: "2c3d", Signs: true, Blocked: true, Tap: "2.50", Day: "10.00", PIN: true, Above: cents(500), Open: true},
		{ID: "4e5f", Name: "Guessed", Blocked: true, PINBlocked: true, PIN: true},
		{ID: "6a7b", Name: "Waiting", Pending: true},
		{ID: "8c9d", Name: "Lost in the park", Replaced: true},
	}}
	claimed := full
	claimed.Claim, claimed.Return = "cla_im", CardsPath+"?claim=cla_im"
	claimed.Notice = &Notice{Error: true, Key: CardClaim}
	stranger := claimed
	stranger.Exists, stranger.Cards, stranger.Notice = false, nil, nil
	offline := Cards{Frame: frame, Exists: true, Return: CardsPath, Owed: cents(240), Cards: []Card{
		{ID: "0a1b", Name: "The red one", MayOffline: true, Open: true}, {ID: "2c3d", Signs: true, MayOffline: true, Offline: true},
	}}
	return map[string]Cards{
		"offline": offline, "full": full, "claimed": claimed, "stranger": stranger, "empty": {Frame: frame, Exists: true, Return: CardsPath},
		"bare": {Frame: Frame{Lang: frame.Lang}},
	}
}

func sampleTills(frame Frame) map[string]Till {
	coffee := Goods{Name: "coffee", Title: "A coffee", Price: cents(120), Decimal: "1.20"}
	till := Till{Frame: frame, Kiosk: "stall", Products: []Goods{coffee}, Tap: "t-a-p", Format: "hex", Formats: []string{"hex", "decimal"}}
	selling := till
	selling.Product = &coffee
	all := map[string]Till{"new": {Frame: frame}, "choice": till, "empty": {Frame: frame, Kiosk: "stall"}, "sale": selling}
	for name, r := range map[string]TillResult{
		"paid":    {Title: "Paid", Text: "Take it, or go in.", Good: true, Grant: "gr_an-t"},
		"refused": {Title: "Not enough money", Text: "Top up this card’s wallet, then tap again."},
		"again":   {Title: "Already paid", Text: "You have just paid for this.", Good: true, Again: true},
		"unknown": {Title: "Nobody’s card yet", Text: "Make it yours.", Claim: CardsPath + "?claim=cla_im", Picture: samplePicture},
		"pin":     {Title: "Enter the PIN", Ask: "sea-l_ed", Wrong: true},
	} {
		with := selling
		with.Result = &r
		all[name] = with
	}
	return all
}

func sampleChallenges(frame Frame) map[string]Challenge {
	view := Offer{Name: "view", Price: cents(10), Affordable: true}
	bundle := Offer{Name: "bundle-10", Visits: 10, Price: cents(1000), Affordable: true, Validity: 90 * 24 * time.Hour}
	small := Offer{Name: "bundle-5", Visits: 5, Price: cents(45), Affordable: true}
	rich := Challenge{
		Frame: frame, Title: "The Ferryman’s Ledger",
		Teaser: "For forty years a man rowed strangers over a river for one coin each, and wrote down every crossing. What the book says when you read it backwards.",
		Window: 24 * time.Hour, Offers: []Offer{view}, Quote: "q.u-o_te", Return: "/articles/1",
		HasWallet: true, Balance: cents(500),
	}
	all := map[string]Challenge{"rich": rich}

	carded := rich
	carded.Cards = true
	all["carded"] = carded

	stranger := rich
	stranger.HasWallet, stranger.Balance = false, 0
	all["stranger"] = stranger

	short := rich
	short.Offers = []Offer{{Name: "view", Price: cents(10)}, {Name: "bundle-10", Visits: 10, Price: cents(1000)}}
	short.Balance = cents(4)
	all["short"] = short

	choice := rich
	choice.Offers = []Offer{small, view, bundle}
	choice.Balance = cents(123456)
	all["choice"] = choice

	bundles := rich
	bundles.Offers = []Offer{bundle, small}
	bundles.Balance = cents(5000)
	all["bundles"] = bundles

	visits := bundles
	visits.Visits = 9
	all["visits"] = visits

	bare := Challenge{Frame: Frame{Lang: frame.Lang}}
	all["bare"] = bare

	typo := stranger
	typo.Notice = &Notice{Error: true, Key: VoucherMalformed, Field: FieldVoucher}
	all["typo"] = typo

	lost := rich
	lost.Notice = &Notice{Error: true, Key: RecoveryUnknown, Field: FieldRecovery}
	all["lost"] = lost

	spent := rich
	spent.Notice = &Notice{Error: true, Key: VoucherUsed, Field: FieldVoucher}
	all["spent"] = spent

	fresh := rich
	fresh.Notice = &Notice{Key: Redeemed}
	fresh.RecoveryCode = sampleCode
	all["fresh"] = fresh
	return all
}

func sampleWallets(frame Frame) map[string]Wallet {
	full := Wallet{
		Frame: frame, Exists: true, First: true, ID: sampleID, Balance: cents(390), Held: cents(100),
		Passes: []Pass{
			{Title: "The Harbour Letter", Visits: 9, Until: noon.AddDate(0, 3, 0)},
			{Title: "/archive/*", Visits: 1},
		},
		Entries: sampleEntries(),
		Next:    "a+b/c=",
	}
	all := map[string]Wallet{"full": full}

	empty := Wallet{Frame: frame, Exists: true, First: true, ID: sampleID}
	all["empty"] = empty

	frozen := full
	frozen.Frozen, frozen.Passes, frozen.Held = true, nil, 0
	frozen.Notice = &Notice{Error: true, Key: Frozen}
	all["frozen"] = frozen

	older := full
	older.First, older.Next = false, ""
	all["older"] = older

	all["none"] = Wallet{Frame: frame}
	tries := Wallet{Frame: frame}
	tries.Notice = &Notice{Error: true, Key: TooManyTries, Field: FieldRecovery}
	all["tries"] = tries

	renewed := full
	renewed.Notice = &Notice{Key: RecoveryRenewed}
	renewed.RecoveryCode = sampleCode
	all["renewed"] = renewed
	return all
}

// sampleEntries holds one entry of every kind, and of one that is not known.
func sampleEntries() []Entry {
	entries := []Entry{
		{Kind: wallet.KindVisit, Visits: -1, Balance: cents(390), Path: "/research/2"},
		{Kind: wallet.KindBuy, Amount: cents(-1000), Visits: 10, Balance: cents(390)},
		{Kind: wallet.KindCharge, Amount: cents(-10), Balance: cents(1390), Path: "/articles/1"},
		{Kind: wallet.KindTransfer, Amount: cents(-250), Balance: cents(1400), Note: "for the umbrella"},
		{Kind: wallet.KindTransfer, Amount: cents(250), Balance: cents(1650)},
		{Kind: wallet.KindRedeem, Amount: cents(1500), Balance: cents(1400)},
	}
	for kind := wallet.KindCreate; kind <= wallet.KindVoid+1; kind++ {
		entries = append(entries, Entry{Kind: kind, Amount: cents(-10), Balance: cents(100)})
	}
	entries = append(entries, Entry{Kind: wallet.KindCharge, Kiosk: true, Amount: cents(-120), Balance: cents(100)})
	for i := range entries {
		entries[i].Time = noon.AddDate(0, 0, -9*i)
	}
	return entries
}
