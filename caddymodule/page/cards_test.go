package page

import (
	"slices"
	"strings"
	"testing"
)

func cardsPage(t *testing.T, name string) string {
	t.Helper()
	p, ok := samples(t, "en")["cards-"+name].(Cards)
	if !ok {
		t.Fatalf("no sample %q", name)
	}
	return rendered(t, p)
}

func TestACardsPageSaysWhatEachCardMayDo(t *testing.T) {
	text := cardsPage(t, "full")
	for _, want := range []string{
		"The red one", "Card 2", "Today it has paid $1.20.", "which can be copied", "It proves that it is itself.", "This card is blocked", `value="2.50"`,
		"It has no PIN.", "more than $5.00 in a day without it", "asks for its PIN at every tap", "Three wrong PINs", "has not taken the other one’s place yet",
		"Lost in the park",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	want := []string{
		"Save", "Save the PIN", "Block this card",
		"Save", "Save the PIN", "Do without a PIN", "Let this card pay again",
		"Save", "Save the PIN", "Do without a PIN", "Let this card pay again",
		"Save", "Save the PIN", "Block this card",
	}
	if got := buttons(t, text, ChangeCardPath); !slices.Equal(got, want) {
		t.Errorf("the buttons are %q, want %q", got, want)
	}
	if len(buttons(t, text, AddCardPath)) > 0 || len(buttons(t, text, RemoveCardPath)) != 5 {
		t.Error("it offers another card, or no removal")
	}
	open := 0
	for _, n := range all(t, text, "details") {
		if hasAttribute(n, "open") {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d cards lie open, want 1", open)
	}
}

// A card that is added can take the place of another that pays.
func TestAClaimMayReplaceACardThatPays(t *testing.T) {
	var offered []string
	for _, n := range all(t, cardsPage(t, "claimed"), "option") {
		offered = append(offered, attribute(n, "value")+" "+content(n))
	}
	want := []string{" No other card", "0a1b The red one", "2c3d Card 2", "4e5f Guessed"}
	if !slices.Equal(offered, want) {
		t.Errorf("it may replace %q, want %q", offered, want)
	}
}

// Whoever has no wallet yet gets one first, and comes back to the card.
func TestAClaimWaitsForAWallet(t *testing.T) {
	text := cardsPage(t, "stranger")
	if got := field(t, text, RedeemPath, "return"); got != CardsPath+"?claim=cla_im" {
		t.Errorf("a voucher leads back to %q", got)
	}
	if len(buttons(t, text, AddCardPath)) > 0 {
		t.Error("a card is added to no wallet")
	}
	text = cardsPage(t, "claimed")
	if got := field(t, text, AddCardPath, "claim"); got != "cla_im" {
		t.Errorf("the claim is %q", got)
	}
}

// A holder decides whether a card pays where there is no connection, and sees what they owe
// for that.
func TestACardsPageSaysWhatIsPaidWithoutAConnection(t *testing.T) {
	text := cardsPage(t, "offline")
	for _, want := range []string{"You owe $2.40", "It does not pay at kiosks that have lost", "It also pays at kiosks that have lost"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	got := buttons(t, text, ChangeCardPath)
	for _, want := range []string{"Let it pay without a connection", "Do not let it pay without a connection"} {
		if !slices.Contains(got, want) {
			t.Errorf("the buttons are %q, without %q", got, want)
		}
	}
	if strings.Contains(cardsPage(t, "full"), "without a connection") {
		t.Error("it speaks of kiosks without a connection where there are none")
	}
}
