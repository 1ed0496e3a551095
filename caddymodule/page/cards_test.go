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
	for _, want := range []string{"The red one", "Card 2", "Today it has paid $1.20.", "which can be copied", "It proves that it is itself.", "This card is blocked", `value="2.50"`} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	want := []string{"Save", "Block this card", "Save", "Let this card pay again"}
	if got := buttons(t, text, ChangeCardPath); !slices.Equal(got, want) {
		t.Errorf("the buttons are %q, want %q", got, want)
	}
	if len(buttons(t, text, AddCardPath)) > 0 || len(buttons(t, text, RemoveCardPath)) != 2 {
		t.Error("it offers another card, or no removal")
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
